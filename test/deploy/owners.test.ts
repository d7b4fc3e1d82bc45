import { ownersContract } from '../contracts/owners.ts'
import { memoryCloud } from '../support/memory-vertex.ts'

ownersContract('a cloud in memory', () => memoryCloud(), Number(process.env.CHAOS_RUNS ?? 500))
