import { normal } from '../../math/distributions.ts'
import type { Learner } from '../learner.ts'
import { stateCounts, stateNumbers, total } from './state.ts'

/** Counts and sums: the value of an action is S/n whatever the context, its posterior N(S/n, scale²/n). */
export function meanLearner(actions: number): Learner {
  const counts = new Float64Array(actions)
  const sums = new Float64Array(actions)
  const value = new Float64Array(actions).fill(Infinity)
  const width = new Float64Array(actions).fill(Infinity)

  const learner: Learner & { count: number } = {
    type: 'mean',
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
