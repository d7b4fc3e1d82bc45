import { SUM_GROUPS } from '../../log/tables.ts'
import { log1p } from '../../math/elementary.ts'
import { compensated } from '../../math/sum.ts'
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

/** `count`: how many units there are; undefined where none are known. */
export function measureUnits(log: LogSums, count: number | undefined): Units {
  const decisions = decisionCount(log)
  const { unit } = log.decisions
  let groups = 0
  let largest = 0
  for (let g = 0; g < unit.length; g++) {
    if (unit[g] > 0) groups++
    if (unit[g] > largest) largest = unit[g]
  }
  const rows = effectiveRows(log)
  const shared = { largestShare: largest / decisions, groups }
  if (count === undefined) return { known: false, effective: rows, count: log.rows, ...shared }
  const effective = Math.min(rows, (decisions * decisions) / squaresByUnit(unit, decisions))
  return { known: true, effective, count, ...shared }
}

/** Counts the distinct buckets of units. */
export interface UnitCounter {
  /** Returns how many rows are of no unit: their buckets are negative. */
  add(buckets: Int32Array, rows: number): number
  count(): number
}

/** Places in which a bucket can be marked; 512 kB, so that they stay near. */
const PLACES = 1 << 22

/** Linear counting: Whang, Vander-Zanden, Taylor, "A linear-time probabilistic counting algorithm", ACM TODS 15, 1990, equation 3. */
export function createUnitCounter(): UnitCounter {
  let marks = new Uint8Array(0)
  let marked = 0
  return {
    add(buckets, rows) {
      if (marks.length === 0) marks = new Uint8Array(PLACES / 8)
      let unitless = 0
      for (let i = 0; i < rows; i++) {
        if (buckets[i] < 0) {
          unitless++
          continue
        }
        const place = buckets[i] & (PLACES - 1)
        const bit = 1 << (place & 7)
        if ((marks[place >> 3] & bit) !== 0) continue
        marks[place >> 3] |= bit
        marked++
      }
      return unitless
    },
    count: () => Math.round(-PLACES * log1p(-Math.min(marked, PLACES - 1) / PLACES)),
  }
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
