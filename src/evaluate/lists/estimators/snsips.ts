import { weight, weightedReward } from '../../estimators/series.ts'
import type { ListEstimatorType } from './list-estimator.ts'

/** Self-normalised: Σ W · Σ_k r_k / Σ W. It shares the interval of `sips`, as `snips` does that of `ips`. */
export const snsips: ListEstimatorType = {
  type: 'snsips',
  order: 20,
  marginals: false,
  model: false,
  create: name => ({
    name,
    ratios: [{ over: weightedReward, under: weight }],
    constrained: weightedReward,
    weights: [weight],
  }),
}
