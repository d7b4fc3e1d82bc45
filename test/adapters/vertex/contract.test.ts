import { afterAll, beforeAll } from 'vitest'
import { vertexCloud } from '../../../src/adapters/vertex/cloud.ts'
import { type VirtualClock, virtualClock } from '../../../src/emulator/clock.ts'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import { cloudContract } from '../../contracts/cloud.ts'

let clock: VirtualClock
let emulator: Emulator
let serial = 0

beforeAll(async () => {
  clock = virtualClock()
  emulator = await startEmulator({ port: 0, seed: 1, clock })
})
afterAll(() => emulator.stop())

/** A project and a bucket of its own for each test, on one emulator whose time passes while the test sleeps. */
cloudContract('the emulator, through the real client', async () => {
  const project = `dap-test-${++serial}`
  const place = { target: 'emulator', project, region: 'us-central1', bucket: project } as const
  return {
    cloud: await vertexCloud(place, () => emulator.url),
    clock: { now: () => clock.now(), sleep: ms => clock.advance(ms) },
  }
})
