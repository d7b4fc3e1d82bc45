import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionSpec, PolicySpec } from '../../src/kinds.ts'
import { dot, packedSize, quadraticForm, quadraticWeights } from '../../src/math/ridge.ts'
import { type Rng, stream } from '../../src/math/rng.ts'
import { decide } from '../../src/policy/decide.ts'
import { explain } from '../../src/policy/explanation.ts'
import { createFeatures } from '../../src/policy/features.ts'
import { linearLearner } from '../../src/policy/learners/linear.ts'
import { sharedLinearLearner } from '../../src/policy/learners/shared-linear.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { loadSnapshot, takeSnapshot } from '../../src/policy/snapshot.ts'
import { describeSnapshot } from '../../src/policy/snapshot-describe.ts'
import { diffSnapshots } from '../../src/policy/snapshot-diff.ts'
import { createStatistics, mergeStatistics } from '../../src/policy/statistics.ts'
import { solve } from '../support/matrices.ts'
import { policySpec } from './support.ts'

const ACTIONS: readonly ActionSpec[] = [
  { id: 'solitaire', features: { genre: 'card', price: 0 } },
  { id: 'rummy', features: { genre: 'card', price: 3 } },
  { id: 'blocks', features: { genre: 'puzzle', price: 1 } },
]
const SPEC = policySpec({
  context: {
    playerId: { type: 'string' },
    level: { type: 'integer', default: 1 },
    platform: { type: 'string', enum: ['ios', 'android'] },
  },
  actions: ACTIONS,
  features: [{ field: 'level' }, { action: 'price', transform: 'log1p' }, { cross: ['platform', 'action.genre'] }],
  algorithm: {
    learner: { type: 'linear', l2: 1, intercept: true, shared: true },
    exploration: { type: 'thompson', scale: 1 },
  },
})
const CONTEXT = { playerId: 'p', level: 4, platform: 'android' }

interface Row {
  readonly action: number
  readonly z: Float64Array
  readonly reward: number
}

function rowsOf(rng: Rng, count: number, d: number): Row[] {
  return Array.from({ length: count }, () => ({
    action: rng.uint32() % 3,
    z: Float64Array.from({ length: d }, () => (rng.uniform() < 0.3 ? 0 : 2 * rng.uniform() - 1)),
    reward: rng.uniform(),
  }))
}

describe('features of actions', () => {
  it('are a row an action, with products named by what they are of', () => {
    const { names, rows, dimension, write, writeRow } = createFeatures(SPEC)
    expect(names).toEqual([
      'intercept',
      'level',
      'log1p(action.price)',
      'platform=ios × action.genre=card',
      'platform=ios × action.genre=puzzle',
      'platform=android × action.genre=card',
      'platform=android × action.genre=puzzle',
    ])
    expect([rows, dimension]).toEqual([3, 7])
    const x = new Float64Array(21).fill(Number.NaN)
    write(CONTEXT, x)
    const row = new Float64Array(7)
    const all = [0, 1, 2].map(a => {
      writeRow(CONTEXT, a, row)
      expect([...row]).toEqual([...x.subarray(7 * a, 7 * a + 7)])
      return [...row]
    })
    expect(all).toEqual([
      [1, 4, 0, 0, 0, 1, 0],
      [1, 4, Math.log1p(3), 0, 0, 1, 0],
      [1, 4, Math.log1p(1), 0, 0, 0, 1],
    ])
  })

  it('tell actions apart by their ids, alone and in products of three', () => {
    const { names, write, dimension } = createFeatures({
      ...SPEC,
      features: [
        { action: 'id' },
        { field: 'level', transform: 'bucketize', edges: [3] },
        { cross: ['level', 'platform', 'action.price'] },
      ],
    })
    const x = new Float64Array(3 * dimension)
    write(CONTEXT, x)
    const seen = (a: number) =>
      Object.fromEntries(names.map((name, i) => [name, x[a * dimension + i]]).filter(([, value]) => value !== 0))
    expect(seen(1)).toEqual({
      intercept: 1,
      'action.id=rummy': 1,
      'level>=3': 1,
      'level>=3 × platform=android × action.price': 3,
    })
    expect(seen(0)).toEqual({ intercept: 1, 'action.id=solitaire': 1, 'level>=3': 1 })
  })

  it('refuse what not every action has, and a product of what is a feature twice', () => {
    const wrong: NonNullable<PolicySpec['features']>[] = [
      [{ action: 'colour' }],
      [{ cross: ['level', 'action.colour'] }],
      [{ field: 'level' }, { field: 'level', transform: 'log1p' }, { cross: ['level', 'action.id'] }],
    ]
    for (const features of wrong) expect(() => createFeatures({ ...SPEC, features })).toThrow(RangeError)
    const [first, ...others] = ACTIONS
    const mixed = [{ ...first, features: { genre: 'card', price: '0' } }, ...others]
    expect(() => createFeatures({ ...SPEC, actions: mixed })).toThrow(RangeError)
  })
})

