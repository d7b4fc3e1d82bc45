import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import { studentTQuantile } from '../../src/math/special.ts'
import { bennettTail, kolmogorovTail, normalScore, twoSided, twoSidedT, uniformityTest } from '../../src/math/tails.ts'

function expectRelative(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * expected)
}

// SciPy 1.17.1: special.kolmogorov(x).
describe('against SciPy', () => {
  it.each([
    [0.2, 0.999999999999495],
    [0.5, 0.9639452436648751],
    [0.99, 0.2808738392255489],
    [1, 0.26999967167735456],
    [1.17, 0.12939004218561884],
    [1.5, 0.022217962616525127],
    [2, 0.0006709252557796953],
    [3, 3.045995948942526e-8],
    [6, 1.0760372320042276e-31],
  ])("Kolmogorov's tail at %d", (x, p) => {
    expectRelative(kolmogorovTail(x), p, 1e-13)
  })
})

/** P(X ≥ k) of a Poisson with this mean. */
function poissonTail(mean: number, k: number): number {
  let term = Math.exp(-mean)
  let below = 0
  for (let i = 0; i < k; i++) {
    below += term
    term *= mean / (i + 1)
  }
  return 1 - below
}

describe('a skewed sum', () => {
  it('has a p value within a factor of two of a Poisson tail, where the normal one is far off', () => {
    for (const [mean, k] of [
      [0.3, 3],
      [1, 5],
      [10, 22],
      [25, 43],
      [400, 470],
    ]) {
      const sd = Math.sqrt(mean)
      const exact = poissonTail(mean, k)
      const ratio = twoSided(normalScore((k - 0.5 - mean) / sd, 1 / sd)) / 2 / exact
      expect(Math.abs(Math.log2(ratio))).toBeLessThan(1)
    }
    expect(twoSided((2.5 - 0.3) / Math.sqrt(0.3)) / 2 / poissonTail(0.3, 3)).toBeLessThan(0.01)
  })

  it('keeps the order of z, however far out', () => {
    const scores = Array.from({ length: 400 }, (_, i) => normalScore((i - 200) / 4, 1.5))
    for (let i = 1; i < scores.length; i++) expect(scores[i]).toBeGreaterThan(scores[i - 1])
  })

  it("is never rarer than Bennett's bound says", () => {
    for (const [mean, k] of [
      [0.001, 1],
      [0.01, 2],
      [1, 5],
      [25, 43],
    ]) {
      expect(bennettTail(k - mean, mean, 1)).toBeGreaterThan(poissonTail(mean, k))
    }
    expect(bennettTail(100, 1e-6, 1)).toBeLessThan(1e-100)
  })
})

describe('the test of uniformity', () => {
  it('measures the largest distance, by hand', () => {
    expect(uniformityTest(Float64Array.of(0.1, 0.5, 0.6)).distance).toBeCloseTo(0.4, 15)
    expect(uniformityTest(Float64Array.of(0.1, 0.5, 0.6, 0.99)).distance).toBeCloseTo(0.25, 15)
  })

  it('has uniform p values where the numbers are uniform, and none where they are not', () => {
    const rng = stream(1, 'uniformity')
    const sample = (n: number, of: (u: number) => number) =>
      Float64Array.from({ length: n }, () => of(rng.uniform())).sort()
    const ps = Array.from({ length: 1000 }, () => uniformityTest(sample(200, u => u)).p)
    // Four standard deviations of a binomial.
    expect(Math.abs(ps.filter(p => p < 0.05).length - 50)).toBeLessThan(28)
    expect(Math.abs(ps.filter(p => p < 0.5).length - 500)).toBeLessThan(64)
    expect(uniformityTest(sample(2000, u => u * u)).p).toBeLessThan(1e-9)
  })
})

describe("Student's two tails", () => {
  it('are the level at the quantiles', () => {
    for (const df of [1, 4, 30, 127]) {
      for (const p of [0.3, 0.01, 1e-8]) expectRelative(twoSidedT(studentTQuantile(p / 2, df), df), p, 1e-9)
    }
    expect(twoSidedT(0, 5)).toBe(1)
    expect(twoSidedT(Infinity, 5)).toBe(0)
  })
})
