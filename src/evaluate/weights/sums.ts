import type { DecisionLog } from '../../log/rows/decision-log.ts'
import type { RowColumns, Series } from '../estimators/series.ts'
import { weight } from '../estimators/series.ts'
import { CERTAIN } from '../estimators/threshold.ts'
import { addTotals, type ChunkGroups, createTotals, mergeTotals, type Totals } from './groups.ts'
import { grown } from './grown.ts'

/** Everything that is summed for one candidate; a plain object, merged in the order of the chunks. */
export interface CandidateSums {
  /** Of each series of `candidateSeries`, in its order; the weight comes first. */
  readonly totals: readonly Totals[]
  /** Σhw and Σh²w², added in the order of the rows. */
  readonly weights: Float64Array
  rows: number
  minWeight: number
  maxWeight: number
  /** The largest h·w. */
  maxTotalWeight: number
  /** Rows of weight 0. */
  zeroRows: number
  /** Rows with a reward other than 0 and a positive weight, and by group of units, whether it has one. */
  positives: number
  positiveGroups: Uint8Array
  /** Rows whose action has a probability between 0 and 1; of those where it is 1, the smallest and the largest propensity. */
  uncertainRows: number
  minMatched: number
  maxMatched: number
  /** Σ h·π of actions that were not eligible. */
  ineligible: number
  /** Σ h of rows in which the candidate has no action at all; a part of `ineligible`. */
  idle: number
  /** Largest π(a) / logged propensity of a that is known to be possible. */
  maxRatio: number
  minValue: number
  maxValue: number
  minPredicted: number
  maxPredicted: number
  /** By stratum × action: Σ h·π(a), and the largest π(a). */
  mass: Float64Array
  maxProbability: Float64Array
  /** By stratum × logged action: Σ h²v and Σ h²v². */
  value: Float64Array
  valueSquared: Float64Array
}

/** The series that are summed: the weight, and those of the estimators, each once. */
export function candidateSeries(series: readonly Series[]): readonly Series[] {
  return [weight, ...series].filter((each, i, all) => all.findIndex(({ key }) => key === each.key) === i)
}

export function createCandidateSums(series: readonly Series[]): CandidateSums {
  return {
    totals: series.map(createTotals),
    weights: new Float64Array(2),
    rows: 0,
    minWeight: Infinity,
    maxWeight: 0,
    maxTotalWeight: 0,
    zeroRows: 0,
    positives: 0,
    positiveGroups: new Uint8Array(0),
    uncertainRows: 0,
    minMatched: Infinity,
    maxMatched: 0,
    ineligible: 0,
    idle: 0,
    maxRatio: 0,
    minValue: Infinity,
    maxValue: -Infinity,
    minPredicted: Infinity,
    maxPredicted: -Infinity,
    mass: new Float64Array(0),
    maxProbability: new Float64Array(0),
    value: new Float64Array(0),
    valueSquared: new Float64Array(0),
  }
}

/** Makes room for `cells` strata × actions. */
export function reserveCells(sums: CandidateSums, cells: number): void {
  sums.mass = grown(sums.mass, cells)
  sums.maxProbability = grown(sums.maxProbability, cells)
  sums.value = grown(sums.value, cells)
  sums.valueSquared = grown(sums.valueSquared, cells)
}

/** The columns of a candidate, with room for a chunk. `weight` is filled by `addRows`. */
export interface CandidateColumns extends RowColumns {
  /** For a series to be written to. */
  readonly scratch: Float64Array
}

/** Adds a chunk: the loops over rows of an evaluation, a column at a time. `model`: there are values and predictions. */
export function addRows(
  sums: CandidateSums,
  series: readonly Series[],
  log: DecisionLog,
  columns: CandidateColumns,
  groups: ChunkGroups,
  model: boolean,
): void {
  addWeights(sums, log, columns, groups)
  if (model) addRanges(sums, columns)
  for (let s = 0; s < series.length; s++) {
    addTotals(sums.totals[s], groups, series[s].of(columns, columns.scratch), log.standsFor, log.rows)
  }
}

