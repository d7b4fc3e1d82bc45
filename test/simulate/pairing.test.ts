import { describe, expect, it } from 'vitest'
import { finish } from '../../src/simulate/finish.ts'
import { merge } from '../../src/simulate/replicate.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { always, betaThompson, epsilonGreedy, policy, scenario, simulate } from './support.ts'

const first = { learner: { type: 'mean' }, exploration: { type: 'ucb', factor: 2, ties: 'first' } } as const

describe('worlds are paired', () => {
  it('so that two policies which do the same, under different names, get the same rewards', () => {
    const policies = ['one', 'two'].map(name => policy(name, { algorithm: first }))
    const { policies: results, differences } = simulate({}, policies)
    expect(results[1]).toEqual({ ...results[0], name: 'two' })
    const none = { mean: 0, lower: 0, upper: 0, q05: 0, q50: 0, q95: 0 }
    expect(differences).toEqual([{ policy: 'two', baseline: 'one', reward: none, regret: none }])
  })

  it('so that what one policy gets does not depend on the others, nor on their order', () => {
    const it1 = policy('it', { algorithm: epsilonGreedy })
    const other = policy('other', { algorithm: always('b') })
    const levelled = policy('levelled', {
      context: { level: { type: 'number', default: 3 } },
      algorithm: {
        learner: { type: 'linear', l2: 1, intercept: true },
        exploration: { type: 'ucb', alpha: 1, ties: 'random' },
      },
    })
    const alone = simulate({}, [it1]).policies[0]
    expect(simulate({}, [other, it1]).policies[1]).toEqual(alone)
    expect(simulate({}, [it1, other]).policies[0]).toEqual(alone)
    expect(simulate({}, [levelled, it1]).policies[1]).toEqual(alone)
  })

  it('so that an action pays the same in a round whoever takes it', () => {
    const world = { type: 'linear', means: { a: 1, b: 3 }, noise: 2 } as const
    const [a, b] = simulate({ world }, [
      policy('a', { algorithm: always('a') }),
      policy('b', { algorithm: always('b') }),
    ]).policies
    // One normal a round, shared: the difference of means is all the difference there is.
    expect(b.reward.mean - a.reward.mean).toBeCloseTo(2, 12)
    expect(b.reward.upper - a.reward.upper).toBeCloseTo(2, 12)
  })

  it('and differences therefore have tighter intervals than the rewards themselves', () => {
    const world = { type: 'linear', means: { a: 0.5, b: 0.4 }, noise: 1 } as const
    const { policies, differences } = simulate({ world, policies: ['a', 'uniform'], horizon: 2000 }, [
      policy('a', { algorithm: always('a') }),
    ])
    const width = ({ lower, upper }: { lower: number; upper: number }) => upper - lower
    expect(width(differences[0].reward)).toBeLessThan(0.2 * width(policies[0].reward))
  })
})

const contextual = {
  world: { type: 'logistic', logits: { a: 'double(ctx.level) / 10.0 - 1.0', b: -0.5 } },
  population: { units: 40, context: { level: { poisson: { mean: 8 } } } },
  horizon: 700,
  replications: 12,
} as const
const players = () => [
  policy('linear', {
    context: { level: { type: 'integer', minimum: 0 } },
    algorithm: { learner: { type: 'linear', l2: 1, intercept: true }, exploration: { type: 'thompson', scale: 0.5 } },
    guardrails: { minProbability: 0.05 },
  }),
  policy('beta', { algorithm: betaThompson }),
]

describe('a simulation is reproducible', () => {
  it.each([1, 3, 5, 12])('to the byte when it is played in chunks of %d replications', chunk => {
    const whole = JSON.stringify(simulate(contextual, players()))
    expect(JSON.stringify(simulate(contextual, players(), chunk))).toBe(whole)
  })

  it('whatever the order in which chunks come back', () => {
    const simulation = prepare({
      scenario: scenario({ ...contextual, policies: ['linear', 'beta'] }),
      policies: players(),
    })
    const parts = [simulation.play(7, 12), simulation.play(0, 4), simulation.play(4, 7)]
    expect(finish(simulation, parts)).toEqual(simulate(contextual, players()))
  })

  it('and another seed gives other numbers under another digest', () => {
    const one = simulate(contextual, players())
    const other = simulate({ ...contextual, seed: 8 }, players())
    expect(other.policies[0].reward.mean).not.toBe(one.policies[0].reward.mean)
    expect(other.digest).not.toBe(one.digest)
    expect(one.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  it('and replications are different worlds', () => {
    const { policies } = simulate({}, [policy('it')])
    expect(policies[0].reward.q95).toBeGreaterThan(policies[0].reward.q05)
  })
})

describe('merge', () => {
  it('refuses chunks that leave a hole or overlap', () => {
    const simulation = prepare({ scenario: scenario(), policies: [] })
    expect(() => merge([simulation.play(0, 2), simulation.play(3, 4)])).toThrow(RangeError)
    expect(() => merge([simulation.play(0, 2), simulation.play(1, 3)])).toThrow(RangeError)
    expect(() => finish(simulation, [simulation.play(0, 2)])).toThrow('0 to 2 are not 0 to 20')
  })
})
