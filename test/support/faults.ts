import { CloudError } from '../../src/deploy/cloud-error.ts'
import type { Cloud } from '../../src/deploy/routes.ts'

/** As `kill -9` would: nothing is called any more, and nothing is cleaned up. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** `before` and `after` say what goes wrong at a call, by its number from 0; they may throw, and may do something to the cloud themselves. */
export interface Faults {
  before?(call: number, method: string): void | Promise<void>
  after?(call: number, method: string): void | Promise<void>
}

/** Makes a request, or something else of it. */
export type Harm = <T>(method: string, call: () => Promise<T>) => Promise<T>

/** How a cloud is made anew with requests that come to harm: by what it is made of, wherever that has its requests. */
export const harmable = new WeakMap<Cloud, (harm: Harm) => Cloud>()

/** The same cloud, where things go wrong with its requests. */
export function faulty(cloud: Cloud, faults: Faults): Cloud {
  let calls = 0
  const remake = harmable.get(cloud)
  if (remake === undefined) throw new Error('nobody knows what this cloud is made of')
  return remake(async (method, request) => {
    const call = calls++
    await faults.before?.(call, method)
    const answer = await request()
    await faults.after?.(call, method)
    return answer
  })
}

export const unavailable = () => {
  throw new CloudError('UNAVAILABLE', 'the connection was reset')
}
