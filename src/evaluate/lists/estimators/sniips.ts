import { BY_PLACE, type ListEstimatorType } from './list-estimator.ts'
import { ratioBySlot, weighted } from './list-series.ts'

/**
 * Self-normalised slot by slot: Σ_k (Σ v_k r_k / Σ v_k). It shares the interval of `iips`.
 */
export const sniips: ListEstimatorType = {
  type: 'sniips',
  order: 60,
  marginals: true,
  model: false,
  assumes: BY_PLACE,
  create: (name, slots) => ({ name, ratios: ratioBySlot('placed', slots), ...weighted('placed', slots) }),
}
