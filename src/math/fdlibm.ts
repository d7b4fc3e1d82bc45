/*!
 * exp, expm1, log, log1p, cbrt and tanh are those of fdlibm 5.3 (http://www.netlib.org/fdlibm) and of FreeBSD's msun:
 *
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *
 * Developed at SunSoft, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */

/**
 * What dap means by these functions: ECMAScript leaves their digits to the engine, so each is written here in operations that it does not,
 * `+ − × ÷ √` of doubles rounded to nearest. Below 1 ulp off. `elementary.ts` says who computes them.
 *
 * Two choices are V8's, whose digits older logs and streams have: exp(1), and cbrt, which fdlibm had otherwise before FreeBSD's.
 */

const double = new Float64Array(1)
const words = new Int32Array(double.buffer)
/** Which of the two words has sign, exponent and the first 20 bits of the fraction; a machine may store them either way round. */
const HIGH = new Int32Array(Float64Array.of(1).buffer)[0] === 0 ? 1 : 0
const LOW = 1 - HIGH

function highWord(x: number): number {
  double[0] = x
  return words[HIGH]
}

/** Powers of 2³² from 2⁻¹⁰²⁴, and of 2 from 1. To look one up is faster than to write an exponent, whose reader then waits for it. */
const COARSE = powers(65, 5.562684646268003e-309, 4294967296)
const FINE = powers(32, 1, 2)

function powers(count: number, first: number, base: number): Float64Array {
  const list = new Float64Array(count).fill(first)
  for (let i = 1; i < count; i++) list[i] = base * list[i - 1]
  return list
}

/** 2ᵏ, −1024 ≤ k ≤ 1023. */
function powerOfTwo(k: number): number {
  return COARSE[(k + 1024) >> 5] * FINE[k & 31]
}

/** ln 2 = LN2_HI + LN2_LO, and n · LN2_HI is exact for |n| < 2000. */
const LN2_HI = 0.6931471803691238
const LN2_LO = 1.9082149292705877e-10
const INV_LN2 = Math.LOG2E
/** Just above ½ ln 2 and 3/2 ln 2: between them one ln 2 is taken off. */
const HALF_LN2 = 0.3465735912322998
const THREE_HALVES_LN2 = 1.0397205352783203
/** exp is infinite above. */
const OVERFLOW = 709.782712893384
const LEAST_NORMAL = 2.2250738585072014e-308
const TWO_53 = 9007199254740992
const TWO_54 = 18014398509481984
const TWO_1023 = 8.98846567431158e307
const TWO_M1000 = 9.332636185032189e-302

export function exp(x: number): number {
  if (Number.isNaN(x)) return x
  if (x > OVERFLOW) return Infinity
  if (x < -745.1332191019411) return 0
  if (x === 1) return Math.E
  // x = k ln 2 + r, r = hi − lo.
  const size = Math.abs(x)
  let k = 0
  let hi = x
  let lo = 0
  if (size >= HALF_LN2) {
    k = size < THREE_HALVES_LN2 ? (x < 0 ? -1 : 1) : Math.trunc(INV_LN2 * x + (x < 0 ? -0.5 : 0.5))
    hi = x - k * LN2_HI
    lo = k * LN2_LO
  } else if (size < 3.725290298461914e-9) {
    return 1 + x
  }
  const r = hi - lo
  // eʳ = 1 + r + r c / (2 − c), c from r (eʳ + 1) / (eʳ − 1) = 2 + r²/6 − r⁴/360 + … by a polynomial on [0, ½ ln 2].
  const t = r * r
  const p = 0.0000016533902205465252 - t * 4.1381367970572385e-8
  const c = r - t * (0.16666666666666602 - t * (0.0027777777777015593 - t * (0.00006613756321437934 - t * p)))
  if (k === 0) return 1 - ((r * c) / (c - 2) - r)
  const y = 1 - (lo - (r * c) / (2 - c) - hi)
  if (k === 1024) return y * 2 * TWO_1023
  return k >= -1021 ? y * powerOfTwo(k) : y * powerOfTwo(k + 1000) * TWO_M1000
}

/** exp(x) − 1. */
export function expm1(x: number): number {
  if (Number.isNaN(x)) return x
  if (x > OVERFLOW) return Infinity
  const size = Math.abs(x)
  // 56 ln 2.
  if (x < 0 && size >= 38.81622314453125) return -1
  // x = k ln 2 + r + c, r + c = hi − lo.
  let k = 0
  let r = x
  let c = 0
  if (size >= HALF_LN2) {
    k = size < THREE_HALVES_LN2 ? (x < 0 ? -1 : 1) : Math.trunc(INV_LN2 * x + (x < 0 ? -0.5 : 0.5))
    const hi = x - k * LN2_HI
    const lo = k * LN2_LO
    r = hi - lo
    c = hi - r - lo
  } else if (size < 5.551115123125783e-17) {
    return x
  }
  const half = 0.5 * r
  const h = r * half
  const q = 0.0000793650757867488 - h * (0.000004008217827329362 - h * 2.0109921818362437e-7)
  const r1 = 1 - h * (0.03333333333333313 - h * (0.0015873015872548146 - h * q))
  const t = 3 - r1 * half
  let e = h * ((r1 - t) / (6 - r * t))
  if (k === 0) return r - (r * e - h)
  e = r * (e - c) - c - h
  if (k === -1) return 0.5 * (r - e) - 0.5
  if (k === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e)
  if (k <= -2 || k > 56) {
    const y = 1 - (e - r)
    return (k === 1024 ? y * 2 * TWO_1023 : y * powerOfTwo(k)) - 1
  }
  if (k < 20) return (1 - powerOfTwo(-k) - (e - r)) * powerOfTwo(k)
  return (r - (e + powerOfTwo(-k)) + 1) * powerOfTwo(k)
}

