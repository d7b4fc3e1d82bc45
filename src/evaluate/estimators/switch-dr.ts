import { type Cut, cutDoublyRobust } from './cut.ts'
import type { EstimatorType } from './estimator.ts'
import { reaches } from './threshold.ts'

/**
 * mean(v + 1{w ≤ λ} w·(r − q)): doubly robust where weights are small, the reward model alone where they are not. Wang, Agarwal, Dudík,
 * "Optimal and adaptive off-policy evaluation in contextual bandits", ICML 2017, equation 8.
 */
export const switchDr: EstimatorType = {
  type: 'switch-dr',
  order: 60,
  model: true,
  propensities: true,
  biased: true,
  lambda: 10,
  cut: 'w as long as it is at most lambda, and else the reward model alone',
  create: (name, { lambda }) => cutDoublyRobust(name, `1{w<=${lambda}}w`, lambda, switched(reaches(lambda))),
}

const switched =
  (limit: number): Cut =>
  ({ rows, weight }, out) => {
    for (let i = 0; i < rows; i++) out[i] = weight[i] <= limit ? weight[i] : 0
  }
