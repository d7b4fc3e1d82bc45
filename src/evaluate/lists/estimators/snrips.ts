import { CASCADE, type ListEstimatorType } from './list-estimator.ts'
import { ratioBySlot, weighted } from './list-series.ts'

/**
 * Self-normalised slot by slot: Σ_k (Σ W_k r_k / Σ W_k). It shares the interval of `rips`.
 */
export const snrips: ListEstimatorType = {
  type: 'snrips',
  order: 40,
  marginals: false,
  model: false,
  assumes: CASCADE,
  create: (name, slots) => ({ name, ratios: ratioBySlot('prefix', slots), ...weighted('prefix', slots) }),
}
