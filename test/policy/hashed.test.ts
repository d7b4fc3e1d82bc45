import { describe, expect, it } from 'vitest'
import type { ActionSpec, PolicySpec } from '../../src/kinds.ts'
import { logisticLoss, logisticShift, sigmoid } from '../../src/math/logistic.ts'
import { stream } from '../../src/math/rng.ts'
import { decide } from '../../src/policy/decide.ts'
import { explain } from '../../src/policy/explanation.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { listed } from '../../src/policy/pool.ts'
import { loadSnapshot, takeSnapshot } from '../../src/policy/snapshot.ts'

const GUARDRAILS = { minProbability: 0 } as PolicySpec['guardrails']

function specOf(more: Partial<PolicySpec> = {}): PolicySpec {
  return {
    unit: 'user',
    context: {
      user: { type: 'string' },
      city: { type: 'string', default: '' },
      spend: { type: 'number', default: 0 },
      returning: { type: 'boolean', default: false },
      taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2, default: [0, 0] },
    },
    features: [{ hash: { bits: 18, namespaces: ['context', 'action'], pairs: [['context', 'action']] } }],
    actions: [{ id: 'a', features: { genre: 'card', price: 2 } }, { id: 'b', features: { sale: true } }, { id: 'c' }],
    decision: { type: 'single' },
    algorithm: {
      learner: { type: 'hashed', l2: 2 },
      exploration: { type: 'squarecb', gamma: { scale: 100, exponent: 0.5 }, ties: 'random' },
    },
    guardrails: GUARDRAILS,
    reward: { name: 'click', type: 'binary', default: 0 },
    mode: 'online',
    ...more,
  } as PolicySpec
}

const policyOf = (more: Partial<PolicySpec> = {}): Policy => createPolicy('p', specOf(more), 'sha256:0')

const context = { user: 'u1', city: 'Köln', spend: 3, returning: true, taste: [0.5, -1] }

const rowsOf = (policy: Policy, given: Readonly<Record<string, unknown>> = context): Float64Array => {
  const checked = policy.context(given)
  if ('faults' in checked) throw new Error(JSON.stringify(checked.faults))
  const x = new Float64Array(policy.features.rows * policy.features.dimension)
  policy.features.write(checked.context, x)
  return x
}

const named = (policy: Policy, action: number, given: Readonly<Record<string, unknown>> = context) => {
  const checked = policy.context(given)
  if ('faults' in checked) throw new Error('faults')
  return policy.features.components(checked.context, action)
}

describe('hashed features', () => {
  it('are all that namespaces say but who it is: texts by value, numbers and truths by path, products of pairs', () => {
    const said = named(
      policyOf({ features: [{ hash: { bits: 18, namespaces: ['context', 'action'], pairs: [] } }] }),
      0,
    )
    expect(said.map(({ name, value }) => `${name} ${value}`)).toEqual([
      'intercept 1',
      'action.genre=card 1',
      'action.id=a 1',
      'action.price 2',
      'city=Köln 1',
      'returning 1',
      'spend 3',
      'taste[0] 0.5',
      'taste[1] -1',
    ])
    const products = named(policyOf(), 1).slice(8)
    expect(products.map(({ name, value }) => `${name} ${value}`)).toContain('action.sale × spend 3')
    expect(products).toHaveLength(2 * 5)
  })

  it('leave out what is false, zero or not there', () => {
    const names = named(policyOf(), 2, { user: 'u1' }).map(({ name }) => name)
    expect(names).toEqual(['intercept', 'action.id=c', 'city=', 'action.id=c × city='])
  })

  it('do not depend on the order of keys, of namespaces, nor of a pair', () => {
    const { context: fields, actions } = specOf()
    const turned = policyOf({
      context: Object.fromEntries(Object.entries(fields).reverse()),
      actions: listed(actions).map(({ id, features = {} }) => ({
        id,
        features: Object.fromEntries(Object.entries(features).reverse()) as NonNullable<ActionSpec['features']>,
      })),
      features: [{ hash: { bits: 18, namespaces: ['action', 'context'], pairs: [['action', 'context']] } }],
    })
    expect(rowsOf(turned)).toEqual(rowsOf(policyOf()))
    for (const a of [0, 1, 2]) expect(named(turned, a)).toEqual(named(policyOf(), a))
  })

  it('tell a text from a longer path, and one namespace from the other', () => {
    const slots = (field: string, value: string) => {
      const policy = policyOf({ context: { user: { type: 'string' }, [field]: { type: 'string' } } })
      return named(policy, 2, { user: 'u', [field]: value }).find(({ name }) => name === `${field}=${value}`)?.at
    }
    expect(slots('a', 'bc')).not.toBe(slots('ab', 'c'))
    expect(slots('id', 'c')).not.toBe(named(policyOf(), 2).find(({ name }) => name === 'action.id=c')?.at)
    expect(slots('a', '007')).not.toBe(slots('a', '7'))
  })

  it('take fields of the list by their transform, and the unit where it is listed', () => {
    const hash = { hash: { bits: 18, namespaces: ['context', 'action'], pairs: [] } } as const
    const policy = policyOf({
      features: [
        { field: 'spend', transform: 'bucketize', edges: [1, 10] },
        { field: 'user' },
        { action: 'id' },
        hash as unknown as NonNullable<PolicySpec['features']>[number],
      ],
    })
    const names = named(policy, 2).map(({ name }) => name)
    expect(names).toContain('1<=spend<10')
    expect(names).not.toContain('spend')
    expect(names).toContain('user=u1')
    expect(names).toContain('action.id=c')
  })

  it('of two pairs with themselves are each two features once, in whatever order they stand', () => {
    const self = policyOf({
      features: [{ hash: { bits: 18, namespaces: ['context', 'action'], pairs: [['context', 'context']] } }],
    })
    const products = named(self, 2)
      .map(({ name }) => name)
      .filter(name => name.includes('×'))
    expect(products).toHaveLength(10)
    expect(products).toContain('city=Köln × spend')
  })
})

