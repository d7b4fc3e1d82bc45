import { estimatorContract } from '../contracts/estimator.ts'

for (const estimator of ['ips', 'snips', 'dm', 'dr'] as const) estimatorContract(estimator)
