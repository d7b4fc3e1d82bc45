import { weightedReward } from '../../estimators/series.ts'
import { CASCADE, type ListEstimatorType } from './list-estimator.ts'
import { meanWeight, rewardBySlot, slotWeight } from './list-series.ts'

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
  create: (name, slots) => ({
    name,
    mean: rewardBySlot('prefix'),
    constrained: rewardBySlot('prefix'),
    weight: meanWeight('prefix'),
    extreme: weightedReward,
    weights: Array.from({ length: slots }, (_, slot) => slotWeight('prefix', slot)),
  }),
}
