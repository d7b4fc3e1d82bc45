import { describe, expect, it } from 'vitest'
import {
  betaQuantile,
  incompleteBeta,
  logGamma,
  normalCdf,
  normalQuantile,
  studentTQuantile,
} from '../../src/math/special.ts'
import { goldenJson } from '../golden/read.ts'

const scipy = goldenJson<{
  norm_ppf: [p: number, x: number][]
  t_ppf: [p: number, df: number, t: number][]
  f_isf_dfn1: [p: number, df: number, f: number][]
  beta_ppf: [p: number, a: number, b: number, x: number][]
  loggamma: [x: number, y: number][]
}>('special_functions.json')

function expectRelative(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected))
}

describe('against SciPy', () => {
  it('normal quantiles', () => {
    for (const [p, x] of scipy.norm_ppf) expectRelative(normalQuantile(p), x, 1e-12)
  })

  it('beta quantiles', () => {
    for (const [p, a, b, x] of scipy.beta_ppf) expectRelative(betaQuantile(p, a, b), x, 1e-12)
  })

  it('ln Γ', () => {
    for (const [x, y] of scipy.loggamma) {
      // Relative to 1 where ln Γ is 0.
      expect(Math.abs(logGamma(x) - y)).toBeLessThan(1e-12 * Math.max(1, Math.abs(y)))
    }
  })

  it("quantiles of Student's t and of F(1, df) = t², as far as SciPy's own go", () => {
    for (const [p, df, t] of scipy.t_ppf) expectRelative(studentTQuantile(p, df), t, 5e-9)
    for (const [p, df, f] of scipy.f_isf_dfn1) expectRelative(studentTQuantile(1 - p / 2, df) ** 2, f, 1e-9)
  })
})

describe("Student's t", () => {
  it('has closed forms with 1 and 2 degrees of freedom', () => {
    for (const p of [0.501, 0.6, 0.9, 0.975, 0.9999]) {
      expectRelative(studentTQuantile(p, 1), Math.tan(Math.PI * (p - 0.5)), 1e-12)
      expectRelative(studentTQuantile(p, 2), (2 * p - 1) / Math.sqrt(2 * p * (1 - p)), 1e-12)
    }
  })

  // mpmath 1.3.0 with 40 digits.
  it.each([
    [0.6, 5, 0.26718086570414507],
    [0.95, 30, 1.6972608865939574],
    [0.975, 10, 2.2281388519862744],
    [0.975, 999, 1.9623414611334495],
    [0.9, 9999, 1.281636238198314],
    [0.975, 9999, 1.9602012636213573],
    [0.975, 99999, 1.9599877077718444],
    [0.995, 1000000, 2.575834220105334],
  ])('has quantile %d with %d degrees of freedom at %d', (p, df, t) => {
    expectRelative(studentTQuantile(p, df), t, 1e-12)
    expectRelative(studentTQuantile(1 - p, df), -t, 1e-11)
  })
})

describe('cdf and quantile undo each other', () => {
  it('normal, far into the lower tail', () => {
    for (const p of [1e-300, 1e-40, 1e-9, 0.003, 0.2, 0.5, 0.7]) {
      expectRelative(normalCdf(normalQuantile(p)), p, 1e-12)
    }
  })

  it('beta', () => {
    for (const [a, b] of [
      [0.5, 0.5],
      [0.1, 3],
      [2, 5],
      [1e5, 3e5],
    ]) {
      for (const p of [1e-12, 0.025, 0.5, 0.9]) expectRelative(incompleteBeta(betaQuantile(p, a, b), a, b), p, 1e-9)
    }
  })

  it('Φ(1) by hand, and the ends', () => {
    expectRelative(normalCdf(1), 0.8413447460685429, 1e-14)
    expect([normalQuantile(0), normalQuantile(0.5), normalQuantile(1)]).toEqual([-Infinity, 0, Infinity])
    expect([betaQuantile(0, 2, 3), betaQuantile(1, 2, 3)]).toEqual([0, 1])
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1])
  })

  it('what is not a probability is refused', () => {
    for (const p of [-0.1, 1.1, Number.NaN]) {
      expect(() => normalQuantile(p)).toThrow(RangeError)
      expect(() => betaQuantile(p, 1, 1)).toThrow(RangeError)
      expect(() => studentTQuantile(p, 3)).toThrow(RangeError)
    }
  })
})
