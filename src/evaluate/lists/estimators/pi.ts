import { BY_SUM, type ListEstimatorType } from './list-estimator.ts'
import { additiveReward, additiveWeight } from './list-series.ts'

/**
 * The pseudo-inverse estimator: mean(w · Σ_k r_k), w = qᵀ Γ⁺ 1 of the list (`additive.ts`). For rewards of whole lists. Weights can be
 * negative, so that its interval is by its standard error. Swaminathan et al., "Off-policy evaluation for slate recommendation", NeurIPS 2017.
 */
export const pi: ListEstimatorType = {
  type: 'pi',
  order: 80,
  marginals: true,
  pairs: true,
  model: false,
  assumes: BY_SUM,
  create: name => ({ name, mean: additiveReward, weights: [additiveWeight] }),
}
