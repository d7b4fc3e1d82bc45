import type { TermSpec } from '../../kinds.ts'
import type { Fields } from '../../policy/world-fields.ts'
import { compileTerms } from '../terms.ts'
import type { World } from '../world.ts'
import { binaryReward } from './bernoulli.ts'

/** Reward 1 with probability 1 / (1 + e^−logit), else 0, the logit a term of the context. */
export function logisticWorld(logits: Readonly<Record<string, TermSpec>>, fields: Fields): World {
  const terms = compileTerms(logits, fields)
  const count = terms.actions.length
  return {
    actions: terms.actions,
    contextual: terms.contextual,
    means(context, out, offset) {
      terms.write(context, out, offset)
      for (let i = offset; i < offset + count; i++) out[i] = 1 / (1 + Math.exp(-out[i]))
    },
    chance: rng => rng.uniform(),
    reward: binaryReward,
  }
}
