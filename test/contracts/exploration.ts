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
        exploration.probabilities(learner, eligible, list.length, p)

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
          for (let a = 0; a < ACTIONS; a++) {
            const deviation = Math.sqrt(DRAWS * p[a] * (1 - p[a]))
            // Five deviations; one more draw for probabilities that round to 0 or 1.
            expect(Math.abs(seen[a] - DRAWS * p[a])).toBeLessThanOrEqual(5 * deviation + 1)
          }
        })
      })

      it('has the same probabilities when asked again', () => {
        const eligible = Int32Array.of(0, 1, 2, 3)
        const [one, other] = [new Float64Array(ACTIONS), new Float64Array(ACTIONS)]
        exploration.probabilities(learner, eligible, ACTIONS, one)
        exploration.probabilities(learner, eligible, ACTIONS, other)
        expect(one).toEqual(other)
      })
    })
  })
}
