import { BY_PLACE, type ListEstimatorType } from './list-estimator.ts'
import { rewardBySlot, weighted } from './list-series.ts'

/**
 * Item-position inverse propensity scoring: mean(Σ_k v_k r_k), v_k = P(action at slot k) of the candidate over that of the log, whatever
 * stands above. Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay, Wen, "Offline evaluation of ranking policies with click models", KDD 2018.
 */
export const iips: ListEstimatorType = {
  type: 'iips',
  order: 50,
  marginals: true,
  model: false,
  assumes: BY_PLACE,
  create: (name, slots) => ({ name, mean: rewardBySlot('placed'), ...weighted('placed', slots) }),
}
