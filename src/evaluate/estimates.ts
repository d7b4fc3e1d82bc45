import type { EvaluationSpec } from '../kinds.ts'
import { hypot } from '../math/elementary.ts'
import type { Estimator } from './estimators/estimator.ts'
import type { Series } from './estimators/series.ts'
import { corrected, weight } from './estimators/series.ts'
import {
  type Frame,
  fixedAt,
  type Influenced,
  minus,
  product,
  type SeriesOf,
  standardError,
  weightOf,
} from './influence.ts'
import { cressieReadBounds, type FakeRow } from './intervals/cressie-read.ts'
import { type Bounds, gaussianBounds, quantile } from './intervals/gaussian.ts'
import type { Coverage } from './verdicts/support.ts'
import { effectiveRows, type LogSums } from './weights/log-sums.ts'
import type { Units } from './weights/units.ts'

/** What all estimates on one log share. */
export interface LogFacts {
  readonly log: LogSums
  readonly frame: Frame
  readonly units: Units
  /** The smallest and the largest reward there can be. */
  readonly rewards: Bounds
  readonly method: EvaluationSpec['interval']['method']
}

/** A candidate, the log or nothing, as one estimator sees it: what is subtracted from what, in a value, a lift or a difference. */
export interface Side {
  /** The estimate, by which influence; null where nothing can be estimated. */
  readonly estimate: Influenced | null
  /** For the constraint on weights: their mean, that of the constrained series, and what rows that might have been can have. */
  readonly constrained: Constrained | undefined
  readonly model: ModelError | undefined
  readonly equalWeights: boolean
}

/** What the reward model's own error does to an estimate, beside what its series show. */
interface ModelError {
  /** The series show none of it. */
  readonly all: boolean
  /** The share of the weight that is left to the model. */
  readonly share: number
  /** Standard errors of the direct estimate and of its lift; undefined of a model that was not made from this log. */
  readonly direct: Direct | undefined
  /** v + w·(r − q), which moves as the direct estimate does: where two candidates differ, their models' errors cancel as these do. */
  readonly like: Influenced
}

export interface Direct {
  readonly value: number
  readonly lift: number
}

interface Constrained {
  readonly weight: Influenced
  readonly mean: Influenced
  readonly series: Series
  /** How many of the largest rewards a row that might have been has. */
  readonly times: number
  /** Weights, values and predictions of rows that might have been. */
  readonly weights: readonly number[]
  readonly values: readonly number[]
  readonly predictions: readonly number[]
}

/** How far two candidates can be from each other in one row: w_a − w_b, and v_a − v_b of what the reward model says of them. */
export interface Apart {
  readonly weights: Bounds
  readonly values: Bounds
}

/** An estimate, or a difference of two, with its standard error and an interval of each level that was asked for. */
export interface Measured {
  readonly value: number
  readonly error: number
  readonly method: string
  readonly bounds: readonly Bounds[]
}

/** What was summed of a candidate. */
export interface Candidate {
  readonly of: SeriesOf
  readonly coverage: Coverage
}

/** A policy that earns nothing at weight 1: a value is the difference from it. */
export const NOTHING: Side = plainSide(fixedAt(0), zero())

/** The policy that made the log. */
export function logSide({ reward }: Frame): Side {
  return plainSide(reward, { key: 'r', of: ({ reward }) => reward })
}

function plainSide(mean: Influenced, series: Series): Side {
  const constrained = { weight: fixedAt(1), mean, series, times: 1, weights: [1], values: [0], predictions: [] }
  return { estimate: mean, constrained, model: undefined, equalWeights: true }
}

function zero(): Series {
  return { key: '0', of: ({ rows }, scratch) => scratch.fill(0, 0, rows) }
}

/** A candidate that did not make the log. `direct`: what the reward model says of its own errors. */
export function candidateSide(estimator: Estimator, { of, coverage }: Candidate, direct: Direct | undefined): Side {
  const { equalWeights, maxWeight, largestPossibleWeight, values, predictions } = coverage
  const series = estimator.constrained
  const blind = maxWeight === 0 && estimator.modelled !== true
  const estimate = (blind ? undefined : of.estimate(estimator)) ?? null
  // Besides the ends, a row at weight 1, where the mean is: it matters when all weights are near 1 and rewards are rare.
  const weights = equalWeights ? [maxWeight] : [0, 1, largestPossibleWeight]
  return {
    estimate,
    constrained: series && {
      weight: of.mean(estimator.weight ?? weight),
      mean: of.mean(series),
      series: estimator.extreme ?? series,
      times: estimator.times ?? 1,
      weights,
      values,
      predictions,
    },
    model: modelError(estimator, of, direct),
    equalWeights,
  }
}

