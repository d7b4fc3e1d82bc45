import type { EstimatorType } from './estimator.ts'
import { corrected } from './series.ts'

/**
 * Doubly robust: mean(v + w·(r − q)). Unbiased where the propensities are right or the reward model is. Dudík, Langford, Li, "Doubly
 * robust policy evaluation and learning", ICML 2011, equation 1.
 */
export const dr: EstimatorType = {
  type: 'dr',
  order: 40,
  model: true,
  propensities: true,
  biased: false,
  create: name => ({ name, mean: corrected, constrained: corrected }),
}
