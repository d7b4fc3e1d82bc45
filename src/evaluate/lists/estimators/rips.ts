import { CASCADE, type ListEstimatorType } from './list-estimator.ts'
import { rewardBySlot, weighted } from './list-series.ts'

/**
 * Reward-interaction inverse propensity scoring: mean(Σ_k W_k r_k), W_k the weight of the list down to slot k. McInerney, Brost, Chandar,
 * Mehrotra, Carterette, "Counterfactual evaluation of slate recommendations with sequential reward interactions", KDD 2020.
 */
export const rips: ListEstimatorType = {
  type: 'rips',
  order: 30,
  marginals: false,
  model: false,
  assumes: CASCADE,
  create: (name, slots) => ({ name, mean: rewardBySlot('prefix'), ...weighted('prefix', slots) }),
}
