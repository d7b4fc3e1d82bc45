import type { EstimatorSpec } from '../../kinds.ts'
import type { Definition } from '../../policy/definition.ts'
import { corrected, type Series, value } from './series.ts'

/**
 * An estimator of what a candidate would have earned: mean(mean) + Σ over / Σ under of each ratio, of series over the rows, each row
 * counting as many times as the decisions that it stands for. Point, standard error, interval and lift follow from the series alone.
 */
export interface Estimator {
  /** What results and gates call it. */
  readonly name: string
  readonly mean?: Series
  readonly ratios?: readonly Ratio[]
  /**
   * The series whose mean the interval is about, under the constraint that the mean weight is 1 (Cressie-Read); without one the
   * interval is the estimate ± quantile · standard error.
   */
  readonly constrained?: Series
  /** The weight whose mean must be 1, where it is not that of the whole decision. */
  readonly weight?: Series
  /** The features of actions whose values alone that weight is about. */
  readonly by?: readonly string[]
  /** What a row that might have been adds to the mean, by its weight and its reward, where `constrained` asks for more of a row. */
  readonly extreme?: Series
  /** So many times the largest reward such a row can have, by that weight; default: 1. */
  readonly times?: number
  /**
   * The reward model's own error moves it, and the series do not show it: all of it (`true`), or as much as this series, of weights that
   * it does not use, has of the weight.
   */
  readonly modelled?: true | Series
  /** What keeps its mean from the truth, as a part of a sentence; absent of one that is unbiased. */
  readonly bias?: string
  /** It judges candidates alone that take one action for certain, on rows of one propensity. */
  readonly matching?: boolean
}

export interface Ratio {
  readonly over: Series
  readonly under: Series
}

/** All series that are summed for an estimator. What units make of a model's errors shows in v + w·(r − q). */
export function seriesOfEstimator({ mean, ratios = [], constrained, weight, modelled }: Estimator): readonly Series[] {
  const model = modelled === undefined ? [] : [value, corrected, ...(modelled === true ? [] : [modelled])]
  const divided = ratios.flatMap(({ over, under }) => [over, under])
  return [mean, ...divided, constrained, weight, ...model].filter(series => series !== undefined)
}

/** A kind of estimator, as an Evaluation names it. */
export interface EstimatorType extends Definition {
  readonly type: Extract<EstimatorSpec, string>
  /** It needs `spec.rewardModel`. */
  readonly model: boolean
  /** It needs the propensities of the log. */
  readonly propensities: boolean
  /** It estimates something else than the candidate's value, more or less. */
  readonly biased: boolean
  /** It needs to know by which features of actions, and the propensity of every action. */
  readonly by?: true
  /** λ where the Evaluation does not say; absent of a kind that has none. */
  readonly lambda?: number
  /** What it has in place of w, by λ; of a kind that has one. */
  readonly cut?: string
  create(name: string, options: EstimatorOptions): Estimator
}

/** λ of a kind that has one, features of a kind that needs them. */
export interface EstimatorOptions {
  readonly lambda: number
  readonly by: readonly string[]
}

export const typeName = (spec: EstimatorSpec): string => (typeof spec === 'string' ? spec : spec.type)

/** What results and gates call it: its own name, or else its type. */
export const estimatorName = (spec: EstimatorSpec): string =>
  typeof spec === 'string' ? spec : (spec.name ?? spec.type)
