import { normal } from '../../math/distributions.ts'
import { dot, packedSize, quadraticForm, ridgeStart, ridgeUpdate } from '../../math/ridge.ts'
import type { Learner } from '../learner.ts'
import { stateCounts, stateNumbers, total } from './state.ts'

/**
 * One ridge regression for all actions, which sees a row z an action: value z·θ, width √(z·A⁻¹z), posterior N(z·θ, scale² · z·A⁻¹z), with
 * A = l2·I + Σ z zᵀ. Abbasi-Yadkori, Pál, Szepesvári, "Improved Algorithms for Linear Stochastic Bandits", NeurIPS 2011, section 3 (OFUL);
 * Agrawal, Goyal, "Thompson Sampling for Contextual Bandits with Linear Payoffs", ICML 2013, but each action's value is drawn by
 * itself from its marginal rather than all from one θ, so that propensities are exact.
 */
export function sharedLinearLearner(
  actions: number,
  dimension: number,
  options: { readonly l2: number; readonly capacity?: number },
): Learner {
  if (!(options.l2 > 0)) throw new RangeError('linear: l2 must be positive')
  const d = dimension
  const { capacity = actions } = options
  const inverse = new Float64Array(packedSize(d))
  const theta = new Float64Array(d)
  const known = Math.max(1, actions)
  const counts = new Float64Array(known)
  const value = new Float64Array(capacity)
  const width = new Float64Array(capacity)
  const scratch = new Float64Array(d)
  ridgeStart(inverse, 0, d, options.l2)

  const learner: Learner & { count: number } = {
    counts,
    value,
    width,
    count: 0,
    predict(x, widths = true) {
      const rows = x.length / d
      for (let a = 0; a < rows; a++) value[a] = dot(theta, x, a * d, d)
      if (!widths) return
      for (let a = 0; a < rows; a++) width[a] = Math.sqrt(Math.max(0, quadraticForm(inverse, x, a * d, d)))
    },
    learn(action, x, reward) {
      ridgeUpdate(inverse, 0, theta, 0, d, x, reward, scratch)
      counts[actions === 0 ? 0 : action]++
      learner.count++
    },
    draw: (action, scale, rng) => value[action] + scale * width[action] * normal(rng),
    posterior: (action, scale) => ({ family: 'normal', mean: value[action], sd: scale * width[action] }),
    coefficient: i => theta[i],
    state: () => ({ counts: [...counts], theta: [...theta], inverse: [...inverse] }),
    restore(state) {
      const newCounts = stateCounts(state, 'counts', known)
      const newTheta = stateNumbers(state, 'theta', d)
      const newInverse = stateNumbers(state, 'inverse', packedSize(d))
      counts.set(newCounts)
      theta.set(newTheta)
      inverse.set(newInverse)
      learner.count = total(counts)
    },
  }
  return learner
}
