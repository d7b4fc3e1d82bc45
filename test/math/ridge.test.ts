import { describe, expect, it } from 'vitest'
import { dot, packedSize, quadraticWeights, ridgeSolve, ridgeStart, ridgeUpdate } from '../../src/math/ridge.ts'
import { stream } from '../../src/math/rng.ts'

describe('ridge', () => {
  it('by hand: one feature, two rewards', () => {
    const inverse = new Float64Array(1)
    const theta = new Float64Array(1)
    ridgeStart(inverse, 0, 1, 2)
    ridgeUpdate(inverse, 0, theta, 0, 1, Float64Array.of(1), 3, new Float64Array(1))
    ridgeUpdate(inverse, 0, theta, 0, 1, Float64Array.of(2), 4, new Float64Array(1))
    // A = 2 + 1 + 4 = 7, b = 3 + 8 = 11
    expect(inverse[0]).toBeCloseTo(1 / 7, 15)
    expect(theta[0]).toBeCloseTo(11 / 7, 15)
  })

  it.each([1, 2, 5, 10, 23])('A⁻¹ times A is the identity, and A θ is b, with %i features', d => {
    const rng = stream(1, d)
    const size = packedSize(d)
    const at = 3
    const inverse = new Float64Array(at + size + 2).fill(7)
    const theta = new Float64Array(d)
    const A = Array.from({ length: d }, (_, i) => Float64Array.from({ length: d }, (_, j) => (i === j ? 0.5 : 0)))
    const b = new Float64Array(d)
    ridgeStart(inverse, at, d, 0.5)
    for (let t = 0; t < 200; t++) {
      const x = Float64Array.from({ length: d }, () => rng.uniform() - 0.3)
      const y = rng.uniform()
      ridgeUpdate(inverse, at, theta, 0, d, x, y, new Float64Array(d))
      for (let i = 0; i < d; i++) {
        b[i] += y * x[i]
        for (let j = 0; j < d; j++) A[i][j] += x[i] * x[j]
      }
    }
    const entry = (i: number, j: number) => inverse[at + packedSize(Math.max(i, j)) + Math.min(i, j)]
    for (let i = 0; i < d; i++) {
      expect(A[i].reduce((sum, a, j) => sum + a * theta[j], 0)).toBeCloseTo(b[i], 10)
      for (let j = 0; j < d; j++) {
        const product = A[i].reduce((sum, a, k) => sum + a * entry(k, j), 0)
        expect(product).toBeCloseTo(i === j ? 1 : 0, 11)
      }
    }
    expect([...inverse.subarray(0, at), ...inverse.subarray(at + size)]).toEqual([7, 7, 7, 7, 7])

    const x = Float64Array.from({ length: d }, () => rng.uniform())
    const weights = new Float64Array(size)
    quadraticWeights(x, d, weights)
    const direct = A.reduce((sum, _, i) => sum + x.reduce((s, v, j) => s + x[i] * v * entry(i, j), 0), 0)
    expect(dot(weights, inverse, at, size)).toBeCloseTo(direct, 13)
  })

  it('solves at once, by hand: two features, three rewards', () => {
    // A = [[5, 2], [2, 4]] from l2 = 1, x = (2, 1), (0, 1), (0, 1); b = (2 · 3, 3 + 1 + 2).
    const a = Float64Array.of(5, 2, 4)
    const theta = Float64Array.of(9, 6, 6, 9)
    const inverse = new Float64Array(5).fill(9)
    ridgeSolve(a, theta, 1, inverse, 1, 2)
    const expected = [9, 4 / 16, -2 / 16, 5 / 16, 9]
    for (const [i, value] of expected.entries()) expect(inverse[i]).toBeCloseTo(value, 15)
    expect([...theta]).toEqual([9, expect.closeTo(12 / 16, 14), expect.closeTo(18 / 16, 14), 9])
    const singular = Float64Array.of(1, 1, 1 - 1e-9)
    ridgeSolve(singular, theta, 0, inverse, 0, 2)
    expect(theta[1]).toBeNaN()
  })
})
