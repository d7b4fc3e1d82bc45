import { ESTIMATORS } from '../../src/evaluate/estimators/estimators.ts'
import { estimatorContract } from '../contracts/estimator.ts'

// Where every action is like no other, nothing is taken for granted.
for (const { type, by } of ESTIMATORS) estimatorContract(by === true ? { type, by: ['name'] } : type)
