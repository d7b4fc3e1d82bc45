import type { WorldSpec } from '../../kinds.ts'
import type { World, WorldDefinition } from '../world.ts'
import { binaryReward, CLICK, termsOption } from './options.ts'

export const bernoulli: WorldDefinition<Extract<WorldSpec, { type: 'bernoulli' }>> = {
  type: 'bernoulli',
  order: 10,
  description: "Reward 1 with the action's probability, else 0.",
  options: {
    means: termsOption(
      'Action → probability of a reward.',
      { type: 'number', minimum: 0, maximum: 1 },
      {
        none: 0.02,
        'gold-small': 0.05,
      },
    ),
    click: CLICK,
  },
  required: ['means'],
  terms: 'means',
  rewards: 'unit',
  create: ({ means }) => bernoulliWorld(means),
}

/** Reward 1 with the action's probability, else 0, whatever the context. */
function bernoulliWorld(means: Readonly<Record<string, number>>): World {
  const actions = Object.keys(means)
  const probabilities = Float64Array.from(actions, action => means[action])
  return {
    actions,
    contextual: false,
    means: (_, out, offset) => out.set(probabilities, offset),
    chance: rng => rng.uniform(),
    reward: binaryReward,
  }
}
