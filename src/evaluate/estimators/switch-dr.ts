import type { EstimatorType, Series } from './estimator.ts'
import { reaches } from './threshold.ts'

/**
 * mean(v + 1{w ≤ λ} w·(r − q)): doubly robust where weights are small, the reward model alone where they are not. Wang, Agarwal, Dudík,
 * "Optimal and adaptive off-policy evaluation in contextual bandits", ICML 2017, equation 8.
 */
export const switchDr: EstimatorType = {
  type: 'switch-dr',
  model: true,
  propensities: true,
  biased: true,
  lambda: 10,
  create(name, lambda) {
    const series = switched(lambda)
    return {
      name,
      mean: series,
      constrained: series,
      modelled: beyond(lambda),
      bias: `what its reward model misses where weights exceed ${lambda}`,
    }
  },
}

/** 1{w > λ} w */
function beyond(lambda: number): Series {
  const limit = reaches(lambda)
  return {
    key: `1{w>${lambda}}w`,
    of({ rows, weight }, out) {
      for (let i = 0; i < rows; i++) out[i] = weight[i] <= limit ? 0 : weight[i]
      return out
    },
  }
}

function switched(lambda: number): Series {
  const limit = reaches(lambda)
  return {
    key: `v+1{w<=${lambda}}w(r-q)`,
    of({ rows, weight, reward, value, predicted }, out) {
      for (let i = 0; i < rows; i++) {
        out[i] = value[i] + (weight[i] <= limit ? weight[i] * (reward[i] - predicted[i]) : 0)
      }
      return out
    },
  }
}
