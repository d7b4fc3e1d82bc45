import type { LearnerSpec } from '../../kinds.ts'
import { betaDraw } from '../../math/distributions.ts'
import { requireUnit } from '../definition.ts'
import { FORGETTING } from '../forgetting.ts'
import type { Learner, LearnerDefinition, LearnerState } from '../learner.ts'
import { stateNumbers } from './state.ts'

export const beta: LearnerDefinition<Extract<LearnerSpec, { type: 'beta' }>> = {
  type: 'beta',
  order: 20,
  note: 'binary rewards',
  description: 'A Beta posterior per action, for 0/1 rewards; the context is ignored.',
  options: {
    prior: {
      type: 'object',
      description: 'The Beta distribution before any reward.',
      properties: {
        alpha: {
          type: 'number',
          description: 'Pseudo-count of ones.',
          maximum: 1000000000,
          default: 1,
          examples: [1],
          minimum: 0.0001,
        },
        beta: {
          type: 'number',
          description: 'Pseudo-count of zeros.',
          maximum: 1000000000,
          default: 1,
          examples: [20],
          minimum: 0.0001,
        },
      },
      additionalProperties: false,
      default: {},
      examples: [{}],
    },
    ...FORGETTING,
  },
  learns: true,
  rewards: 'unit',
  gives: ['counts', 'posterior'],
  exactPosterior: { reason: 'whose posterior is exact', hint: 'a wider one has a smaller `learner.prior`' },
  create: ({ prior }, actions) => betaLearner(actions.length, prior),
  sums: (_spec, actions) => ({
    width: 2,
    add(sums, at, _x, reward, weight) {
      sums[at] += weight * reward
      sums[at + 1] += weight * (1 - reward)
    },
    state(counts, sum) {
      const list = (i: number) => Array.from({ length: actions }, (_, a) => sum(a, i))
      return { count: counts.reduce((total, n) => total + n, 0), successes: list(0), failures: list(1) }
    },
  }),
  carry: state => ({ ...state, count: rewardsIn(state) }),
}

/** Each reward is a success and a failure in parts that sum to 1. */
function rewardsIn(state: LearnerState): number {
  const sum = (key: string) => (state[key] as readonly number[]).reduce((total, each) => total + each, 0)
  return sum('successes') + sum('failures')
}

/**
 * Beta-Bernoulli: α = prior.alpha + Σr and β = prior.beta + Σ(1 − r) per action, whatever the context. Rewards lie in [0, 1]; one
 * between the ends counts as that share of a success. `scale` must be 1: the posterior is what it is.
 */
export function betaLearner(actions: number, prior: { readonly alpha: number; readonly beta: number }): Learner {
  if (!(prior.alpha > 0 && prior.beta > 0)) throw new RangeError('beta: the prior must be positive')
  const successes = new Float64Array(actions)
  const failures = new Float64Array(actions)
  const counts = new Float64Array(actions)
  const value = new Float64Array(actions)
  const width = new Float64Array(actions)
  for (let a = 0; a < actions; a++) update(a)

  function update(action: number): void {
    const alpha = prior.alpha + successes[action]
    const beta = prior.beta + failures[action]
    const n = alpha + beta
    counts[action] = successes[action] + failures[action]
    value[action] = alpha / n
    width[action] = Math.sqrt((alpha / n) * (beta / n)) / Math.sqrt(n + 1)
  }

  const learner: Learner & { count: number } = {
    counts,
    value,
    width,
    count: 0,
    predict() {},
    learn(action, _x, reward) {
      requireUnit('beta', reward)
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
