import type { WorldSpec } from '../../kinds.ts'
import { exp } from '../../math/elementary.ts'
import { compileTerms } from '../terms.ts'
import type { WorldDefinition } from '../world.ts'
import { binaryReward, CLICK, TERM, termsOption } from './options.ts'

/** Reward 1 with probability 1 / (1 + e^−logit), else 0, the logit a term of the context. */
export const logistic: WorldDefinition<Extract<WorldSpec, { type: 'logistic' }>> = {
  type: 'logistic',
  order: 30,
  description: 'Reward = 1 with probability 1 / (1 + e^−logit), else 0.',
  options: {
    logits: termsOption('Action → log-odds of a reward in a context.', TERM, {
      none: -4,
      'gold-small': { intercept: -3, weights: { level: 0.01 } },
    }),
    click: CLICK,
  },
  required: ['logits'],
  terms: 'logits',
  rewards: 'unit',
  create({ logits }, fields) {
    const terms = compileTerms(logits, fields)
    const count = terms.actions.length
    return {
      actions: terms.actions,
      contextual: terms.contextual,
      means(context, out, offset) {
        terms.write(context, out, offset)
        for (let i = offset; i < offset + count; i++) out[i] = 1 / (1 + exp(-out[i]))
      },
      chance: rng => rng.uniform(),
      reward: binaryReward,
    }
  },
}
