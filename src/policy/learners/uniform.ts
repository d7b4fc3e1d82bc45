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
  create: (_spec, actions) => fixedLearner(actions.map(() => 1)),
  sums: () => countOnly,
}
