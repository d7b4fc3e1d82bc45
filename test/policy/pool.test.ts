import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { type Decision, decide } from '../../src/policy/decide.ts'
import { explain } from '../../src/policy/explanation.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import type { Offer, Pool } from '../../src/policy/pool.ts'
import { policySpec } from './support.ts'

const OFFERED = {
  from: 'request',
  max: 8,
  features: {
    genre: { type: 'string', enum: ['card', 'puzzle', 'arcade'] },
    price: { type: 'number', minimum: 0, default: 0 },
  },
  eligible: 'action.price <= 5.0 || ctx.level > 10',
} as const satisfies PolicySpec['actions']

const shelf = (changes: Partial<PolicySpec> = {}) =>
  createPolicy(
    'shelf',
    {
      ...policySpec(),
      context: { level: { type: 'integer', default: 1 } },
      unit: undefined,
      actions: OFFERED,
      features: [{ action: 'genre' }, { action: 'price', transform: 'log1p' }, { cross: ['level', 'action.genre'] }],
      algorithm: {
        learner: { type: 'linear', l2: 1, intercept: true, shared: true },
        exploration: { type: 'squarecb', gamma: { scale: 1000, exponent: 0.5 }, ties: 'random' },
      },
      guardrails: { minProbability: 0.01 },
      ...changes,
    } as PolicySpec,
    'digest',
  )

const item = (id: string, genre = 'card', price?: number) => ({
  id,
  features: price === undefined ? { genre } : { genre, price },
})

function opened(offer: Offer, policy = shelf()): Pool {
  const pool = policy.offer(offer)
  if ('faults' in pool) throw new Error(JSON.stringify(pool.faults))
  return pool
}

function decided(offer: Offer, policy = shelf(), level = 1, decisionId = 'd'): Decision {
  const decision = decide(policy, { decisionId, context: { level }, pool: opened(offer, policy) })
  if ('faults' in decision) throw new Error(JSON.stringify(decision.faults))
  return decision
}

const faultsOf = (offer: Offer, policy = shelf()) => {
  const pool = policy.offer(offer)
  return 'faults' in pool ? pool.faults.map(({ pointer, message }) => `${pointer} ${message}`) : []
}

