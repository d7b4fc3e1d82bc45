import type { WorldSpec } from '../kinds.ts'
import type { Rng } from '../math/rng.ts'
import type { Context } from '../policy/policy.ts'
import type { Fields } from '../policy/world-fields.ts'
import { bernoulliWorld } from './worlds/bernoulli.ts'
import { linearWorld } from './worlds/linear.ts'
import { logisticWorld } from './worlds/logistic.ts'

/**
 * What answers an action with a reward. A round has one `chance` that all its actions share (common random numbers): the
 * potential reward of an action depends on the round and the action, never on what a policy did.
 */
export interface World {
  readonly actions: readonly string[]
  /** Do the means depend on the context? */
  readonly contextual: boolean
  /**
   * Writes the expected reward of every action, in the order of `actions`, into out[offset … offset + K).
   * @throws DapError where a mean is not a finite number.
   */
  means(context: Context, out: Float64Array, offset: number): void
  /** Draws the chance of one round. */
  chance(rng: Rng): number
  /** The reward of an action with this expected reward in a round with this chance; over chances, it has that mean. */
  reward(mean: number, chance: number): number
}

/** @throws DapError where a term does not compile or names what the context has not. */
export function createWorld(spec: WorldSpec, fields: Fields): World {
  switch (spec.type) {
    case 'bernoulli':
      return bernoulliWorld(spec.means)
    case 'linear':
      return linearWorld(spec.means, spec.noise, fields)
    case 'logistic':
      return logisticWorld(spec.logits, fields)
  }
}
