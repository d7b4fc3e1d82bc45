import { log } from '../math/elementary.ts'
import { sharedSlots } from '../policy/hashing.ts'
import type { Policy } from '../policy/policy.ts'
import type { Folding } from './fold.ts'
import { EXTRA_BITS } from './kept.ts'

/** How crowded the slots of a model are, and what weighs most in it. */
export interface HashReport {
  /** Slots that there are, and those that a row touches. */
  readonly slots: number
  readonly occupied: number
  /** About how many names of features and of products the rows have, and the share of them that is expected to share a slot with another. */
  readonly names: number
  readonly shared: number
  /** The greatest weights, by size; the name is the first that falls into the slot. */
  readonly strongest: readonly Weight[]
}

export interface Weight {
  readonly name: string
  readonly slot: number
  readonly weight: number
  readonly width: number
}

/** So many weights are named. */
const MOST_NAMED = 100

/** What is to be known of the hashes of the rows that a policy has just learnt; undefined where it hashes nothing. */
export async function hashReport({ learner, features }: Policy, folding: Folding): Promise<HashReport | undefined> {
  if (features.hashing === undefined) return undefined
  const slots = 1 << features.hashing.bits
  const state = learner.state() as Readonly<Record<'slots' | 'weights' | 'precisions', readonly number[]>>
  const strongest = [...state.slots.keys()]
    .sort((a, b) => Math.abs(state.weights[b]) - Math.abs(state.weights[a]) || a - b)
    .filter(i => state.slots[i] < slots && state.weights[i] !== 0)
    .slice(0, MOST_NAMED)
  const names = new Map<number, string>()
  const places = new Uint8Array((slots << EXTRA_BITS) / 8)
  for await (const part of folding.pass({ slots: strongest.map(i => state.slots[i]) })) {
    for (const [slot, name] of part.names) if (!names.has(slot)) names.set(slot, name)
    for (let i = 0; i < places.length; i++) places[i] |= part.places[i]
  }
  const known = countNames(places)
  return {
    slots,
    // The intercept has a slot of its own.
    occupied: state.slots.filter(slot => slot < slots).length,
    names: known,
    shared: sharedSlots(known, slots),
    strongest: strongest.map(i => ({
      name: names.get(state.slots[i]) ?? '',
      slot: state.slots[i],
      weight: state.weights[i],
      width: 1 / Math.sqrt(state.precisions[i]),
    })),
  }
}

/** −m ln(empty/m) of m places. */
function countNames(places: Uint8Array): number {
  let taken = 0
  for (const byte of places) for (let rest = byte; rest > 0; rest &= rest - 1) taken++
  const all = 8 * places.length
  return Math.round(-all * log((all - Math.min(taken, all - 1)) / all))
}
