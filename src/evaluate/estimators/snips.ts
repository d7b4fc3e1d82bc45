import type { EstimatorType } from './estimator.ts'
import { weight, weightedReward } from './series.ts'

/**
 * Self-normalised inverse propensity scoring: Σ w·r / Σ w. Its bias vanishes as 1/n. To make weights sum to 1 is what the constraint of
 * the interval of `ips` does, so the two share it. Swaminathan, Joachims, "The self-normalized estimator for counterfactual learning",
 * NeurIPS 2015, equation 9.
 */
export const snips: EstimatorType = {
  type: 'snips',
  order: 20,
  model: false,
  propensities: true,
  biased: false,
  create: name => ({ name, ratios: [{ over: weightedReward, under: weight }], constrained: weightedReward }),
}
