import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { squarecb } from '../../src/policy/explorations/squarecb.ts'
import type { Learner } from '../../src/policy/learner.ts'

/** The probabilities over values after so many rewards, by position among the eligible. */
function probabilities(
  values: readonly number[],
  rewards: number,
  { scale = 10, exponent = 0.5, ties = 'random' as 'random' | 'first', eligible = values.map((_, i) => i) } = {},
): number[] {
  const out = new Float64Array(values.length)
  const learner = { value: Float64Array.from(values), count: rewards } as unknown as Learner
  squarecb({ scale, exponent }, ties, values.length).probabilities(
    learner,
    Int32Array.from(eligible),
    eligible.length,
    out,
  )
  return [...out]
}

describe('SquareCB', () => {
  it('weighs by inverse gaps, as worked out by hand', () => {
    // γ = 10 · √4 = 20; gaps .1 and .4 of k = 3: 1/(3 + 2), 1/(3 + 8), and the rest.
    const [best, near, far] = probabilities([0.5, 0.4, 0.1], 4)
    expect(near).toBeCloseTo(1 / 5, 12)
    expect(far).toBeCloseTo(1 / 11, 12)
    expect(best).toBeCloseTo(1 - 1 / 5 - 1 / 11, 12)
    // The constant γ, and the one that grows with t itself.
    expect(probabilities([0.5, 0.4], 100, { exponent: 0 })[1]).toBeCloseTo(1 / (2 + 1), 12)
    expect(probabilities([0.5, 0.4], 100, { exponent: 1 })[1]).toBeCloseTo(1 / (2 + 100), 12)
  })

  it('is uniform before the first reward, and over the untried while there are any', () => {
    expect(probabilities([0.5, 0.2, 0.1, 0], 0)).toEqual([0.25, 0.25, 0.25, 0.25])
    expect(probabilities([0.9, Infinity, Infinity, 0], 7)).toEqual([0, 0.5, 0.5, 0])
  })

  it('gives the best what the others leave, shared by those who equal it unless the first takes all', () => {
    const shared = probabilities([0.3, 0.3, 0.1], 25)
    expect(shared[0]).toBe(shared[1])
    expect(shared[2]).toBeCloseTo(1 / (3 + 50 * 0.2), 12)
    expect(probabilities([0.3, 0.3, 0.1], 25, { ties: 'first' })[1]).toBe(0)
  })

  it('keeps to what the paper promises: no action is rarer than 1/(k + γ), the best is the likeliest, smaller gaps are likelier', () => {
    const value = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), fc.nat(1_000_000), (values, rewards) => {
        const p = probabilities(values, rewards)
        const k = values.length
        const gamma = 10 * Math.sqrt(rewards)
        expect(p.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 12)
        const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b])
        for (const [i, action] of order.entries()) {
          expect(p[action]).toBeGreaterThanOrEqual((1 / (k + gamma)) * (1 - 1e-9))
          if (i > 0) expect(p[action]).toBeGreaterThanOrEqual(p[order[i - 1]] * (1 - 1e-9))
        }
        // The regret of the draw is at most k/γ on the estimates themselves (lemma 3 of the paper, with f = f̂).
        const best = Math.max(...values)
        const regret = values.reduce((sum, v, i) => sum + p[i] * (best - v), 0)
        if (gamma > 0) expect(regret).toBeLessThanOrEqual(k / gamma + 1e-12)
      }),
      { numRuns: 2000 },
    )
  })

  it('looks at the eligible alone', () => {
    expect(probabilities([0.9, 0.4, 0.1], 4, { eligible: [2, 1] })).toEqual([
      0,
      expect.closeTo(1 - 1 / (2 + 20 * 0.3), 12),
      expect.closeTo(1 / (2 + 20 * 0.3), 12),
    ])
  })
})
