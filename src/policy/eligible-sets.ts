import type { Eligibility } from './eligibility.ts'
import { BY_REQUEST, type Pool } from './pool.ts'

/** A set of eligible actions in words. The same set is the same object, so whoever writes it down can remember how. */
export interface EligibleSet {
  /** Indices of the eligible actions, ascending. */
  readonly indices: readonly number[]
  readonly eligible: readonly string[]
  /** The other actions, and what excluded each: its rule, or `request`. */
  readonly excluded: readonly { readonly id: string; readonly by: string }[]
}

/** More different sets than this are made anew each time. */
const REMEMBERED = 1024
/** A set of so many actions is a whole number that a double holds exactly. */
const BITS = 53

/** The set that the first `count` of `indices`, ascending, stand for among the actions of a pool; those of the policy's `own` are remembered. */
export function createEligibleSets(
  own: Pool | undefined,
  { rule }: Pick<Eligibility, 'rule'>,
): (indices: Int32Array, count: number, pool?: Pool) => EligibleSet {
  const actions = own?.ids ?? []
  const bits = [1]
  while (bits.length < Math.min(BITS, actions.length)) bits.push(2 * bits[bits.length - 1])
  const known = new Map<number | string, EligibleSet>()

  function keyOf(indices: Int32Array, count: number): number | string {
    if (actions.length > BITS) return indices.subarray(0, count).join()
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
      else excluded.push({ id: ids[a], by: barred?.has(ids[a]) ? BY_REQUEST : (rule(a) as string) })
    }
    return { indices: list, eligible: list.map(a => ids[a]), excluded }
  }

  return (indices, count, pool = own) => {
    if (pool === undefined) throw new RangeError('the actions of the request are needed')
    if (pool !== own) return setOf(pool, indices, count)
    const key = keyOf(indices, count)
    const found = known.get(key)
    if (found !== undefined) return found
    const set = setOf(own, indices, count)
    if (known.size < REMEMBERED) known.set(key, set)
    return set
  }
}
