import type { VertexApi } from '../../src/adapters/vertex/api.ts'
import { cloudOver } from '../../src/adapters/vertex/cloud.ts'
import type { Cloud } from '../../src/deploy/cloud.ts'

const apis = new WeakMap<Cloud, VertexApi>()

/** The cloud that dap makes of Vertex AI, which tests can reach past. */
export function overVertex(api: VertexApi): Cloud {
  const cloud = cloudOver(api)
  apis.set(cloud, api)
  return cloud
}

/** What a cloud asks: somebody else does the same things there. */
export function vertexOf(cloud: Cloud): VertexApi {
  const api = apis.get(cloud)
  if (api === undefined) throw new Error('this cloud is not one of `overVertex`')
  return api
}
