import { cloudContract } from '../contracts/cloud.ts'
import { plainCloud } from '../support/memory-cloud.ts'
import { memoryCloud } from '../support/memory-vertex.ts'

cloudContract('Vertex AI in memory', () => memoryCloud())
cloudContract('a target that is nothing like it', () => plainCloud())
