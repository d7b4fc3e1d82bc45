import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec, ExplorationSpec, LearnerSpec } from '../../src/kinds.ts'
import { normal } from '../../src/math/distributions.ts'
import { stream } from '../../src/math/rng.ts'
import { createExploration, createLearner, explorationOf, LEARNERS } from '../../src/policy/algorithm.ts'
import { pick } from '../../src/policy/explorations/pick.ts'
import type { Learner } from '../../src/policy/learner.ts'
import { explorationContract } from '../contracts/exploration.ts'
import { ACTIONS, DIMENSION, learnerContract, OWN } from '../contracts/learner.ts'
import { algorithmSamples, learnerSamples } from '../support/definitions.ts'

const actions = Array.from({ length: ACTIONS }, (_, i) => `a${i}`)

for (const definition of LEARNERS) {
  for (const spec of learnerSamples(definition, actions)) {
    learnerContract(JSON.stringify(spec), {
      create: () => createLearner(spec, actions, DIMENSION, ACTIONS, { own: OWN }),
      definition,
    })
  }
}

/** Whether a learner forgets is seen by whoever merges what it has learnt, and not by what explores: \`create\` is the same. */
const forgets = (learner: LearnerSpec) => 'discount' in learner || 'window' in learner

for (const algorithm of algorithmSamples(actions).filter(({ learner }) => !forgets(learner))) {
  explorationContract(`${JSON.stringify(algorithm.exploration ?? {})} over ${JSON.stringify(algorithm.learner)}`, {
    createLearner: () => createLearner(algorithm.learner, actions, DIMENSION, ACTIONS, { own: OWN }),
    createExploration: () => createExploration(algorithm, actions),
    deterministic: isDeterministic(algorithm),
  })
}

/** What explores over the mean, in every way that files may say it. */
const explorations = algorithmSamples(actions).flatMap(({ learner, exploration }) =>
  learner.type === 'mean' && exploration !== undefined ? [exploration] : [],
)

function isDeterministic({ exploration }: AlgorithmSpec): boolean {
  return exploration !== undefined && explorationOf(exploration).deterministic?.(exploration) !== undefined
}

/** The probabilities over all actions, by action. */
function probabilities(algorithm: AlgorithmSpec, learner: Learner, eligible = [0, 1, 2, 3]): number[] {
  const out = new Float64Array(ACTIONS)
  createExploration(algorithm, actions).probabilities(
    learner,
    Int32Array.from(eligible),
    eligible.length,
    out,
    stream(6),
  )
  return [...out]
}

function taught(spec: LearnerSpec, ...rewards: readonly (readonly [action: number, reward: number])[]): Learner {
  const learner = createLearner(spec, actions, DIMENSION, ACTIONS, { own: OWN })
  const x = Float64Array.of(1, 0, 0)
  for (const [action, reward] of rewards) learner.learn(action, x, reward)
  learner.predict(x)
  return learner
}

describe('a learner that forgets', () => {
  const specs = LEARNERS.flatMap(definition => learnerSamples(definition, actions)).filter(forgets)

  it.each(specs)('learns at once as one that does not: %o', spec => {
    const { discount: _, window: __, ...plain } = spec as LearnerSpec & { discount?: unknown; window?: unknown }
    const rewards = Array.from({ length: 20 }, (_, i) => [(7 * i) % 3, i % 2] as const)
    const [one, other] = [spec, plain as LearnerSpec].map(each => taught(each, ...rewards))
    expect(one.state()).toEqual(other.state())
    expect([one.value, one.width, one.counts]).toEqual([other.value, other.width, other.counts])
    const draws = (learner: Learner) => actions.map((_, a) => learner.draw(a, 1, stream(a)))
    expect(draws(one)).toEqual(draws(other))
  })
})

