import { luceMarginals } from '../../math/plackett-luce.ts'
import { type Slots, visitPrefixes } from './prefixes.ts'

/**
 * P(action at slot) of (1 − uniform) · Plackett–Luce + uniform · a list that is drawn evenly, row-major slots × actions. `first`: the
 * probabilities of the first slot of the former, over those that may stand there.
 */
export function mixtureMarginals(first: ArrayLike<number>, uniform: number, slots: number): Float64Array {
  const marginals = luceMarginals(first, slots)
  for (let at = 0; at < marginals.length; at++) {
    marginals[at] = (1 - uniform) * marginals[at] + uniform / first.length
  }
  return marginals
}

/** The same of any lists, by visiting all of them; undefined where they are too many. */
export function visitedMarginals(walk: Slots, actions: number, slots: number): Float64Array | undefined {
  const marginals = new Float64Array(slots * actions)
  const done = visitPrefixes(walk, actions, slots, (action, probability, above) => {
    if (action >= 0) marginals[above.length * actions + action] += probability
  })
  return done ? marginals : undefined
}
