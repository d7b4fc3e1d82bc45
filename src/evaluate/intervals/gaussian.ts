import { normalQuantile } from '../../math/special.ts'

export interface Bounds {
  readonly lower: number
  readonly upper: number
}

/** estimate ± z · standard error, z the normal quantile of 1 − (1 − level) / 2. Too narrow where few rewards carry the mean. */
export function gaussianBounds(estimate: number, standardError: number, level: number): Bounds {
  const half = normalQuantile(1 - (1 - level) / 2) * standardError
  return { lower: estimate - half, upper: estimate + half }
}

/** Standard error of a mean: √(s² / n) with s² = (Σy² − (Σy)²/n) / (n − 1); NaN below two rows. */
export function standardErrorOfMean(rows: number, sum: number, sumOfSquares: number): number {
  return Math.sqrt(Math.max(0, sumOfSquares - (sum * sum) / rows) / (rows - 1) / rows)
}
