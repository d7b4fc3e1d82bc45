import { inOrder } from '../../../policy/definition.ts'
import * as estimators from './all.ts'
import type { ListEstimatorType } from './list-estimator.ts'

/** Every estimator of lists. */
export const LIST_ESTIMATORS: readonly ListEstimatorType[] = inOrder<ListEstimatorType>(estimators)
