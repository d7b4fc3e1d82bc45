import { normalQuantile, studentTQuantile } from '../../math/special.ts'

export interface Bounds {
  readonly lower: number
  readonly upper: number
}

/**
 * estimate ± q · standard error, q the `quantile` of level: too narrow where few rewards carry the mean.
 */
export function gaussianBounds(estimate: number, standardError: number, level: number, df?: number): Bounds {
  const half = quantile(level, df) * standardError
  return { lower: estimate - half, upper: estimate + half }
}

/** The quantile of 1 − (1 − level) / 2: of the normal distribution, or of Student's where the error is known with `df` degrees of freedom. */
export function quantile(level: number, df?: number): number {
  const p = 1 - (1 - level) / 2
  return df === undefined ? normalQuantile(p) : studentTQuantile(p, df)
}
