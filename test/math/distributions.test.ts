import { describe, expect, it } from 'vitest'
import { betaDraw, exponential, gamma, normal, poisson, uniformInt } from '../../src/math/distributions.ts'
import { type Rng, stream } from '../../src/math/rng.ts'
import { incompleteBeta, normalCdf } from '../../src/math/special.ts'

const N = 200_000

interface Case {
  readonly name: string
  readonly draw: (rng: Rng) => number
  readonly mean: number
  readonly variance: number
  /** The fourth central moment, in units of the squared variance. */
  readonly kurtosis: number
}

const gammaCase = (shape: number): Case => ({
  name: `gamma(${shape})`,
  draw: rng => gamma(rng, shape),
  mean: shape,
  variance: shape,
  kurtosis: 3 + 6 / shape,
})
const poissonCase = (mean: number): Case => ({
  name: `poisson(${mean})`,
  draw: rng => poisson(rng, mean),
  mean,
  variance: mean,
  kurtosis: 3 + 1 / mean,
})
const cases: Case[] = [
  { name: 'normal', draw: normal, mean: 0, variance: 1, kurtosis: 3 },
  { name: 'exponential', draw: exponential, mean: 1, variance: 1, kurtosis: 9 },
  { name: 'uniformInt(6)', draw: rng => uniformInt(rng, 6), mean: 2.5, variance: 35 / 12, kurtosis: 1.73 },
  ...[0.2, 1, 3.7, 500].map(gammaCase),
  ...[0.5, 4, 10, 35, 4000].map(poissonCase),
]

describe('draws have the moments of their distribution', () => {
  it.each(cases)('$name', ({ name, draw, mean, variance, kurtosis }) => {
    const rng = stream(1, name)
    let sum = 0
    let squares = 0
    for (let i = 0; i < N; i++) {
      const deviation = draw(rng) - mean
      sum += deviation
      squares += deviation * deviation
    }
    // Five standard errors.
    expect(Math.abs(sum / N)).toBeLessThan(5 * Math.sqrt(variance / N))
    expect(Math.abs(squares / N - variance)).toBeLessThan(5 * variance * Math.sqrt((kurtosis - 1) / N))
  })
})

/** The largest distance between the empirical cdf of N draws and `cdf`; above 2 / √N about once in 1,500 seeds. */
function kolmogorovDistance(draw: (rng: Rng) => number, cdf: (x: number) => number, rng: Rng): number {
  const draws = Float64Array.from({ length: N }, () => draw(rng)).sort()
  return draws.reduce((worst, x, i) => Math.max(worst, Math.abs(cdf(x) - (i + 0.5) / N)), 0)
}

describe('draws follow their cdf', () => {
  it('normal', () => {
    expect(kolmogorovDistance(normal, normalCdf, stream(2))).toBeLessThan(2 / Math.sqrt(N))
  })

  it.each([
    [1, 1],
    [0.5, 0.5],
    [2, 5],
    [0.3, 4],
    [80, 900],
  ])('beta(%d, %d)', (a, b) => {
    const distance = kolmogorovDistance(
      rng => betaDraw(rng, a, b),
      x => incompleteBeta(x, a, b),
      stream(3, a, b),
    )
    expect(distance).toBeLessThan(2 / Math.sqrt(N))
  })

  it('poisson(12), cell by cell', () => {
    const rng = stream(4)
    const seen = new Float64Array(200)
    for (let i = 0; i < N; i++) seen[poisson(rng, 12)]++
    let p = Math.exp(-12)
    for (let k = 0; k < 40; k++) {
      expect(Math.abs(seen[k] - N * p)).toBeLessThan(5 * Math.sqrt(N * p) + 3)
      p *= 12 / (k + 1)
    }
  })

  it('the tail of the normal beyond the ziggurat, 3.44, is as heavy as it should be', () => {
    const rng = stream(5)
    const draws = 2_000_000
    let beyond = 0
    for (let i = 0; i < draws; i++) if (Math.abs(normal(rng)) > 3.6) beyond++
    const expected = draws * 2 * normalCdf(-3.6)
    expect(Math.abs(beyond - expected)).toBeLessThan(4 * Math.sqrt(expected))
  })

  it('beta with shapes far below 1 stays a number', () => {
    const rng = stream(6)
    for (let i = 0; i < 1000; i++) {
      const x = betaDraw(rng, 1e-3, 1e-3)
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x).toBeLessThanOrEqual(1)
    }
  })
})
