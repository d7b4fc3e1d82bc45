import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Posterior, probabilityBest } from '../../src/math/quadrature.ts'
import { normalCdf } from '../../src/math/special.ts'
import { betaLearner } from '../../src/policy/learners/beta.ts'
import { normalPosterior } from '../../src/policy/learners/normal-posterior.ts'

function beta(alpha: number, b: number): Posterior {
  const posterior = betaLearner(1, { alpha, beta: b }).posterior(0, 1)
  if (posterior === undefined) throw new Error('a beta posterior is always proper')
  return posterior
}

const sum = (values: Float64Array) => values.reduce((total, v) => total + v, 0)

describe('probabilityBest', () => {
  it('of two normals is Φ(Δ / √(s₁² + s₂²)), whatever their spreads', () => {
    for (const ratio of [1, 3, 100, 1e4, 1e6]) {
      for (const delta of [0, 0.1, 1, 3, 6]) {
        for (const unit of [1, ratio]) {
          const p = probabilityBest([normalPosterior(0, 1), normalPosterior(delta * unit, ratio)])
          const exact = normalCdf((delta * unit) / Math.sqrt(1 + ratio * ratio))
          expect(Math.abs(p[1] - exact)).toBeLessThan(1e-12)
        }
      }
    }
  })

  it('of one action is 1, and of any number of equal ones is even', () => {
    expect([...probabilityBest([beta(3, 4)])]).toEqual([1])
    for (const posterior of [beta(0.5, 0.5), beta(0.01, 0.01), beta(2, 900), normalPosterior(-3, 1e-3)]) {
      for (const k of [2, 3, 20, 300]) {
        for (const p of probabilityBest(Array.from({ length: k }, () => posterior))) {
          expect(Math.abs(p - 1 / k)).toBeLessThan(1e-12)
        }
      }
    }
  })

  it('of Beta(a, 1) and Beta(b, 1) is a/(a + b)', () => {
    for (const [a, b] of [
      [1, 2],
      [0.2, 0.3],
      [0.5, 40],
      [1000, 3],
    ]) {
      expect(Math.abs(probabilityBest([beta(a, 1), beta(b, 1)])[0] - a / (a + b))).toBeLessThan(1e-12)
    }
  })

  it('of many Beta(aᵢ, 1) is aᵢ / Σa', () => {
    const shapes = Array.from({ length: 50 }, (_, i) => 0.3 + i * i)
    const total = shapes.reduce((s, a) => s + a, 0)
    const p = probabilityBest(shapes.map(a => beta(a, 1)))
    for (const [i, a] of shapes.entries()) expect(Math.abs(p[i] - a / total)).toBeLessThan(1e-12)
  })

  it('keeps its digits with millions of rewards', () => {
    // By symmetry P(A > B) = P(1 − B > 1 − A), which is integrated over other panels.
    const p = probabilityBest([beta(1e6, 1.001e6), beta(1.0005e6, 1e6)])
    const mirrored = probabilityBest([beta(1.001e6, 1e6), beta(1e6, 1.0005e6)])
    expect(Math.abs(p[0] - mirrored[1])).toBeLessThan(1e-12)
  })

  it('loses no digits to a large common mean, and is even for point masses', () => {
    const near = probabilityBest([normalPosterior(0, 1 / 1024), normalPosterior(1 / 1024, 1 / 1024)])
    const far = probabilityBest([normalPosterior(1e6, 1 / 1024), normalPosterior(1e6 + 1 / 1024, 1 / 1024)])
    expect(Math.abs(near[0] - far[0])).toBeLessThan(1e-12)
    for (const mean of [0, 1, -1e9]) {
      const p = probabilityBest([normalPosterior(mean, 0), normalPosterior(mean, 0)])
      expect(Math.abs(p[0] - 0.5)).toBeLessThan(1e-12)
    }
  })

  it('refuses what is not a density', () => {
    expect(() => probabilityBest([normalPosterior(Number.NaN, 1), normalPosterior(0, 1)])).toThrow(RangeError)
  })

  it('gives an action that cannot win nothing', () => {
    expect([...probabilityBest([normalPosterior(0, 1), normalPosterior(100, 1)])]).toEqual([0, 1])
  })

  it('is a distribution that follows a permutation of the actions and a shift and scale of the axis', () => {
    const normals = fc.array(
      fc.record({
        mean: fc.double({ min: -3, max: 3, noNaN: true }),
        logSd: fc.double({ min: -6, max: 3, noNaN: true }),
      }),
      { minLength: 2, maxLength: 8 },
    )
    fc.assert(
      fc.property(normals, list => {
        const of = (items: typeof list, shift: number, scale: number) =>
          probabilityBest(
            items.map(({ mean, logSd }) => normalPosterior(shift + scale * mean, scale * Math.exp(logSd))),
          )
        const p = of(list, 0, 1)
        expect(Math.abs(sum(p) - 1)).toBeLessThan(1e-14)
        expect(p.every(v => v >= 0)).toBe(true)
        const reversed = of(list.toReversed(), 0, 1).toReversed()
        const moved = of(list, 5, 16)
        for (let i = 0; i < p.length; i++) {
          expect(Math.abs(p[i] - reversed[i])).toBeLessThan(1e-12)
          expect(Math.abs(p[i] - moved[i])).toBeLessThan(1e-11)
        }
      }),
    )
  })
})
