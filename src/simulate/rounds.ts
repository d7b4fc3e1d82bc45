import { stream } from '../math/rng.ts'
import type { Context } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import type { Population } from './population.ts'
import type { World } from './world.ts'

/**
 * Consecutive rounds of a world, played by one policy after the other: this is what makes policies paired, and the world's
 * own work is done once however many policies play.
 */
export interface Rounds {
  readonly count: number
  /** The number of the first of them in the replication. */
  readonly from: number
  /** The context of each round; empty when nobody looks at contexts. */
  readonly contexts: readonly Context[]
  /** What each round offers; empty where the actions are always the same. */
  readonly pools: readonly Pool[]
  /** The number of each round's unit. */
  readonly units: Float64Array
  /** Expected rewards, row-major: those of round i start at i · `stride`. */
  readonly means: Float64Array
  /** Number of the world's actions, or 0 when one row holds for every round. */
  readonly stride: number
  /** What the actions of a round share (`World.chance`). */
  readonly chance: Float64Array
}

export interface RoundMaker {
  start(replication: number): void
  /** The next `count` rounds, at most `BLOCK`; they overwrite the last ones. */
  next(count: number): Rounds
}

/** Rounds a block: their contexts and means stay in a core's second-level cache. */
export const BLOCK = 512

/**
 * @param population Must keep `BLOCK` contexts alive; undefined when neither the world nor any policy looks at contexts.
 * @param worldSeed What a world offers is that of this seed, and so the same where other rounds of it are played.
 * Streams: (seed, world, r, reward) for chances, and the population's own.
 */
export function createRounds(
  world: World,
  population: Population | undefined,
  seed: number,
  worldSeed = seed,
): RoundMaker {
  const stride = world.contextual ? world.actions.length : 0
  const means = new Float64Array(world.actions.length * (world.contextual ? BLOCK : 1))
  const chance = new Float64Array(BLOCK)
  const units = new Float64Array(BLOCK)
  const contexts: Context[] = []
  const pools: Pool[] = []
  if (!world.contextual) world.means({}, means, 0)
  let rng = stream(seed)
  let played = 0
  return {
    start(replication) {
      played = 0
      rng = stream(seed, 'world', replication, 'reward')
      population?.start(replication)
      world.offers?.start(worldSeed, replication, seed)
    },
    next(count) {
      for (let i = 0; i < count; i++) chance[i] = world.chance(rng)
      if (population !== undefined) {
        for (let i = 0; i < count; i++) {
          contexts[i] = population.meet()
          units[i] = population.unit
        }
        if (world.offers !== undefined) for (let i = 0; i < count; i++) pools[i] = world.offers.next()
        if (world.contextual) for (let i = 0; i < count; i++) world.means(contexts[i], means, i * stride, pools[i])
      }
      const from = played
      played += count
      return { count, from, contexts, pools, units, means, stride, chance }
    },
  }
}
