import { addTo, compensated } from '../math/sum.ts'
import type { Estimator } from './estimators/estimator.ts'
import type { Series } from './estimators/series.ts'
import { weight } from './estimators/series.ts'
import type { Totals } from './weights/groups.ts'
import { decisionCount, type LogSums, meanReward } from './weights/log-sums.ts'

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

/** What a log has in the groups that have rows: few of them, where units are few. */
export interface Frame {
  /** H = Σh, and by group. */
  readonly count: number
  readonly decisions: Totals
  /** The mean reward. */
  readonly reward: Influenced
  /** Totals of these groups alone. */
  of(totals: Totals): Totals
}

export function createFrame(log: LogSums): Frame {
  const unit = occupied(log.decisions.unit)
  const row = occupied(log.decisions.row)
  const of = (totals: Totals): Totals => ({ unit: gathered(totals.unit, unit), row: gathered(totals.row, row) })
  const decisions = of(log.decisions)
  const count = decisionCount(log)
  return { count, decisions, reward: ratioOf(of(log.rewards), decisions, meanReward(log), count), of }
}

function occupied(groups: Float64Array): Int32Array {
  return Int32Array.from(groups.keys()).filter(g => groups[g] > 0)
}

function gathered(groups: Float64Array, index: Int32Array): Float64Array {
  return index.length === groups.length ? groups : Float64Array.from(index, g => groups[g])
}

/** ΣT_g / ΣB_g: (T_g − ratio·B_g) / ΣB_g. */
function ratioOf(over: Totals, under: Totals, value: number, sum: number): Influenced {
  const influence = (t: Float64Array, b: Float64Array) => {
    const out = new Float64Array(t.length)
    for (let g = 0; g < out.length; g++) out[g] = (t[g] - value * b[g]) / sum
    return out
  }
  return { value, unit: influence(over.unit, under.unit), row: influence(over.row, under.row) }
}

function total({ unit }: Totals): number {
  return compensated(unit.length, g => unit[g])
}

const plus = (a: Influenced, b: Influenced): Influenced => combined(a, b, 1)
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
  const out = new Float64Array(b.length)
  for (let g = 0; g < out.length; g++) out[g] = (a.length === 0 ? 0 : a[g]) + sign * b[g]
  return out
}

/** Σ a_g b_g */
export function product(a: Float64Array, b: Float64Array): number {
  const sums = new Float64Array(2)
  const length = Math.min(a.length, b.length)
  for (let g = 0; g < length; g++) addTo(sums, 0, a[g] * b[g])
  return sums[0] + sums[1]
}

/** √(G/(G − 1) · Σ_g IF_g²) over the G groups that have rows; NaN of one alone. */
export function standardError(influence: Float64Array, groups: number): number {
  return Math.sqrt((groups / (groups - 1)) * product(influence, influence))
}

/** What the sums of a candidate say of series and estimators. */
export interface SeriesOf {
  /** The mean of a series over decisions. */
  mean(series: Series): Influenced
  /** The estimate; undefined where it divides by nothing. */
  estimate(estimator: Estimator): Influenced | undefined
}

/** `summed`: the totals of each series, in their order. */
export function seriesOf(frame: Frame, summed: readonly Totals[], series: readonly Series[]): SeriesOf {
  const means = new Map<string, Influenced>()
  const totalsOf = ({ key }: Series): Totals => frame.of(summed[series.findIndex(each => each.key === key)])

  function mean(of: Series): Influenced {
    const known = means.get(of.key)
    if (known !== undefined) return known
    const totals = totalsOf(of)
    const found = ratioOf(totals, frame.decisions, total(totals) / frame.count, frame.count)
    means.set(of.key, found)
    return found
  }

  return {
    mean,
    estimate({ mean: plain, ratios = [] }) {
      const parts = plain === undefined ? [] : [mean(plain)]
      for (const ratio of ratios) {
        const over = totalsOf(ratio.over)
        const under = totalsOf(ratio.under)
        const sum = total(under)
        if (sum === 0) return undefined
        parts.push(ratioOf(over, under, total(over) / sum, sum))
      }
      return parts.length === 0 ? undefined : parts.reduce(plus)
    },
  }
}

export const weightOf = (of: SeriesOf): Influenced => of.mean(weight)
