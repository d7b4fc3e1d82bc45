import { chaosContract } from '../../contracts/chaos.ts'
import { emulatedWorlds } from '../../support/emulated-worlds.ts'

const create = emulatedWorlds()

/** What a cloud in memory has been through, over gRPC. */
chaosContract(
  'the emulator, through the real client',
  async () => {
    const { emulator, ...world } = await create()
    return {
      ...world,
      failNextDeployment: () => void emulator.faults.add({ on: 'DeployModel', fault: 'readiness', times: 1 }),
      // A fault that no deployment has met is not the next world's.
      close: async () => emulator.faults.clear(),
    }
  },
  Number(process.env.CHAOS_RUNS ?? 30),
)
