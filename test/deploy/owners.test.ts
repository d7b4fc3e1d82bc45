import { ownersContract } from '../contracts/owners.ts'
import { plainCloud } from '../support/memory-cloud.ts'
import { memoryCloud } from '../support/memory-vertex.ts'

ownersContract('Vertex AI in memory', () => memoryCloud(), Number(process.env.CHAOS_RUNS ?? 500))
ownersContract('a target that is nothing like it', () => plainCloud(), Number(process.env.CHAOS_RUNS ?? 500))
