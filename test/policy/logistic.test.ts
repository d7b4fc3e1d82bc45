import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionSpec, PolicySpec } from '../../src/kinds.ts'
import { sigmoid } from '../../src/math/logistic.ts'
import { packedSize } from '../../src/math/ridge.ts'
import { stream } from '../../src/math/rng.ts'
import { createLearner } from '../../src/policy/algorithm.ts'
import { decide } from '../../src/policy/decide.ts'
import { explain } from '../../src/policy/explanation.ts'
import type { LearnerState } from '../../src/policy/learner.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { loadSnapshot, takeSnapshot } from '../../src/policy/snapshot.ts'
import { describeSnapshot } from '../../src/policy/snapshot-describe.ts'
import { diffSnapshots } from '../../src/policy/snapshot-diff.ts'
import { inverseOf } from '../support/matrices.ts'
import { policySpec } from './support.ts'

const ACTIONS: readonly ActionSpec[] = [
  { id: 'solitaire', features: { genre: 'card', price: 0 } },
  { id: 'rummy', features: { genre: 'card', price: 3 } },
  { id: 'blocks', features: { genre: 'puzzle', price: 1 } },
]
const MOSAIC: ActionSpec = { id: 'mosaic', features: { genre: 'puzzle', price: 1 } }
const CONTEXT = { playerId: 'p', level: 4, platform: 'android' }

function specOf(shared: boolean, actions = ACTIONS): PolicySpec {
  const learner = { type: 'logistic', l2: 2, intercept: true, ...(shared ? { shared } : {}) } as const
  return policySpec({
    context: {
      playerId: { type: 'string' },
      level: { type: 'integer', default: 1 },
      platform: { type: 'string', enum: ['ios', 'android'] },
    },
    actions,
    features: [
      { field: 'level' },
      ...(shared
        ? [{ action: 'price', transform: 'log1p' } as const, { cross: ['platform', 'action.genre'] as string[] }]
        : [{ field: 'platform' } as const]),
    ],
    algorithm: { learner, exploration: { type: 'thompson', scale: 1 } },
  })
}

/** Card games are liked. */
function taught(shared: boolean, rewards = 200, actions = ACTIONS): Policy {
  const policy = createPolicy('shelf', specOf(shared, actions), 'sha256:then')
  const rng = stream(3)
  const x = new Float64Array(policy.features.dimension)
  for (let i = 0; i < rewards; i++) {
    const action = rng.uint32() % 3
    const context = { ...CONTEXT, level: rng.uint32() % 9, platform: rng.uniform() < 0.5 ? 'ios' : 'android' }
    policy.features.writeRow(context, action, x)
    policy.learner.learn(action, x, rng.uniform() < (action === 2 ? 0.2 : 0.6) ? 1 : 0)
  }
  return policy
}

function predicted(policy: Policy) {
  const x = new Float64Array(policy.features.rows * policy.features.dimension)
  policy.features.write(CONTEXT, x)
  policy.learner.predict(x)
  return policy.actions.map((id, a) => {
    const posterior = policy.learner.posterior(a, 1)
    if (posterior?.family !== 'normal') throw new Error('log-odds are normal')
    return { id, value: policy.learner.value[a], width: policy.learner.width[a], posterior }
  })
}

