import type { Eligibility } from './eligibility.ts'

/** A set of eligible actions in words. The same set is the same object, so whoever writes it down can remember how. */
export interface EligibleSet {
  /** Indices of the eligible actions, ascending. */
  readonly indices: readonly number[]
  readonly eligible: readonly string[]
  /** The other actions, and the rule that excluded each: an action without a rule is always eligible. */
  readonly excluded: readonly { readonly id: string; readonly by: string }[]
}

/** More different sets than this are made anew each time. */
const REMEMBERED = 1024
/** A set of so many actions is a whole number that a double holds exactly. */
const BITS = 53

/** Looks up the set that the first `count` of `indices`, ascending, stand for. */
export function createEligibleSets(
  actions: readonly string[],
  { rules }: Pick<Eligibility, 'rules'>,
): (indices: Int32Array, count: number) => EligibleSet {
  const bits = [1]
  while (bits.length < Math.min(BITS, actions.length)) bits.push(2 * bits[bits.length - 1])
  const known = new Map<number | string, EligibleSet>()

  function keyOf(indices: Int32Array, count: number): number | string {
    if (actions.length > BITS) return indices.subarray(0, count).join()
    let key = 0
    for (let i = 0; i < count; i++) key += bits[indices[i]]
    return key
  }

  return (indices, count) => {
    const key = keyOf(indices, count)
    const found = known.get(key)
    if (found !== undefined) return found
    const list = Array.from(indices.subarray(0, count))
    const set: EligibleSet = {
      indices: list,
      eligible: list.map(a => actions[a]),
      excluded: actions.flatMap((id, a) => (list.includes(a) ? [] : [{ id, by: rules[a] as string }])),
    }
    if (known.size < REMEMBERED) known.set(key, set)
    return set
  }
}
