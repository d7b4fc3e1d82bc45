import type { WorldSpec } from '../../kinds.ts'
import { normal } from '../../math/distributions.ts'
import { compileTerms } from '../terms.ts'
import type { WorldDefinition } from '../world.ts'
import { TERM, termsOption } from './options.ts'

/** Reward = mean + noise · N(0, 1), the mean a term of the context. */
export const linear: WorldDefinition<Extract<WorldSpec, { type: 'linear' }>> = {
  type: 'linear',
  order: 20,
  description: 'Reward = mean + N(0, noise²).',
  options: {
    means: termsOption('Action → mean reward in a context.', TERM, {
      none: 0,
      'gold-small': '0.1 + 0.01 * double(ctx.level)',
    }),
    noise: {
      type: 'number',
      description: 'The standard deviation of the reward around its mean.',
      minimum: 0,
      default: 1,
      examples: [0.5],
    },
  },
  required: ['means'],
  terms: 'means',
  rewards: 'any',
  create({ means, noise }, fields) {
    const terms = compileTerms(means, fields)
    return {
      actions: terms.actions,
      contextual: terms.contextual,
      means: terms.write,
      chance: rng => noise * normal(rng),
      reward: (_action, mean, chance) => mean + chance,
    }
  },
}
