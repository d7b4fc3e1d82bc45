import { ownersContract } from '../../contracts/owners.ts'
import { emulatedWorlds } from '../../support/emulated-worlds.ts'

ownersContract('the emulator, through the real client', emulatedWorlds(), Number(process.env.CHAOS_RUNS ?? 5))
