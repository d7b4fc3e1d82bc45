import type { Learner } from '../learner.ts'
import { stateCounts } from './state.ts'

/** Learns nothing but how often it was told: the value of an action is its given weight, known exactly. */
export function fixedLearner(type: 'fixed' | 'uniform', weights: readonly number[]): Learner {
  const value = Float64Array.from(weights)
  const learner: Learner & { count: number } = {
    type,
    value,
    width: new Float64Array(weights.length),
    count: 0,
    predict() {},
    learn() {
      learner.count++
    },
    draw: action => value[action],
    posterior: () => undefined,
    state: () => ({ counts: [learner.count] }),
    restore(state) {
      learner.count = stateCounts(state, 'counts', 1)[0]
    },
  }
  return learner
}
