import { chaosContract } from '../contracts/chaos.ts'
import { plainCloud } from '../support/memory-cloud.ts'
import { memoryCloud } from '../support/memory-vertex.ts'

const RUNS = Number(process.env.CHAOS_RUNS ?? 500)

chaosContract('Vertex AI in memory', () => memoryCloud(), RUNS)
chaosContract('a target that is nothing like it', () => plainCloud(), RUNS)
