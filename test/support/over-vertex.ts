import type { VertexApi } from '../../src/adapters/vertex/api.ts'
import { cloudOver } from '../../src/adapters/vertex/cloud.ts'
import type { Cloud } from '../../src/deploy/routes.ts'
import type { Rng } from '../../src/math/rng.ts'
import { type Harm, harmable } from './faults.ts'

const apis = new WeakMap<Cloud, VertexApi>()

/** The cloud that dap makes of Vertex AI, which tests can reach past. */
export function overVertex(api: VertexApi): Cloud {
  const cloud = cloudOver(api)
  apis.set(cloud, api)
  harmable.set(cloud, harm => overVertex(harmed(api, harm)))
  return cloud
}

function harmed(api: VertexApi, harm: Harm): VertexApi {
  return new Proxy(api, {
    get(target, key: keyof VertexApi) {
      const method = target[key] as unknown
      if (typeof method !== 'function') return method
      return (...args: never[]) => harm(key, () => (method as (...args: never[]) => Promise<unknown>)(...args))
    },
  })
}

/** What a cloud asks: somebody else does the same things there. */
export function vertexOf(cloud: Cloud): VertexApi {
  const api = apis.get(cloud)
  if (api === undefined) throw new Error('this cloud is not one of `overVertex`')
  return api
}

/** Somebody gives the endpoint another label in the console. */
export async function editLabel(cloud: Cloud, id: string, value: string): Promise<void> {
  const api = vertexOf(cloud)
  const found = await api.getEndpoint(id)
  if (found === undefined) return
  await api.updateEndpoint(id, { etag: found.etag, labels: { ...found.labels, team: value } })
}

/** An ordinary `endpoint.update(labels={…})` of Google's SDK; or somebody takes away some labels, or writes nonsense into one. */
export async function wipeLabels(cloud: Cloud, id: string, rng: Rng): Promise<void> {
  const api = vertexOf(cloud)
  const own = (await api.getEndpoint(id))!
  const ours = Object.keys(own.labels).filter(label => label.startsWith('dap-') && !label.startsWith('dap-lock'))
  const how = rng.uniform()
  // The lock alone is taken away by `dap lock break`.
  const locks = Object.keys(own.labels).filter(label => how > 0.5 && label.startsWith('dap-lock'))
  const kept = [...locks, ...ours.filter(() => how > 0.5 && rng.uniform() < 0.8)]
  const labels = { ...Object.fromEntries(kept.map(label => [label, own.labels[label]])), team: 'games' }
  const edited = how > 0.75 ? { ...own.labels, [ours[Math.floor(rng.uniform() * ours.length)]]: 'zzz' } : labels
  await api.updateEndpoint(id, { etag: own.etag, labels: edited })
}
