import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { checkAgainstPolicy, checkDecision } from '../../src/log/check/check-decision.ts'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import { readRecord } from '../../src/log/records/read-record.ts'
import { recordText } from '../../src/log/records/record-text.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import { replay } from '../../src/log/records/replay.ts'
import { slotVectors } from '../../src/log/records/slot-vectors.ts'
import { stream } from '../../src/math/rng.ts'
import { type Decision, decide } from '../../src/policy/decide.ts'
import { NOTHING } from '../../src/policy/lists/filling.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import type { Pool } from '../../src/policy/pool.ts'

type Algorithm = PolicySpec['algorithm']

const SHARED = { type: 'linear', shared: true, l2: 1, intercept: true } as const

const EXPLORATIONS: readonly Algorithm['exploration'][] = [
  { type: 'softmax', temperature: 0.2 },
  { type: 'epsilon-greedy', epsilon: 0.2, ties: 'random' },
  { type: 'greedy', ties: 'random' },
  { type: 'squarecb', gamma: { scale: 100, exponent: 0.5 }, ties: 'random' },
  { type: 'thompson', scale: 1, draws: 32 },
]

function policyOf(decision: PolicySpec['decision'], changes: Partial<PolicySpec> = {}): Policy {
  const spec: PolicySpec = {
    unit: 'playerId',
    context: { playerId: { type: 'string' }, level: { type: 'number' } },
    actions: {
      from: 'request',
      max: 60,
      features: { genre: { type: 'string', enum: ['a', 'b', 'c'] }, price: { type: 'number' } },
    },
    features: [{ action: 'genre' }, { action: 'price' }, { cross: ['level', 'action.genre'] }],
    decision,
    algorithm: { learner: SHARED, exploration: { type: 'softmax', temperature: 0.2 } },
    guardrails: { minProbability: 0 },
    reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
    mode: 'online',
    ...changes,
  }
  const policy = createPolicy('home-row', spec, 'sha256:lists')
  const rng = stream(5, 'lists')
  const x = new Float64Array(policy.features.dimension)
  for (let i = 0; i < 40; i++) {
    const pool = poolOf(policy, 3, i)
    policy.features.writeRow({ playerId: 'p', level: i % 7 }, i % 3, x, pool)
    policy.learner.learn(i % 3, x, Number(rng.uniform() < 0.3 + 0.2 * (i % 3)))
  }
  return policy
}

function poolOf(policy: Policy, count: number, from = 0): Pool {
  const actions = Array.from({ length: count }, (_, i) => ({
    id: `item-${from + i}`,
    features: { genre: 'abc'[(from + i) % 3], price: ((from + i) % 10) / 10 },
  }))
  const pool = policy.offer({ actions })
  if ('faults' in pool) throw new Error(JSON.stringify(pool.faults))
  return pool
}

const context = { playerId: 'p1', level: 3 }
const FACTS = {
  ts: '2026-11-29T12:00:00.000Z',
  mode: 'online',
  snapshot: null,
  runtime: 'dap/test',
  latencyUs: 0,
  logProbability: 1,
} as const

function decided(
  policy: Policy,
  pool: Pool,
  decisionId: string,
  imposed?: { reason: string; actions?: string[] },
): Decision {
  const decision = decide(policy, { decisionId, context, pool, imposed })
  if ('faults' in decision) throw new Error(JSON.stringify(decision.faults))
  return decision
}

/** The record as it comes back from a file. */
function logged(policy: Policy, pool: Pool, decision: Decision, baselines?: string[]): DecisionRecord {
  const text = recordText(decisionRecord(policy, decision, { ...FACTS, baselines }, pool))
  const read = readRecord(text)
  if (!('decision' in read)) throw new Error(JSON.stringify(read))
  expect(JSON.stringify(read.decision)).toBe(text)
  return read.decision
}

function faultsOf(policy: Policy, record: DecisionRecord): string[] {
  const faults: string[] = []
  const report = (code: string, message: string) => faults.push(`${code}: ${message}`)
  checkDecision(record, report)
  checkAgainstPolicy(record, policy, report)
  return faults
}

/** P(list) of every list of the policy, by walking down all of them. */
function everyList(policy: Policy, pool: Pool): Map<string, number> {
  const k = pool.ids.length
  const walk = policy.walk(
    context,
    Int32Array.from({ length: k }, (_, a) => a),
    k,
    'd',
    pool,
  )
  const all = new Map<string, number>()
  const prefix: number[] = []
  function down(p: number): void {
    const vector = new Float64Array(k)
    if (walk.slot === policy.slots.count || walk.vector(vector) === 0) {
      all.set(prefix.join(), p)
      return
    }
    for (let a = 0; a < k; a++) {
      if (vector[a] === 0) continue
      walk.take(a)
      prefix.push(a)
      down(p * vector[a])
      prefix.pop()
      walk.back()
    }
  }
  down(1)
  return all
}

