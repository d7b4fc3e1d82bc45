import type { VertexApi } from '../../src/adapters/vertex/api.ts'
import { type Cloud, CloudError } from '../../src/deploy/cloud.ts'
import { overVertex, vertexOf } from './over-vertex.ts'

/** As `kill -9` would: nothing is called any more, and nothing is cleaned up. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** `before` and `after` say what goes wrong at a call, by its number from 0; they may throw, and may do something to the cloud themselves. */
export interface Faults {
  before?(call: number, method: string): void | Promise<void>
  after?(call: number, method: string): void | Promise<void>
}

/** The same cloud, where things go wrong with its requests. */
export function faulty(cloud: Cloud, faults: Faults): Cloud {
  let calls = 0
  const api = new Proxy(vertexOf(cloud), {
    get(target, key: keyof VertexApi) {
      const method = target[key]
      if (typeof method !== 'function') return method
      return async (...args: never[]) => {
        const call = calls++
        await faults.before?.(call, key)
        const answer = await (method as (...args: never[]) => Promise<unknown>)(...args)
        await faults.after?.(call, key)
        return answer
      }
    },
  })
  return overVertex(api)
}

export const unavailable = () => {
  throw new CloudError('UNAVAILABLE', 'the connection was reset')
}

/** Somebody gives the endpoint another label in the console. */
export async function editLabel(cloud: Cloud, endpoint: string, value: string): Promise<void> {
  const api = vertexOf(cloud)
  const found = await api.getEndpoint(endpoint)
  if (found !== undefined) {
    await api.updateEndpoint(endpoint, { etag: found.etag, labels: { ...found.labels, team: value } })
  }
}
