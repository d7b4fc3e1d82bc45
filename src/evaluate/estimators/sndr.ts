import type { EstimatorType } from './estimator.ts'
import { corrected, value, weight, weightedResidual } from './series.ts'

/**
 * Self-normalised doubly robust: mean(v) + Σ w·(r − q) / Σ w. It shares the interval of `dr`, as `snips` does that of `ips`. Thomas,
 * Brunskill, "Data-efficient off-policy policy evaluation for reinforcement learning", ICML 2016, section 5 (weighted doubly robust), of one step.
 */
export const sndr: EstimatorType = {
  type: 'sndr',
  order: 50,
  model: true,
  propensities: true,
  biased: false,
  create: name => ({ name, mean: value, ratios: [{ over: weightedResidual, under: weight }], constrained: corrected }),
}
