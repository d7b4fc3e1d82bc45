import type { Ties } from '../../kinds.ts'
import type { Rng } from '../../math/rng.ts'

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
 * The action at position `at`, which `argmax` found, or, when `ties` are settled at random, one of those that are exactly equal to
 * it; a number is drawn only if there are several.
 */
export function settle(
  values: Float64Array,
  at: number,
  eligible: Int32Array,
  count: number,
  ties: Ties,
  rng: Rng,
): number {
  const first = eligible[at]
  if (ties === 'first') return first
  const best = values[first]
  let equal = 1
  for (let i = at + 1; i < count; i++) if (values[eligible[i]] === best) equal++
  if (equal === 1) return first
  let skip = Math.floor(rng.uniform() * equal)
  let i = at
  while (skip > 0) if (values[eligible[++i]] === best) skip--
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
