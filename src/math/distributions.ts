import { exp, log, log1p } from './elementary.ts'
import type { Rng } from './rng.ts'
import { logGamma } from './special.ts'

/** Uniform on 0 … n − 1. The bias is below n · 2⁻⁵³. */
export function uniformInt(rng: Rng, n: number): number {
  return Math.floor(rng.uniform() * n)
}

/** Standard exponential: mean 1. */
export function exponential(rng: Rng): number {
  return -log1p(-rng.uniform())
}

const LAYERS = 128
/** Where the tail begins, and the area of each layer, for 128 layers. */
const TAIL = 3.442619855899
const AREA = 9.91256303526217e-3
/** edge[i] is the right end of layer i; layer 0 is the base, tail included. */
const edge = new Float64Array(LAYERS + 1)
/** inside[i] = edge[i + 1] / edge[i]: the share of layer i that lies wholly under the curve. */
const inside = new Float64Array(LAYERS)
{
  let density = exp(-0.5 * TAIL * TAIL)
  edge[0] = AREA / density
  edge[1] = TAIL
  for (let i = 2; i < LAYERS; i++) {
    edge[i] = Math.sqrt(-2 * log(AREA / edge[i - 1] + density))
    density = exp(-0.5 * edge[i] * edge[i])
  }
  for (let i = 0; i < LAYERS; i++) inside[i] = edge[i + 1] / edge[i]
}

/**
 * Standard normal, by a ziggurat that takes its layer and its abscissa from different bits: Doornik, "An Improved Ziggurat
 * Method to Generate Normal Random Samples", 2005 (after Marsaglia and Tsang, J. Stat. Softw. 5(8), 2000).
 */
export function normal(rng: Rng): number {
  const bits = rng.uint32()
  const layer = bits & (LAYERS - 1)
  // 24 + 32 bits: uniform on [−1, 1).
  const u = ((bits >>> 8) * 4294967296 + rng.uint32()) * 2.7755575615628914e-17 - 1
  return Math.abs(u) < inside[layer] ? u * edge[layer] : normalOutside(rng, layer, u)
}

/** The 2 % of draws that are not wholly under the curve; apart, so that `normal` is small enough to be inlined. */
function normalOutside(rng: Rng, layer: number, u: number): number {
  if (layer === 0) return u < 0 ? -normalTail(rng) : normalTail(rng)
  const x = u * edge[layer]
  const low = exp(-0.5 * (edge[layer] * edge[layer] - x * x))
  const high = exp(-0.5 * (edge[layer + 1] * edge[layer + 1] - x * x))
  return high + rng.uniform() * (low - high) < 1 ? x : normal(rng)
}

/** A normal given that it exceeds TAIL. Marsaglia, "Generating a Variable from the Tail of the Normal Distribution", 1964. */
function normalTail(rng: Rng): number {
  for (;;) {
    const x = exponential(rng) / TAIL
    if (2 * exponential(rng) > x * x) return TAIL + x
  }
}

/** Gamma with the given shape > 0 and scale 1. Marsaglia and Tsang, ACM Trans. Math. Softw. 26(3), 2000. */
export function gamma(rng: Rng, shape: number): number {
  return shape < 1 ? exp(logGammaDraw(rng, shape)) : gammaAtLeastOne(rng, shape)
}

function gammaAtLeastOne(rng: Rng, shape: number): number {
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(rng)
    const root = 1 + c * x
    if (root <= 0) continue
    const v = root * root * root
    const u = 1 - rng.uniform()
    const x2 = x * x
    if (u < 1 - 0.0331 * x2 * x2 || log(u) < 0.5 * x2 + d * (1 - v + log(v))) return d * v
  }
}

/** The logarithm of a gamma draw, which a small shape may put far below the smallest double: G(a) = G(a + 1) · U^(1/a). */
function logGammaDraw(rng: Rng, shape: number): number {
  if (shape >= 1) return log(gammaAtLeastOne(rng, shape))
  return log(gammaAtLeastOne(rng, shape + 1)) + log1p(-rng.uniform()) / shape
}

/** Beta(a, b), a and b > 0, as a ratio of gammas. */
export function betaDraw(rng: Rng, a: number, b: number): number {
  if (a >= 1 && b >= 1) {
    const x = gammaAtLeastOne(rng, a)
    return x / (x + gammaAtLeastOne(rng, b))
  }
  const logX = logGammaDraw(rng, a)
  const logY = logGammaDraw(rng, b)
  return 1 / (1 + exp(logY - logX))
}

/** Poisson with the given mean ≥ 0. */
export function poisson(rng: Rng, mean: number): number {
  return mean < 10 ? poissonByProducts(rng, mean) : poissonByRejection(rng, mean)
}

/** Counts uniforms until their product falls below e^−mean. */
function poissonByProducts(rng: Rng, mean: number): number {
  const limit = exp(-mean)
  let product = rng.uniform()
  let count = 0
  while (product > limit) {
    product *= rng.uniform()
    count++
  }
  return count
}

/** PTRS, for means of 10 and more. Hörmann, "The transformed rejection method …", Insurance: Math. and Econ. 12, 1993. */
function poissonByRejection(rng: Rng, mean: number): number {
  const logMean = log(mean)
  const b = 0.931 + 2.53 * Math.sqrt(mean)
  const a = -0.059 + 0.02483 * b
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
  const vr = 0.9277 - 3.6224 / (b - 2)
  for (;;) {
    const u = rng.uniform() - 0.5
    const v = 1 - rng.uniform()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43)
    if (us >= 0.07 && v <= vr) return k
    if (k < 0 || (us < 0.013 && v > us)) continue
    if (log((v * inverseAlpha) / (a / (us * us) + b)) <= k * logMean - mean - logGamma(k + 1)) return k
  }
}
