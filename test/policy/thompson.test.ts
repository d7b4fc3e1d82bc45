import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LearnerSpec } from '../../src/kinds.ts'
import { createExploration, createLearner } from '../../src/policy/algorithm.ts'
import type { Learner } from '../../src/policy/learner.ts'

const ACTIONS = Array.from({ length: 10 }, (_, a) => `a${a}`)
const NO_CONTEXT = new Float64Array(0)

const step = fc.oneof(
  fc.record({ learn: fc.nat(9), reward: fc.constantFrom(0, 1) }),
  fc.record({ ask: fc.constantFrom(1023, 1022, 7) }),
  fc.constant({ keep: true }),
  fc.constant({ restore: true }),
)

describe('the integrals that Thompson sampling remembers', () => {
  it.each<LearnerSpec>([{ type: 'beta', prior: { alpha: 1, beta: 1 } }, { type: 'mean' }])(
    'are those of the learner as it is now, after learning and restoring: %o',
    spec => {
      const explore = () =>
        createExploration({ learner: spec, exploration: { type: 'thompson', scale: 1 } }, ACTIONS).probabilities
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30 }), steps => {
          const learner = createLearner(spec, ACTIONS, 0)
          // Those of `mean` are improper before.
          for (let a = 0; a < ACTIONS.length; a++) learner.learn(a, NO_CONTEXT, a % 2)
          const probabilities = explore()
          let kept = learner.state()
          for (const next of steps) {
            if ('learn' in next) learner.learn(next.learn, NO_CONTEXT, next.reward)
            else if ('keep' in next) kept = learner.state()
            else if ('restore' in next) learner.restore(kept)
            else expect(ask(probabilities, learner, next.ask)).toEqual(ask(explore(), learner, next.ask))
          }
          for (const set of [1023, 7, 1023]) {
            expect(ask(probabilities, learner, set)).toEqual(ask(explore(), learner, set))
          }
        }),
      )
    },
  )

  it('are not those of other means with the same counts', () => {
    const algorithm = { learner: { type: 'mean' }, exploration: { type: 'thompson', scale: 1 } } as const
    const { probabilities } = createExploration(algorithm, ACTIONS)
    const learner = createLearner(algorithm.learner, ACTIONS, 0)
    const counts = ACTIONS.map(() => 5)
    learner.restore({ counts, sums: ACTIONS.map((_, a) => a) })
    const before = ask(probabilities, learner, 1023)
    learner.restore({ counts, sums: ACTIONS.map((_, a) => 9 - a) })
    const after = ask(probabilities, learner, 1023)
    for (const [a, p] of after.entries()) expect(p).toBeCloseTo(before[9 - a], 12)
  })

  it('are each of its own set, of however many sets', () => {
    const spec: LearnerSpec = { type: 'beta', prior: { alpha: 1, beta: 1 } }
    const learner = createLearner(spec, ACTIONS, 0)
    for (let t = 0; t < 100; t++) learner.learn(t % 10, NO_CONTEXT, t % 3 === 0 ? 1 : 0)
    const algorithm = { learner: spec, exploration: { type: 'thompson', scale: 1 } } as const
    const { probabilities } = createExploration(algorithm, ACTIONS)
    for (let round = 0; round < 2; round++) {
      for (let set = 1; set < 1024; set += 2) {
        const p = ask(probabilities, learner, set)
        expect(p).toEqual(ask(createExploration(algorithm, ACTIONS).probabilities, learner, set))
        expect(p.reduce((sum, v) => sum + v, 0)).toBeCloseTo(1, 12)
      }
    }
  })
})

type Probabilities = ReturnType<typeof createExploration>['probabilities']

/** With the actions eligible whose bits are set. */
function ask(probabilities: Probabilities, learner: Learner, set: number): Float64Array {
  const eligible = Int32Array.from(ACTIONS.keys()).filter(a => (set >> a) & 1)
  const out = new Float64Array(ACTIONS.length)
  learner.predict(NO_CONTEXT)
  probabilities(learner, eligible, eligible.length, out)
  return out
}
