import { mixtureWalk } from '../../log/records/slot-vectors.ts'
import type { LoggedList } from '../../log/rows/list-reader.ts'
import { rememberNumbers } from '../../log/rows/remember.ts'
import { solveSemidefinite } from '../../math/semidefinite.ts'
import { type Slots, visitPrefixes } from './prefixes.ts'

/**
 * The weights of the pseudo-inverse estimator: qᵀ Γ⁺ 1_A of a list A, where Γ is the mean of 1_A 1_Aᵀ under the log, q that of 1_A under
 * the candidate, and 1_A has a place for every slot and action. Unbiased where what a list earns is a sum of what its slots do. Swaminathan,
 * Krishnamurthy, Agarwal, Dudík, Langford, Jose, Zitouni, "Off-policy evaluation for slate recommendation", NeurIPS 2017.
 *
 * Returns by slot × action what the actions of a list sum to its weight from; undefined where lists are too many to be visited, or the
 * candidate puts an action where the log never does. `marginals`: q.
 */
export function additiveWeights(
  log: Slots,
  marginals: Float64Array,
  actions: number,
  slots: number,
): Float64Array | undefined {
  const places = slots * actions
  const gamma = new Float64Array(places * places)
  const done = visitPrefixes(log, actions, slots, (action, probability, above) => {
    if (action < 0) return
    const at = above.length * actions + action
    gamma[at * places + at] += probability
    for (const [slot, other] of above.entries()) {
      if (other < 0) continue
      const before = slot * actions + other
      gamma[at * places + before] += probability
      gamma[before * places + at] += probability
    }
  })
  return done ? solveSemidefinite(gamma, marginals) : undefined
}

/** By slot × place; none where they cannot be had. */
export type Additive = (list: LoggedList, marginals: Float64Array) => Float64Array | undefined

/** Of so many different pairs of a log's list and a candidate's. */
const REMEMBERED = 1024

/** The same for lists of a log, remembered by the very numbers. */
export function createAdditive(slots: number): Additive {
  const known = rememberNumbers(REMEMBERED, numbers => {
    const actions = (numbers.length - 1) / (1 + slots)
    const walk = mixtureWalk(Array.from(numbers.subarray(1, 1 + actions)), numbers[0], slots)
    return { weights: additiveWeights(walk, numbers.slice(1 + actions), actions, slots) }
  })
  return ({ mixture }, marginals) => {
    if (mixture === undefined) return undefined
    const { uniform, scores } = mixture
    const numbers = new Float64Array(1 + scores.length + slots * scores.length)
    numbers[0] = uniform
    numbers.set(scores, 1)
    numbers.set(marginals, 1 + scores.length)
    return known(numbers).weights
  }
}
