import type { Definition } from '../../../policy/definition.ts'
import type { Estimator } from '../../estimators/estimator.ts'
import type { Series } from '../../estimators/series.ts'

/** An estimator of what a candidate's lists would have earned: the mean of their slots' rewards, summed. */
export interface ListEstimator extends Estimator {
  /** The weights that it rests on, by slot; one, where it weighs whole lists. */
  readonly weights: readonly Series[]
  /** What it goes by instead where a list has one reward at most, so that no list earns more than a slot can. */
  readonly alone?: Pick<Estimator, 'weight' | 'times'>
}

/** A kind of estimator of lists, as an Evaluation names it. */
export interface ListEstimatorType extends Definition {
  /** It needs to know how likely an action stands at a slot, whatever stands above: of the log and of the candidate. */
  readonly marginals: boolean
  /** It needs the same of pairs: how likely two actions stand at two slots of the log's lists. */
  readonly pairs?: boolean
  /** It needs `spec.rewardModel`. */
  readonly model: boolean
  /** What must hold for it to be unbiased, as a sentence without a full stop; absent where nothing must. */
  readonly assumes?: string
  /** For lists of so many slots. */
  create(name: string, slots: number): ListEstimator
}

export const CASCADE = 'a reward depends on its slot and those above, not on those below'
export const BY_SUM = 'what a list earns is a sum of what its actions do, each in its slot'
export const BY_PLACE = 'a reward depends on its action and its slot alone'
