import type { AlgorithmSpec, LearnerSpec } from '../kinds.ts'
import type { Exploration } from './exploration.ts'
import { epsilonGreedy } from './explorations/epsilon-greedy.ts'
import { greedy } from './explorations/greedy.ts'
import { proportional } from './explorations/proportional.ts'
import { softmax } from './explorations/softmax.ts'
import { thompson } from './explorations/thompson.ts'
import { linUcbBonus, ucb, ucb1Bonus } from './explorations/ucb.ts'
import type { Learner } from './learner.ts'
import { betaLearner } from './learners/beta.ts'
import { fixedLearner } from './learners/fixed.ts'
import { linearLearner } from './learners/linear.ts'
import { meanLearner } from './learners/mean.ts'

/** A learner that knows nothing yet; `dimension` is that of the feature vector. */
export function createLearner(spec: LearnerSpec, actions: readonly string[], dimension: number): Learner {
  switch (spec.type) {
    case 'mean':
      return meanLearner(actions.length)
    case 'beta':
      return betaLearner(actions.length, spec.prior)
    case 'linear':
      return linearLearner(actions.length, dimension, spec)
    case 'fixed':
      return fixedLearner('fixed', weightsOf(spec.probabilities, actions))
    case 'uniform':
      return fixedLearner('uniform', new Array(actions.length).fill(1))
  }
}

function weightsOf(probabilities: Readonly<Record<string, number>>, actions: readonly string[]): number[] {
  return actions.map(id => (Object.hasOwn(probabilities, id) ? probabilities[id] : 0))
}

/** The exploration of an algorithm; a RangeError for a pair that makes no sense, which validation refuses before. */
export function createExploration(algorithm: AlgorithmSpec, actions: readonly string[]): Exploration {
  const { learner, exploration } = algorithm
  const k = actions.length
  if (learner.type === 'fixed' || learner.type === 'uniform') return proportional()
  switch (exploration?.type) {
    case 'greedy':
      return greedy(exploration.ties)
    case 'epsilon-greedy':
      return epsilonGreedy(exploration.epsilon, exploration.ties)
    case 'softmax':
      return softmax(exploration.temperature, k)
    case 'thompson':
      if (learner.type === 'beta' && exploration.scale !== 1)
        throw new RangeError('thompson over beta: scale must be 1')
      return thompson(exploration.scale, k)
    case 'ucb':
      if (learner.type === 'mean') return ucb(ucb1Bonus(exploration.factor ?? 2), exploration.ties, k)
      if (learner.type === 'linear') return ucb(linUcbBonus(exploration.alpha ?? 1), exploration.ties, k)
      throw new RangeError('ucb needs the learner `mean` or `linear`')
    case undefined:
      throw new RangeError(`the learner \`${learner.type}\` needs an exploration`)
  }
}
