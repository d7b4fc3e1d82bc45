import { normal } from '../../math/distributions.ts'
import { FORGETTING } from '../forgetting.ts'
import type { Learner, LearnerDefinition } from '../learner.ts'
import { stateCounts, stateNumbers, total } from './state.ts'

export const mean: LearnerDefinition = {
  type: 'mean',
  order: 10,
  description: 'Counts and sums of rewards per action; the context is ignored.',
  options: FORGETTING,
  learns: true,
  rewards: 'any',
  gives: ['counts', 'means', 'widths', 'posterior'],
  create: (_spec, actions) => meanLearner(actions.length),
  sums: (_spec, actions) => ({
    width: 1,
    add(sums, at, _x, reward, weight) {
      sums[at] += weight * reward
    },
    state: (counts, sum) => ({ counts: [...counts], sums: Array.from({ length: actions }, (_, a) => sum(a, 0)) }),
  }),
  carry: state => state,
}

/** Counts and sums: the value of an action is S/n whatever the context, its posterior N(S/n, scale²/n). */
export function meanLearner(actions: number): Learner {
  const counts = new Float64Array(actions)
  const sums = new Float64Array(actions)
  const value = new Float64Array(actions).fill(Infinity)
  const width = new Float64Array(actions).fill(Infinity)

  const learner: Learner & { count: number } = {
    counts,
    value,
    width,
    count: 0,
    predict() {},
    learn(action, _x, reward) {
      const n = counts[action] + 1
      const sum = sums[action] + reward
      counts[action] = n
      sums[action] = sum
      value[action] = sum / n
      width[action] = 1 / Math.sqrt(n)
      learner.count++
    },
    draw: (action, scale, rng) => {
      if (counts[action] === 0) return Infinity
      return value[action] + scale * width[action] * normal(rng)
    },
    posterior: (action, scale) =>
      counts[action] === 0 ? undefined : { family: 'normal', mean: value[action], sd: scale * width[action] },
    state: () => ({ counts: [...counts], sums: [...sums] }),
    restore(state) {
      const newCounts = stateCounts(state, 'counts', actions)
      const newSums = stateNumbers(state, 'sums', actions)
      counts.set(newCounts)
      sums.set(newSums)
      learner.count = total(counts)
      for (let a = 0; a < actions; a++) {
        value[a] = counts[a] === 0 ? Infinity : sums[a] / counts[a]
        width[a] = 1 / Math.sqrt(counts[a])
      }
    },
  }
  return learner
}
