import type { EstimatorType } from './estimator.ts'
import { marginalReward, marginalWeight, weightedReward } from './series.ts'

/**
 * Marginalised inverse propensity scoring: mean(w(e)·r), w(e) = Σ π(a) / Σ p(a) over the eligible actions whose features `by` have the values e
 * of the logged action's. Unbiased where nothing else of an action moves its reward (no direct effect); its weights are means of those of
 * `ips`, and so never larger. Saito, Joachims, "Off-policy evaluation for large action spaces via embeddings", ICML 2022, equation 7.
 */
export const mips: EstimatorType = {
  type: 'mips',
  order: 85,
  model: false,
  propensities: true,
  biased: true,
  by: true,
  create(name, { by }) {
    const mean = marginalReward(by)
    const features = by.map(feature => `\`${feature}\``).join(', ')
    const bias = `what actions do beyond ${features}`
    return { name, mean, constrained: mean, weight: marginalWeight(by), extreme: weightedReward, by, bias }
  },
}
