import { weightedReward } from '../../estimators/series.ts'
import { BY_PLACE, type ListEstimatorType } from './list-estimator.ts'
import { meanWeight, ratioBySlot, rewardBySlot, slotWeight } from './list-series.ts'

/**
 * Self-normalised slot by slot: Σ_k (Σ v_k r_k / Σ v_k). It shares the interval of `iips`.
 */
export const sniips: ListEstimatorType = {
  type: 'sniips',
  order: 60,
  marginals: true,
  model: false,
  assumes: BY_PLACE,
  create: (name, slots) => ({
    name,
    ratios: ratioBySlot('placed', slots),
    constrained: rewardBySlot('placed'),
    weight: meanWeight('placed'),
    extreme: weightedReward,
    weights: Array.from({ length: slots }, (_, slot) => slotWeight('placed', slot)),
  }),
}