describe('conventions', () => {
  it('a mean is S/n: 49 successes in 49 are exactly 1', () => {
    const rewards = Array.from({ length: 49 }, () => [0, 1] as const)
    expect(taught({ type: 'mean' }, ...rewards).value[0]).toBe(1)
  })

  it.each(explorations)('untried actions of the learner mean come first, whatever explores: %o', exploration => {
    const learner: LearnerSpec = { type: 'mean' }
    const p = probabilities({ learner, exploration }, taught(learner, [0, 1], [2, 0]))
    const first = 'ties' in exploration && exploration.ties === 'first'
    expect(p).toEqual(first ? [0, 1, 0, 0] : [0, 0.5, 0, 0.5])
  })

  it('ε-greedy draws no ε while an action is untried', () => {
    const learner: LearnerSpec = { type: 'mean' }
    const algorithm: AlgorithmSpec = { learner, exploration: { type: 'epsilon-greedy', epsilon: 1, ties: 'first' } }
    const forbidden = () => {
      throw new Error('a number was drawn')
    }
    const rng = { uniform: forbidden, uint32: forbidden }
    const eligible = Int32Array.of(0, 1, 2, 3)
    expect(createExploration(algorithm, actions).sample(taught(learner, [0, 1]), eligible, 4, rng)).toBe(1)
  })

  it('A⁻¹ starts at I/λ: an untried linear action has width √(1/10) at a unit context with l2 = 10', () => {
    const learner = taught({ type: 'linear', l2: 10, intercept: true })
    expect(learner.width[0]).toBeCloseTo(Math.sqrt(0.1), 15)
    expect(learner.value[0]).toBe(0)
  })

  it('the posterior sd of Beta(3, 2) is 1/5', () => {
    const learner = taught({ type: 'beta', prior: { alpha: 1, beta: 1 } }, [0, 1], [0, 1], [0, 0])
    expect(learner.value[0]).toBeCloseTo(0.6, 15)
    expect(learner.width[0]).toBeCloseTo(0.2, 15)
  })

  it.each<LearnerSpec>([{ type: 'mean' }, { type: 'linear', l2: 2, intercept: true }])(
    'a draw is the value and the next normal number times scale and width: %o',
    learner => {
      const state = taught(learner, [0, 1], [0, 0.25])
      const next = normal(stream(5))
      expect(next).not.toBe(0)
      expect(state.draw(0, 3, stream(5))).toBeCloseTo(state.value[0] + 3 * state.width[0] * next, 12)
    },
  )

  it('fixed probabilities are renormalised over the eligible, and uniform where all of those are zero', () => {
    const learner: LearnerSpec = { type: 'fixed', probabilities: { a0: 0.5, a1: 0.3, a2: 0.2 } }
    expect(probabilities({ learner }, taught(learner), [1, 2])).toEqual([0, 0.6, 0.4, 0])
    expect(probabilities({ learner }, taught(learner), [3])).toEqual([0, 0, 0, 1])
  })

  it('softmax by hand: values 1 and 0 at temperature 1', () => {
    const learner: LearnerSpec = { type: 'mean' }
    const p = probabilities(
      { learner, exploration: { type: 'softmax', temperature: 1 } },
      taught(learner, [0, 1], [1, 0]),
      [0, 1],
    )
    expect(p[0]).toBeCloseTo(Math.E / (1 + Math.E), 15)
  })

  it('a u between two parts picks the second, and one beyond all parts the last that there is', () => {
    const eligible = Int32Array.of(3, 0, 2, 1)
    const at = (u: number, sum: number) => pick(Float64Array.of(1, 0, 1, 0), sum, eligible, 4, u)
    expect([0, 0.4, 0.5, 0.9].map(u => at(u, 2))).toEqual([0, 0, 2, 2])
    expect(at(0.9, 4)).toBe(2)
  })

  it('ucb has the factor 2 over means, where nothing else is said', () => {
    const learner: LearnerSpec = { type: 'mean' }
    const tenOnes = Array.from({ length: 10 }, () => [0, 1] as const)
    const state = taught(learner, ...tenOnes, [1, -0.6])
    const p = (factor?: number) =>
      probabilities({ learner, exploration: { type: 'ucb', ties: 'first', factor } }, state, [0, 1])
    // t = 11: 1 + √(2 ln t / 10) = 1.69 and −0.6 + √(2 ln t) = 1.59; with 3 in place of 2 they are 1.85 and 2.08.
    expect(p()).toEqual([1, 0, 0, 0])
    expect(p(3)).toEqual([0, 1, 0, 0])
  })

  it('ucb has the alpha 1 over linear values, where nothing else is said', () => {
    const learner: LearnerSpec = { type: 'linear', l2: 1, intercept: true }
    const p = (reward: number, alpha?: number) =>
      probabilities(
        { learner, exploration: { type: 'ucb', ties: 'first', alpha } },
        taught(learner, [0, reward]),
        [0, 1],
      )
    // The first has the value reward / 2 and the width √½, the second 0 and 1.
    expect(p(1)).toEqual([1, 0, 0, 0])
    expect(p(1, 2)).toEqual([0, 1, 0, 0])
    expect(p(0.25)).toEqual([0, 1, 0, 0])
    expect(p(0.25, 0)).toEqual([1, 0, 0, 0])
  })

  it('linear Thompson over a context of zeros is uniform', () => {
    const learner = createLearner({ type: 'linear', l2: 1, intercept: false }, actions, DIMENSION)
    learner.learn(0, Float64Array.of(1, 2, 3), 1)
    learner.predict(new Float64Array(DIMENSION))
    const algorithm: AlgorithmSpec = {
      learner: { type: 'linear', l2: 1, intercept: false },
      exploration: { type: 'thompson', scale: 1 },
    }
    for (const p of probabilities(algorithm, learner)) expect(p).toBeCloseTo(0.25, 12)
  })

  it('beta refuses a reward outside [0, 1]', () => {
    const learner = createLearner({ type: 'beta', prior: { alpha: 1, beta: 1 } }, actions, 0)
    for (const reward of [-0.1, 1.1, Number.NaN]) {
      expect(() => learner.learn(0, new Float64Array(0), reward)).toThrow(RangeError)
    }
  })

  it('parameters that are not above 0 are refused', () => {
    const wrong: LearnerSpec[] = [
      { type: 'beta', prior: { alpha: 0, beta: 1 } },
      { type: 'beta', prior: { alpha: 1, beta: 0 } },
      { type: 'linear', l2: 0, intercept: true },
      { type: 'hybrid', l2: 0, intercept: true },
    ]
    for (const learner of wrong)
      expect(() => createLearner(learner, actions, 2, ACTIONS, { own: 1 })).toThrow(RangeError)
    const exploration: ExplorationSpec = { type: 'softmax', temperature: 0 }
    expect(() => createExploration({ learner: { type: 'mean' }, exploration }, actions)).toThrow(RangeError)
  })

  it('a pair that makes no sense is refused', () => {
    const beta: LearnerSpec = { type: 'beta', prior: { alpha: 1, beta: 1 } }
    expect(() => createExploration({ learner: beta, exploration: { type: 'ucb', ties: 'random' } }, actions)).toThrow(
      RangeError,
    )
    expect(() => createExploration({ learner: beta, exploration: { type: 'thompson', scale: 2 } }, actions)).toThrow(
      RangeError,
    )
    expect(() => createExploration({ learner: beta }, actions)).toThrow(RangeError)
  })

  it('ties that are broken at random fall evenly', () => {
    const learner: LearnerSpec = { type: 'mean' }
    const algorithm: AlgorithmSpec = { learner, exploration: { type: 'greedy', ties: 'random' } }
    const exploration = createExploration(algorithm, actions)
    const state = taught(learner, [0, 1], [1, 0], [2, 1], [3, 1])
    const seen = [0, 0, 0, 0]
    const rng = stream(31)
    for (let i = 0; i < 30_000; i++) seen[exploration.sample(state, Int32Array.of(0, 1, 2, 3), 4, rng)]++
    // Four standard deviations of a binomial (30,000, 1/3).
    for (const action of [0, 2, 3]) expect(Math.abs(seen[action] - 10_000)).toBeLessThan(327)
    expect(seen[1]).toBe(0)
  })
})