export function log(x: number): number {
  if (!(x > 0 && x < Infinity)) return x === 0 ? -Infinity : x > 0 ? x : Number.NaN
  const isSubnormal = x < LEAST_NORMAL
  const scaled = isSubnormal ? x * TWO_54 : x
  const high = highWord(scaled)
  // x = 2ᵏ (1 + f), √½ < 1 + f < √2.
  const fraction = high & 0xfffff
  const exponent = (high >> 20) - 1023 + ((fraction + 0x95f64) >> 20)
  const k = isSubnormal ? exponent - 54 : exponent
  const f = scaled * powerOfTwo(-exponent) - 1
  if ((0xfffff & (2 + fraction)) < 3) {
    // |f| < 2⁻²⁰.
    if (f === 0) return k === 0 ? 0 : k * LN2_HI + k * LN2_LO
    const r = f * f * (0.5 - 0.3333333333333333 * f)
    return k === 0 ? f - r : k * LN2_HI - (r - k * LN2_LO - f)
  }
  // log(1 + f) = 2 s + s R(s²), s = f / (2 + f).
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const t1 = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373))
  const t2 = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)))
  const r = t2 + t1
  if (((fraction - 0x6147a) | (0x6b851 - fraction)) > 0) {
    const h = 0.5 * f * f
    return k === 0 ? f - (h - s * (h + r)) : k * LN2_HI - (h - (s * (h + r) + k * LN2_LO) - f)
  }
  return k === 0 ? f - s * (f - r) : k * LN2_HI - (s * (f - r) - k * LN2_LO - f)
}

/** log(1 + x). */
export function log1p(x: number): number {
  if (!(x > -1 && x < Infinity)) return x === -1 ? -Infinity : x > 0 ? x : Number.NaN
  const size = Math.abs(x)
  if (size < 1.862645149230957e-9) return size < 5.551115123125783e-17 ? x : x - x * x * 0.5
  // 1 + x = 2ᵏ (1 + f) (1 + c), √½ < 1 + f < √2.
  let k = 0
  let f = x
  let c = 0
  let isNearOne = false
  // √½ − 1 and √2 − 1, near enough.
  if (x <= -0.292893648147583 || x >= 0.4142136573791504) {
    const u = x < TWO_53 ? 1 + x : x
    const high = highWord(u)
    const fraction = high & 0xfffff
    const isLow = fraction < 0x6a09e
    k = (high >> 20) - 1023
    if (x < TWO_53) c = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u
    if (!isLow) k++
    f = u * powerOfTwo(-k) - 1
    isNearOne = isLow ? fraction === 0 : fraction > 0xffffc
  }
  const h = 0.5 * f * f
  if (isNearOne) {
    // |f| < 2⁻²⁰.
    if (f === 0) return k === 0 ? 0 : k * LN2_HI + (c + k * LN2_LO)
    const r = h * (1 - 0.6666666666666666 * f)
    return k === 0 ? f - r : k * LN2_HI - (r - (k * LN2_LO + c) - f)
  }
  const s = f / (2 + f)
  const z = s * s
  const tail = 0.1818357216161805 + z * (0.15313837699209373 + z * 0.14798198605116586)
  const r =
    z *
    (0.6666666666666735 + z * (0.3999999999940942 + z * (0.2857142874366239 + z * (0.22222198432149784 + z * tail))))
  return k === 0 ? f - (h - s * (h + r)) : k * LN2_HI - (h - (s * (h + r) + (k * LN2_LO + c)) - f)
}

export function cbrt(x: number): number {
  if (!(Math.abs(x) < Infinity) || x === 0) return x
  // To 5 bits: a third of the exponent, and of the fraction with it.
  const isSubnormal = Math.abs(x) < LEAST_NORMAL
  const high = highWord(isSubnormal ? x * TWO_54 : x)
  words[HIGH] = (high & -0x80000000) | (Math.trunc((high & 0x7fffffff) / 3) + (isSubnormal ? 696219795 : 715094163))
  words[LOW] = 0
  let t = double[0]
  // To 23 bits: t P(t³/x), P(r) near 1 / ∛r.
  const r = t * t * (t / x)
  t *=
    1.87595182427177 +
    r * (-1.8849797954337717 + r * 1.6214297201053545) +
    r * r * r * (-0.758397934778766 + r * 0.14599619288661245)
  // Rounded away from 0 to those 23, so that t² is exact.
  double[0] = t
  if (words[LOW] < 0) words[HIGH]++
  words[LOW] = (words[LOW] ^ -0x80000000) & -0x40000000
  t = double[0]
  // A step of Newton's.
  const s = x / (t * t)
  return t + t * ((s - t) / (t + t + s))
}

export function tanh(x: number): number {
  const size = Math.abs(x)
  if (size < 3.725290298461914e-9 || Number.isNaN(x)) return x
  if (size >= 22) return x < 0 ? -1 : 1
  const t = expm1(size >= 1 ? 2 * size : -2 * size)
  const z = size >= 1 ? 1 - 2 / (t + 2) : -t / (t + 2)
  return x < 0 ? -z : z
}
