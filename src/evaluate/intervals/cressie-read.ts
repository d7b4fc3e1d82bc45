import { studentTQuantile } from '../../math/special.ts'
import type { Bounds } from './gaussian.ts'

/** Sums over n rows of a weight w whose true mean is 1, and a contribution y whose mean is estimated. */
export interface WeightedSums {
  readonly rows: number
  readonly w: number
  readonly ww: number
  readonly y: number
  readonly wy: number
  readonly yy: number
}

/** A row that might have been: its weight and its contribution. With w = ∞, `y` is the limit of y / w. */
export interface FakeRow {
  readonly w: number
  readonly y: number
}

export interface CressieReadOptions {
  readonly level: number
  /** The least weight that there can be; by default 0. */
  readonly minWeight?: number
  /** The largest weight that the two policies can produce; ∞ when it is not known. */
  readonly maxWeight: number
  /** Rows that would pull the mean down, and up: the most extreme that can occur. */
  readonly low: readonly FakeRow[]
  readonly high: readonly FakeRow[]
  /** What a mean can be at all. */
  readonly range: Bounds
}

/**
 * Interval of the mean of y from the Cressie-Read divergence with exponent −2: the least and greatest Σ Qᵢ yᵢ over
 * reweightings Q of the n rows and one fake row with Σ Qᵢ = 1, Σ Qᵢ wᵢ = 1 and ½ Σ ((n + 1) Qᵢ − 1)² within the
 * F(1, n) quantile of the best that the constraints allow; the worst of the fake rows holds. Karampatziakis, Langford,
 * Mineiro, "Empirical likelihood for contextual bandits", NeurIPS 2020, with y in the place of w·r, so that a doubly
 * robust estimate and a paired difference have it too.
 *
 * In moments over the n + 1 rows (ȳ, w̄, variances, covariance) the extreme is ȳ + (1 − w̄)·b ∓ √(s²·c), b the slope of y on
 * w, s² the variance that w leaves, c = (t² + g*)/(n + 1) − (1 − w̄)²/var(w), t the Student quantile and g* the least
 * divergence. When all weights are equal the constraint says nothing: it is dropped, and c = t²/(n + 1).
 */
export function cressieReadBounds(sums: WeightedSums, options: CressieReadOptions, equalWeights: boolean): Bounds {
  const { rows: n } = sums
  const { range, level } = options
  if (n === 0) return range
  const t = studentTQuantile(1 - (1 - level) / 2, n)
  const budget = (t * t + (equalWeights ? 0 : leastDivergence(sums, options))) / (n + 1)
  const extreme = equalWeights ? meanExtreme : weightedExtreme
  const lower = Math.min(...options.low.map(fake => extreme(sums, fake, budget, -1)))
  const upper = Math.max(...options.high.map(fake => extreme(sums, fake, budget, 1)))
  // Where no fake row is feasible nothing is known beyond the range.
  return {
    lower: Number.isFinite(lower) ? Math.min(range.upper, Math.max(range.lower, lower)) : range.lower,
    upper: Number.isFinite(upper) ? Math.min(range.upper, Math.max(range.lower, upper)) : range.upper,
  }
}

/** g*: (n + 1)(w̄ − 1)² / var(w) with the fake weight at that end of [minWeight, maxWeight] which brings the mean weight to 1. */
function leastDivergence({ rows: n, w, ww }: WeightedSums, { minWeight = 0, maxWeight }: CressieReadOptions): number {
  const fake = w < n ? maxWeight : minWeight
  if (fake === Infinity) return 1 + 1 / n
  const mean = (w + fake) / (n + 1)
  return ((n + 1) * (mean - 1) * (mean - 1)) / ((ww + fake * fake) / (n + 1) - mean * mean)
}

/** The greatest (sign 1) or least (sign −1) mean; ±∞ against the sign, so that it never counts, when there is none. */
function weightedExtreme(sums: WeightedSums, fake: FakeRow, budget: number, sign: 1 | -1): number {
  const { rows: n, w, ww, y, wy, yy } = sums
  let centre: number
  let spread: number
  let room: number
  if (fake.w === Infinity) {
    // The limits for a fake row (w, y·w), w → ∞.
    const rest = y - fake.y * w
    centre = fake.y + rest / n
    spread = (fake.y * fake.y * ww - 2 * fake.y * wy + yy) / (n + 1) - (rest * rest) / (n * (n + 1))
    room = budget - 1 / n
  } else {
    const m = n + 1
    const meanW = (w + fake.w) / m
    const meanY = (y + fake.y) / m
    const varW = (ww + fake.w * fake.w) / m - meanW * meanW
    if (!(varW > 0)) return -sign * Infinity
    const cov = (wy + fake.w * fake.y) / m - meanW * meanY
    const varY = (yy + fake.y * fake.y) / m - meanY * meanY
    centre = meanY + ((1 - meanW) * cov) / varW
    spread = varY - (cov * cov) / varW
    room = budget - ((1 - meanW) * (1 - meanW)) / varW
  }
  if (room < -1e-12 * budget) return -sign * Infinity
  return centre + sign * Math.sqrt(Math.max(0, spread) * Math.max(0, room))
}

function meanExtreme({ rows: n, y, yy }: WeightedSums, fake: FakeRow, budget: number, sign: 1 | -1): number {
  const mean = (y + fake.y) / (n + 1)
  const variance = (yy + fake.y * fake.y) / (n + 1) - mean * mean
  return mean + sign * Math.sqrt(Math.max(0, variance) * budget)
}
