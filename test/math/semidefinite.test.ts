import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { solveSemidefinite } from '../../src/math/semidefinite.ts'

const number = fc.integer({ min: -8, max: 8 }).map(x => x / 4)

/** G of n rows and fewer columns than that, and coefficients: A = G Gᵀ has the range of G. */
const system = fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })).chain(([n, rank]) =>
  fc.record({
    n: fc.constant(n),
    rank: fc.constant(rank),
    factor: fc.array(number, { minLength: n * rank, maxLength: n * rank }),
    b: fc.array(number, { minLength: rank, maxLength: rank }),
    other: fc.array(number, { minLength: rank, maxLength: rank }),
  }),
)

function gram(factor: readonly number[], n: number, rank: number): Float64Array {
  const a = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < rank; k++) a[i * n + j] += factor[i * rank + k] * factor[j * rank + k]
    }
  }
  return a
}

const times = (factor: readonly number[], n: number, rank: number, c: readonly number[]) =>
  Float64Array.from({ length: n }, (_, i) => c.reduce((sum, x, k) => sum + x * factor[i * rank + k], 0))
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)

describe('solveSemidefinite', () => {
  it('solves whatever is in the range, of any rank, and its products with the range are the only ones', () => {
    fc.assert(
      fc.property(system, ({ n, rank, factor, b, other }) => {
        const a = gram(factor, n, rank)
        const right = times(factor, n, rank, b)
        const x = solveSemidefinite(a, right)
        if (x === undefined) throw new Error('it is in the range')
        for (let i = 0; i < n; i++) expect(dot(a.subarray(i * n, (i + 1) * n), x)).toBeCloseTo(right[i], 6)
        // Turned round, the rows are met in another order, and another solution is found.
        const flip = (v: Float64Array) => v.slice().reverse()
        const y = solveSemidefinite(a.slice().reverse(), flip(right))
        if (y === undefined) throw new Error('it is in the range')
        const within = times(factor, n, rank, other)
        expect(dot(flip(y), within)).toBeCloseTo(dot(x, within), 5)
      }),
    )
  })

  it('has no answer outside of the range', () => {
    expect(solveSemidefinite(Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 0))).toBeUndefined()
    expect(solveSemidefinite(new Float64Array(4), Float64Array.of(1, 0))).toBeUndefined()
    expect([...(solveSemidefinite(new Float64Array(4), new Float64Array(2)) ?? [])]).toEqual([0, 0])
  })
})
