import { cloudContract } from '../contracts/cloud.ts'
import { memoryCloud } from '../support/memory-vertex.ts'

cloudContract('the cloud in memory', () => memoryCloud())
