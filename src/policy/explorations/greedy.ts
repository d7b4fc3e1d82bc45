import type { ExplorationSpec, Ties } from '../../kinds.ts'
import type { Exploration, ExplorationDefinition } from '../exploration.ts'
import { addToMaxima, pickMaximum, TIES } from './argmax.ts'

export const greedyExploration: ExplorationDefinition<Extract<ExplorationSpec, { type: 'greedy' }>> = {
  type: 'greedy',
  order: 10,
  description: 'Always the action of the highest value.',
  options: { ties: TIES },
  needs: [],
  rewards: 'any',
  names: { linear: { name: 'LinGreedy' } },
  deterministic: () => 'type',
  create: ({ ties }) => greedy(ties),
}

/** Always an action of the greatest value. */
function greedy(ties: Ties): Exploration {
  return {
    sample: ({ value }, eligible, count, rng) => pickMaximum(value, eligible, count, ties, rng),
    probabilities({ value }, eligible, count, out) {
      out.fill(0)
      addToMaxima(value, eligible, count, ties, 1, out)
    },
  }
}
