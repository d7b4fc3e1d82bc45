import { spreadOfGroups } from '../../math/groups.ts'
import { uniformityTest } from '../../math/tails.ts'
import { effectOf, STATS_GROUPS, type UnitSizes } from './units.ts'

/** Are draws uniform, though those of one unit may be one and the same? */
export interface Uniformity {
  add(u: number, group: number): void
  /** `ascending`: all that were added. */
  finish(ascending: Float64Array, units: UnitSizes): { readonly distance: number; readonly p: number }
}

/** The design effect is that of how many draws are below 1/8, 2/8, …, 7/8. */
const STEPS = 8

export function createUniformity(): Uniformity {
  const draws = new Float64Array(STATS_GROUPS)
  /** By eighth and group. */
  const within = new Float64Array(STEPS * STATS_GROUPS)
  return {
    add(u, group) {
      draws[group]++
      within[Math.floor(STEPS * u) * STATS_GROUPS + group]++
    },
    finish(ascending, units) {
      const rows = ascending.length
      const below = new Float64Array(STATS_GROUPS)
      const sums = Array.from({ length: STEPS - 1 }, (_, step) => {
        for (let g = 0; g < STATS_GROUPS; g++) below[g] += within[step * STATS_GROUPS + g]
        const { taken, ratio, variance } = spreadOfGroups(
          STATS_GROUPS,
          g => below[g],
          g => draws[g],
        )
        return { variance, independent: taken * (1 - ratio), square: taken, rows }
      })
      return uniformityTest(ascending, effectOf(sums, units))
    },
  }
}
