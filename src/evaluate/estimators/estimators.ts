import type { EstimatorSpec } from '../../kinds.ts'
import { inOrder, named } from '../../policy/definition.ts'
import * as estimators from './all.ts'
import { type Estimator, type EstimatorType, estimatorName, typeName } from './estimator.ts'

/** Every estimator there is. */
export const ESTIMATORS: readonly EstimatorType[] = inOrder<EstimatorType>(estimators)

/** So many candidates are compared with each other: pairs are many, and influences large. */
export const MOST_COMPARED = 30

/** The type that a specification names. */
export function estimatorType(spec: EstimatorSpec): EstimatorType {
  return named(ESTIMATORS, typeName(spec), 'estimator')
}

export function createEstimator(spec: EstimatorSpec): Estimator {
  const type = estimatorType(spec)
  const { lambda, by = [] } = typeof spec === 'string' ? {} : spec
  return type.create(estimatorName(spec), { lambda: lambda ?? type.lambda ?? Number.NaN, by })
}
