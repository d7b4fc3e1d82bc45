import { afterAll } from 'vitest'
import { vertexCloud } from '../../src/adapters/vertex.ts'
import { type VirtualClock, virtualClock } from '../../src/emulator/clock.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { chaosContract } from '../contracts/chaos.ts'

/** ms, as long as on Google Cloud: what a killed run has started still runs when the next one comes. */
const TIMING = { create: 3_000, upload: 90_000, deployStage: 90_000, undeploy: 30_000, mutate: 60_000, delete: 5_000 }

let clock: VirtualClock
let emulator: Emulator | undefined
let serial = 0

afterAll(() => emulator?.stop())

/** An emulator keeps all that it has in one file, so one of many worlds gets slow. */
async function emulatorOf(world: number): Promise<Emulator> {
  if (emulator === undefined || world % 20 === 0) {
    await emulator?.stop()
    clock = virtualClock()
    emulator = await startEmulator({ port: 0, seed: 1, clock, timing: TIMING })
  }
  return emulator
}

/** What a cloud in memory has been through, over gRPC. */
chaosContract(
  'the emulator, through the real client',
  async () => {
    const { url, faults } = await emulatorOf(++serial)
    const project = `dap-test-${serial}`
    const place = { target: 'emulator', project, region: 'us-central1', bucket: project } as const
    return {
      cloud: await vertexCloud(place, () => url),
      clock: { now: () => clock.now(), sleep: ms => clock.advance(ms) },
      failNextDeployment: () => void faults.add({ on: 'DeployModel', fault: 'readiness', times: 1 }),
      // A fault that no deployment has met is not the next world's.
      close: async () => faults.clear(),
    }
  },
  Number(process.env.CHAOS_RUNS ?? 30),
)