describe('a linear model that actions share', () => {
  it('is the ridge regression on all rows, whatever their action', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 60 }), (seed, count) => {
        const rng = stream(seed, 'shared')
        const [d, l2] = [4, 0.5]
        const rows = rowsOf(rng, count, d)
        const learner = sharedLinearLearner(3, d, { l2 })
        for (const { action, z, reward } of rows) learner.learn(action, z, reward)
        const a = Array.from({ length: d }, (_, i) =>
          Array.from({ length: d }, (_, j) => rows.reduce((sum, { z }) => sum + z[i] * z[j], i === j ? l2 : 0)),
        )
        const theta = solve(
          a,
          Array.from({ length: d }, (_, i) => rows.reduce((sum, { z, reward }) => sum + z[i] * reward, 0)),
        )
        const x = Float64Array.from(rowsOf(rng, 3, d).flatMap(({ z }) => [...z]))
        learner.predict(x)
        for (let k = 0; k < 3; k++) {
          const z = [...x.subarray(k * d, k * d + d)]
          expect(learner.value[k]).toBeCloseTo(
            z.reduce((sum, zi, i) => sum + zi * theta[i], 0),
            9,
          )
          const solved = solve(a, z)
          expect(learner.width[k] * learner.width[k]).toBeCloseTo(
            z.reduce((sum, zi, i) => sum + zi * solved[i], 0),
            9,
          )
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is that of one action where there is but one', () => {
    const rng = stream(3, 'one')
    const [shared, own] = [sharedLinearLearner(1, 4, { l2: 2 }), linearLearner(1, 4, { l2: 2 })]
    for (const { z, reward } of rowsOf(rng, 50, 4)) {
      shared.learn(0, z, reward)
      own.learn(0, z, reward)
      shared.predict(z)
      own.predict(z)
      expect(shared.value[0]).toBeCloseTo(own.value[0], 12)
      expect(shared.width[0]).toBeCloseTo(own.width[0], 12)
    }
    expect(shared.state()).toEqual(own.state())
  })

  it('is merged from 1, 2 and 7 parts to the same, and what row by row makes', () => {
    const rows = rowsOf(stream(5, 'parts'), 140, 4)
    const algorithm = { learner: { type: 'linear', l2: 1, intercept: false, shared: true } } as const
    const states = [1, 2, 7].map(parts => {
      const merged = mergeStatistics(algorithm, 3, 4)
      for (let p = 0; p < parts; p++) {
        const { sums, add } = createStatistics(algorithm, 3, 4)
        for (const { action, z, reward } of rows.filter((_, i) => i % parts === p)) add(action, z, reward, 1)
        merged.merge(sums)
      }
      return merged.state()
    })
    const learner = sharedLinearLearner(3, 4, { l2: 1 })
    for (const { action, z, reward } of rows) learner.learn(action, z, reward)
    for (const state of states) {
      for (const [key, numbers] of Object.entries(learner.state())) {
        for (const [i, value] of (numbers as number[]).entries()) {
          expect((state[key] as number[])[i]).toBeCloseTo(value, 10)
        }
      }
    }
  })

  it('counts weighted rows by what they are worth over all actions', () => {
    const algorithm = { learner: { type: 'linear', l2: 1, intercept: false, shared: true } } as const
    const merged = mergeStatistics(algorithm, 3, 1)
    const { sums, add } = createStatistics(algorithm, 3, 1)
    const z = Float64Array.of(1)
    add(0, z, 1, 4)
    add(0, z, 0, 2)
    add(1, z, 1, 2)
    merged.merge(sums)
    // Σw = 8, Σw² = 24: weights count a third.
    expect(merged.state()).toEqual({
      counts: [2, expect.closeTo(2 / 3, 12), 0],
      theta: [expect.closeTo(6 / 3 / (1 + 8 / 3), 12)],
      inverse: [expect.closeTo(1 / (1 + 8 / 3), 12)],
    })
  })
})

