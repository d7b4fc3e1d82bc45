import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import type { Exploration } from '../../src/policy/exploration.ts'
import type { Learner } from '../../src/policy/learner.ts'
import { ACTIONS, CONTEXT, train, writeContext } from './learner.ts'

export interface ExplorationSubject {
  createLearner(): Learner
  /** Over ACTIONS actions. */
  createExploration(): Exploration
  /** Does it leave nothing to chance but ties? */
  readonly deterministic: boolean
}

const DRAWS = 50_000
const SEEDS = 1000
const ELIGIBLE = { all: [0, 1, 2, 3], some: [1, 2], 'some with an untried one': [0, 3], one: [2] }

/** What every exploration must do, over the learner given. */
export function explorationContract(
  name: string,
  { createLearner, createExploration, deterministic }: ExplorationSubject,
): void {
  describe(`${name} is an exploration`, () => {
    // The last action is never tried by `train`.
    describe.each([0, 1, 6, 40])('after %i rounds', rounds => {
      const learner = createLearner()
      train(learner, rounds, stream(rounds, name))
      const x = new Float64Array(CONTEXT)
      writeContext(x, stream(21))
      learner.predict(x)
      const exploration = createExploration()

      describe.each(Object.entries(ELIGIBLE))('with %s eligible', (_, list) => {
        const eligible = Int32Array.from([...list, 0, 0, 0, 0].slice(0, ACTIONS))
        const p = new Float64Array(ACTIONS).fill(Number.NaN)
        exploration.probabilities(learner, eligible, list.length, p, stream(23, name))

        it('has probabilities that sum to 1 and are 0 off the eligible set', () => {
          expect(p.reduce((sum, v) => sum + v, 0)).toBeCloseTo(1, 12)
          for (const [action, probability] of p.entries()) {
            expect(probability).toBeGreaterThanOrEqual(0)
            if (!list.includes(action)) expect(probability).toBe(0)
          }
        })

        it('chooses evenly among ties and nothing else, if it is deterministic', () => {
          const chances = p.filter(probability => probability > 0)
          if (deterministic) expect(chances.every(probability => probability === chances[0])).toBe(true)
        })

        it('samples actions as often as its probabilities say', () => {
          const rng = stream(22, name, rounds)
          const seen = new Float64Array(ACTIONS)
          for (let i = 0; i < DRAWS; i++) seen[exploration.sample(learner, eligible, list.length, rng)]++
          const { mean, error } = overSeeds(exploration, learner, eligible, list.length)
          for (let a = 0; a < ACTIONS; a++) {
            // What is rare may be in none of the seeds, whose mean and error are then 0.
            const p = exploration.seeded ? (mean[a] + seen[a] / DRAWS) / 2 : mean[a]
            const deviation = Math.sqrt(DRAWS * p * (1 - p) + DRAWS * error[a] * DRAWS * error[a])
            // Five deviations; one more draw for probabilities that round to 0 or 1.
            expect(Math.abs(seen[a] - DRAWS * mean[a])).toBeLessThanOrEqual(5 * deviation + 1)
          }
        })
      })

      it('has the same probabilities when asked again, by the same seed where they are seeded', () => {
        const eligible = Int32Array.of(0, 1, 2, 3)
        const [one, other] = [new Float64Array(ACTIONS), new Float64Array(ACTIONS)]
        exploration.probabilities(learner, eligible, ACTIONS, one, stream(24, name))
        exploration.probabilities(learner, eligible, ACTIONS, other, stream(24, name))
        expect(one).toEqual(other)
        const unseeded = () => exploration.probabilities(learner, eligible, ACTIONS, other)
        if (exploration.seeded) expect(unseeded).toThrow(RangeError)
        else {
          unseeded()
          expect(one).toEqual(other)
        }
      })
    })
  })
}

/** The mean of the probabilities over seeds, and its standard error; where there is no seed, the probabilities, and 0. */
function overSeeds(exploration: Exploration, learner: Learner, eligible: Int32Array, count: number) {
  const seeds = exploration.seeded ? SEEDS : 1
  const p = new Float64Array(ACTIONS)
  const sum = new Float64Array(ACTIONS)
  const squares = new Float64Array(ACTIONS)
  for (let s = 0; s < seeds; s++) {
    exploration.probabilities(learner, eligible, count, p, stream(s, 'seeds'))
    for (let a = 0; a < ACTIONS; a++) {
      sum[a] += p[a]
      squares[a] += p[a] * p[a]
    }
  }
  const mean = sum.map(total => total / seeds)
  return { mean, error: mean.map((m, a) => Math.sqrt(Math.max(0, squares[a] / seeds - m * m) / seeds)) }
}
