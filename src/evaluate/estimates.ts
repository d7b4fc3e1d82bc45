import type { EstimatorName, EvaluationSpec } from '../kinds.ts'
import type { EstimateResult } from '../results.ts'
import { cressieReadBounds, type FakeRow } from './intervals/cressie-read.ts'
import { type Bounds, gaussianBounds, standardErrorOfMean } from './intervals/gaussian.ts'
import { decisionCount, type LogSums, meanReward, rewardSpread, totalAt } from './log-sums.ts'
import { heaviest, rowSums } from './row-sums.ts'
import { type CandidateSums, MOMENT } from './sums.ts'
import type { Coverage } from './support.ts'

export interface EstimateInput {
  readonly log: LogSums
  readonly sums: CandidateSums
  readonly coverage: Coverage
  /** The smallest and the largest reward there can be. */
  readonly rewards: Bounds
  readonly interval: EvaluationSpec['interval']
  /** The candidate is the logging policy: every estimator is the mean reward. */
  readonly logging: boolean
  /** Standard errors of the direct estimate and of its lift, by the reward model; by default those of a mean. */
  readonly direct?: { readonly value: number; readonly lift: number }
}

/** An estimate and its difference from the mean reward of the log on the same rows, with their standard errors. */
interface Point {
  readonly value: number
  readonly error: number
  readonly lift: number
  readonly liftError: number
}

/** Intervals of the value and of the lift. */
interface Intervals {
  readonly method: string
  readonly value: Bounds
  readonly lift: Bounds
}

const NOTHING = { value: null, standardError: null, interval: null, lift: null }

/**
 * One estimator of one candidate, with w = π/p over rows that stand for h decisions each, H = Σh:
 * `ips` Σ hwr / H; `snips` Σ hwr / Σ hw; `dm` Σ hv / H, v = Σₐ π(a) q(a); `dr` Σ h (v + w (r − q)) / H.
 * A lift is the value minus the mean reward of the same rows, so its interval is paired: much that is chance cancels.
 */
export function estimate(estimator: EstimatorName, input: EstimateInput): EstimateResult {
  const { log, sums, logging, interval } = input
  const kind = logging ? 'ips' : estimator
  if (kind !== 'dm' && sums.maxWeight === 0) return { estimator, ...NOTHING }
  const point = kind === 'snips' ? selfNormalised(input) : kind === 'dm' ? direct(input) : mean(input, kind)
  const { method, value, lift } =
    interval.method === 'cressie-read' && kind !== 'dm' ? cressieRead(input, kind) : gaussian(point, interval.level)
  const known = Number.isFinite(value.lower) && Number.isFinite(value.upper)
  const liftKnown = Number.isFinite(lift.lower) && Number.isFinite(lift.upper)
  return {
    estimator,
    value: point.value,
    standardError: Number.isFinite(point.error) ? point.error : null,
    interval: known ? { method, level: interval.level, ...value } : null,
    lift: liftKnown ? liftOf(point.lift, lift, point.value, meanReward(log)) : null,
  }
}

/** A difference of two numbers means nothing below their rounding: there it is 0. */
const ROUNDING = 1e-13

function liftOf(difference: number, { lower, upper }: Bounds, value: number, reward: number): EstimateResult['lift'] {
  const least = ROUNDING * Math.max(Math.abs(value), Math.abs(reward))
  const clean = (x: number) => (Math.abs(x) <= least ? 0 : x)
  const lift = clean(difference)
  return {
    value: lift,
    lower: clean(lower),
    upper: clean(upper),
    relative: reward === 0 ? null : lift / reward,
  }
}

function mean({ sums, log }: EstimateInput, kind: 'ips' | 'dr' | 'dm'): Point {
  const [value, lift] = [MOMENT[kind], MOMENT[LIFT[kind]]]
  const error = (at: number) => {
    const { rows, y, yy } = rowSums(log, sums, at)
    return standardErrorOfMean(rows, y, yy)
  }
  const estimated = totalAt(sums.moments, value) / decisionCount(log)
  return { value: estimated, error: error(value), lift: estimated - meanReward(log), liftError: error(lift) }
}

