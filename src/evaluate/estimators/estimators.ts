import type { EstimatorSpec } from '../../kinds.ts'
import { clippedDr } from './clipped-dr.ts'
import { clippedIps } from './clipped-ips.ts'
import { dm } from './dm.ts'
import { dr } from './dr.ts'
import { type Estimator, type EstimatorType, estimatorName, typeName } from './estimator.ts'
import { ips } from './ips.ts'
import { replay } from './replay.ts'
import { sndr } from './sndr.ts'
import { snips } from './snips.ts'
import { switchDr } from './switch-dr.ts'

/** Every estimator there is; the schema of Evaluations lists the same types. */
export const ESTIMATORS: readonly EstimatorType[] = [ips, snips, dm, dr, sndr, switchDr, clippedIps, clippedDr, replay]

/** So many candidates are compared with each other: pairs are many, and influences large. */
export const MOST_COMPARED = 30

/** The type that a specification names. */
export function estimatorType(spec: EstimatorSpec): EstimatorType {
  const found = ESTIMATORS.find(({ type }) => type === typeName(spec))
  if (found === undefined) throw new RangeError(`there is no estimator ${typeName(spec)}`)
  return found
}

export function createEstimator(spec: EstimatorSpec): Estimator {
  const type = estimatorType(spec)
  const lambda = (typeof spec === 'string' ? undefined : spec.lambda) ?? type.lambda ?? Number.NaN
  return type.create(estimatorName(spec), lambda)
}
