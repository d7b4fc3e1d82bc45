import type { Ties } from '../../kinds.ts'
import type { Rng } from '../../math/rng.ts'
import type { OptionSchema } from '../definition.ts'

/** The option of explorations that take an argmax. */
export const TIES: OptionSchema = {
  type: 'string',
  enum: ['random', 'first'],
  description:
    'How an argmax over equal indices is settled: at random, or by the first of the list, which flatters lists with the best action first.',
  default: 'random',
}

/** The first position in `eligible` whose action has the greatest value. */
export function argmax(values: Float64Array, eligible: Int32Array, count: number): number {
  let at = 0
  let best = values[eligible[0]]
  for (let i = 1; i < count; i++) {
    const v = values[eligible[i]]
    if (v > best) {
      best = v
      at = i
    }
  }
  return at
}

/**
 * An eligible action of the greatest value: the first, or, when `ties` are settled at random, any of those that are exactly
 * equal to it. With probability `epsilon` any eligible action instead, unless the greatest value is +∞. A number is drawn
 * only for an `epsilon` above 0, and for a tie.
 */
export function pickMaximum(
  values: Float64Array,
  eligible: Int32Array,
  count: number,
  ties: Ties,
  rng: Rng,
  epsilon = 0,
): number {
  let best = -Infinity
  let first = eligible[0]
  let equal = 0
  for (let i = 0; i < count; i++) {
    const v = values[eligible[i]]
    if (v > best) {
      best = v
      first = eligible[i]
      equal = 1
    } else if (v === best) {
      equal++
    }
  }
  if (epsilon > 0 && best < Infinity && rng.uniform() < epsilon) return eligible[Math.floor(rng.uniform() * count)]
  return equal <= 1 || ties === 'first' ? first : settle(values, best, equal, eligible, rng)
}

/** One of the `equal` eligible actions whose value is `best`, uniformly. */
export function settle(values: Float64Array, best: number, equal: number, eligible: Int32Array, rng: Rng): number {
  let skip = Math.floor(rng.uniform() * equal)
  let i = 0
  while (values[eligible[i]] !== best || skip-- > 0) i++
  return eligible[i]
}

/** Adds `share` to `out`, all of it for the first of the greatest values or evenly over all that equal it. */
export function addToMaxima(
  values: Float64Array,
  eligible: Int32Array,
  count: number,
  ties: Ties,
  share: number,
  out: Float64Array,
): void {
  const at = argmax(values, eligible, count)
  if (ties === 'first') {
    out[eligible[at]] += share
    return
  }
  const best = values[eligible[at]]
  let equal = 0
  for (let i = at; i < count; i++) if (values[eligible[i]] === best) equal++
  for (let i = at; i < count; i++) if (values[eligible[i]] === best) out[eligible[i]] += share / equal
}