describe('the actions of a request', () => {
  it('are checked all at once, as contexts are', () => {
    expect(
      faultsOf({
        actions: [
          item('a', 'cards'),
          { id: 'a', features: { genre: 'puzzle', prize: 2 } },
          5,
          { id: '', features: { genre: 'card', price: 'much' } },
          { id: 'b', feature: 1, features: { genre: 'card', price: -1 } },
          { id: 'c' },
        ],
        exclude: ['x', 7],
      }),
    ).toMatchInlineSnapshot(`
      [
        "/actions/0/features/genre must be one of card, puzzle, arcade",
        "/actions/1/id is that of the action at index 0, too",
        "/actions/1/features/prize is not a feature of its actions",
        "/actions/2 must be an object with an \`id\`",
        "/actions/3/id must be a text of 1 to 256 characters",
        "/actions/3/features/price must be a finite number, not a string",
        "/actions/4/feature is neither \`id\` nor \`features\`",
        "/actions/4/features/price must be at least 0",
        "/actions/5/features/genre is missing and has no default",
        "/exclude/1 must be a text",
      ]
    `)
    expect(faultsOf({})).toMatchInlineSnapshot(`
      [
        "/actions are needed: a list of ids and features, for example [{"id": "level-7"}]",
      ]
    `)
    // Characters are what is counted, not units of UTF-16.
    expect(faultsOf({ actions: [item('😀'.repeat(256))] })).toEqual([])
    expect(faultsOf({ actions: [item('😀'.repeat(257))] })).toEqual([
      '/actions/0/id must be a text of 1 to 256 characters',
    ])
    expect(faultsOf({ actions: [] })).toEqual(['/actions must have at least 1 action'])
    expect(faultsOf({ actions: 'a' })).toEqual(['/actions must be a list'])
    const many = (n: number) => Array.from({ length: n }, (_, i) => item(`i${i}`))
    expect(faultsOf({ actions: many(8) })).toEqual([])
    expect(faultsOf({ actions: many(9) })).toEqual(['/actions must have at most 8, not 9'])
    const excluded = (n: number) => ({ actions: many(1), exclude: Array.from({ length: n }, String) })
    expect(faultsOf(excluded(1000))).toEqual([])
    expect(faultsOf(excluded(1001))).toEqual(['/exclude must have at most 1000 ids, not 1001'])
    expect(faultsOf({ actions: [item('a'.repeat(256))] })).toEqual([])
    expect(faultsOf({ actions: [item('a'.repeat(257))] })).toHaveLength(1)
  })

  it('take the defaults of their features, which the record has', () => {
    const pool = opened({ actions: [item('a'), item('b', 'puzzle', 2)] })
    expect(pool.entries).toEqual([
      { id: 'a', features: { genre: 'card', price: 0 } },
      { id: 'b', features: { genre: 'puzzle', price: 2 } },
    ])
  })

  it('are no part of a policy that lists its own', () => {
    const listing = shelf({
      actions: [
        { id: 'a', features: { genre: 'card', price: 1 } },
        { id: 'b', features: { genre: 'puzzle', price: 2 } },
      ],
    })
    expect(faultsOf({ actions: [item('a')] }, listing)).toEqual([
      '/actions are not of the request: this policy lists its own',
    ])
    expect(opened({}, listing).ids).toEqual(['a', 'b'])
    expect(decided({ exclude: ['a'] }, listing)).toMatchObject({
      eligible: ['b'],
      excluded: [{ id: 'a', by: 'request' }],
      action: 'b',
    })
  })

  it('see rules over `action` and `ctx`, and say which one excluded them', () => {
    const actions = [item('cheap', 'card', 5), item('dear', 'card', 5.01), item('out')]
    expect(decided({ actions, exclude: ['out', 'unknown'] })).toMatchObject({
      eligible: ['cheap'],
      excluded: [
        { id: 'dear', by: OFFERED.eligible },
        { id: 'out', by: 'request' },
      ],
    })
    expect(decided({ actions }, shelf(), 11).eligible).toEqual(['cheap', 'dear', 'out'])
  })

  it('are explained with what each feature adds', () => {
    const policy = shelf()
    const pool = opened({ actions: [item('a'), item('b', 'puzzle', 2), item('c', 'card', 9)] }, policy)
    const decision = decide(policy, { decisionId: 'd', context: {}, pool }) as Decision
    const { actions } = explain(policy, decision, pool)
    expect(actions.map(({ id, excludedBy }) => [id, excludedBy])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['c', OFFERED.eligible],
    ])
    expect(actions[1].features?.map(({ name, value }) => [name, value])).toEqual([
      ['intercept', 1],
      ['action.genre=puzzle', 1],
      ['log1p(action.price)', Math.log(3)],
      ['level × action.genre=puzzle', 1],
    ])
  })

  it('are told apart by their features alone: neither ids nor the others nor the order change a value', () => {
    const policy = shelf()
    const x = new Float64Array(policy.features.dimension)
    const pool = opened({ actions: [item('a'), item('b', 'puzzle', 2)] })
    for (const [a, reward] of [
      [0, 1],
      [1, 0],
      [1, 1],
    ]) {
      policy.features.writeRow({ level: 3 }, a, x, pool)
      policy.learner.learn(a, x, reward)
    }
    expect(policy.learner.count).toBe(3)
    const worth = (actions: readonly object[], id: string) => {
      const offered = opened({ actions })
      decide(policy, { decisionId: 'd', context: { level: 4 }, pool: offered })
      return policy.learner.value[offered.ids.indexOf(id)]
    }
    const alone = worth([item('a', 'puzzle', 2)], 'a')
    expect(worth([item('x'), item('y', 'arcade', 4), item('z', 'puzzle', 2)], 'z')).toBe(alone)
    expect(worth([item('z', 'puzzle', 2), item('x')], 'z')).toBe(alone)
  })
})