describe('a ranking', () => {
  it('is a mixture of Plackett–Luce and uniform rankings, as whole lists', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (k, slots, uniform) => {
          const policy = policyOf({ type: 'ranking', slots, uniform })
          const pool = poolOf(policy, k)
          const p = new Float64Array(k)
          const pure = policyOf({ type: 'ranking', slots, uniform: 0 })
          pure
            .walk(
              context,
              Int32Array.from({ length: k }, (_, a) => a),
              k,
              'd',
              pool,
            )
            .vector(p)
          let total = 0
          for (const [list, probability] of everyList(policy, pool)) {
            const actions = list.split(',').map(Number)
            expect(actions.length).toBe(Math.min(k, slots))
            let luce = 1
            let chance = 1
            let rest = 1
            for (const [i, a] of actions.entries()) {
              luce *= p[a] / rest
              rest -= p[a]
              chance /= k - i
            }
            expect(probability).toBeCloseTo((1 - uniform) * luce + uniform * chance, 12)
            total += probability
          }
          expect(total).toBeCloseTo(1, 12)
        },
      ),
      { numRuns: 30 },
    )
  })

  it.each(EXPLORATIONS)('draws, records, replays and passes its check: $type', exploration => {
    const policy = policyOf(
      { type: 'ranking', slots: 4, uniform: 0.1 },
      { algorithm: { learner: SHARED, exploration } },
    )
    for (let i = 0; i < 60; i++) {
      const pool = poolOf(policy, 1 + (i % 9), i)
      const decision = decided(policy, pool, `d${i}`)
      expect(decision.slots).toHaveLength(Math.min(4, pool.ids.length))
      expect(new Set(decision.slots?.map(({ action }) => action)).size).toBe(decision.slots?.length)
      const record = logged(policy, pool, decision)
      expect(faultsOf(policy, record)).toEqual([])
      expect(replay(policy, record)).toEqual({ same: true, differences: [] })
    }
  })

  it('logs scores in place of long vectors, which come out of them to the same digits', () => {
    const policy = policyOf({ type: 'ranking', slots: 10, uniform: 0.05 })
    const pool = poolOf(policy, 60)
    for (let i = 0; i < 20; i++) {
      const decision = decided(policy, pool, `d${i}`)
      const record = logged(policy, pool, decision)
      expect(record.slots.every(({ propensities }) => propensities === undefined)).toBe(true)
      expect(slotVectors(record)).toEqual(decision.slots?.map(({ propensities }) => propensities))
      expect(faultsOf(policy, record)).toEqual([])
      expect(replay(policy, record).same).toBe(true)
      const [first, second] = record.slots
      const swapped = {
        ...record,
        slots: [{ ...first, action: second.action }, { ...second, action: first.action }, ...record.slots.slice(2)],
      }
      expect(faultsOf(policy, swapped as DecisionRecord)).not.toEqual([])
    }
  })

  it('goes on where a cold softmax has left the others no digits, in the order of their values', () => {
    const policy = policyOf(
      { type: 'ranking', slots: 3, uniform: 0 },
      { algorithm: { learner: SHARED, exploration: { type: 'softmax', temperature: 1e-5 } } },
    )
    const pool = poolOf(policy, 6)
    const decision = decided(policy, pool, 'cold')
    const values = new Map(pool.ids.map((id, a) => [id, policy.learner.value[a]]))
    const best = [...values].sort(([, a], [, b]) => b - a).map(([id]) => id)
    expect(decision.slots?.map(({ action }) => action)).toEqual(best.slice(0, 3))
    expect(decision.scores).toBeUndefined()
    expect(replay(policy, logged(policy, pool, decision)).same).toBe(true)
  })

  it('keeps pins and quotas, whoever makes the list, and every list is still one of the mixture', () => {
    const decision = {
      type: 'ranking',
      slots: 4,
      uniform: 0.3,
      pins: [{ slot: 1, eligible: "action.genre == 'c'" }],
      quotas: [{ eligible: "action.genre == 'a'", max: 1 }],
    } as const
    const policy = policyOf(decision, { guardrails: { minProbability: 0, fallback: 'first-eligible' } })
    const pool = poolOf(policy, 9)
    const genre = (id: string | null) => 'abc'[Number((id ?? '').slice(5)) % 3]
    for (let i = 0; i < 200; i++) {
      const imposed = i % 4 === 0 ? { reason: 'killed' } : undefined
      const made = decided(policy, pool, `d${i}`, imposed)
      const genres = made.slots?.map(({ action }) => genre(action)) ?? []
      expect(genres).toHaveLength(4)
      expect(genres[1]).toBe('c')
      expect(genres.filter(each => each === 'a').length).toBeLessThanOrEqual(1)
      if (imposed === undefined) {
        const record = logged(policy, pool, made)
        expect(faultsOf(policy, record)).toEqual([])
        expect(replay(policy, record).same).toBe(true)
      }
    }
    let total = 0
    for (const p of everyList(policy, poolOf(policy, 5)).values()) total += p
    expect(total).toBeCloseTo(1, 12)
    const broken = logged(policy, pool, decided(policyOf({ ...decision, pins: undefined }), pool, 'd1'))
    expect(faultsOf(policy, broken).some(fault => fault.startsWith('excluded: slot 1'))).toBe(
      genre(broken.slots[1].action) !== 'c',
    )
  })

  it('has the share of every action in every slot that its vectors say, over 20,000 lists', () => {
    const policy = policyOf({ type: 'ranking', slots: 3, uniform: 0.1 })
    const pool = poolOf(policy, 5)
    const n = 20_000
    const taken = Array.from({ length: 3 }, () => new Float64Array(5))
    const expected = Array.from({ length: 3 }, () => new Float64Array(5))
    for (let i = 0; i < n; i++) {
      for (const [k, { action, propensities }] of decided(policy, pool, `n${i}`).slots?.entries() ?? []) {
        for (let a = 0; a < 5; a++) expected[k][a] += propensities[a]
        taken[k][pool.ids.indexOf(action ?? '')]++
      }
    }
    for (let k = 0; k < 3; k++) {
      for (let a = 0; a < 5; a++) {
        const p = expected[k][a] / n
        expect(Math.abs(taken[k][a] / n - p) / Math.sqrt((p * (1 - p)) / n)).toBeLessThan(4)
      }
    }
  })
})