describe('a policy whose actions share a model', () => {
  /** Card games are liked on ios, puzzles elsewhere. */
  function taught(rewards = 200, changes: Partial<PolicySpec> = {}) {
    const policy = createPolicy('shelf', { ...SPEC, ...changes }, 'sha256:shelf')
    const rng = stream(8, 'taught')
    const row = new Float64Array(policy.features.dimension)
    for (let i = 0; i < rewards; i++) {
      const platform = rng.uniform() < 0.5 ? 'ios' : 'android'
      const action = rng.uint32() % 3
      policy.features.writeRow({ playerId: 'p', level: 1, platform }, action, row)
      const liked = (ACTIONS[action].features?.['genre'] === 'card') === (platform === 'ios')
      policy.learner.learn(action, row, rng.uniform() < (liked ? 0.8 : 0.2) ? 1 : 0)
    }
    return policy
  }

  it('chooses by what it learnt of others that are alike', () => {
    const policy = taught()
    const propensities = (platform: string) => {
      const decision = decide(policy, { decisionId: 'd', context: { playerId: 'p', platform } })
      if ('faults' in decision) throw new Error('refused')
      return decision.propensities
    }
    const [solitaire, rummy, blocks] = propensities('android')
    expect(blocks).toBeGreaterThan(0.9)
    expect(solitaire + rummy + blocks).toBeCloseTo(1, 9)
    expect(propensities('ios')[2]).toBeLessThan(0.1)
  })

  it('explains what each feature adds to the value of an action, the largest first', () => {
    const policy = taught()
    const decision = decide(policy, { decisionId: 'd', context: CONTEXT })
    if ('faults' in decision) throw new Error('refused')
    const { features, actions } = explain(policy, decision)
    expect(features).toEqual([])
    for (const { value, features: parts = [] } of actions) {
      expect(parts.reduce((sum, { contribution = Number.NaN }) => sum + contribution, 0)).toBeCloseTo(
        value as number,
        12,
      )
      const sizes = parts.map(({ contribution = 0 }) => Math.abs(contribution))
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
      expect(parts.every(part => part.value !== 0)).toBe(true)
    }
    expect(actions[1].features?.map(({ name }) => name).sort()).toEqual(
      ['intercept', 'level', 'log1p(action.price)', 'platform=android × action.genre=card'].sort(),
    )
  })

  it('has a snapshot of one list of coefficients, that differs by those that changed', () => {
    const [before, after] = [taught(100), taught(200)].map(policy => describeSnapshot(takeSnapshot(policy)))
    expect(after.coefficients?.map(({ feature }) => feature)).toEqual(after.features)
    expect(after.actions.map(action => Object.keys(action))).toEqual(after.actions.map(() => ['id', 'count']))
    const { coefficients = [] } = diffSnapshots(before, after)
    expect(coefficients.length).toBeGreaterThan(3)
    for (const { feature, after: now } of coefficients) {
      expect(after.coefficients?.find(each => each.feature === feature)?.value).toBe(now)
    }
    expect(diffSnapshots(after, after).coefficients).toEqual([])
  })

  it('keeps all that it learnt where an action joins that is like others', () => {
    const policy = taught()
    const snapshot = takeSnapshot(policy)
    const more = createPolicy(
      'shelf',
      { ...SPEC, actions: [...ACTIONS, { id: 'mosaic', features: { genre: 'puzzle', price: 1 } }] },
      'sha256:more',
    )
    expect(loadSnapshot(more, snapshot)).toHaveProperty('faults')
    expect(loadSnapshot(more, snapshot, { migrate: true })).toMatchObject({ ok: true, migrated: { added: ['mosaic'] } })
    const x = new Float64Array(4 * more.features.dimension)
    more.features.write(CONTEXT, x)
    more.learner.predict(x)
    // As the other puzzle of the same price.
    expect(more.learner.value[3]).toBe(more.learner.value[2])
    expect(more.learner.counts?.[3]).toBe(0)
    expect(more.learner.count).toBe(policy.learner.count)
  })
})

describe('a quadratic form', () => {
  it('is the product of packed weights and matrix', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 9 }), (seed, d) => {
        const rng = stream(seed, 'form')
        const m = Float64Array.from({ length: packedSize(d) }, () => rng.uniform() - 0.5)
        const [{ z }] = rowsOf(rng, 1, d)
        const weights = new Float64Array(packedSize(d))
        quadraticWeights(z, d, weights)
        const x = Float64Array.of(Number.NaN, ...z, Number.NaN)
        expect(quadraticForm(m, x, 1, d)).toBeCloseTo(dot(weights, m, 0, packedSize(d)), 12)
      }),
    )
  })
})
