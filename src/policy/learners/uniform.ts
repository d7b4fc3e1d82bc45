import type { LearnerDefinition } from '../learner.ts'
import { countOnly, fixedLearner } from './fixed.ts'

export const uniform: LearnerDefinition = {
  type: 'uniform',
  order: 50,
  description: 'Every eligible action alike; nothing is learnt.',
  options: {},
  learns: false,
  rewards: 'any',
  gives: [],
  standsAlone: true,
  anyActions: () => true,
  create: (_spec, _actions, _dimension, capacity) => fixedLearner(Array.from({ length: capacity }, () => 1)),
  sums: () => countOnly,
}
