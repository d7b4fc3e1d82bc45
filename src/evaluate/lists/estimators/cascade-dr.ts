import { corrected } from '../../estimators/series.ts'
import { CASCADE, type ListEstimatorType } from './list-estimator.ts'
import { correctedBySlot, weighted } from './list-series.ts'

/**
 * Doubly robust along the cascade: mean(Σ_k W_{k−1} V_k + W_k (r_k − Q_k)), Q the reward model's guess of what a slot and those below earn,
 * V its mean under the candidate. As unbiased as `rips`, of less variance where the model is any good. Kiyohara, Saito, Matsuhiro, Narita,
 * Shimizu, Yamamoto, "Doubly robust off-policy evaluation for ranking policies under the cascade behavior model", WSDM 2022.
 */
export const cascadeDr: ListEstimatorType = {
  type: 'cascade-dr',
  order: 70,
  marginals: false,
  model: true,
  assumes: CASCADE,
  create: (name, slots) => ({
    name,
    mean: correctedBySlot,
    ...weighted('prefix', slots),
    constrained: correctedBySlot,
    extreme: corrected,
    alone: { times: slots },
  }),
}
