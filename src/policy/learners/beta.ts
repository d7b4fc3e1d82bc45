import { betaDraw } from '../../math/distributions.ts'
import type { Learner } from '../learner.ts'
import { stateNumbers } from './state.ts'

/**
 * Beta-Bernoulli: α = prior.alpha + Σr and β = prior.beta + Σ(1 − r) per action, whatever the context. Rewards lie in [0, 1]; one
 * between the ends counts as that share of a success. `scale` must be 1: the posterior is what it is.
 */
export function betaLearner(actions: number, prior: { readonly alpha: number; readonly beta: number }): Learner {
  if (!(prior.alpha > 0 && prior.beta > 0)) throw new RangeError('beta: the prior must be positive')
  const successes = new Float64Array(actions)
  const failures = new Float64Array(actions)
  const value = new Float64Array(actions)
  const width = new Float64Array(actions)
  for (let a = 0; a < actions; a++) update(a)

  function update(action: number): void {
    const alpha = prior.alpha + successes[action]
    const beta = prior.beta + failures[action]
    const n = alpha + beta
    value[action] = alpha / n
    width[action] = Math.sqrt((alpha / n) * (beta / n)) / Math.sqrt(n + 1)
  }

  const learner: Learner & { count: number } = {
    type: 'beta',
    value,
    width,
    count: 0,
    predict() {},
    learn(action, _x, reward) {
      if (!(reward >= 0 && reward <= 1)) throw new RangeError(`beta: the reward ${reward} is not in [0, 1]`)
      successes[action] += reward
      failures[action] += 1 - reward
      learner.count++
      update(action)
    },
    draw: (action, _scale, rng) => betaDraw(rng, prior.alpha + successes[action], prior.beta + failures[action]),
    posterior: action => ({
      family: 'beta',
      alpha: prior.alpha + successes[action],
      beta: prior.beta + failures[action],
    }),
    state: () => ({ count: learner.count, successes: [...successes], failures: [...failures] }),
    restore(state) {
      const newSuccesses = stateNumbers(state, 'successes', actions, 0)
      const newFailures = stateNumbers(state, 'failures', actions, 0)
      const newCount: unknown = state.count
      if (typeof newCount !== 'number' || !(newCount >= 0 && newCount < Infinity))
        throw new RangeError('`state.count` is not a count')
      successes.set(newSuccesses)
      failures.set(newFailures)
      learner.count = newCount
      for (let a = 0; a < actions; a++) update(a)
    },
  }
  return learner
}
