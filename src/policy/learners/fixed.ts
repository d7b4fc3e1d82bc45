import type { Learner } from '../learner.ts'
import { stateCounts } from './state.ts'

/** Learns nothing but how often it was told: the value of an action is its given weight, known exactly. */
export function fixedLearner(type: 'fixed' | 'uniform', weights: readonly number[]): Learner {
  const value = Float64Array.from(weights)
  let count = 0
  return {
    type,
    value,
    width: new Float64Array(weights.length),
    get count() {
      return count
    },
    predict() {},
    learn() {
      count++
    },
    draw: action => value[action],
    posterior: () => undefined,
    state: () => ({ counts: [count] }),
    restore(state) {
      count = stateCounts(state, 'counts', 1)[0]
    },
  }
}
