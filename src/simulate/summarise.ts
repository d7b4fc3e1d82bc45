import { DapError } from '../errors.ts'
import { studentTQuantile } from '../math/special.ts'
import { addTo } from '../math/sum.ts'
import type { Measured } from '../results.ts'

/**
 * Mean of one number a replication with its Student-t interval, mean ± t₍₁₊level₎⁄₂,ₙ₋₁ · s/√n, and type-7 quantiles.
 *
 * @param values At least 2, one a replication; independent of each other.
 * @param level Confidence level of the interval, in (0, 1).
 * @throws DapError where the numbers are so large that they overflow.
 */
export function measure(values: Float64Array, level: number): Measured {
  const n = values.length
  if (n < 2) throw new RangeError(`measure: ${n} replications have no interval`)
  const mean = sum(values) / n
  const squares = values.map(value => (value - mean) * (value - mean))
  const half = studentTQuantile((1 + level) / 2, n - 1) * Math.sqrt(sum(squares) / (n - 1) / n)
  if (!Number.isFinite(mean - half) || !Number.isFinite(mean + half)) {
    throw new DapError('rewards of this size cannot be added up', {
      hint: 'look for a number that is far too large in the world or the population of the scenario',
    })
  }
  const sorted = values.slice().sort()
  return {
    mean,
    lower: mean - half,
    upper: mean + half,
    q05: quantile(sorted, 0.05),
    q50: quantile(sorted, 0.5),
    q95: quantile(sorted, 0.95),
  }
}

/** `measure` of the differences a − b, replication by replication. */
export function measureDifference(a: Float64Array, b: Float64Array, level: number): Measured {
  return measure(
    a.map((value, i) => value - b[i]),
    level,
  )
}

/** The p-quantile of ascending values by linear interpolation: type 7 of Hyndman and Fan, Am. Stat. 50(4), 1996. */
export function quantile(sorted: Float64Array, p: number): number {
  const h = (sorted.length - 1) * p
  const i = Math.floor(h)
  const above = Math.min(i + 1, sorted.length - 1)
  return sorted[i] + (h - i) * (sorted[above] - sorted[i])
}

function sum(values: Float64Array): number {
  const sums = new Float64Array(2)
  for (let i = 0; i < values.length; i++) addTo(sums, 0, values[i])
  return sums[0] + sums[1]
}