describe('the learner logistic', () => {
  it('moves to the mode of its posterior when it learns a row, and its precision grows by the curvature there', () => {
    const D = 3
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          rows: fc.integer({ min: 0, max: 30 }),
          size: fc.constantFrom(0.01, 1, 30),
          reward: fc.constantFrom(0, 0.3, 1),
        }),
        ({ seed, rows, size, reward }) => {
          const learner = createLearner({ type: 'logistic', l2: 0.5, intercept: false }, ['a', 'b'], D)
          const rng = stream(seed)
          const vector = () => Float64Array.from({ length: D }, () => size * (2 * rng.uniform() - 1))
          for (let i = 0; i < rows; i++) learner.learn(0, vector(), rng.uniform() < 0.3 ? 1 : 0)
          const x = vector()
          const before = stateOf(learner.state(), D)
          learner.learn(0, x, reward)
          const after = stateOf(learner.state(), D)
          const z = after.theta.reduce((sum, w, i) => sum + w * x[i], 0)
          const m = sigmoid(z)
          const precision = inverseOf(before.inverse)
          // The gradient of ½ (θ − θ₀)ᵀ H (θ − θ₀) + the loss is 0.
          for (let i = 0; i < D; i++) {
            const moved = precision[i].reduce((sum, h, j) => sum + h * (after.theta[j] - before.theta[j]), 0)
            expect(Math.abs(moved - (reward - m) * x[i])).toBeLessThan(1e-8 * Math.max(1, size))
          }
          const grown = inverseOf(precision.map((row, i) => row.map((h, j) => h + m * (1 - m) * x[i] * x[j])))
          for (const [i, row] of grown.entries())
            for (const [j, h] of row.entries()) expect(Math.abs(h - after.inverse[i][j])).toBeLessThan(1e-8)
          // The other action knows nothing of it.
          expect(after.rest).toEqual(before.rest)
        },
      ),
    )
  })

  it('takes rewards that it cannot believe at all, and one that is no news', () => {
    const learner = createLearner({ type: 'logistic', l2: 1e-6, intercept: false }, ['a'], 1)
    const x = Float64Array.of(1000)
    for (let i = 0; i < 20; i++) learner.learn(0, x, 1)
    learner.predict(x)
    expect(learner.value[0]).toBeGreaterThan(0.9)
    for (const reward of [0, 1, 0.5, 0]) learner.learn(0, x, reward)
    learner.learn(0, Float64Array.of(0), 1)
    learner.predict(x)
    for (const number of [learner.value[0], learner.width[0], ...(learner.state()['inverse'] as number[])])
      expect(Number.isFinite(number)).toBe(true)
    expect(learner.value[0]).toBeLessThan(0.99)
  })

  it.each([false, true])('is worth σ of what is linear, and as wide as its slope there; shared: %s', shared => {
    for (const { value, width, posterior } of predicted(taught(shared))) {
      expect(value).toBe(sigmoid(posterior.mean))
      expect(width).toBeCloseTo(value * (1 - value) * posterior.sd, 14)
      expect(posterior.sd).toBeGreaterThan(0.05)
    }
    // Nothing is known: as likely as not.
    expect(predicted(taught(shared, 0)).map(({ value }) => value)).toEqual([0.5, 0.5, 0.5])
  })

  it('explains values of a model that actions share by what adds up to their log-odds', () => {
    const policy = taught(true)
    const decision = decide(policy, { decisionId: '1', context: CONTEXT })
    if ('faults' in decision) throw new Error('faults')
    const { link, actions } = explain(policy, decision)
    expect(link).toBe('logit')
    for (const [a, { value, features = [] }] of actions.entries()) {
      const total = features.reduce((sum, { contribution = 0 }) => sum + contribution, 0)
      expect(total).toBeCloseTo(predicted(policy)[a].posterior.mean, 12)
      expect(value).toBeCloseTo(sigmoid(total), 12)
    }
    expect(actions[1].features?.map(({ name }) => name)).toContain('platform=android × action.genre=card')
  })

  it.each([false, true])('has a snapshot whose coefficients add up to log-odds; shared: %s', shared => {
    const policy = taught(shared)
    const shown = describeSnapshot(takeSnapshot(policy))
    const x = new Float64Array(policy.features.dimension)
    for (const [a, { posterior }] of predicted(policy).entries()) {
      policy.features.writeRow(CONTEXT, a, x)
      const { coefficients = [] } = shared ? shown : shown.actions[a]
      expect(coefficients.map(({ feature }) => feature)).toEqual(shown.features)
      const z = coefficients.reduce((sum, { value }, i) => sum + (value ?? 0) * x[i], 0)
      expect(z).toBeCloseTo(posterior.mean, 12)
      const inverse = stateOf(policy.learner.state(), x.length, shared ? 0 : a).inverse
      for (const [i, { width }] of coefficients.entries()) expect(width).toBeCloseTo(Math.sqrt(inverse[i][i]), 12)
    }
    const later = describeSnapshot(takeSnapshot(taught(shared, 300)))
    const diff = diffSnapshots(shown, later)
    expect(shared ? diff.coefficients?.length : diff.actions[0].coefficients?.length).toBeGreaterThan(2)
    expect(diffSnapshots(later, later)).toMatchObject({ same: true, actions: [] })
  })

  it('is no snapshot of the learner linear, nor one of another penalty', () => {
    const policy = taught(true)
    const linear = { ...specOf(true) }
    const other = createPolicy(
      'shelf',
      {
        ...linear,
        algorithm: { ...linear.algorithm, learner: { type: 'linear', l2: 2, intercept: true, shared: true } },
      },
      'sha256:then',
    )
    expect(loadSnapshot(other, takeSnapshot(policy))).toHaveProperty('faults')
    expect(loadSnapshot(policy, takeSnapshot(other))).toHaveProperty('faults')
  })

  it.each([false, true])('carries over what is known of actions that stay; shared: %s', shared => {
    const then = taught(shared)
    const now = createPolicy('shelf', specOf(shared, [ACTIONS[0], MOSAIC, ACTIONS[2]]), 'sha256:now')
    expect(loadSnapshot(now, takeSnapshot(then), { migrate: true })).toMatchObject({
      ok: true,
      migrated: { added: ['mosaic'], removed: ['rummy'] },
    })
    const of = (policy: Policy) =>
      Object.fromEntries(predicted(policy).map(({ id, value, width }) => [id, { value, width }]))
    const [was, is] = [of(then), of(now)]
    for (const id of ['solitaire', 'blocks']) expect(is[id]).toEqual(was[id])
    // As the other puzzle of its price, or like one that nothing is known of.
    expect(is['mosaic']).toEqual(shared ? was['blocks'] : of(taught(shared, 0))['blocks'])
    expect([...(now.learner.counts ?? [])]).toEqual([then.learner.counts?.[0], 0, then.learner.counts?.[2]])
  })
})

/** θ and H⁻¹ of a model, and what is said of all others. */
function stateOf(state: LearnerState, d: number, model = 0) {
  const [theta, inverse] = [state['theta'], state['inverse']] as readonly (readonly number[])[]
  const at = model * packedSize(d)
  return {
    theta: theta.slice(model * d, (model + 1) * d),
    inverse: Array.from({ length: d }, (_, i) =>
      Array.from({ length: d }, (_, j) => inverse[at + (i > j ? packedSize(i) + j : packedSize(j) + i)]),
    ),
    rest: [theta.slice(d), inverse.slice(packedSize(d))],
  }
}
