import { SUM_GROUPS } from '../log/tables.ts'
import { compensated } from '../math/sum.ts'
import { decisionCount, effectiveRows, type LogSums } from './log-sums.ts'

/** Whose rows depend on each other, and how unevenly they are spread. */
export interface Units {
  /** Rows of one unit may depend on each other; without units rows are taken for independent, each a unit of its own. */
  readonly known: boolean
  /** Kish's number of units, (Σn)² / Σn² over their n decisions: how many of equal activity they are worth. */
  readonly effective: number
  /** The most active unit's share of the decisions. */
  readonly largestShare: number
  /** How many there are, about where they are very many; rows, without units. */
  readonly count: number
  /** Groups that have a row. */
  readonly groups: number
}

export function measureUnits(log: LogSums, known: boolean): Units {
  const decisions = decisionCount(log)
  const { unit } = log.decisions
  let groups = 0
  let largest = 0
  for (let g = 0; g < unit.length; g++) {
    if (unit[g] > 0) groups++
    if (unit[g] > largest) largest = unit[g]
  }
  const rows = effectiveRows(log)
  if (!known) return { known, effective: rows, largestShare: largest / decisions, count: log.rows, groups }
  return {
    known,
    effective: Math.min(rows, (decisions * decisions) / squaresByUnit(unit, decisions)),
    largestShare: largest / decisions,
    count: distinct(groups),
    groups,
  }
}

/** How many units fill so many groups. */
function distinct(groups: number): number {
  if (groups < CROWDED) return groups
  return Math.round(-SUM_GROUPS * Math.log1p(-Math.min(groups, SUM_GROUPS - 1) / SUM_GROUPS))
}

/** Beyond so many groups of units, some groups have several: they met by chance. */
const CROWDED = SUM_GROUPS / 32

/**
 * Σ xᵤ² over units of totals xᵤ that sum to `total`, from the totals of their groups: of two units that share a group by chance, one pair in
 * `SUM_GROUPS`, the product is in the square, so E Σ x_g² = Σ xᵤ² + ((Σx)² − Σ xᵤ²) / SUM_GROUPS.
 */
export function squaresByUnit(groups: Float64Array, total: number): number {
  const squares = compensated(groups.length, g => groups[g] * groups[g])
  const occupied = groups.reduce((count, x) => count + (x === 0 ? 0 : 1), 0)
  if (occupied < CROWDED) return squares
  const corrected = (squares - (total * total) / SUM_GROUPS) / (1 - 1 / SUM_GROUPS)
  // So many units that the difference is lost in its rounding and in chance.
  return Math.max(corrected, squares / SUM_GROUPS)
}
