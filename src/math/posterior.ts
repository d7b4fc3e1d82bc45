import { exp, expm1, log, log1p } from './elementary.ts'
import { NODES } from './legendre.ts'
import { betaPower } from './special.ts'

/**
 * What is believed of an action's value: a normal, or a beta by its two counts (both above 0), which is compared with others by its
 * logit, where its density is smooth and has no ends; an argmax does not mind.
 */
export type Posterior =
  | { readonly family: 'normal'; readonly mean: number; readonly sd: number }
  | { readonly family: 'beta'; readonly alpha: number; readonly beta: number }

/** Equal to the last bit. */
export function samePosterior(a: Posterior, b: Posterior): boolean {
  if (a.family === 'normal') return b.family === 'normal' && a.mean === b.mean && a.sd === b.sd
  return b.family === 'beta' && a.alpha === b.alpha && a.beta === b.beta
}

/** Densities of one family on one axis, whose 0 is the mode of the sharpest that can win, so that modes far from 0 cost no digits. */
export interface Densities {
  readonly spread: Float64Array
  /** Beyond these a density is less than e^−DROP of its peak. */
  readonly lower: Float64Array
  readonly upper: Float64Array
  /** Must be told the places, NODES of them, before `write`. */
  visit(z: Float64Array): void
  /** Writes density a at the places into `out`, from `at` on. */
  write(a: number, z: Float64Array, out: Float64Array, at: number): void
}

const DROP = 36
/** Where a normal has fallen by DROP: √(2 · DROP). */
const NORMAL_REACH = 8.49
/** A spread below this share of a place drowns in the rounding of the place itself. */
const LEAST_RELATIVE_SPREAD = 1e-13
const LEAST_SPREAD = 1e-150
const SQRT_2PI = 2.5066282746310002

/** All of one family, and at least one. */
export function densitiesOf(posteriors: readonly Posterior[]): Densities {
  return posteriors[0].family === 'normal' ? normals(posteriors) : logitBetas(posteriors)
}

/** An sd of 0 (features that are all zero) is widened to the least that can be integrated. */
function normals(posteriors: readonly Posterior[]): Densities {
  const k = posteriors.length
  const mode = new Float64Array(k)
  const spread = new Float64Array(k)
  const lower = new Float64Array(k)
  const upper = new Float64Array(k)
  for (let a = 0; a < k; a++) {
    const posterior = posteriors[a]
    if (posterior.family !== 'normal') throw mixed()
    const { mean, sd } = posterior
    mode[a] = mean
    spread[a] = Math.max(sd, LEAST_RELATIVE_SPREAD * Math.abs(mean), LEAST_SPREAD)
    lower[a] = mean - NORMAL_REACH * spread[a]
    upper[a] = mean + NORMAL_REACH * spread[a]
  }
  const origin = mode[sharpest(spread, lower, upper)]
  for (let a = 0; a < k; a++) {
    mode[a] -= origin
    spread[a] = Math.max(spread[a], LEAST_RELATIVE_SPREAD * Math.abs(mode[a]))
    lower[a] = mode[a] - NORMAL_REACH * spread[a]
    upper[a] = mode[a] + NORMAL_REACH * spread[a]
  }
  return {
    spread,
    lower,
    upper,
    visit() {},
    write(a, z, out, at) {
      const m = mode[a]
      const scale = 1 / spread[a]
      const peak = scale / SQRT_2PI
      for (let j = 0; j < NODES; j++) {
        const u = (z[j] - m) * scale
        out[at + j] = peak * exp(-0.5 * u * u)
      }
    },
  }
}

/**
 * Z = ln(X / (1 − X)) for X ~ Beta(α, β): ln f(z) = αz − (α + β) L(z) + constant, L(z) = ln(1 + eᶻ), whose mode is ln(α/β). Written as the
 * difference from the mode, and where eᶻ > 1 in terms of L(−z), so that the terms stay small and large α and β keep their digits. L is
 * the same for all, so a place costs one logarithm, and a density there one exponential.
 */
