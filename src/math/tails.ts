/** How unlikely a test statistic is: probabilities of being at least as far out. */
import { cbrt, exp, log1p } from './elementary.ts'
import { incompleteBeta, normalCdf } from './special.ts'

/** P(|Z| ≥ |z|) of a standard normal. */
export function twoSided(z: number): number {
  return 2 * normalCdf(-Math.abs(z))
}

/** P(|T| ≥ |t|) of Student's distribution with df > 0 degrees of freedom; Abramowitz and Stegun 26.7.1. */
export function twoSidedT(t: number, df: number): number {
  return incompleteBeta(df / (df + t * t), df / 2, 0.5)
}

/**
 * The standard normal quantile at which a sum of this skewness, z standard deviations from its mean, stands: that of a gamma
 * distribution of the same skewness. A sum of few rare terms is far from normal, and its z taken for one raises false alarms; this
 * is right within a factor of two in p up to a skewness of 2. Wilson and Hilferty, "The distribution of chi-square", PNAS 17, 1931.
 */
export function normalScore(z: number, skewness: number): number {
  if (Math.abs(skewness) < 1e-6) return z
  return (6 / skewness) * (cbrt(1 + (skewness * z) / 2) - 1) + skewness / 6
}

/**
 * A bound of P(S ≥ excess), for a sum S of mean 0 and this variance of which no term exceeds `step`, however skewed: Bennett, J. Am. Stat.
 * Assoc. 57, 1962; for terms that depend on those before, Freedman, Ann. Probab. 3(1), 1975.
 */
export function bennettTail(excess: number, variance: number, step: number): number {
  const u = (step * excess) / variance
  return exp((-variance / step / step) * ((1 + u) * log1p(u) - u))
}

/** P(√n · D ≥ x) in the limit: the tail of Kolmogorov's distribution. Marsaglia, Tsang and Wang, J. Stat. Softw. 8(18), 2003. */
export function kolmogorovTail(x: number): number {
  if (x <= 0) return 1
  let sum = 0
  if (x < 1) {
    for (let k = 1; k < 20; k += 2) sum += exp((-k * k * Math.PI * Math.PI) / (8 * x * x))
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum
  }
  for (let k = 1, sign = 1; k < 20; k++, sign = -sign) sum += sign * exp(-2 * k * k * x * x)
  return 2 * sum
}

/**
 * Kolmogorov and Smirnov's test that n ascending numbers are uniform on [0, 1): the largest distance D of their distribution function
 * from the diagonal, and its p value. Stephens, "EDF statistics …", J. Am. Stat. Assoc. 69, 1974.
 *
 * @param effect So many of them say as much as one that is independent of the others.
 */
export function uniformityTest(ascending: Float64Array, effect = 1): { readonly distance: number; readonly p: number } {
  const n = ascending.length
  let distance = 0
  for (let i = 0; i < n; i++) distance = Math.max(distance, (i + 1) / n - ascending[i], ascending[i] - i / n)
  const root = Math.sqrt(n / effect)
  return { distance, p: kolmogorovTail((root + 0.12 + 0.11 / root) * distance) }
}
