/** Special functions to about 14 digits, of real arguments. */

import { exp, log, log1p } from './elementary.ts'

const HALF_LOG_2PI = 0.9189385332046728

/** ln Γ(x), x > 0. */
export function logGamma(x: number): number {
  if (x >= 10) return (x - 0.5) * log(x) - x + HALF_LOG_2PI + stirlingSeries(x)
  let product = 1
  let shifted = x
  while (shifted < 10) product *= shifted++
  return (shifted - 0.5) * log(shifted) - shifted + HALF_LOG_2PI + stirlingSeries(shifted) - log(product)
}

/** ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π), x > 0. */
function stirlingError(x: number): number {
  return x >= 10 ? stirlingSeries(x) : logGamma(x) - (x - 0.5) * log(x) + x - HALF_LOG_2PI
}

/** The asymptotic series of the same, x ≥ 10. */
function stirlingSeries(x: number): number {
  const z = 1 / (x * x)
  const tail = 1 / 1680 - z * (1 / 1188 - z * (691 / 360360 - z * (1 / 156 - (z * 3617) / 122400)))
  return (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * tail))) / x
}

/** P(Z ≤ x) of a standard normal; the lower tail keeps its relative accuracy. */
export function normalCdf(x: number): number {
  if (x < -2.5) return normalTail(-x)
  if (x > 2.5) return 1 - normalTail(x)
  // Marsaglia, "Evaluating the Normal Distribution", J. Stat. Softw. 11(4), 2004.
  let sum = x
  let term = x
  for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(sum); k += 2) {
    term *= (x * x) / k
    sum += term
  }
  return 0.5 + sum * normalDensity(x)
}

function normalDensity(x: number): number {
  return exp(-0.5 * x * x - HALF_LOG_2PI)
}

/** P(Z > x), x ≥ 2.5, by Laplace's continued fraction. */
function normalTail(x: number): number {
  let fraction = x
  for (let k = 100; k >= 1; k--) fraction = x + k / fraction
  return normalDensity(x) / fraction
}

/** The x with P(Z ≤ x) = p, 0 ≤ p ≤ 1. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`normalQuantile: p = ${p} is not a probability`)
  if (p > 0.5) return -lowerNormalQuantile(1 - p)
  return lowerNormalQuantile(p)
}

function lowerNormalQuantile(p: number): number {
  if (p === 0) return -Infinity
  // Abramowitz and Stegun 26.2.23, then Halley's method on ln Φ.
  const t = Math.sqrt(-2 * log(p))
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
  for (let i = 0; i < 4; i++) {
    const cdf = normalCdf(x)
    const slope = normalDensity(x) / cdf
    const g = log(cdf / p)
    const step = g / (slope + (g * (x + slope)) / 2)
    x -= step
    if (Math.abs(step) < 1e-9) break
  }
  return Math.abs(x) < 1e-16 ? 0 : x
}

/** P(X ≤ x) of Beta(a, b): the regularised incomplete beta function I_x(a, b). a, b > 0, 0 ≤ x ≤ 1. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(x >= 0 && x <= 1 && a > 0 && b > 0)) throw new RangeError(`incompleteBeta: no I_${x}(${a}, ${b})`)
  return lowerBeta(x, 1 - x, a, b)
}

/** I_x(a, b), with y = 1 − x given apart so that neither loses digits. */
function lowerBeta(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (y <= 0) return 1
  const power = betaPower(x, y, a, b)
  if (x < (a + 1) / (a + b + 2)) return (power * betaFraction(x, a, b)) / a
  return 1 - (power * betaFraction(y, b, a)) / b
}

/** x^a y^b / B(a, b), by deviances from the mean so that large a and b cancel. Loader, "Fast and Accurate …", 2000. */
export function betaPower(x: number, y: number, a: number, b: number): number {
  const n = a + b
  // a/n − x = y − b/n, taken where the numbers are small.
  const d = x < y ? a / n - x : y - b / n
  const deviance = a * log1p(d / x) + b * log1p(-d / y)
  const correction = stirlingError(n) - stirlingError(a) - stirlingError(b)
  return Math.sqrt(((a / n) * b) / (2 * Math.PI)) * exp(correction - deviance)
}

/** The continued fraction of I_x(a, b), by Lentz's method; DLMF 8.17.22. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m <= 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d)
    c = nonZero(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d)
    c = nonZero(1 + odd / c)
    h *= d * c
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return h

  function nonZero(v: number): number {
    return Math.abs(v) < tiny ? tiny : v
  }
}

/** The x with I_x(a, b) = p. */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1 && a > 0 && b > 0)) throw new RangeError(`betaQuantile: no quantile ${p} of Beta(${a}, ${b})`)
  return p === 0 || p === 1 ? p : logistic(betaQuantileLogit(p, a, b))
}

/** ln(x / (1 − x)) of that x, solved on the tail on which p lies, which so keeps its relative accuracy. */
function betaQuantileLogit(p: number, a: number, b: number): number {
  const atMean = incompleteBeta(a / (a + b), a, b)
  return p <= atMean ? lowerBetaQuantileLogit(p, a, b) : -lowerBetaQuantileLogit(1 - p, b, a)
}

/** The same for p at or below the mean's. In this variable ln I is concave, so Newton's method, kept in a bracket, converges. */
function lowerBetaQuantileLogit(p: number, a: number, b: number): number {
  let low = -Infinity
  let high = Infinity
  let z = log(a / b)
  for (let i = 0; i < 200; i++) {
    const x = logistic(z)
    const y = logistic(-z)
    const cdf = lowerBeta(x, y, a, b)
    const g = log(cdf / p)
    if (g > 0) high = z
    else low = z
    let next = z - (g * cdf) / betaPower(x, y, a, b)
    if (!(next > low && next < high)) {
      if (low === -Infinity) next = z - 2 * Math.max(1, Math.abs(z))
      else if (high === Infinity) next = z + 2 * Math.max(1, Math.abs(z))
      else next = low + (high - low) / 2
    }
    const step = Math.abs(next - z)
    z = next
    if (step <= 1e-15 * Math.max(1, Math.abs(z))) break
  }
  return z
}

function logistic(z: number): number {
  if (z >= 0) return 1 / (1 + exp(-z))
  const e = exp(z)
  return e / (1 + e)
}

/** The t with P(T ≤ t) = p of Student's distribution with df > 0 degrees of freedom. */
export function studentTQuantile(p: number, df: number): number {
  if (!(p >= 0 && p <= 1 && df > 0))
    throw new RangeError(`studentTQuantile: no quantile ${p} with ${df} degrees of freedom`)
  if (p === 0.5) return 0
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity
  const z = normalQuantile(p)
  if (df > 1e4 && z * z < 60) return nearNormalT(z, df)
  // x = df / (df + t²) is Beta(df/2, 1/2), and t² = df · (1 − x) / x.
  const tail = 2 * Math.min(p, 1 - p)
  const t = Math.sqrt(df) * exp(-0.5 * betaQuantileLogit(tail, df / 2, 0.5))
  return p < 0.5 ? -t : t
}

/** Student's quantile from the normal one z, for many degrees of freedom n; Abramowitz and Stegun 26.7.5. */
function nearNormalT(z: number, n: number): number {
  const w = z * z
  const g1 = (w + 1) / 4
  const g2 = ((5 * w + 16) * w + 3) / 96
  const g3 = (((3 * w + 19) * w + 17) * w - 15) / 384
  const g4 = ((((79 * w + 776) * w + 1482) * w - 1920) * w - 945) / 92160
  return z * (1 + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n)
}