function logitBetas(posteriors: readonly Posterior[]): Densities {
  const k = posteriors.length
  const alpha = new Float64Array(k)
  const beta = new Float64Array(k)
  const spread = new Float64Array(k)
  const lower = new Float64Array(k)
  const upper = new Float64Array(k)
  const mode = new Float64Array(k)
  const peak = new Float64Array(k)
  /** L(mode) − L(0) and L(−mode) − L(0) for the axis' 0. */
  const belowMode = new Float64Array(k)
  const aboveMode = new Float64Array(k)
  const below = new Float64Array(NODES)
  const above = new Float64Array(NODES)
  for (let a = 0; a < k; a++) {
    const posterior = posteriors[a]
    if (posterior.family !== 'beta') throw mixed()
    alpha[a] = posterior.alpha
    beta[a] = posterior.beta
    mode[a] = log(alpha[a] / beta[a])
    spread[a] = Math.sqrt((alpha[a] + beta[a]) / alpha[a] / beta[a])
    lower[a] = mode[a] - betaReach(alpha[a], beta[a], spread[a])
    upper[a] = mode[a] + betaReach(beta[a], alpha[a], spread[a])
  }
  const first = sharpest(spread, lower, upper)
  const origin = mode[first]
  const p0 = alpha[first] / (alpha[first] + beta[first])
  const q0 = beta[first] / (alpha[first] + beta[first])
  /** Where X is 1/2. */
  const even = -origin
  for (let a = 0; a < k; a++) {
    const n = alpha[a] + beta[a]
    const p = alpha[a] / n
    const q = beta[a] / n
    mode[a] = log((p / p0) * (q0 / q))
    lower[a] -= origin
    upper[a] -= origin
    peak[a] = betaPower(p, q, alpha[a], beta[a])
    belowMode[a] = logMean(p0, q0, mode[a])
    aboveMode[a] = logMean(q0, p0, -mode[a])
  }
  return {
    spread,
    lower,
    upper,
    visit(z) {
      for (let j = 0; j < NODES; j++) {
        if (z[j] > even) above[j] = logMean(q0, p0, -z[j])
        else below[j] = logMean(p0, q0, z[j])
      }
    },
    write(a, z, out, at) {
      const [al, be, m, top] = [alpha[a], beta[a], mode[a], peak[a]]
      const n = al + be
      const [lb, la] = [belowMode[a], aboveMode[a]]
      for (let j = 0; j < NODES; j++) {
        const d = z[j] - m
        out[at + j] = top * exp(z[j] > even ? -be * d - n * (above[j] - la) : al * d - n * (below[j] - lb))
      }
    },
  }
}

/** The narrowest of the densities that do not end below where another begins. */
function sharpest(spread: Float64Array, lower: Float64Array, upper: Float64Array): number {
  let bottom = -Infinity
  for (const end of lower) bottom = Math.max(bottom, end)
  let at = 0
  let least = Infinity
  for (let a = 0; a < spread.length; a++) {
    if (upper[a] < bottom || spread[a] >= least) continue
    at = a
    least = spread[a]
  }
  return at
}

/** ln(p eᵗ + q) with p + q = 1, to the last digits for t near 0 and for p near 1. */
function logMean(p: number, q: number, t: number): number {
  const x = p * expm1(t)
  return x > -0.5 ? log1p(x) : log(p * exp(t) + q)
}

/**
 * How far below its mode the density of the logit of Beta(α, β) has fallen by DROP, rounded up: its logarithm is concave, so Newton's
 * tangents end outside.
 */
function betaReach(alpha: number, beta: number, spread: number): number {
  const n = alpha + beta
  const p = alpha / n
  const q = beta / n
  let t = NORMAL_REACH * spread
  for (let i = 0; i < 2; i++) {
    const e = exp(-t)
    const fall = alpha * t + n * logMean(p, q, -t)
    const slope = alpha * (1 - e / (p * e + q))
    t += (DROP - fall) / slope
  }
  return t
}

const mixed = () => new RangeError('probabilityBest: the posteriors are of different families')
