import type { DecisionLog } from '../../log/rows/decision-log.ts'
import type { RowColumns, Series } from '../estimators/series.ts'
import { addTotals, type ChunkGroups, createTotals, type Totals } from '../weights/groups.ts'
import { addRanges } from '../weights/sums.ts'
import { addWeights, createWeightSums, type WeightSums } from '../weights/weight-sums.ts'

/** What is summed of a candidate that decides on lists. */
export interface ListSums {
  /** Of each series, in its order. */
  readonly totals: readonly Totals[]
  /** Of the series that are weights. */
  readonly weights: ReadonlyMap<string, WeightSums>
  rows: number
  /** By slot: Σ h · w of those above · the candidate's probability of what the log could not put there; the same whatever stands above. */
  readonly unsupported: Float64Array
  readonly misplaced: Float64Array
  /** By slot: the largest weight that the two policies can produce there, given what stood above; whatever stands above. */
  readonly possible: Float64Array
  readonly possiblyPlaced: Float64Array
  /** By action: Σ h · w of the list down to the slot in which it stood. */
  readonly exposure: Float64Array
  minValue: number
  maxValue: number
  minPredicted: number
  maxPredicted: number
}

/** `weights` are those of the series that are weights. */
export function createListSums(
  series: readonly Series[],
  weights: readonly Series[],
  slots: number,
  actions: number,
): ListSums {
  return {
    totals: series.map(createTotals),
    weights: new Map(weights.map(({ key }) => [key, createWeightSums()])),
    rows: 0,
    unsupported: new Float64Array(slots),
    misplaced: new Float64Array(slots),
    possible: new Float64Array(slots),
    possiblyPlaced: new Float64Array(slots),
    exposure: new Float64Array(actions),
    minValue: Infinity,
    maxValue: -Infinity,
    minPredicted: Infinity,
    maxPredicted: -Infinity,
  }
}

/** Adds a chunk, a column at a time. */
export function addLists(
  sums: ListSums,
  series: readonly Series[],
  { rows, standsFor }: Pick<DecisionLog, 'rows' | 'standsFor'>,
  columns: RowColumns,
  groups: ChunkGroups,
  scratch: Float64Array,
): void {
  sums.rows += rows
  addRanges(sums, columns)
  for (const [s, each] of series.entries()) {
    const values = each.of(columns, scratch)
    addTotals(sums.totals[s], groups, values, standsFor, rows)
    const weights = sums.weights.get(each.key)
    if (weights !== undefined) addWeights(weights, values, columns, standsFor, groups)
  }
}
