import { compensated } from '../math/sum.ts'
import type { Estimator, Series } from './estimators/estimator.ts'
import { weight } from './estimators/series.ts'
import type { Totals } from './groups.ts'
import { decisionCount, type LogSums, meanReward } from './log-sums.ts'
import type { CandidateSums } from './sums.ts'

/**
 * A number that was estimated from totals, and by how much each group moves it: its influence, the derivative of the estimate with
 * respect to the group's weight (Hampel, "The influence curve and its role in robust estimation", JASA 69, 1974). The influences of
 * independent groups sum to 0, and their squares to the estimate's variance. `row`: the same by groups of rows, where units are known.
 */
export interface Influenced {
  readonly value: number
  readonly unit: Float64Array
  readonly row: Float64Array
}

/** A number that no row moves. */
export const fixedAt = (value: number): Influenced => ({
  value,
  unit: new Float64Array(0),
  row: new Float64Array(0),
})

/** The mean of a series over decisions, ΣT_g / ΣN_g: (T_g − mean·N_g) / ΣN_g. */
function meanOf(totals: Totals, log: LogSums, value = total(totals) / decisionCount(log)): Influenced {
  return ratioOf(totals, log.decisions, value, decisionCount(log))
}

/** ΣT_g / ΣB_g: (T_g − ratio·B_g) / ΣB_g. */
function ratioOf(over: Totals, under: Totals, value: number, sum: number): Influenced {
  const influence = (t: Float64Array, b: Float64Array) => t.map((x, g) => (x - value * b[g]) / sum)
  return { value, unit: influence(over.unit, under.unit), row: influence(over.row, under.row) }
}

function total({ unit }: Totals): number {
  return compensated(unit.length, g => unit[g])
}

export const plus = (a: Influenced, b: Influenced): Influenced => combined(a, b, 1)
export const minus = (a: Influenced, b: Influenced): Influenced => combined(a, b, -1)

function combined(a: Influenced, b: Influenced, sign: 1 | -1): Influenced {
  return {
    value: a.value + sign * b.value,
    unit: combine(a.unit, b.unit, sign),
    row: combine(a.row, b.row, sign),
  }
}

function combine(a: Float64Array, b: Float64Array, sign: 1 | -1): Float64Array {
  if (b.length === 0) return a
  if (a.length === 0) return sign === 1 ? b : b.map(x => -x)
  return a.map((x, g) => x + sign * b[g])
}

/** Σ a_g b_g */
export function product(a: Float64Array, b: Float64Array): number {
  return compensated(Math.min(a.length, b.length), g => a[g] * b[g])
}

/** The mean reward of the log. */
export const rewardInfluence = (log: LogSums): Influenced => meanOf(log.rewards, log, meanReward(log))

/** What the sums of a candidate say of series and estimators. */
export interface SeriesOf {
  /** The mean of a series over decisions. */
  mean(series: Series): Influenced
  /** The estimate; undefined where it divides by nothing. */
  estimate(estimator: Estimator): Influenced | undefined
}

/** `series`: those of the sums, in their order. */
export function seriesOf(log: LogSums, sums: CandidateSums, series: readonly Series[]): SeriesOf {
  const totalsOf = ({ key }: Series): Totals => sums.totals[series.findIndex(each => each.key === key)]
  const mean = (of: Series) => meanOf(totalsOf(of), log)
  return {
    mean,
    estimate({ mean: plain, ratio }) {
      const first = plain && mean(plain)
      if (ratio === undefined) return first
      const over = totalsOf(ratio.over)
      const under = totalsOf(ratio.under)
      const sum = total(under)
      if (sum === 0) return undefined
      const second = ratioOf(over, under, total(over) / sum, sum)
      return first === undefined ? second : plus(first, second)
    },
  }
}

export const weightOf = (of: SeriesOf): Influenced => of.mean(weight)
