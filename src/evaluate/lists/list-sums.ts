import type { DecisionLog } from '../../log/rows/decision-log.ts'
import type { RowColumns, Series } from '../estimators/series.ts'
import { addTotals, type ChunkGroups, createTotals, type Totals } from '../weights/groups.ts'

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
  minValue: number
  maxValue: number
  minPredicted: number
  maxPredicted: number
}

export interface WeightSums {
  /** Σhw and Σh²w² in the order of the rows. */
  w: number
  ww: number
  min: number
  max: number
  /** The largest h·w. */
  maxTotal: number
  zeroRows: number
  /** Rows with a reward and a positive weight, and by group of units, whether it has one. */
  positives: number
  positiveGroups: Uint8Array
}

/** `weights` are those of the series that are weights. */
export function createListSums(series: readonly Series[], weights: readonly Series[], slots: number): ListSums {
  return {
    totals: series.map(createTotals),
    weights: new Map(weights.map(({ key }) => [key, createWeightSums()])),
    rows: 0,
    unsupported: new Float64Array(slots),
    misplaced: new Float64Array(slots),
    possible: new Float64Array(slots),
    possiblyPlaced: new Float64Array(slots),
    minValue: Infinity,
    maxValue: -Infinity,
    minPredicted: Infinity,
    maxPredicted: -Infinity,
  }
}

function createWeightSums(): WeightSums {
  const sums = { w: 0, ww: 0, min: Infinity, max: -Infinity, maxTotal: 0, zeroRows: 0, positives: 0 }
  return { ...sums, positiveGroups: new Uint8Array(0) }
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
  for (let i = 0; i < rows; i++) {
    sums.minValue = Math.min(sums.minValue, columns.value[i])
    sums.maxValue = Math.max(sums.maxValue, columns.value[i])
    sums.minPredicted = Math.min(sums.minPredicted, columns.predicted[i])
    sums.maxPredicted = Math.max(sums.maxPredicted, columns.predicted[i])
  }
  for (const [s, each] of series.entries()) {
    const values = each.of(columns, scratch)
    addTotals(sums.totals[s], groups, values, standsFor, rows)
    const weights = sums.weights.get(each.key)
    if (weights !== undefined) addWeights(weights, values, columns, standsFor, groups)
  }
}

function addWeights(
  sums: WeightSums,
  weight: Float64Array,
  { rows, reward }: RowColumns,
  standsFor: Float64Array | undefined,
  { unit, row }: ChunkGroups,
): void {
  if (row !== undefined && sums.positiveGroups.length < unit.size) sums.positiveGroups = new Uint8Array(unit.size)
  for (let i = 0; i < rows; i++) {
    const w = weight[i]
    const hw = standsFor === undefined ? w : standsFor[i] * w
    sums.w += hw
    sums.ww += hw * hw
    if (w < sums.min) sums.min = w
    if (w > sums.max) sums.max = w
    if (hw > sums.maxTotal) sums.maxTotal = hw
    if (w === 0) sums.zeroRows++
    else if (reward[i] !== 0) {
      sums.positives++
      if (row !== undefined) sums.positiveGroups[unit.of[i]] = 1
    }
  }
}
