import type { LoggedList } from '../../log/rows/list-reader.ts'
import { rememberNumbers } from '../../log/rows/remember.ts'
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

/** Of so many different ones: a policy that does not look at the context has one. */
const REMEMBERED = 1024

/** The same, remembered by the very numbers. */
export function rememberedMixture(slots: number): (first: ArrayLike<number>, uniform: number) => Float64Array {
  const known = rememberNumbers(REMEMBERED, numbers =>
    mixtureMarginals(numbers.subarray(0, -1), numbers[numbers.length - 1], slots),
  )
  let numbers = new Float64Array(0)
  return (first, uniform) => {
    if (numbers.length !== first.length + 1) numbers = new Float64Array(first.length + 1)
    numbers.set(first)
    numbers[first.length] = uniform
    return known(numbers)
  }
}

/** Do these scores of the first slot tell what is chosen in every slot? Where too few are positive, what is left is chosen anew. */
export function tellsAll(first: ArrayLike<number>, slots: number): boolean {
  let positive = 0
  for (let a = 0; a < first.length; a++) if (first[a] > 0) positive++
  return positive >= Math.min(slots, first.length)
}

/** Of lists that are drawn evenly; 0 in slots for which there are no actions. */
export const evenMarginals = (actions: number, slots: number): Float64Array =>
  new Float64Array(slots * actions).fill(1 / actions, 0, Math.min(slots, actions) * actions)

/** Of the lists of a log; undefined where a record does not say it. */
export function createLoggedMarginals(slots: number): (list: LoggedList) => Float64Array | undefined {
  const mixture = rememberedMixture(slots)
  return ({ mixture: logged }) =>
    logged === undefined || !tellsAll(logged.scores, slots) ? undefined : mixture(logged.scores, logged.uniform)
}

/** Of any lists, by visiting all of them; undefined where they are too many. */
export function visitedMarginals(walk: Slots, actions: number, slots: number): Float64Array | undefined {
  const marginals = new Float64Array(slots * actions)
  const done = visitPrefixes(walk, actions, slots, (action, probability, above) => {
    if (action >= 0) marginals[above.length * actions + action] += probability
  })
  return done ? marginals : undefined
}
