import type { EstimatorType } from './estimator.ts'
import type { Series } from './series.ts'

/**
 * mean(min(w, λ)·r). Ionides, "Truncated importance sampling", Journal of Computational and Graphical Statistics 17, 2008; Bottou et al.,
 * "Counterfactual reasoning and learning systems", JMLR 14, 2013, section 4.3.
 */
export const clippedIps: EstimatorType = {
  type: 'clipped-ips',
  order: 70,
  model: false,
  propensities: true,
  biased: true,
  lambda: 10,
  cut: 'min(w, lambda)',
  create(name, { lambda }) {
    const series = clipped(lambda)
    return { name, mean: series, constrained: series, bias: `the reward that weights beyond ${lambda} would add` }
  },
}

function clipped(lambda: number): Series {
  return {
    key: `min(w,${lambda})r`,
    of({ rows, weight, reward }, out) {
      for (let i = 0; i < rows; i++) out[i] = Math.min(weight[i], lambda) * reward[i]
      return out
    },
  }
}
