import { afterAll, beforeAll } from 'vitest'
import { vertexApi } from '../../../src/adapters/vertex/requests.ts'
import { type VirtualClock, virtualClock } from '../../../src/emulator/clock.ts'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import { cloudContract } from '../../contracts/cloud.ts'
import { editLabel, overVertex, wipeLabels } from '../../support/over-vertex.ts'

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
  const cloud = overVertex(await vertexApi(place, () => emulator.url))
  return {
    cloud,
    edit: (route, text) => editLabel(cloud, route, text),
    wipe: (route, rng) => wipeLabels(cloud, route, rng),
    clock: { now: () => clock.now(), sleep: ms => clock.advance(ms) },
  }
})
