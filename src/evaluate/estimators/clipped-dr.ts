import { type Cut, cutDoublyRobust } from './cut.ts'
import type { EstimatorType } from './estimator.ts'

/**
 * mean(v + min(w, λ)·(r − q)): doubly robust with clipped weights. Su, Dimakopoulou, Krishnamurthy, Dudík, "Doubly robust off-policy
 * evaluation with shrinkage", ICML 2020, section 4 (pessimistic shrinkage).
 */
export const clippedDr: EstimatorType = {
  type: 'clipped-dr',
  order: 80,
  model: true,
  propensities: true,
  biased: true,
  lambda: 10,
  cut: 'min(w, lambda)',
  create: (name, { lambda }) => cutDoublyRobust(name, `min(w,${lambda})`, lambda, clipped(lambda)),
}

const clipped =
  (lambda: number): Cut =>
  ({ rows, weight }, out) => {
    for (let i = 0; i < rows; i++) out[i] = Math.min(weight[i], lambda)
  }
