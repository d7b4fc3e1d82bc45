import type { EstimatorType } from './estimator.ts'
import { weightedReward } from './series.ts'

/**
 * Inverse propensity scoring: mean(w·r). Unbiased where propensities are right and the candidate stays where the log has been.
 * Horvitz, Thompson, "A generalization of sampling without replacement from a finite universe", JASA 47, 1952.
 */
export const ips: EstimatorType = {
  type: 'ips',
  order: 10,
  model: false,
  propensities: true,
  biased: false,
  create: name => ({ name, mean: weightedReward, constrained: weightedReward }),
}
