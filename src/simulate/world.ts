import type { Rng } from '../math/rng.ts'
import type { ConfiguredDefinition, Rewards } from '../policy/definition.ts'
import type { Context } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import type { Fields } from '../policy/world-fields.ts'
import type { ClickModel } from './click-model.ts'

/**
 * What answers an action with a reward. A round has one `chance` that all its actions share (common random numbers): the
 * potential reward of an action depends on the round and the action, never on what a policy did.
 */
export interface World {
  /** Of a world that offers others in each round: their places. */
  readonly actions: readonly string[]
  /** What the requests of the rounds bring, one after the other; absent of a world whose actions are always the same. */
  readonly offers?: {
    /** The items, and what they are worth, are those of `seed`; which of them each request brings goes by `requests`. */
    start(seed: number, replication: number, requests: number): void
    next(): Pool
  }
  /** Do the means depend on the context? */
  readonly contextual: boolean
  /**
   * Writes the expected reward of every action, in the order of `actions`, or of what is offered, into out[offset … offset + K).
   * @throws DapError where a mean is not a finite number.
   */
  means(context: Context, out: Float64Array, offset: number, pool?: Pool): void
  /** Draws the chance of one round. */
  chance(rng: Rng): number
  /** The reward of an action (its place in `actions`) with this expected reward in a round with this chance; over chances, it has that mean. */
  reward(action: number, mean: number, chance: number): number
  /** How lists are clicked, where expected rewards are probabilities of a click; absent of a world that answers one action alone. */
  readonly clicks?: Clicks
}

export interface Clicks {
  readonly model: ClickModel
  /** What the model's feature is of an action (its place in `actions`, or in what is offered): those of an equal value are alike. */
  valueOf(action: number, pool?: Pool): unknown
}

/** A kind of world, as a Scenario names it. `Spec` is its part of the scenario, after defaults. */
export interface WorldDefinition<Spec extends { readonly type: string } = { readonly type: string }>
  extends ConfiguredDefinition {
  /** The option that says of each action what it brings; absent of a world that offers others in each round. */
  readonly terms?: string
  /** Are all rewards in [0, 1]? */
  readonly rewards: Rewards
  /**
   * `offered`: the features of what is offered, as policies declare and the world draws them; `set`: what there is, where policies choose from a set.
   * @throws DapError where a term does not compile or names what the context has not.
   */
  create(spec: Spec, fields: Fields, offered: Fields, set?: Pool): World
}
