import { afterAll } from 'vitest'
import { vertexApi } from '../../src/adapters/vertex/requests.ts'
import type { Clock } from '../../src/deploy/patience.ts'
import type { Cloud } from '../../src/deploy/routes.ts'
import { type VirtualClock, virtualClock } from '../../src/emulator/clock.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import type { Rng } from '../../src/math/rng.ts'
import { editLabel, overVertex, wipeLabels } from './over-vertex.ts'

/** ms, as long as on Google Cloud: what a killed run has started still runs when the next one comes. */
const TIMING = { create: 3_000, upload: 90_000, deployStage: 90_000, undeploy: 30_000, mutate: 60_000, delete: 5_000 }

export interface EmulatedWorld {
  readonly cloud: Cloud
  /** Virtual. */
  readonly clock: Clock
  readonly emulator: Emulator
  edit(endpoint: string, text: string): Promise<void>
  wipe(endpoint: string, rng: Rng): Promise<void>
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
    const cloud = overVertex(await vertexApi(place, () => url))
    return {
      cloud,
      edit: (endpoint, text) => editLabel(cloud, endpoint, text),
      wipe: (endpoint, rng) => wipeLabels(cloud, endpoint, rng),
      clock: { now: () => clock.now(), sleep: ms => clock.advance(ms) },
      emulator: emulator!,
    }
  }
}
