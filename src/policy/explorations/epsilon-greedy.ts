import type { ExplorationSpec, Ties } from '../../kinds.ts'
import type { Exploration, ExplorationDefinition } from '../exploration.ts'
import { addToMaxima, argmax, pickMaximum, TIES } from './argmax.ts'

export const epsilonGreedyExploration: ExplorationDefinition<Extract<ExplorationSpec, { type: 'epsilon-greedy' }>> = {
  type: 'epsilon-greedy',
  order: 20,
  description: 'The best action, but every action alike with probability epsilon.',
  options: {
    epsilon: {
      type: 'number',
      description: 'The probability of exploring.',
      minimum: 0,
      maximum: 1,
      default: 0.1,
      examples: [0.05],
    },
    ties: TIES,
  },
  needs: [],
  rewards: 'any',
  names: {
    mean: { name: 'ε-greedy', paper: 'Sutton, Barto 1998' },
    beta: { name: 'ε-greedy' },
  },
  deterministic: ({ epsilon }) => (epsilon === 0 ? 'epsilon' : undefined),
  create: ({ epsilon, ties }) => epsilonGreedy(epsilon, ties),
}

/**
 * With probability ε uniform over the eligible actions, else greedy. While an eligible action is untried (its value is +∞)
 * the untried are chosen, with no ε: every action is pulled once before the first draw.
 */
export function epsilonGreedy(epsilon: number, ties: Ties): Exploration {
  return {
    sample: ({ value }, eligible, count, rng) => pickMaximum(value, eligible, count, ties, rng, epsilon),
    probabilities({ value }, eligible, count, out) {
      const explore = value[eligible[argmax(value, eligible, count)]] < Infinity ? epsilon : 0
      out.fill(0)
      for (let i = 0; i < count; i++) out[eligible[i]] = explore / count
      addToMaxima(value, eligible, count, ties, 1 - explore, out)
    },
  }
}
