import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import { createAlgorithm } from '../../src/policy/algorithm.ts'
import { klUcb, klUcbIndex } from '../../src/policy/explorations/kl-ucb.ts'
import { meanLearner } from '../../src/policy/learners/mean.ts'

/** kl(p, q) of Bernoulli distributions, for q > p. */
function kl(p: number, q: number): number {
  const off = q - p
  return -(p < 1e-300 ? 0 : p * Math.log1p(off / p)) - (1 - p) * Math.log1p(-off / (1 - p))
}

const mean = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1e-300, 1e-9, 0.5, 1 - 1e-9, 1))
const distance = fc.oneof(
  fc.double({ min: 0, max: 50, noNaN: true }),
  fc.double({ min: 0, max: 1e-6, noNaN: true }),
  fc.constantFrom(0, 1e-12, 700),
)

describe('the index of KL-UCB', () => {
  it('is where kl reaches d, or 1', () => {
    fc.assert(
      fc.property(mean, distance, (p, d) => {
        const q = klUcbIndex(p, d)
        expect(q).toBeGreaterThanOrEqual(p)
        expect(q).toBeLessThanOrEqual(1)
        // Bisection: kl ascends.
        let [low, high] = [p, 1]
        for (let i = 0; i < 200; i++) {
          const middle = (low + high) / 2
          if (kl(p, middle) > d) high = middle
          else low = middle
        }
        expect(Math.abs(q - low)).toBeLessThan(1e-12)
      }),
      { numRuns: 3000 },
    )
  })

  it('is +∞ of an untried action, and a mean alone before there is a second pull', () => {
    expect(klUcbIndex(Infinity, Number.NaN)).toBe(Infinity)
    expect(klUcbIndex(0.25, 0)).toBe(0.25)
  })
})

describe('KL-UCB', () => {
  it('samples one of the greatest indices in every state, whatever it computed before', () => {
    const [k, eligible] = [6, Int32Array.of(5, 1, 4, 0, 2, 3)]
    const probabilities = new Float64Array(k)
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2, max: 6 }), (seed, count) => {
        const learner = meanLearner(k)
        const rng = stream(seed, 'kl-ucb')
        const [sampling, fresh] = [klUcb('random', k), klUcb('random', k)]
        for (let t = 0; t < 400; t++) {
          const action = sampling.sample(learner, eligible, count, rng)
          fresh.probabilities(learner, eligible, count, probabilities)
          expect(probabilities[action]).toBeGreaterThan(0)
          // Now and then it learns of another action, and all of it is forgotten once.
          const learnt = rng.uniform() < 0.2 ? Math.floor(rng.uniform() * k) : action
          learner.learn(learnt, new Float64Array(0), rng.uniform() < 0.1 * learnt + 0.1 ? 1 : 0)
          if (t === 200) learner.restore(meanLearner(k).state())
        }
      }),
      { numRuns: 50 },
    )
  })

  it('learns no reward that it could not do with', () => {
    const spec = { learner: { type: 'mean' }, exploration: { type: 'kl-ucb', ties: 'random' } } as const
    const { learner } = createAlgorithm(spec, ['a', 'b'], 0)
    for (const reward of [-0.1, 1.1, Number.NaN]) {
      expect(() => learner.learn(0, new Float64Array(0), reward)).toThrow(/kl-ucb: the reward .* is not in \[0, 1\]/)
    }
    learner.learn(0, new Float64Array(0), 1)
    expect(learner.count).toBe(1)
  })
})
