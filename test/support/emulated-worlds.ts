import { afterAll } from 'vitest'
import { vertexApi } from '../../src/adapters/vertex/requests.ts'
import type { Cloud } from '../../src/deploy/cloud.ts'
import type { Clock } from '../../src/deploy/patience.ts'
import { type VirtualClock, virtualClock } from '../../src/emulator/clock.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { overVertex } from './over-vertex.ts'

/** ms, as long as on Google Cloud: what a killed run has started still runs when the next one comes. */
const TIMING = { create: 3_000, upload: 90_000, deployStage: 90_000, undeploy: 30_000, mutate: 60_000, delete: 5_000 }

export interface EmulatedWorld {
  readonly cloud: Cloud
  /** Virtual. */
  readonly clock: Clock
  readonly emulator: Emulator
}

/** Empty projects of an emulator, over gRPC, one a call. It keeps all that it has in one file, so one of many worlds gets slow. */
export function emulatedWorlds(): () => Promise<EmulatedWorld> {
  let clock: VirtualClock
  let emulator: Emulator | undefined
  let serial = 0
  afterAll(() => emulator?.stop())
  return async () => {
    if (serial++ % 20 === 0) {
      await emulator?.stop()
      clock = virtualClock()
      emulator = await startEmulator({ port: 0, seed: 1, clock, timing: TIMING })
    }
    const { url } = emulator!
    const project = `dap-test-${serial}`
    const place = { target: 'emulator', project, region: 'us-central1', bucket: project } as const
    return {
      cloud: overVertex(await vertexApi(place, () => url)),
      clock: { now: () => clock.now(), sleep: ms => clock.advance(ms) },
      emulator: emulator!,
    }
  }
}