function modelError({ modelled }: Estimator, of: SeriesOf, direct: Direct | undefined): ModelError | undefined {
  if (modelled === undefined) return undefined
  const like = of.mean(corrected)
  const weight = weightOf(of).value
  const share = modelled === true ? 1 : weight > 0 ? of.mean(modelled).value / weight : 0
  return { all: modelled === true, share, direct: direct && timesDesignEffect(direct, like), like }
}

/** The model takes rows for independent: √(variance by unit / variance by row) of v + w·(r − q) is what units add. */
function timesDesignEffect({ value, lift }: Direct, { unit, row }: Influenced): Direct {
  const factor = row.length === 0 ? 1 : Math.sqrt(Math.max(1, product(unit, unit) / product(row, row)) || 1)
  return { value: factor * value, lift: factor * lift }
}

/**
 * One side less the other, on the same rows: much that is chance cancels. Null where one of them cannot be estimated. Standard errors are
 * by unit, over the G groups of units, and where a reward model takes the place of weights, they count its own error. `apart`: how far the two
 * can be from each other in a row, where that is known; else each is bounded by itself.
 */
export function compare(a: Side, b: Side, facts: LogFacts, levels: readonly number[], apart?: Apart): Measured | null {
  if (a.estimate === null || b.estimate === null) return null
  const difference = minus(a.estimate, b.estimate)
  const { value, unit } = difference
  const model = modelErrorOf(a, b, facts)
  const shown = a.model?.all === true && model !== undefined ? 0 : standardError(unit, facts.units.groups)
  const error = hypot(shown, model ?? 0)
  const df = degreesOfFreedom(facts.units)
  if (facts.method === 'cressie-read' && a.constrained !== undefined && b.constrained !== undefined) {
    const range = b === NOTHING ? facts.rewards : rangeOfDifference(facts.rewards)
    const bounds = cressieRead(a, b, a.constrained, b.constrained, facts, range, levels, apart)
    const wider = bounds.map((each, i) => widened(each, value, quantile(levels[i], df) * (model ?? 0), range))
    return { value, error, method: 'cressie-read', bounds: wider }
  }
  const bounds = levels.map(level => gaussianBounds(value, error, level, df))
  return { value, error, method: 'gaussian', bounds }
}

/** What the series of the two do not show of their models' errors; undefined where there is nothing of the kind. */
function modelErrorOf(a: Side, b: Side, facts: LogFacts): number | undefined {
  const models = [a.model, b.model].filter(model => model !== undefined)
  if (models.length === 0 || models.every(({ direct }) => direct === undefined)) return undefined
  const share = Math.max(...models.map(model => model.share))
  if (models.length === 2) return share * standardError(minus(models[0].like, models[1].like).unit, facts.units.groups)
  const { value, lift } = models[0].direct as Direct
  return share * (b === NOTHING ? value : lift)
}

/** Bounds that another, independent half-width is added to. */
function widened({ lower, upper }: Bounds, value: number, half: number, range: Bounds): Bounds {
  if (half === 0) return { lower, upper }
  return {
    lower: Math.max(range.lower, Math.min(lower, value - hypot(value - lower, half))),
    upper: Math.min(range.upper, Math.max(upper, value + hypot(upper - value, half))),
  }
}

const rangeOfDifference = ({ lower, upper }: Bounds): Bounds => ({ lower: lower - upper, upper: upper - lower })

/** Of errors that are known from few units; undefined of independent rows. */
const degreesOfFreedom = ({ known, effective }: Units) => (known ? Math.max(1, effective - 1) : undefined)