describe('what is served without being drawn', () => {
  const actions = [item('dear', 'card', 7), item('a'), item('b')]
  const killed = (offer: Offer, changes: Partial<PolicySpec> = {}) => {
    const policy = shelf(changes)
    return decide(policy, { decisionId: 'd', context: {}, pool: opened(offer, policy), imposed: { reason: 'killed' } })
  }

  it('is the first that may be, by default, and nothing where nothing may', () => {
    expect(killed({ actions })).toMatchObject({ action: 'a', servedBy: 'fallback', propensities: [1, 0] })
    expect(killed({ actions, exclude: ['a'] })).toMatchObject({ action: 'b', servedBy: 'fallback' })
    expect(killed({ actions, exclude: ['a', 'b'] })).toMatchObject({ action: null, servedBy: 'none' })
    const none = { guardrails: { minProbability: 0, fallback: null } } as Partial<PolicySpec>
    expect(killed({ actions }, none)).toMatchObject({ action: null, servedBy: 'none' })
  })

  it('is so of a policy that lists its actions and says so, too', () => {
    const listing = {
      actions: [
        { id: 'a', eligible: 'ctx.level > 3', features: { genre: 'card', price: 1 } },
        { id: 'b', features: { genre: 'puzzle', price: 2 } },
      ],
      guardrails: { minProbability: 0, fallback: 'first-eligible' },
    } as Partial<PolicySpec>
    expect(killed({}, listing)).toMatchObject({ action: 'b', servedBy: 'fallback' })
    expect(killed({ exclude: ['b'] }, listing)).toMatchObject({ action: null, servedBy: 'none' })
  })

  it('is the first for units that are held out', () => {
    const policy = shelf({
      unit: 'player',
      context: { player: { type: 'string' }, level: { type: 'integer', default: 1 } },
      guardrails: { minProbability: 0, holdout: { fraction: 0.999999, action: 'first-eligible' } },
    })
    const pool = opened({ actions }, policy)
    expect(decide(policy, { decisionId: 'd', context: { player: 'p' }, pool })).toMatchObject({
      action: 'a',
      servedBy: 'holdout',
    })
  })

  it('is never an action that the request or a rule excludes, whoever chooses', () => {
    const ids = ['a', 'b', 'c', 'd']
    const requests = fc.record({
      actions: fc.tuple(...ids.map(() => fc.constantFrom(0, 4, 6))),
      exclude: fc.subarray(ids),
      fallback: fc.constantFrom('first-eligible', null, undefined),
      imposed: fc.constantFrom(undefined, { reason: 'killed' }, { reason: 'logging-only', action: 'b' }),
      level: fc.constantFrom(1, 11),
      decisionId: fc.string(),
    })
    fc.assert(
      fc.property(requests, ({ actions: prices, exclude, fallback, imposed, level, decisionId }) => {
        const policy = shelf({ guardrails: { minProbability: 0.01, fallback } as PolicySpec['guardrails'] })
        const actions = ids.map((id, i) => item(id, 'card', prices[i]))
        const pool = opened({ actions, exclude }, policy)
        const decision = decide(policy, { decisionId, context: { level }, pool, imposed }) as Decision
        const may = ids.filter((id, i) => !exclude.includes(id) && (prices[i] <= 5 || level > 10))
        expect(decision.eligible).toEqual(may)
        expect(decision.excluded.map(({ id }) => id)).toEqual(ids.filter(id => !may.includes(id)))
        if (decision.action === null)
          expect(fallback === null ? may.length === 0 || imposed !== undefined : may.length === 0).toBe(true)
        else expect(may).toContain(decision.action)
      }),
      { numRuns: 300 },
    )
  })
})