function direct(input: EstimateInput): Point {
  const point = mean(input, 'dm')
  if (!input.direct) return point
  return { ...point, error: input.direct.value, liftError: input.direct.lift }
}

/** Delta method: V̂ar = Σ (hw (r − V) / w̄)² / H²; for the lift each term less h (r − r̄), which all equal weights make 0. */
function selfNormalised({ sums, log, coverage }: EstimateInput): Point {
  const { moments } = sums
  const h = decisionCount(log)
  const w = totalAt(moments, MOMENT.w)
  const ww = totalAt(moments, MOMENT.ww)
  const y = totalAt(moments, MOMENT.ips)
  const yy = totalAt(moments, MOMENT.ips + 2)
  const wy = totalAt(moments, MOMENT.ips + 4)
  // Σh²w and Σh²wr.
  const hhw = w + totalAt(moments, MOMENT.excess)
  const hhy = y + totalAt(moments, MOMENT.ips + 6)
  const r = meanReward(log)
  const value = y / w
  const own = (yy - 2 * value * wy + value * value * ww) / ((w / h) * (w / h))
  const both = (totalAt(moments, MOMENT.wrr) - r * hhy - value * hhy + value * r * hhw) / (w / h)
  const spread = coverage.equalWeights ? 0 : Math.max(0, own - 2 * both + rewardSpread(log))
  return {
    value,
    error: Math.sqrt(Math.max(0, own)) / h,
    lift: value - r,
    liftError: Math.sqrt(spread) / h,
  }
}

function gaussian({ value, error, lift, liftError }: Point, level: number): Intervals {
  return {
    method: 'gaussian',
    value: gaussianBounds(value, error, level),
    lift: gaussianBounds(lift, liftError, level),
  }
}

/** Self-normalising is what the constraint on the weights does, so `snips` shares the interval of `ips`. */
function cressieRead(input: EstimateInput, kind: 'ips' | 'snips' | 'dr'): Intervals {
  const { log, sums, coverage, rewards, interval } = input
  const series = kind === 'snips' ? 'ips' : kind
  // A model's part of a fake row, at its lowest and highest: v − w·q.
  const model =
    series === 'dr' ? { v: [sums.minValue, sums.maxValue], q: [sums.minQ, sums.maxQ] } : { v: [0, 0], q: [0, 0] }
  // Besides the ends, a fake row at weight 1, where the mean is: it matters when all weights are near 1 and rewards are rare.
  const weights = coverage.equalWeights ? [sums.maxWeight] : [0, 1, coverage.largestPossibleWeight]
  const fakes = (side: 0 | 1, minus: 0 | 1, centre: number): FakeRow[] =>
    weights.map(w => {
      const ends = [(w - minus) * rewards.lower, (w - minus) * rewards.upper]
      const reward = side === 0 ? Math.min(...ends) : Math.max(...ends)
      const y = model.v[side] - w * model.q[1 - side] + reward
      return { w: heaviest(log, w, 1), y: heaviest(log, y, centre) }
    })
  const bounds = (at: number, minus: 0 | 1, range: Bounds) => {
    const series = rowSums(log, sums, at)
    const centre = series.y / series.rows
    return cressieReadBounds(
      series,
      {
        level: interval.level,
        minWeight: heaviest(log, 0, 1),
        maxWeight: heaviest(log, coverage.largestPossibleWeight, 1),
        low: fakes(0, minus, centre),
        high: fakes(1, minus, centre),
        range,
      },
      coverage.equalWeights,
    )
  }
  const width = rewards.upper - rewards.lower
  return {
    method: 'cressie-read',
    value: bounds(MOMENT[series], 0, rewards),
    lift: bounds(MOMENT[LIFT[series]], 1, { lower: -width, upper: width }),
  }
}

const LIFT = { ips: 'ipsLift', dr: 'drLift', dm: 'dmLift' } as const
