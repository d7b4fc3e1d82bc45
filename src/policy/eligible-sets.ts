import type { Eligibility } from './eligibility.ts'
import { type Pool, requirePool } from './pool.ts'

/** A set of eligible actions in words. The same set is the same object, so whoever writes it down can remember how. */
export interface EligibleSet {
  /** Indices of the eligible actions, ascending. */
  readonly indices: readonly number[]
  readonly eligible: readonly string[]
  /** The other actions, and what excluded each: its rule, or what barred it. */
  readonly excluded: readonly { readonly id: string; readonly by: string }[]
}

/** More different sets than this are made anew each time, and fewer of many actions: so many of all of them together. */
const REMEMBERED = 1024
const REMEMBERED_ACTIONS = 1 << 18
/** A set of so many actions is a whole number that a double holds exactly. */
const BITS = 53

/** The set that the first `count` of `indices`, ascending, stand for among the actions of a pool; those of lasting pools are remembered. */
export function createEligibleSets(
  own: Pool | undefined,
  { rule }: Pick<Eligibility, 'rule'>,
): (indices: Int32Array, count: number, pool?: Pool) => EligibleSet {
  const known = new WeakMap<Pool, Map<number | string, EligibleSet>>()
  /** The pool that was asked about last, as most often before, and what is known of it. */
  let lately: Pool | undefined
  let sets = new Map<number | string, EligibleSet>()
  const bits = [1]
  while (bits.length < BITS) bits.push(2 * bits[bits.length - 1])

  function keyOf(actions: number, indices: Int32Array, count: number): number | string {
    if (actions > BITS) {
      // A text, whose characters have 16 bits.
      const chars = new Uint16Array(Math.ceil(actions / 16))
      for (let i = 0; i < count; i++) chars[indices[i] >> 4] |= 1 << (indices[i] & 15)
      return String.fromCharCode(...chars)
    }
    let key = 0
    for (let i = 0; i < count; i++) key += bits[indices[i]]
    return key
  }

  function setOf({ ids, barred }: Pool, indices: Int32Array, count: number): EligibleSet {
    const list = Array.from(indices.subarray(0, count))
    const excluded: { id: string; by: string }[] = []
    let next = 0
    for (let a = 0; a < ids.length; a++) {
      if (a === list[next]) next++
      else excluded.push({ id: ids[a], by: barred?.get(ids[a]) ?? (rule(a) as string) })
    }
    return { indices: list, eligible: list.map(a => ids[a]), excluded }
  }

  return (indices, count, given = own) => {
    const pool = requirePool(given)
    if (!pool.lasting) return setOf(pool, indices, count)
    const actions = pool.ids.length
    if (pool !== lately) {
      lately = pool
      sets = known.get(pool) ?? new Map()
      known.set(pool, sets)
    }
    const key = keyOf(actions, indices, count)
    const found = sets.get(key)
    if (found !== undefined) return found
    const set = setOf(pool, indices, count)
    if (sets.size < Math.min(REMEMBERED, REMEMBERED_ACTIONS / actions)) sets.set(key, set)
    return set
  }
}