describe('declared slots', () => {
  const decision = {
    type: 'slots',
    slots: [
      { id: 'hero', features: { size: 2 }, floor: 0.05 },
      { id: 'side', features: { size: 1 }, exclude: ['item-0'] },
      { id: 'foot', features: { size: 1 }, actions: ['item-0', 'item-1', 'item-7'], floor: 0.1 },
    ],
  } as const
  const changes: Partial<PolicySpec> = {
    features: [{ action: 'genre' }, { slot: 'size' }, { cross: ['slot.size', 'action.genre'] }],
    guardrails: { minProbability: 0.02 },
  }

  it.each(EXPLORATIONS)('have a floor each, and what may stand in them: $type', exploration => {
    const policy = policyOf(decision, { ...changes, algorithm: { learner: SHARED, exploration } })
    for (let i = 0; i < 60; i++) {
      const pool = poolOf(policy, 2 + (i % 8))
      const made = decided(policy, pool, `s${i}`)
      expect(made.slots).toHaveLength(3)
      for (const [k, { action, propensities, floor }] of made.slots?.entries() ?? []) {
        if (action === null) continue
        expect(floor).toBe(Math.min([0.05, 0.02, 0.1][k], 1 / propensities.filter(p => p > 0).length))
        for (const p of propensities) if (p > 0) expect(p).toBeGreaterThanOrEqual(floor - 1e-15)
        if (k === 1) expect(action).not.toBe('item-0')
        if (k === 2) expect(decision.slots[2].actions).toContain(action)
      }
      const record = logged(policy, pool, made)
      expect(faultsOf(policy, record)).toEqual([])
      expect(replay(policy, record)).toEqual({ same: true, differences: [] })
    }
  })

  it('see their features', () => {
    const policy = policyOf(decision, changes)
    const pool = poolOf(policy, 4)
    const rows = [0, 1].map(slot => {
      const x = new Float64Array(policy.features.dimension)
      policy.features.writeRow(context, 0, x, pool, slot)
      return Object.fromEntries(policy.features.names.map((name, i) => [name, x[i]]))
    })
    expect(rows.map(row => row['slot.size'])).toEqual([2, 1])
    expect(rows.map(row => row['slot.size × action.genre=a'])).toEqual([2, 1])
  })

  it('stay empty where nothing may stand', () => {
    const policy = policyOf(decision, changes)
    const made = decided(policy, poolOf(policy, 1), 'one')
    expect(made.slots?.map(({ action }) => action)).toEqual(['item-0', null, null])
    const record = logged(policy, poolOf(policy, 1), made)
    expect(faultsOf(policy, record)).toEqual([])
    expect(replay(policy, record).same).toBe(true)
  })
})

