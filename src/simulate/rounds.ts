import { philox4x32 } from '../math/philox.ts'
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
  /** Where lists are clicked: numbers that are equal for actions that are alike, with rows as `means` has them. */
  readonly kinds: Int32Array
  /**
   * The same: what decides of a click on an action of the world at a slot, in the round of that number in the replication, whoever shows it there. Uniform on
   * [0, 1).
   */
  uniform(round: number, action: number, slot: number): number
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
 * Streams: (seed, world, r, reward) for chances, (seed, world, r, click) for the key of the uniforms of clicks, whose counter is action, slot and round,
 * and the population's own.
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
  const kinds = new Int32Array(world.clicks?.model.same === undefined ? 0 : means.length)
  const kindOf = numbering()
  if (!world.contextual) world.means({}, means, 0)
  let rng = stream(seed)
  let played = 0
  let key: readonly [number, number] = [0, 0]
  const words = new Uint32Array(4)

  function tellApart(row: number, pool?: Pool): void {
    const count = pool?.ids.length ?? world.actions.length
    for (let a = 0; a < count; a++) kinds[row + a] = kindOf(world.clicks?.valueOf(a, pool))
  }
  if (kinds.length > 0 && world.offers === undefined)
    for (let row = 0; row < kinds.length; row += world.actions.length) tellApart(row)

  function uniform(round: number, action: number, slot: number): number {
    words[0] = action
    words[1] = slot
    words[2] = round
    words[3] = 0
    philox4x32(key[0], key[1], words, words)
    return ((words[0] >>> 11) * 4294967296 + words[1]) * 1.1102230246251565e-16
  }

  return {
    start(replication) {
      played = 0
      rng = stream(seed, 'world', replication, 'reward')
      if (world.clicks !== undefined) {
        const keys = stream(seed, 'world', replication, 'click')
        key = [keys.uint32(), keys.uint32()]
      }
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
        if (kinds.length > 0 && world.offers !== undefined)
          for (let i = 0; i < count; i++) tellApart(i * stride, pools[i])
        if (world.contextual) for (let i = 0; i < count; i++) world.means(contexts[i], means, i * stride, pools[i])
      }
      const from = played
      played += count
      return { count, from, contexts, pools, units, means, stride, chance, kinds, uniform }
    },
  }
}

/** Numbers for values, in the order in which they are met. */
function numbering(): (value: unknown) => number {
  const known = new Map<unknown, number>()
  return value => {
    const number = known.get(value) ?? known.size
    known.set(value, number)
    return number
  }
}
