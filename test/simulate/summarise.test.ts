import { describe, expect, it } from 'vitest'
import { normal } from '../../src/math/distributions.ts'
import { stream } from '../../src/math/rng.ts'
import { measure, measureDifference, quantile } from '../../src/simulate/summarise.ts'

describe('measure', () => {
  it('gives the mean, the Student-t interval and the quantiles of three numbers, by hand', () => {
    // s = 3, t₀.₉₇₅,₂ = 4.302652729696142, half = t · 3 / √3
    const { mean, lower, upper, q05, q50, q95 } = measure(Float64Array.of(8, 2, 5), 0.95)
    expect(mean).toBe(5)
    expect(upper - mean).toBeCloseTo(7.452413135250995, 9)
    expect(mean - lower).toBeCloseTo(7.452413135250995, 9)
    expect([q05, q50, q95]).toEqual([expect.closeTo(2.3, 12), 5, expect.closeTo(7.7, 12)])
  })

  it('has an interval of no width for equal numbers', () => {
    const equal = { mean: 0.1, lower: 0.1, upper: 0.1, q05: 0.1, q50: 0.1, q95: 0.1 }
    expect(measure(Float64Array.of(0.1, 0.1, 0.1, 0.1), 0.9)).toEqual(equal)
  })

  it('refuses one replication, of which no interval is known', () => {
    expect(() => measure(Float64Array.of(1), 0.95)).toThrow(RangeError)
  })

  it.each([0.5, 0.9, 0.95])('covers the true mean as often as its level %d says (4,000 seeded samples of 8)', level => {
    const rng = stream(99, 'coverage', level)
    const samples = 4000
    let covered = 0
    for (let i = 0; i < samples; i++) {
      const { lower, upper } = measure(
        Float64Array.from({ length: 8 }, () => 3 + 2 * normal(rng)),
        level,
      )
      if (lower <= 3 && 3 <= upper) covered++
    }
    const error = Math.sqrt((level * (1 - level)) / samples)
    expect(Math.abs(covered / samples - level)).toBeLessThan(4 * error)
  })
})

describe('measureDifference', () => {
  it('pairs by replication: what both have in common widens nothing', () => {
    const { mean, lower, upper } = measureDifference(
      Float64Array.of(11, 102, 1003),
      Float64Array.of(10, 101, 1002),
      0.95,
    )
    expect([mean, lower, upper]).toEqual([1, 1, 1])
  })
})

describe('quantile', () => {
  it('interpolates between the two nearest, as type 7 does', () => {
    const sorted = Float64Array.of(1, 2, 4, 8)
    expect([0, 0.25, 0.5, 0.9, 1].map(p => quantile(sorted, p))).toEqual([1, 1.75, 3, expect.closeTo(6.8, 12), 8])
  })
})
