import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NODES, node, weight } from '../../src/math/legendre.ts'
import type { Posterior } from '../../src/math/posterior.ts'
import { probabilityBest } from '../../src/math/quadrature.ts'
import { normalCdf } from '../../src/math/special.ts'

const normal = (mean: number, sd: number) => ({ family: 'normal', mean, sd }) as const
const beta = (alpha: number, b: number) => ({ family: 'beta', alpha, beta: b }) as const

const sum = (values: Float64Array) => values.reduce((total, v) => total + v, 0)

describe('probabilityBest', () => {
  it('of two normals is Φ(Δ / √(s₁² + s₂²)), whatever their spreads', () => {
    for (const ratio of [1, 3, 100, 1e4, 1e6]) {
      for (const delta of [0, 0.1, 1, 3, 6]) {
        for (const unit of [1, ratio]) {
          const p = probabilityBest([normal(0, 1), normal(delta * unit, ratio)])
          const exact = normalCdf((delta * unit) / Math.sqrt(1 + ratio * ratio))
          expect(Math.abs(p[1] - exact)).toBeLessThan(1e-14)
        }
      }
    }
  })

  it('of one action is 1, and of any number of equal ones is even', () => {
    expect([...probabilityBest([beta(3, 4)])]).toEqual([1])
    for (const posterior of [beta(0.5, 0.5), beta(0.01, 0.01), beta(2, 900), normal(-3, 1e-3)]) {
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
      [0.001, 0.05],
      [0.004, 1],
      [0.01, 300],
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
    const near = probabilityBest([normal(0, 1 / 1024), normal(1 / 1024, 1 / 1024)])
    const far = probabilityBest([normal(1e6, 1 / 1024), normal(1e6 + 1 / 1024, 1 / 1024)])
    expect(Math.abs(near[0] - far[0])).toBeLessThan(1e-12)
    for (const mean of [0, 1, -1e9]) {
      const p = probabilityBest([normal(mean, 0), normal(mean, 0)])
      expect(Math.abs(p[0] - 0.5)).toBeLessThan(1e-12)
    }
  })

  it('refuses what is not a density', () => {
    const refused: Posterior[] = [
      normal(Number.NaN, 1),
      normal(Infinity, 1),
      normal(0, 1e308),
      beta(0, 1),
      beta(1e300, 1e300),
    ]
    for (const one of refused) {
      const other = one.family === 'normal' ? normal(0, 1) : beta(1, 1)
      for (const pair of [
        [one, other],
        [other, one],
      ]) {
        expect(() => probabilityBest(pair)).toThrow(RangeError)
      }
    }
    expect(() => probabilityBest([normal(0, 1), beta(1, 1)])).toThrow('different families')
    expect(() => probabilityBest([beta(1e-300, 1e-300), beta(1, 1)])).toThrow('too different')
  })

  it('gives an action that cannot win nothing', () => {
    expect([...probabilityBest([normal(0, 1), normal(100, 1)])]).toEqual([0, 1])
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
          probabilityBest(items.map(({ mean, logSd }) => normal(shift + scale * mean, scale * Math.exp(logSd))))
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

  it('agrees with a fine sum over closed-form cdfs, for spreads from 1e-6 to 1e6 and modes far apart', () => {
    const normals = fc.array(
      fc.record({
        logSd: fc.double({ min: -14, max: 14, noNaN: true }),
        place: fc.double({ min: -9, max: 9, noNaN: true }),
        of: fc.nat(5),
      }),
      { minLength: 2, maxLength: 6 },
    )
    fc.assert(
      fc.property(normals, list => {
        // Each mode within nine spreads of another's 0: or else nearly all would be certain.
        const posteriors = list.map(({ logSd, place, of }) =>
          normal(place * Math.exp(list[of % list.length].logSd), Math.exp(logSd)),
        )
        const p = probabilityBest(posteriors)
        for (let a = 0; a < p.length; a++) {
          expect(Math.abs(p[a] - fineSum(posteriors, a, edges(posteriors, a)))).toBeLessThan(1e-12)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('agrees with it for 200 actions', () => {
    const posteriors = Array.from({ length: 200 }, (_, a) => normal(0.3 * Math.sin(a), 1 + 0.15 * Math.cos(3 * a)))
    const p = probabilityBest(posteriors)
    const even = Array.from({ length: 81 }, (_, i) => i / 4 - 10)
    for (let a = 0; a < 200; a += 40) expect(Math.abs(p[a] - fineSum(posteriors, a, even))).toBeLessThan(1e-12)
  })

  it('of two betas is the finite sum, for a whole count', () => {
    const counts = fc.integer({ min: 1, max: 60 })
    const shape = fc.oneof(counts, fc.double({ min: 0.005, max: 1, noNaN: true }))
    const rarity = fc.constantFrom(1, 1000)
    fc.assert(
      fc.property(shape, counts, counts, counts, rarity, rarity, (a, other, c, d, rare, rarer) => {
        const [b, failures] = [rare * other, rarer * d]
        // Beta(c, failures) above Beta(a, b): terms by their ratios, the first of which is B(a, b + failures) / B(a, b).
        let log = 0
        for (let j = 0; j < failures; j++) log += Math.log1p(-a / (a + b + j))
        let term = Math.exp(log)
        let above = 0
        for (let i = 0; i < c; i++) {
          above += term
          term *= ((a + i) * (failures + i)) / ((a + i + b + failures) * (1 + i))
        }
        expect(Math.abs(probabilityBest([beta(a, b), beta(c, failures)])[1] - above)).toBeLessThan(1e-12)
      }),
    )
  })

  it('of rare successes among a million agrees with mpmath to 1e-13', () => {
    // At 30 digits: the cdfs by 6 Gauss-Legendre nodes on each of 600 panels, the integral by the trapezoid rule on their ends.
    const p = probabilityBest([beta(1000, 1e6), beta(1010, 997_000), beta(1020, 994_000)])
    const exact = [0.177924793688249, 0.311199071286029, 0.510876135025722]
    for (const [a, value] of exact.entries()) expect(Math.abs(p[a] - value)).toBeLessThan(1e-13)
    // Nothing of the wide one is left where the other lies.
    expect(probabilityBest([beta(2, 7382), beta(5, 2)])[0]).toBeLessThan(1e-14)
  })
})

interface Normal {
  readonly mean: number
  readonly sd: number
}

/** The places, from a's mode, that lie a whole number of spreads, up to nine, from some mode. */
function edges(normals: readonly Normal[], a: number): number[] {
  return normals
    .flatMap(({ mean, sd }) => Array.from({ length: 19 }, (_, i) => mean - normals[a].mean + (i - 9) * sd))
    .sort((one, other) => one - other)
}

/** ∫ f_a ∏_{b≠a} Φ_b by 16 nodes between neighbouring edges, on an axis whose 0 is a's mode, so that no digit of f_a is lost. */
function fineSum(normals: readonly Normal[], a: number, edges: readonly number[]): number {
  const { mean: origin, sd: own } = normals[a]
  let sum = 0
  for (let i = 1; i < edges.length; i++) {
    const half = (edges[i] - edges[i - 1]) / 2
    for (let j = 0; j < NODES; j++) {
      const z = edges[i - 1] + half * (node[j] + 1)
      if (Math.abs(z) > 10 * own) continue
      const others = normals.reduce(
        (p, { mean, sd }, b) => (b === a ? p : p * normalCdf((z - (mean - origin)) / sd)),
        1,
      )
      sum += half * weight[j] * (Math.exp((-0.5 * z * z) / (own * own)) / own) * others
    }
  }
  return sum / Math.sqrt(2 * Math.PI)
}
