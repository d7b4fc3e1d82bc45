import { cloudContract } from '../contracts/cloud.ts'
import { memoryCloud } from '../support/memory-cloud.ts'

cloudContract('the cloud in memory', () => memoryCloud())
