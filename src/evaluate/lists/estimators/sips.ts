import { weight, weightedReward } from '../../estimators/series.ts'
import type { ListEstimatorType } from './list-estimator.ts'

/**
 * Standard inverse propensity scoring: mean(W · Σ_k r_k), W = P(list) of the candidate over that of the log. Unbiased whatever the lists do
 * to each other; its weights are the largest. So called by Swaminathan et al., "Off-policy evaluation for slate recommendation", NeurIPS
 * 2017, section 2.
 */
export const sips: ListEstimatorType = {
  type: 'sips',
  order: 10,
  marginals: false,
  model: false,
  create: name => ({ name, mean: weightedReward, constrained: weightedReward, weights: [weight] }),
}
