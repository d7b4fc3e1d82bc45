import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { vertexCloud } from '../../../src/adapters/vertex/cloud.ts'
import type { Cloud, Place } from '../../../src/deploy/cloud.ts'
import { readOnce, readPatiently } from '../../../src/deploy/reads.ts'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import { stream } from '../../../src/math/rng.ts'
import { virtualClock } from '../../support/memory-cloud.ts'

const PLACE: Place = { target: 'emulator', project: 'dap-local', region: 'us-central1', bucket: 'dap-local' }

let emulator: Emulator
let cloud: Cloud
let retries: string[] = []

beforeAll(async () => {
  emulator = await startEmulator({ port: 0, seed: 1 })
  cloud = readPatiently(await vertexCloud(PLACE, () => emulator.url), {
    clock: virtualClock(),
    rng: stream(1, 'busy'),
    onRetry: (call, attempt) => retries.push(`${call} ${attempt}`),
  })
})
afterAll(() => emulator.stop())

/** Calls that read, by the method of the emulator that each asks for. */
const READS: readonly (readonly [string, (cloud: Cloud) => Promise<unknown>, unknown])[] = [
  ['ListEndpoints', cloud => cloud.listEndpoints(), []],
  ['GetEndpoint', cloud => cloud.getEndpoint('none'), undefined],
  ['ListModels', cloud => cloud.listModels(), []],
  ['ListModelVersions', cloud => cloud.listVersions('none'), []],
  ['ListOperations', cloud => cloud.runningOperations({ model: 'none' }), []],
  ['storage.get', cloud => cloud.listObjects(''), []],
]

describe.each(READS)('%s at a busy cloud, through the real client', (on, read, answer) => {
  it.each(['unavailable', 'quota'])('is tried until it is answered: %s', async fault => {
    retries = []
    emulator.faults.add({ on, fault, times: 3 })
    expect(await read(cloud)).toEqual(answer)
    expect(retries.map(each => each.split(' ')[1])).toEqual(['1', '2', '3'])
    expect(emulator.faults.list()).toEqual([])
  })

  it('is tried once by who has a patience of its own', async () => {
    emulator.faults.add({ on, fault: 'unavailable', times: 1 })
    await expect(read(readOnce(cloud))).rejects.toMatchObject({ status: 'UNAVAILABLE' })
    expect(emulator.faults.list()).toEqual([])
  })
})