describe('a list that was changed after the draw', () => {
  const ranking = policyOf({ type: 'ranking', slots: 3, uniform: 0.1 })
  const declared = policyOf({ type: 'slots', slots: [{ id: 'hero' }, { id: 'side' }, { id: 'none', actions: ['x'] }] })
  const other = { design: 'floors', uniform: 0.3 } as const

  it.each([
    ['a ranking', ranking],
    ['declared slots', declared],
  ])('does not pass: %s', (_, policy) => {
    const pool = poolOf(policy, 5)
    const record = logged(policy, pool, decided(policy, pool, 'd'))
    expect(faultsOf(policy, record)).toEqual([])
    for (let n = 1; n < 3; n++) {
      expect(faultsOf(policy, { ...record, slots: record.slots.slice(0, n) })).toEqual([
        `length: there is no slot ${n}, which the policy would have filled`,
      ])
    }
    for (const list of [undefined, other, { ...record.list, design: other.design, uniform: other.uniform }]) {
      expect(faultsOf(policy, { ...record, list })).toContainEqual(expect.stringMatching(/^floor: `list` says /))
    }
  })
})

it('vectors that are not those of the scores do not pass', () => {
  const policy = policyOf({ type: 'ranking', slots: 3, uniform: 0.1 })
  const pool = poolOf(policy, 5)
  const record = logged(policy, pool, decided(policy, pool, 'd'))
  const [p, q, ...rest] = record.list?.scores ?? []
  const changed = {
    ...record,
    list: { ...record.list, design: 'mixture', scores: [p + 1e-4, q - 1e-4, ...rest] } as const,
  }
  expect(faultsOf(policy, changed)[0]).toMatch(/^entry: slot 0: `item-0` has .* by the scores$/)
})

describe('what is not the policy’s own list', () => {
  const policy = policyOf(
    { type: 'ranking', slots: 3, uniform: 0.1 },
    { guardrails: { minProbability: 0, fallback: 'first-eligible' } },
  )
  const pool = poolOf(policy, 5)

  it('is the fallback first, and then the others in their order', () => {
    const made = decided(policy, pool, 'd', { reason: 'killed' })
    expect(made.slots?.map(({ action, propensity }) => [action, propensity])).toEqual(
      [0, 1, 2].map(i => [`item-${i}`, 1]),
    )
    expect(made.servedBy).toBe('fallback')
    const record = logged(policy, pool, made)
    expect(faultsOf(policy, record)).toEqual([])
    expect(replay(policy, record)).toEqual({ same: true, differences: [] })
  })

  it('is what the caller would have shown, and no more', () => {
    const made = decided(policy, pool, 'd', { reason: 'killed', actions: ['item-4', 'nobody', 'item-2'] })
    expect(made.slots?.map(({ action }) => action)).toEqual(['item-4', 'item-2'])
    expect(made.servedBy).toBe('override')
  })

  it('is what the policy drew, beside a longer list of the caller’s own, in a mode that serves that', () => {
    const shadow = policyOf({ type: 'ranking', slots: 2, uniform: 0.1 }, { mode: 'shadow' })
    const baselines = ['item-3', 'item-1']
    const made = decided(shadow, poolOf(shadow, 4), 'd')
    const text = decisionRecord(shadow, made, { ...FACTS, mode: 'shadow', baselines }, poolOf(shadow, 4))
    expect(text.slots.map(({ baseline }) => baseline)).toEqual(baselines)
    expect(text.served.by).toBe('override')
    expect(faultsOf(shadow, text)).toEqual([])
    expect(replay(shadow, text)).toEqual({ same: true, differences: [] })
  })

  it('is nothing where nothing may be served', () => {
    const none = policyOf(
      { type: 'ranking', slots: 2, uniform: 0.1 },
      { guardrails: { minProbability: 0, fallback: null } },
    )
    const excluded = none.offer({ actions: [{ id: 'x', features: { genre: 'a', price: 1 } }], exclude: ['x'] })
    if ('faults' in excluded) throw new Error('no pool')
    const made = decided(none, excluded, 'd')
    expect(made.slots).toMatchObject([{ slot: 0, action: null, propensity: null }])
    expect(made.servedBy).toBe('none')
    expect(faultsOf(none, logged(none, excluded, made))).toEqual([])
  })
})

it('a walk goes down, back, and down again', () => {
  const policy = policyOf({ type: 'ranking', slots: 3, uniform: 0.2 })
  const pool = poolOf(policy, 4)
  const walk = policy.walk(context, Int32Array.from([0, 1, 2, 3]), 4, 'd', pool)
  const vectors = () => {
    const out: number[][] = []
    for (const a of [2, 0, 3]) {
      const vector = new Float64Array(4)
      walk.vector(vector)
      out.push([...vector])
      walk.take(a)
    }
    for (let k = 0; k < 3; k++) walk.back()
    return out
  }
  const first = vectors()
  expect(vectors()).toEqual(first)
  expect(first[1][2]).toBe(0)
  walk.take(NOTHING)
  expect(walk.slot).toBe(1)
})
