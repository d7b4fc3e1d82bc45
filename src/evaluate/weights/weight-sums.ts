import type { RowColumns } from '../estimators/series.ts'
import type { ChunkGroups } from './groups.ts'

/** What is summed of the weights of one kind. */
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

export function createWeightSums(): WeightSums {
  const sums = { w: 0, ww: 0, min: Infinity, max: -Infinity, maxTotal: 0, zeroRows: 0, positives: 0 }
  return { ...sums, positiveGroups: new Uint8Array(0) }
}

/** Adds a chunk. */
export function addWeights(
  sums: WeightSums,
  weight: Float64Array,
  { rows, reward }: Pick<RowColumns, 'rows' | 'reward'>,
  standsFor: Float64Array | undefined,
  { unit, row }: ChunkGroups,
): void {
  let { w: total, ww: squares, min, max, maxTotal, zeroRows, positives } = sums
  if (row !== undefined && sums.positiveGroups.length < unit.size) sums.positiveGroups = new Uint8Array(unit.size)
  const { positiveGroups } = sums
  for (let i = 0; i < rows; i++) {
    const w = weight[i]
    const hw = standsFor === undefined ? w : standsFor[i] * w
    total += hw
    squares += hw * hw
    if (w < min) min = w
    if (w > max) max = w
    if (hw > maxTotal) maxTotal = hw
    if (w === 0) zeroRows++
    else if (reward[i] !== 0) {
      positives++
      if (row !== undefined) positiveGroups[unit.of[i]] = 1
    }
  }
  Object.assign(sums, { w: total, ww: squares, min, max, maxTotal, zeroRows, positives })
}
