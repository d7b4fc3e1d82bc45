import { ESTIMATORS } from '../../src/evaluate/estimators/estimators.ts'
import { estimatorContract } from '../contracts/estimator.ts'

for (const { type } of ESTIMATORS) estimatorContract(type)
