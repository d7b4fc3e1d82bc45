import type { TermSpec } from '../../kinds.ts'
import { normal } from '../../math/distributions.ts'
import type { Fields } from '../../policy/world-fields.ts'
import { compileTerms } from '../terms.ts'
import type { World } from '../world.ts'

/** Reward = mean + noise · N(0, 1), the mean a term of the context. */
export function linearWorld(means: Readonly<Record<string, TermSpec>>, noise: number, fields: Fields): World {
  const terms = compileTerms(means, fields)
  return {
    actions: terms.actions,
    contextual: terms.contextual,
    means: terms.write,
    chance: rng => noise * normal(rng),
    reward: (mean, chance) => mean + chance,
  }
}
