import { afterAll, beforeAll } from 'vitest'
import { vertexCloud } from '../../src/adapters/vertex.ts'
import { type VirtualClock, virtualClock } from '../../src/emulator/clock.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { chaosContract } from '../contracts/chaos.ts'

let clock: VirtualClock
let emulator: Emulator
let serial = 0

beforeAll(async () => {
  clock = virtualClock()
  emulator = await startEmulator({ port: 0, seed: 1, clock })
})
afterAll(() => emulator.stop())

/** What a cloud in memory has been through, over gRPC. */
chaosContract(
  'the emulator, through the real client',
  async () => {
    const project = `dap-test-${++serial}`
    const place = { target: 'emulator', project, region: 'us-central1', bucket: project } as const
    return {
      cloud: await vertexCloud(place, () => emulator.url),
      clock: { now: () => clock.now(), sleep: ms => clock.advance(ms) },
      failNextDeployment: () => void emulator.faults.add({ on: 'DeployModel', fault: 'readiness', times: 1 }),
      // A fault that no deployment has met is not the next world's.
      close: async () => emulator.faults.clear(),
    }
  },
  Number(process.env['CHAOS_RUNS'] ?? 30),
)
