import { chaosContract } from '../contracts/chaos.ts'
import { memoryCloud } from '../support/memory-vertex.ts'

chaosContract('a cloud in memory', () => memoryCloud(), Number(process.env.CHAOS_RUNS ?? 500))
