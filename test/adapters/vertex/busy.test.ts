import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { READS as CALLS, type VertexApi } from '../../../src/adapters/vertex/api.ts'
import { vertexApi } from '../../../src/adapters/vertex/requests.ts'
import { readPatiently } from '../../../src/deploy/reads.ts'
import type { Place } from '../../../src/deploy/routes.ts'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import { stream } from '../../../src/math/rng.ts'
import { virtualClock } from '../../support/memory-vertex.ts'

const PLACE: Place = { target: 'emulator', project: 'dap-local', region: 'us-central1', bucket: 'dap-local' }

let emulator: Emulator
let once: VertexApi
let patient: VertexApi
let retries: string[] = []

beforeAll(async () => {
  emulator = await startEmulator({ port: 0, seed: 1 })
  once = await vertexApi(PLACE, () => emulator.url)
  patient = readPatiently(once, CALLS, {
    clock: virtualClock(),
    rng: stream(1, 'busy'),
    onRetry: (call, attempt) => retries.push(`${call} ${attempt}`),
  })
})
afterAll(() => emulator.stop())

/** Calls that read, by the method of the emulator that each asks for. */
const READS: readonly (readonly [string, (api: VertexApi) => Promise<unknown>, unknown])[] = [
  ['ListEndpoints', api => api.listEndpoints(), []],
  ['GetEndpoint', api => api.getEndpoint('none'), undefined],
  ['ListModels', api => api.listModels(), []],
  ['ListModelVersions', api => api.listVersions('none'), []],
  ['ListOperations', api => api.runningOperations({ model: 'none' }), []],
  ['storage.get', api => api.listObjects(''), []],
]

describe.each(READS)('%s at a busy cloud, through the real client', (on, read, answer) => {
  it.each(['unavailable', 'quota'])('is tried until it is answered: %s', async fault => {
    retries = []
    emulator.faults.add({ on, fault, times: 3 })
    expect(await read(patient)).toEqual(answer)
    expect(retries.map(each => each.split(' ')[1])).toEqual(['1', '2', '3'])
    expect(emulator.faults.list()).toEqual([])
  })

  it('is tried once by who has a patience of its own', async () => {
    emulator.faults.add({ on, fault: 'unavailable', times: 1 })
    await expect(read(once)).rejects.toMatchObject({ status: 'UNAVAILABLE' })
    expect(emulator.faults.list()).toEqual([])
  })
})
