import { normal } from '../../math/distributions.ts'
import { dot, packedSize, quadraticWeights, ridgeStart, ridgeUpdate } from '../../math/ridge.ts'
import type { Learner } from '../learner.ts'
import { stateCounts, stateNumbers, total } from './state.ts'

/**
 * One ridge regression per action: value x·θ, width √(x·A⁻¹x), posterior N(x·θ, scale² · x·A⁻¹x), with A = l2·I + Σ x xᵀ. Li et al.,
 * "A Contextual-Bandit Approach to Personalized News Article Recommendation", WWW 2010, algorithm 1. As no two actions share
 * a θ, a draw of θ matters only through x·θ, so one normal an action is exactly Thompson sampling of θ.
 */
export function linearLearner(actions: number, dimension: number, options: { readonly l2: number }): Learner {
  if (!(options.l2 > 0)) throw new RangeError('linear: l2 must be positive')
  const d = dimension
  const size = packedSize(d)
  const inverse = new Float64Array(actions * size)
  const theta = new Float64Array(actions * d)
  const counts = new Float64Array(actions)
  const value = new Float64Array(actions)
  const width = new Float64Array(actions)
  const weights = new Float64Array(size)
  const scratch = new Float64Array(d)
  for (let a = 0; a < actions; a++) ridgeStart(inverse, a * size, d, options.l2)

  const learner: Learner & { count: number } = {
    type: 'linear',
    value,
    width,
    count: 0,
    predict(x, widths = true) {
      for (let a = 0; a < actions; a++) value[a] = dot(x, theta, a * d, d)
      if (!widths) return
      quadraticWeights(x, d, weights)
      for (let a = 0; a < actions; a++) {
        width[a] = Math.sqrt(Math.max(0, dot(weights, inverse, a * size, size)))
      }
    },
    learn(action, x, reward) {
      ridgeUpdate(inverse, action * size, theta, action * d, d, x, reward, scratch)
      counts[action]++
      learner.count++
    },
    draw: (action, scale, rng) => value[action] + scale * width[action] * normal(rng),
    posterior: (action, scale) => ({ family: 'normal', mean: value[action], sd: scale * width[action] }),
    state: () => ({ counts: [...counts], theta: [...theta], inverse: [...inverse] }),
    restore(state) {
      const newCounts = stateCounts(state, 'counts', actions)
      const newTheta = stateNumbers(state, 'theta', actions * d)
      const newInverse = stateNumbers(state, 'inverse', actions * size)
      counts.set(newCounts)
      theta.set(newTheta)
      inverse.set(newInverse)
      learner.count = total(counts)
    },
  }
  return learner
}