describe('the learner hashed', () => {
  it('is worth σ(z), z being what its features contribute', () => {
    const policy = policyOf()
    const x = rowsOf(policy)
    const d = policy.features.dimension
    const rng = stream(3)
    for (let i = 0; i < 60; i++) {
      const a = Math.floor(rng.uniform() * 3)
      policy.learner.learn(a, x.subarray(a * d, (a + 1) * d), a === 0 ? 1 : 0)
    }
    policy.learner.predict(x)
    for (const a of [0, 1, 2]) {
      const z = named(policy, a).reduce(
        (sum, { value, at }) => sum + value * (policy.learner.coefficient?.(at, 0) ?? 0),
        0,
      )
      expect(policy.learner.value[a]).toBeCloseTo(sigmoid(z), 12)
      const posterior = policy.learner.posterior(a, 1)
      if (posterior?.family !== 'normal') throw new Error('not normal')
      expect(posterior.mean).toBeCloseTo(z, 12)
      const [value, sd] = [policy.learner.value[a], posterior.sd]
      expect(policy.learner.width[a]).toBeCloseTo(value * (1 - value) * sd, 12)
    }
    expect(policy.learner.value[0]).toBeGreaterThan(policy.learner.value[1])
  })

  it('starts at ½ everywhere, as wide as the penalties say', () => {
    const policy = policyOf()
    policy.learner.predict(rowsOf(policy))
    expect([...policy.learner.value]).toEqual([0.5, 0.5, 0.5])
    const squares = named(policy, 0)
      .slice(1)
      .reduce((sum, { value }) => sum + value * value, 0)
    expect(policy.learner.posterior(0, 1)).toEqual({
      family: 'normal',
      mean: 0,
      sd: expect.closeTo(Math.sqrt(1 + squares / 2), 12),
    })
  })

  it.each([18, 3])('moves to the mode of its posterior when it learns a row, of 2^%i slots', bits => {
    const hash = { bits, namespaces: ['context', 'action'], pairs: [['context', 'action']] }
    const policy = policyOf({ features: [{ hash }] as unknown as PolicySpec['features'] })
    const d = policy.features.dimension
    const x = rowsOf(policy)
    policy.learner.predict(x)
    const before = policy.learner.posterior(0, 1)
    if (before?.family !== 'normal') throw new Error('not normal')
    policy.learner.learn(0, x.subarray(0, d), 1)
    policy.learner.predict(x)
    const after = policy.learner.posterior(0, 1)
    if (after?.family !== 'normal') throw new Error('not normal')
    // Along one row the posterior of z is of one dimension: δ²/(2v) + the loss is least at the new z.
    const v = before.sd * before.sd
    const cost = (z: number) => (z - before.mean) ** 2 / (2 * v) + logisticLoss(z, 1)
    for (const step of [-1e-3, 1e-3]) expect(cost(after.mean + step)).toBeGreaterThan(cost(after.mean))
    expect(after.sd).toBeLessThan(before.sd)
  })

  it('is as wide where values meet in a slot as their sum makes it', () => {
    const hash = { bits: 3, namespaces: ['context', 'action'], pairs: [['context', 'action']] }
    const policy = policyOf({ features: [{ hash }] as unknown as PolicySpec['features'] })
    policy.learner.predict(rowsOf(policy))
    const sums = new Map<number, number>()
    for (const { at, value } of named(policy, 0).slice(1)) sums.set(at, (sums.get(at) ?? 0) + value)
    const squares = [...sums.values()].reduce((sum, value) => sum + value * value, 0)
    expect(sums.size).toBeLessThan(named(policy, 0).length - 5)
    const posterior = policy.learner.posterior(0, 1)
    expect(posterior).toEqual({ family: 'normal', mean: 0, sd: expect.closeTo(Math.sqrt(1 + squares / 2), 12) })
  })

  it('keeps in its snapshot what was touched, and no more', () => {
    const policy = policyOf()
    const d = policy.features.dimension
    const x = rowsOf(policy)
    policy.learner.learn(0, x.subarray(0, d), 1)
    const { slots } = policy.learner.state() as { slots: readonly number[] }
    const touched = new Set(named(policy, 0).map(({ at }) => at))
    expect(new Set(slots)).toEqual(touched)
    const other = policyOf()
    expect(loadSnapshot(other, JSON.parse(JSON.stringify(takeSnapshot(policy))))).toMatchObject({ ok: true })
    other.learner.predict(x)
    policy.learner.predict(x)
    expect(other.learner.value).toEqual(policy.learner.value)
    expect(other.learner.width).toEqual(policy.learner.width)
  })

  it.each([
    ['fewer bits', { bits: 17, namespaces: ['context', 'action'], pairs: [['context', 'action']] }],
    ['other pairs', { bits: 18, namespaces: ['context', 'action'], pairs: [] }],
    ['other namespaces', { bits: 18, namespaces: ['action'], pairs: [] }],
  ])('refuses a snapshot of %s', (_, hash) => {
    const policy = policyOf()
    const snapshot = takeSnapshot(policyOf({ features: [{ hash }] as unknown as PolicySpec['features'] }))
    expect(loadSnapshot(policy, snapshot)).toHaveProperty('faults')
  })

  it.each([
    ['bits', { bits: 40 }],
    ['bits', { bits: 1.5 }],
    ['slots', { slots: [3, 2, 1], weights: [1, 1, 1], precisions: [3, 3, 3] }],
    ['slots', { slots: [262145], weights: [1], precisions: [3] }],
    ['slots', { slots: [0.5], weights: [1], precisions: [3] }],
    ['weights', { slots: [1], weights: [1, 2], precisions: [3] }],
    ['precisions', { slots: [1], weights: [1], precisions: [0] }],
    ['count', { count: -1 }],
  ])('refuses a state whose %s are wrong: %j', (key, wrong) => {
    const { learner } = policyOf()
    expect(() => learner.restore({ ...learner.state(), ...wrong })).toThrow(`state.${key}`)
  })

  it('explains a decision by names', () => {
    const policy = policyOf()
    const d = policy.features.dimension
    const x = rowsOf(policy)
    for (let i = 0; i < 20; i++)
      policy.learner.learn(i % 3, x.subarray((i % 3) * d, ((i % 3) + 1) * d), i % 3 === 0 ? 1 : 0)
    const decision = decide(policy, { decisionId: '1', context })
    if ('faults' in decision) throw new Error('faults')
    const explained = explain(policy, decision)
    expect(explained.link).toBe('logit')
    const [first] = explained.actions
    const total = first.features?.reduce((sum, { contribution = 0 }) => sum + contribution, 0) ?? 0
    expect(first.value).toBeCloseTo(sigmoid(total), 12)
    expect(first.features?.map(({ name }) => name)).toContain('action.genre=card × city=Köln')
  })
})

describe('logisticShift', () => {
  it('solves δ = v·h·(y − σ(z + δ)), whatever the numbers', () => {
    const rng = stream(5)
    for (let i = 0; i < 3000; i++) {
      const z = 40 * (rng.uniform() - 0.5)
      const v = 10 ** (8 * rng.uniform() - 4)
      const y = i % 3 === 0 ? rng.uniform() : i % 2
      const h = 10 ** (4 * rng.uniform() - 2)
      const shift = logisticShift(z, v, y, h)
      expect(Math.abs(shift - v * h * (y - sigmoid(z + shift)))).toBeLessThan(1e-9 * (1 + v * h))
    }
  })
})
