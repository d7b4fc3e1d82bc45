import { spreadOfGroups } from '../../math/groups.ts'
import { withRoom } from '../id-table.ts'
import { clusteredScore, NO_SCORE, type Score } from './calibration.ts'
import { effectOf, STATS_GROUPS, type UnitSizes } from './units.ts'

/** Do as many rewards come back for one action as for another, in equal contexts? */
export interface Joins {
  /**
   * A draw: the actions (as indices) that could be chosen, their propensities, the position of the one that was, and the group of the
   * unit. Returns its number.
   */
  add(actions: readonly number[], propensities: readonly number[], chosen: number, group: number): number
  /** A draw that counts, and whether a reward came for it. What nothing is said of does not count. */
  outcome(draw: number, rewarded: boolean): void
  /**
   * By action: the share of its draws that a reward came for; and how much more often it was chosen, against its propensities, where
   * a reward came than where none did: Σ (J − r)(1{chosen} − p), J being 1 for a reward and r its mean. Given the context the action is chance,
   * so this has mean 0 and variance Σ (J − r)² p(1 − p) whatever contexts and eligible sets do to J.
   */
  finish(actions: number, units: UnitSizes): readonly (Score & { readonly joinRate: number | null })[]
}

const COUNTS = 1
const REWARDED = 2

/** Memory: 10 bytes a draw, and 8 for each of its actions. */
export function createJoins(): Joins {
  let draws = 0
  let heard = new Uint8Array(1024)
  let groupOf = new Uint8Array(1024)
  /** Where a draw's actions begin, and the place of the chosen one; the next draw begins where it ends. */
  let start = new Uint32Array(1025)
  let chosenAt = new Uint32Array(1024)
  let action = new Uint32Array(4096)
  let propensity = new Float32Array(4096)

  return {
    add(actions, propensities, chosen, group) {
      const from = start[draws]
      for (let i = 0; i < actions.length; i++) {
        action = withRoom(action, from + i)
        propensity = withRoom(propensity, from + i)
        action[from + i] = actions[i]
        propensity[from + i] = propensities[i]
      }
      heard = withRoom(heard, draws)
      groupOf = withRoom(groupOf, draws)
      groupOf[draws] = group
      chosenAt = withRoom(chosenAt, draws)
      start = withRoom(start, draws + 1)
      chosenAt[draws] = from + chosen
      start[draws + 1] = from + actions.length
      return draws++
    },
    outcome(draw, rewarded) {
      heard[draw] = rewarded ? COUNTS | REWARDED : COUNTS
    },
    finish(actions, units) {
      const counted = new Float64Array(actions)
      const rewarded = new Float64Array(actions)
      let all = 0
      let joined = 0
      for (let d = 0; d < draws; d++) {
        if (heard[d] === 0) continue
        const a = action[chosenAt[d]]
        counted[a]++
        all++
        if ((heard[d] & REWARDED) === 0) continue
        rewarded[a]++
        joined++
      }
      const rate = joined / all
      /** By group: how many draws, and by action and group, what they add. */
      const count = new Float64Array(STATS_GROUPS)
      const sums = new Float64Array(actions * STATS_GROUPS)
      const square = new Float64Array(actions)
      const variance = new Float64Array(actions)
      const third = new Float64Array(actions)
      for (let d = 0; d < draws; d++) {
        if (heard[d] === 0) continue
        const group = groupOf[d]
        count[group]++
        const weight = (heard[d] & REWARDED ? 1 : 0) - rate
        for (let i = start[d]; i < start[d + 1]; i++) {
          const a = action[i]
          const p = propensity[i]
          const own = weight * weight * p * (1 - p)
          const term = weight * ((i === chosenAt[d] ? 1 : 0) - p)
          sums[a * STATS_GROUPS + group] += term
          square[a] += term * term
          variance[a] += own
          third[a] += weight * own * (1 - 2 * p)
        }
      }
      const spreads = Array.from({ length: actions }, (_, a) => {
        const spread = spreadOfGroups(
          STATS_GROUPS,
          g => sums[a * STATS_GROUPS + g],
          g => count[g],
        )
        return { ...spread, independent: square[a] - spread.taken * spread.ratio, square: square[a], rows: all }
      })
      const effect = effectOf(spreads, units)
      return spreads.map((spread, a) => {
        const chance = { excess: spread.taken, variance: variance[a], third: third[a], step: 1 }
        return {
          joinRate: counted[a] === 0 ? null : rewarded[a] / counted[a],
          ...(joined === 0 || joined === all ? NO_SCORE : clusteredScore(chance, spread, effect)),
        }
      })
    },
  }
}
