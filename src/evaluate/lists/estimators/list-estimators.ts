import { DapError } from '../../../errors.ts'
import type { EstimatorSpec } from '../../../kinds.ts'
import { inOrder } from '../../../policy/definition.ts'
import { estimatorName, typeName } from '../../estimators/estimator.ts'
import * as estimators from './all.ts'
import type { ListEstimatorType } from './list-estimator.ts'

/** Every estimator of lists. */
export const LIST_ESTIMATORS: readonly ListEstimatorType[] = inOrder<ListEstimatorType>(estimators)

/** The estimator of lists that a specification names; undefined where it is one of single decisions. */
export function listEstimator(spec: EstimatorSpec): ListEstimatorType | undefined {
  return LIST_ESTIMATORS.find(({ type }) => type === typeName(spec))
}

/** Are lists to be judged, or decisions for one action? A DapError where both are asked for. */
export function isOfLists(specs: readonly EstimatorSpec[]): boolean {
  const single = specs.find(spec => listEstimator(spec) === undefined)
  const list = specs.find(spec => listEstimator(spec) !== undefined)
  if (list === undefined || single === undefined) return list !== undefined
  throw new DapError(
    `\`${estimatorName(list)}\` is of lists, and \`${estimatorName(single)}\` of decisions for one action`,
    {
      hint: OF_LISTS,
    },
  )
}

/** What to ask for where lists are to be judged. */
export const OF_LISTS = `lists have estimators of their own: ${LIST_ESTIMATORS.map(({ type }) => type).join(', ')}`