function cressieRead(
  a: Side,
  b: Side,
  of: Constrained,
  against: Constrained,
  facts: LogFacts,
  range: Bounds,
  levels: readonly number[],
  apart: Apart | undefined,
): Bounds[] {
  const weight = minus(of.weight, against.weight)
  const mean = minus(of.mean, against.mean)
  const equalWeights = (a.equalWeights && b.equalWeights) || product(weight.unit, weight.unit) < 1e-20
  const rows = informativeRows(mean, facts, b !== NOTHING)
  // Second moments of so many rows, as uncertain in the mean as the units are.
  const moment = (x: Influenced, y: Influenced, mx: number, my: number) =>
    rows * (rows * product(x.unit, y.unit) + mx * my)
  const w = 1 + weight.value
  const y = mean.value
  const sums = {
    rows,
    w: rows * w,
    ww: moment(weight, weight, w, w),
    y: rows * y,
    yy: moment(mean, mean, y, y),
    wy: moment(weight, mean, w, y),
  }
  const { low, high } = fakeRows(of, against, facts.rewards, apart)
  const fakeWeights = low.map(fake => fake.w)
  return levels.map(level =>
    cressieReadBounds(
      sums,
      { level, minWeight: Math.min(...fakeWeights), maxWeight: Math.max(...fakeWeights), low, high, range },
      equalWeights,
    ),
  )
}

/**
 * How many rows the one row that might have been stands beside. Where rows are independent, as many as there are; for a difference twice
 * as many, half a row, since what it may lack is bounded from both sides. Where rows come in units, what the log has not seen may be a
 * decision among the many of a unit, or a whole unit that is unlike the others: between the rows that would know as much as the units
 * do (n / design effect) and the units themselves it is their geometric mean, which covers from units of one opinion to units of none
 * (docs/decisions/0018, with the figures).
 */
function informativeRows({ unit, row }: Influenced, { log, units }: LogFacts, difference: boolean): number {
  const rows = effectiveRows(log)
  if (!units.known || row.length === 0) return difference ? 2 * rows : rows
  const independent = (rows * product(row, row)) / product(unit, unit)
  return Math.sqrt(units.effective * Math.min(rows, Math.max(units.effective, independent || 0)))
}

/**
 * Rows that might have been, the most extreme of each weight. Their weight is 1 + the difference of the two weights. Candidates share a
 * reward model, and so what it predicts of the logged action; the log has none. No two weights, and no two values, are further from each
 * other than they can be: of two candidates that decide alike such a row says nothing.
 */
function fakeRows(
  a: Constrained,
  b: Constrained,
  { lower, upper }: Bounds,
  apart: Apart | undefined,
): { readonly low: FakeRow[]; readonly high: FakeRow[] } {
  const known = [...new Set([...a.predictions, ...b.predictions])]
  const predictions = known.length === 0 ? [0] : known
  const together = (those: readonly number[], others: readonly number[], within: Bounds | undefined) =>
    those.flatMap(one => others.map(other => brought(one, other, within)))
  const values = together(a.values, b.values, apart?.values)
  const grid = together(a.weights, b.weights, apart?.weights).flatMap(([wa, wb]) =>
    [lower, upper].flatMap(reward =>
      predictions.flatMap(predicted => values.map(([va, vb]) => ({ wa, wb, reward, predicted, va, vb }))),
    ),
  )
  const column = (name: keyof (typeof grid)[number]) => Float64Array.from(grid, row => row[name])
  const shared = {
    rows: grid.length,
    probability: new Float64Array(grid.length),
    predicted: column('predicted'),
  }
  const scratch = () => new Float64Array(grid.length)
  const reward = column('reward')
  const seenBy = ({ series, times }: Constrained, weight: Float64Array, value: Float64Array) =>
    series.of({ ...shared, reward: reward.map(r => times * r), weight, value }, scratch())
  const ya = seenBy(a, column('wa'), column('va'))
  const yb = seenBy(b, column('wb'), column('vb'))
  const low = new Map<number, number>()
  const high = new Map<number, number>()
  for (const [i, { wa, wb }] of grid.entries()) {
    const w = 1 + wa - wb
    const y = ya[i] - yb[i]
    low.set(w, Math.min(low.get(w) ?? Infinity, y))
    high.set(w, Math.max(high.get(w) ?? -Infinity, y))
  }
  const rowsOf = (of: Map<number, number>) => [...of].map(([w, y]) => ({ w, y }))
  return { low: rowsOf(low), high: rowsOf(high) }
}

/** Two numbers, the larger of which is lowered until their difference is within bounds. */
function brought(one: number, other: number, within: Bounds | undefined): readonly [number, number] {
  if (within === undefined) return [one, other]
  return [Math.min(one, other + within.upper), Math.min(other, one - within.lower)]
}
