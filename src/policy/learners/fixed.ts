import type { LearnerSpec } from '../../kinds.ts'
import type { Learner, LearnerDefinition, LearnerSums } from '../learner.ts'
import { stateCounts } from './state.ts'

export const fixed: LearnerDefinition<Extract<LearnerSpec, { type: 'fixed' }>> = {
  type: 'fixed',
  order: 40,
  description: 'Probabilities from the file; nothing is learnt.',
  options: {
    probabilities: {
      type: 'object',
      description: 'Action → probability; they sum to 1.',
      propertyNames: { pattern: '^[^\\u0000-\\u001f\\u007f/]{1,128}$' },
      additionalProperties: { type: 'number', minimum: 0, maximum: 1 },
      minProperties: 1,
      maxProperties: 1000,
      examples: [{ none: 0.5, 'gold-small': 0.5 }],
    },
  },
  required: ['probabilities'],
  learns: false,
  rewards: 'any',
  gives: [],
  standsAlone: true,
  distribution: 'probabilities',
  create: ({ probabilities }, actions) =>
    fixedLearner(actions.map(id => (Object.hasOwn(probabilities, id) ? probabilities[id] : 0))),
  sums: () => countOnly,
}

/** Of a learner that learns nothing but how often it was told. */
export const countOnly: LearnerSums = {
  width: 0,
  add() {},
  state: counts => ({ counts: [counts.reduce((sum, n) => sum + n, 0)] }),
}

/** Learns nothing but how often it was told: the value of an action is its given weight, known exactly. */
export function fixedLearner(weights: readonly number[]): Learner {
  const value = Float64Array.from(weights)
  const learner: Learner & { count: number } = {
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
