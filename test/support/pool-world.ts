import { normal, uniformInt } from '../../src/math/distributions.ts'
import { sigmoid } from '../../src/math/logistic.ts'
import { type Rng, stream } from '../../src/math/rng.ts'

/** What changes with each day of the world, if anything does. */
export type Change = 'nothing' | 'drift' | 'new items'

/** One request: who asks, what is on offer, and how likely each is to be taken. */
export interface Request {
  /** A level of each context field. */
  readonly context: readonly number[]
  /** Numbers of items, `OFFERED` of those of the day. */
  readonly offered: readonly number[]
  /** By offer. */
  readonly means: readonly number[]
  /** An offer is taken if this is below its mean, whichever is shown: what all who play share. */
  readonly chance: number
}

export interface PoolWorld {
  /** The tokens of every item that there ever is; its id is its number. */
  readonly items: readonly (readonly number[])[]
  readonly requests: readonly Request[]
}

export const DAY = 1000
export const OFFERED = 10
const POOL = 200
/** Fields of the context, tokens of an item, and how many levels the i-th has. */
export const FIELDS = 10
export const TOKENS = 9
export const levelsOf = (i: number): number => 3 + (i % 6)
/** Tables of a field and a token each, whose entries add up. */
const TABLES = 6
/** As likely as clicks: a sixth at random, just below a half for who knows it all. */
const BASE = -2.2
const ITEM_SD = 0.35
const TABLE_SD = 0.55
/** Items of a day that are new, and how much of an effect lasts from one day to the next. */
const NEW_ITEMS = 20
const LASTING = 0.95

/**
 * A seeded world of recommendations: ten of two hundred items a request, clicks of a logistic model with an effect of each item and of six
 * random pairs of a field and a token. It is drawn whole, so that whoever plays meets the same requests.
 */
export function poolWorld(seed: number, horizon: number, change: Change = 'nothing'): PoolWorld {
  const rng = stream(seed, 'pool', change)
  const items: number[][] = []
  const effects: number[] = []
  const newItem = () => {
    items.push(Array.from({ length: TOKENS }, (_, i) => uniformInt(rng, levelsOf(i))))
    effects.push(ITEM_SD * normal(rng))
    return items.length - 1
  }
  const pool = Array.from({ length: POOL }, newItem)
  const tables = Array.from({ length: TABLES }, () => {
    const [field, token] = [uniformInt(rng, FIELDS), uniformInt(rng, TOKENS)]
    const entries = Array.from({ length: levelsOf(field) * levelsOf(token) }, () => TABLE_SD * normal(rng))
    return { field, token, entries }
  })
  const requests: Request[] = []
  for (let t = 0; t < horizon; t++) {
    if (t > 0 && t % DAY === 0) {
      if (change === 'drift') {
        moveAll(effects, ITEM_SD, rng)
        for (const { entries } of tables) moveAll(entries, TABLE_SD, rng)
      }
      if (change === 'new items') for (let i = 0; i < NEW_ITEMS; i++) pool[uniformInt(rng, POOL)] = newItem()
    }
    const context = Array.from({ length: FIELDS }, (_, i) => uniformInt(rng, levelsOf(i)))
    const offered = sample(pool, OFFERED, rng)
    const means = offered.map(item => {
      let z = BASE + effects[item]
      for (const { field, token, entries } of tables)
        z += entries[context[field] * levelsOf(token) + items[item][token]]
      return sigmoid(z)
    })
    requests.push({ context, offered, means, chance: rng.uniform() })
  }
  return { items, requests }
}

/** Keeps the spread as it is. */
function moveAll(values: number[], sd: number, rng: Rng): void {
  for (let i = 0; i < values.length; i++)
    values[i] = LASTING * values[i] + Math.sqrt(1 - LASTING * LASTING) * sd * normal(rng)
}

/** So many different entries of a list, by the first steps of a shuffle. */
function sample(list: number[], count: number, rng: Rng): number[] {
  for (let i = 0; i < count; i++) {
    const j = i + uniformInt(rng, list.length - i)
    ;[list[i], list[j]] = [list[j], list[i]]
  }
  return list.slice(0, count)
}

/** Between who chooses at random, 0, and who knows all means, 1. `earned` is the sum of the means that were chosen. */
export function shareOf({ requests }: PoolWorld, earned: number): number {
  let uniform = 0
  let oracle = 0
  for (const { means } of requests) {
    uniform += means.reduce((sum, mean) => sum + mean, 0) / means.length
    oracle += Math.max(...means)
  }
  return (earned - uniform) / (oracle - uniform)
}
