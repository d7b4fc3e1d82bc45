import type { EstimatorType, Series } from './estimator.ts'

/**
 * mean(v + min(w, λ)·(r − q)): doubly robust with clipped weights. Su, Dimakopoulou, Krishnamurthy, Dudík, "Doubly robust off-policy
 * evaluation with shrinkage", ICML 2020, section 4 (pessimistic shrinkage).
 */
export const clippedDr: EstimatorType = {
  type: 'clipped-dr',
  model: true,
  propensities: true,
  biased: true,
  lambda: 10,
  create(name, lambda) {
    const series = clipped(lambda)
    return {
      name,
      mean: series,
      constrained: series,
      modelled: beyond(lambda),
      bias: `what its reward model misses where weights exceed ${lambda}`,
    }
  },
}

/** w − min(w, λ) */
function beyond(lambda: number): Series {
  return {
    key: `w-min(w,${lambda})`,
    of({ rows, weight }, out) {
      for (let i = 0; i < rows; i++) out[i] = Math.max(0, weight[i] - lambda)
      return out
    },
  }
}

function clipped(lambda: number): Series {
  return {
    key: `v+min(w,${lambda})(r-q)`,
    of({ rows, weight, reward, value, predicted }, out) {
      for (let i = 0; i < rows; i++) out[i] = value[i] + Math.min(weight[i], lambda) * (reward[i] - predicted[i])
      return out
    },
  }
}
