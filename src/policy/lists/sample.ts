import type { Rng } from '../../math/rng.ts'
import { type Filling, NOTHING } from './filling.ts'
import type { Slots } from './slots.ts'

/** What is put into a slot, of the first `count` of `left`, at least one. */
export type ChooseOne = (slot: number, left: Int32Array, count: number) => number

/**
 * Fills slot after slot of a filling that has been started: writes an action or `NOTHING` for each into `out` and returns how many there are. Where nothing
 * is left a ranking ends, and a slot that has a name stays empty.
 */
export function fillList({ count: most, ids }: Slots, filling: Filling, choose: ChooseOne, out: Int32Array): number {
  for (let slot = 0; slot < most; slot++) {
    const count = filling.open()
    if (count === 0 && ids.length === 0) return slot
    out[slot] = count === 0 ? NOTHING : choose(slot, filling.left, count)
    filling.take(out[slot])
  }
  return most
}

/**
 * Fills them by chance, as often as the vectors of a walk say, which nobody wrote: of a mixture a coin says whether all of the list is by chance, of slots
 * with floors a coin each; else it is what `choose` draws of the exploration.
 */
export function sampleList(slots: Slots, filling: Filling, choose: ChooseOne, rng: Rng, out: Int32Array): number {
  const { uniform } = slots
  const anything: ChooseOne = (_, left, count) => left[Math.floor(rng.uniform() * count)]
  if (uniform !== undefined) {
    const byChance = uniform > 0 && rng.uniform() < uniform
    return fillList(slots, filling, byChance ? anything : choose, out)
  }
  const floored: ChooseOne = (slot, left, count) => {
    const floors = count * slots.floor(slot, count)
    return floors > 0 && rng.uniform() < floors ? anything(slot, left, count) : choose(slot, left, count)
  }
  return fillList(slots, filling, floored, out)
}
