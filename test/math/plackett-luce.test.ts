import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { luceMarginals } from '../../src/math/plackett-luce.ts'
import { goldenJson } from '../golden/read.ts'

interface Golden {
  readonly cases: readonly {
    readonly weights: readonly number[]
    readonly slots: number
    readonly marginals: readonly (readonly number[])[]
  }[]
}

/** By the definition: every prefix, an action at a time. */
function enumerated(weights: readonly number[], slots: number): Float64Array {
  const k = weights.length
  const out = new Float64Array(slots * k)
  const stands = new Set<number>()
  function visit(slot: number, probability: number): void {
    if (slot === slots) return
    const left = weights.map((_, a) => a).filter(a => !stands.has(a))
    const total = left.reduce((sum, a) => sum + weights[a], 0)
    for (const a of left) {
      const p = (probability * weights[a]) / total
      out[slot * k + a] += p
      stands.add(a)
      visit(slot + 1, p)
      stands.delete(a)
    }
  }
  visit(0, 1)
  return out
}

const row = (marginals: Float64Array, k: number, slot: number) => [...marginals.subarray(slot * k, (slot + 1) * k)]
const column = (marginals: Float64Array, k: number, action: number) =>
  [...marginals].filter((_, at) => at % k === action)
const sum = (values: readonly number[]) => values.reduce((total, x) => total + x, 0)
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])))

/** Weights over many orders of magnitude. */
const weightsOf = (most: number, spread: number) =>
  fc
    .array(fc.double({ min: -spread, max: spread, noNaN: true }), { minLength: 1, maxLength: most })
    .map(logs => logs.map(Math.exp))

describe('luceMarginals', () => {
  it('are those of the enumeration of all prefixes, in NumPy', () => {
    const { cases } = goldenJson<Golden>('rankings/plackett-luce-marginals.json')
    expect(cases).toHaveLength(4)
    for (const { weights, slots, marginals } of cases) {
      expect(farthest(luceMarginals(weights, slots), marginals.flat())).toBeLessThan(1e-12)
    }
  })

  it('are those of the enumeration of all prefixes, whatever the weights', () => {
    fc.assert(
      fc.property(weightsOf(7, 12), fc.integer({ min: 1, max: 7 }), (weights, most) => {
        const slots = Math.min(most, weights.length)
        expect(farthest(luceMarginals(weights, slots), enumerated(weights, slots))).toBeLessThan(1e-12)
      }),
      { numRuns: 60 },
    )
  })

  it('share each slot, and no action among more than one slot; the first slot in proportion to the weights', () => {
    fc.assert(
      fc.property(weightsOf(40, 30), fc.integer({ min: 1, max: 12 }), (weights, slots) => {
        const k = weights.length
        const marginals = luceMarginals(weights, slots)
        expect(marginals).toHaveLength(Math.min(k, slots) * k)
        for (let slot = 0; slot < Math.min(k, slots); slot++) {
          expect(Math.abs(sum(row(marginals, k, slot)) - 1)).toBeLessThan(1e-12)
        }
        for (let a = 0; a < k; a++) expect(sum(column(marginals, k, a))).toBeLessThan(1 + 1e-12)
        const total = sum(weights)
        expect(
          farthest(
            row(marginals, k, 0),
            weights.map(w => w / total),
          ),
        ).toBeLessThan(1e-12)
        expect(Math.min(...marginals)).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 60 },
    )
  })

  it('of a ranking of all actions place every action once', () => {
    fc.assert(
      fc.property(weightsOf(15, 40), weights => {
        const k = weights.length
        const marginals = luceMarginals(weights, k)
        for (let a = 0; a < k; a++) expect(Math.abs(sum(column(marginals, k, a)) - 1)).toBeLessThan(1e-11)
      }),
      { numRuns: 40 },
    )
  })

  it('go with their actions, and know no scale', () => {
    fc.assert(
      fc.property(
        weightsOf(20, 8).chain(weights =>
          fc.tuple(
            fc.constant(weights),
            fc.shuffledSubarray([...weights.keys()], { minLength: weights.length }),
            fc.constantFrom(1e-200, 1e-3, 7, 1e200),
          ),
        ),
        ([weights, order, scale]) => {
          const k = weights.length
          const slots = Math.min(5, k)
          const marginals = luceMarginals(weights, slots)
          const moved = luceMarginals(
            order.map(a => scale * weights[a]),
            slots,
          )
          for (let slot = 0; slot < slots; slot++) {
            const own = row(marginals, k, slot)
            expect(
              farthest(
                row(moved, k, slot),
                order.map(a => own[a]),
              ),
            ).toBeLessThan(1e-12)
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  it('of equal weights are even, however many', () => {
    for (const [k, slots] of [
      [1, 1],
      [50, 10],
      [200, 12],
      [30, 30],
    ]) {
      const marginals = luceMarginals(new Float64Array(k).fill(3), slots)
      for (const p of marginals) expect(Math.abs(p - 1 / k)).toBeLessThan(1e-12)
    }
  })

  it('put actions of weight 0 last, in any order', () => {
    const marginals = luceMarginals([0, 2, 0, 1], 4)
    expect(farthest(marginals, [0, 2 / 3, 0, 1 / 3, 0, 1 / 3, 0, 2 / 3, 0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0])).toBeLessThan(
      1e-14,
    )
  })

  it('refuse what are no weights', () => {
    for (const weights of [[], [0, 0], [1, Number.NaN], [Infinity, 1]]) {
      expect(() => luceMarginals(weights, 1)).toThrow(RangeError)
    }
  })
})