function addWeights(
  sums: CandidateSums,
  { rows, reward, propensity, standsFor }: DecisionLog,
  { probability, weight }: CandidateColumns,
  { unit, row }: ChunkGroups,
): void {
  let { minWeight, maxWeight, maxTotalWeight, zeroRows, positives, uncertainRows, minMatched, maxMatched } = sums
  if (row !== undefined && sums.positiveGroups.length < unit.size) sums.positiveGroups = new Uint8Array(unit.size)
  const { positiveGroups, weights } = sums
  let total = weights[0]
  let squares = weights[1]
  for (let i = 0; i < rows; i++) {
    const p = propensity[i]
    const w = probability[i] / p
    weight[i] = w
    const hw = standsFor === undefined ? w : standsFor[i] * w
    if (w < minWeight) minWeight = w
    if (w > maxWeight) maxWeight = w
    if (hw > maxTotalWeight) maxTotalWeight = hw
    if (w === 0) zeroRows++
    else if (reward[i] !== 0) {
      positives++
      if (row !== undefined) positiveGroups[unit.of[i]] = 1
    }
    if (probability[i] >= CERTAIN) {
      if (p < minMatched) minMatched = p
      if (p > maxMatched) maxMatched = p
    } else if (w > 0) uncertainRows++
    total += hw
    squares += hw * hw
  }
  weights[0] = total
  weights[1] = squares
  sums.rows += rows
  sums.minWeight = minWeight
  sums.maxWeight = maxWeight
  sums.maxTotalWeight = maxTotalWeight
  sums.zeroRows = zeroRows
  sums.positives = positives
  sums.uncertainRows = uncertainRows
  sums.minMatched = minMatched
  sums.maxMatched = maxMatched
}

/** Adds the ranges of what the reward model says. */
export function addRanges(
  sums: Pick<CandidateSums, 'minValue' | 'maxValue' | 'minPredicted' | 'maxPredicted'>,
  { rows, value, predicted }: RowColumns,
): void {
  let { minValue, maxValue, minPredicted, maxPredicted } = sums
  for (let i = 0; i < rows; i++) {
    const v = value[i]
    const q = predicted[i]
    if (v < minValue) minValue = v
    if (v > maxValue) maxValue = v
    if (q < minPredicted) minPredicted = q
    if (q > maxPredicted) maxPredicted = q
  }
  sums.minValue = minValue
  sums.maxValue = maxValue
  sums.minPredicted = minPredicted
  sums.maxPredicted = maxPredicted
}

/** Adds `from` to `into`; both must number strata and groups alike, and have the same series. */
export function mergeCandidateSums(into: CandidateSums, from: CandidateSums): void {
  reserveCells(into, from.mass.length)
  for (const [s, totals] of into.totals.entries()) mergeTotals(totals, from.totals[s])
  for (let i = 0; i < 2; i++) into.weights[i] += from.weights[i]
  into.rows += from.rows
  into.zeroRows += from.zeroRows
  into.positives += from.positives
  into.uncertainRows += from.uncertainRows
  if (into.positiveGroups.length < from.positiveGroups.length) {
    into.positiveGroups = new Uint8Array(from.positiveGroups.length)
  }
  for (let g = 0; g < from.positiveGroups.length; g++) into.positiveGroups[g] |= from.positiveGroups[g]
  into.ineligible += from.ineligible
  into.idle += from.idle
  for (const name of ['minWeight', 'minMatched', 'minValue', 'minPredicted'] as const) {
    into[name] = Math.min(into[name], from[name])
  }
  for (const name of ['maxWeight', 'maxTotalWeight', 'maxMatched', 'maxRatio', 'maxValue', 'maxPredicted'] as const) {
    into[name] = Math.max(into[name], from[name])
  }
  for (let i = 0; i < from.mass.length; i++) {
    into.mass[i] += from.mass[i]
    into.maxProbability[i] = Math.max(into.maxProbability[i], from.maxProbability[i])
    into.value[i] += from.value[i]
    into.valueSquared[i] += from.valueSquared[i]
  }
}
