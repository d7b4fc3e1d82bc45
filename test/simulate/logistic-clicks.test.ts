import { describe, expect, it } from 'vitest'
import type { PolicySpec, ScenarioSpec } from '../../src/kinds.ts'
import { finish } from '../../src/simulate/finish.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { policySpec } from '../policy/support.ts'

const GENRES = ['puzzle', 'card', 'arcade', 'word']
const LOOKS = ['x', 'y', 'z']
const AGES = ['a', 'b', 'c', 'd']
const alike = (values: readonly string[]) => ({
  categorical: Object.fromEntries(values.map(value => [value, 1 / values.length])),
})

const policy = (type: 'linear' | 'logistic') => ({
  name: type,
  digest: type,
  spec: {
    ...policySpec(),
    unit: undefined,
    context: { platform: { type: 'string', enum: ['ios', 'android'] }, age: { type: 'string', enum: AGES } },
    actions: {
      from: 'request',
      max: 10,
      features: { genre: { type: 'string', enum: GENRES }, look: { type: 'string', enum: LOOKS } },
    },
    features: [
      { field: 'platform' },
      { field: 'age' },
      { action: 'genre' },
      { action: 'look' },
      { cross: ['platform', 'action.genre'] },
      { cross: ['age', 'action.look'] },
    ],
    algorithm: {
      learner: { type, l2: 1, intercept: true, shared: true },
      exploration: { type: 'squarecb', gamma: { scale: 1000, exponent: 0.5 }, ties: 'random' },
    },
    guardrails: { minProbability: 0.002 },
  } as PolicySpec,
})

/** How much of what there is to earn beyond chance the learners earn, where a click has such log-odds but for tastes. */
function shares(logit: number) {
  const scenario = {
    name: 'shelf',
    digest: 'shelf',
    spec: {
      policies: ['linear', 'logistic', 'uniform', 'oracle'],
      horizon: 3000,
      replications: 60,
      seed: 7,
      level: 0.95,
      expect: [],
      population: { context: { platform: alike(['ios', 'android']), age: alike(AGES) } },
      world: {
        type: 'catalogue',
        items: 100,
        offered: 10,
        features: { genre: alike(GENRES), look: alike(LOOKS) },
        logit,
        effects: [
          { of: ['platform', 'action.genre'], sd: 0.8 },
          { of: ['age', 'action.look'], sd: 0.8 },
        ],
      },
    } as unknown as ScenarioSpec,
  }
  const simulation = prepare({ scenario, policies: [policy('linear'), policy('logistic')] })
  const [linear, logistic, uniform, oracle] = finish(simulation, [simulation.play(0, 60)]).policies.map(
    ({ reward }) => reward.mean,
  )
  const share = (mean: number) => (mean - uniform) / (oracle - uniform)
  return { linear: share(linear), logistic: share(logistic) }
}

describe('a logistic model of clicks', () => {
  it.each([
    ['rare', -3, 0.75, 0.9],
    ['common', -1, 0.85, 0.95],
  ] as const)(
    'earns at least what a linear one earns, but not much more, where clicks are %s',
    (_, logit, low, high) => {
      const { linear, logistic } = shares(logit)
      expect(logistic).toBeGreaterThan(low)
      expect(logistic).toBeLessThan(high)
      expect(logistic).toBeGreaterThan(linear)
      expect(logistic).toBeLessThan(linear + 0.1)
    },
  )
})
