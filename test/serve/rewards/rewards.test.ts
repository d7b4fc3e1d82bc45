import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogCheck } from '../../../src/log/check/check.ts'
import { createIds, readId } from '../../../src/serve/ids/ids.ts'
import { bench, NOW, served } from '../support.ts'

const context = { playerId: 'p1', level: 30, platform: 'ios' }
const at = (ms: number) => new Date(NOW + ms).toISOString()
const number = served({ reward: { name: 'spend', type: 'number', wait: '1h', default: 0 } }, 'spend-offer')

/** A server that makes ids as a real one does, and has made a decision under its own id and one under the caller's. */
function decided(policies = [served()]) {
  const self = bench(policies, { newId: createIds() })
  const own = self.engine.decide({ policy: policies[0].policy.name, context }, 0) as { readonly decisionId: string }
  self.engine.decide({ policy: policies[0].policy.name, decisionId: 'mine', context }, 0)
  return { self, ids: [own.decisionId, 'mine'] }
}

describe('the value of a reward', () => {
  it.each([0, 1])('%d is one of a binary reward, whoever made the id', value => {
    const { self, ids } = decided()
    for (const decisionId of ids) expect(self.engine.reward([{ decisionId, value }])).toEqual({ accepted: 1 })
  })

  it.each([1000, 5e300, -3, 0.5, 1.000001, -1e-9])('%d is none, whoever made the id, and nothing is logged', value => {
    const { self, ids } = decided()
    for (const decisionId of [...ids, 'nobody knows']) {
      expect(self.engine.reward([{ decisionId, value }])).toMatchObject({
        status: 400,
        errors: [{ pointer: '/0/value', detail: 'is outside the range: `purchase` is binary: 0 or 1' }],
      })
    }
    expect(self.rewards).toEqual([])
    expect(self.seen.filter(line => line === 'refused value')).toHaveLength(3)
  })

  it('is anything for another name, for a policy that takes numbers, and where such a policy may have decided', () => {
    const { self, ids } = decided([number, served()])
    for (const decisionId of [...ids, 'nobody knows']) {
      expect(self.engine.reward([{ decisionId, value: 1000 }])).toEqual({ accepted: 1 })
    }
    const other = decided()
    expect(other.self.engine.reward([{ decisionId: 'mine', name: 'spend', value: 1000 }])).toEqual({ accepted: 1 })
    expect(other.self.seen.at(-1)).toBe('unmatched other-name')
  })
})

describe('the time of a reward', () => {
  it('is that of the decision where it is earlier by at most five seconds, and refused beyond', () => {
    const { self, ids } = decided()
    for (const decisionId of ids) {
      self.rewards.length = 0
      expect(self.engine.reward([{ decisionId, value: 1, ts: at(-5_000) }])).toEqual({ accepted: 1 })
      expect(self.rewards[0].ts).toBe(at(0))
      for (const ts of [at(-5_001), '0001-01-01T00:00:00Z']) {
        expect(self.engine.reward([{ decisionId, value: 1, ts }])).toMatchObject({ errors: [{ pointer: '/0/ts' }] })
        expect(self.engine.activate([{ decisionId, ts }])).toMatchObject({ errors: [{ pointer: '/0/ts' }] })
      }
    }
  })

  it('is at most five seconds ahead of the server', () => {
    const { self } = decided()
    self.time = 1_000
    expect(self.engine.reward([{ decisionId: 'mine', value: 1, ts: at(6_000) }])).toEqual({ accepted: 1 })
    expect(self.engine.reward([{ decisionId: 'mine', value: 1, ts: at(6_001) }])).toMatchObject({
      errors: [{ pointer: '/0/ts', detail: "is 5.0 s in the future, by the server's clock; without it, now is taken" }],
    })
  })

  it.each([
    '9999-12-31T23:59:59-12:00',
    '0000-01-01T00:00:00+12:00',
    '9999-06-01T00:00:00Z',
    '2026-13-45T00:00:00Z',
    'yesterday',
  ])('%s is none', ts => {
    const { self } = decided()
    for (const decisionId of ['mine', 'nobody knows']) {
      expect(self.engine.reward([{ decisionId, value: 1, ts }])).toMatchObject({ status: 400 })
    }
    expect(self.rewards).toEqual([])
  })

  it('is that of the decision where the server stamps it and its clock was set back, and no caller is refused for that', () => {
    let now = NOW
    const self = bench([served()], { newId: createIds(), clock: { now: () => now, monotonic: () => 0 } })
    self.engine.decide({ decisionId: 'mine', context }, 0)
    now -= 3_600_000
    expect(self.engine.reward([{ decisionId: 'mine', value: 1 }])).toEqual({ accepted: 1 })
    expect(self.rewards[0]).toMatchObject({ ts: at(0), receivedTs: at(-3_600_000) })
    expect(self.engine.reward([{ decisionId: 'mine', value: 1, ts: at(3_000) }])).toEqual({ accepted: 1 })
  })
})

describe('a reward that is sent again', () => {
  it('is the same record under its id, with or without a time', () => {
    const { self } = decided()
    const reward = { rewardId: 'r', decisionId: 'mine', value: 1 }
    self.engine.reward([reward])
    self.time = 2_000
    expect(self.engine.reward([reward, { ...reward, ts: at(1_000) }])).toEqual({ accepted: 2 })
    expect(self.rewards).toHaveLength(1)
    expect(self.seen.filter(line => line === 'repeated reward false')).toHaveLength(2)
  })

  it.each([{ value: 0 }, { decisionId: 'other' }, { name: 'spend' }])('is a conflict with %o', change => {
    const { self } = decided()
    const reward = { rewardId: 'r', decisionId: 'mine', value: 1 }
    self.engine.reward([reward])
    expect(
      self.engine.reward([
        { decisionId: 'mine', value: 1 },
        { ...reward, ...change },
      ]),
    ).toMatchObject({
      status: 409,
      errors: [{ pointer: '/1/rewardId', detail: 'was used for another reward' }],
    })
    expect(self.rewards).toHaveLength(1)
    expect(self.seen.at(-1)).toBe('refused conflict')
  })

  it('is one activation', () => {
    const { self } = decided()
    for (let i = 0; i < 3; i++) {
      self.time += 1_000
      expect(self.engine.activate([{ decisionId: 'mine' }])).toEqual({ accepted: 1 })
    }
    expect(self.rewards.map(({ rewardId, ts }) => [rewardId, ts])).toEqual([['activation/mine', at(1_000)]])
  })

  it('cannot pass for the activation of its decision', () => {
    const { self } = decided()
    const reward = { rewardId: 'activation/mine', decisionId: 'mine', value: 1 }
    expect(self.engine.reward([reward])).toMatchObject({ status: 400, errors: [{ pointer: '/0/rewardId' }] })
    expect(self.engine.activate([{ decisionId: 'mine' }])).toEqual({ accepted: 1 })
  })
})

describe('a reward of a decision that nobody knows', () => {
  it('is taken, and counted', () => {
    const { self } = decided()
    self.engine.reward([{ decisionId: 'nobody knows', value: 1 }])
    self.engine.activate([{ decisionId: 'nobody knows' }])
    expect(self.seen.filter(line => line === 'unmatched unknown-decision')).toHaveLength(2)
  })

  it('is held against a policy that was served before', () => {
    const { self, ids } = decided([number, served()])
    self.policies.delete('spend-offer')
    expect(self.engine.reward([{ decisionId: ids[0], value: 12.5 }])).toEqual({ accepted: 1 })
    expect(self.engine.reward([{ decisionId: 'nobody knows', value: 12.5 }])).toEqual({ accepted: 1 })
  })

  it('has no time from an id of the future', () => {
    const self = bench([served()])
    for (const ms of [NOW + 5_001, 2 ** 48 - 1]) {
      self.rewards.length = 0
      const decisionId = createIds()(ms, 'shop-offer')
      expect(self.engine.reward([{ decisionId, value: 1 }])).toEqual({ accepted: 1 })
      expect(self.engine.activate([{ decisionId }])).toEqual({ accepted: 1 })
      expect(self.rewards.map(({ ts }) => ts)).toEqual([at(0), at(0)])
    }
  })

  it('is known by the mark of its id on another server of the same policies', () => {
    const { ids } = decided([served(), number])
    const other = bench([number, served()])
    expect(other.engine.reward([{ decisionId: ids[0], value: 1000 }])).toMatchObject({ status: 400 })
    expect(other.engine.reward([{ decisionId: ids[0], value: 1, ts: at(-5_001) }])).toMatchObject({ status: 400 })
  })
})

it('marks ids with what they are of, and is wrong about others once in a thousand million', () => {
  const newId = createIds()
  const names = ['a', 'shop-offer', 'home-row']
  for (let i = 0; i < 3_000; i++) {
    const of = names[i % 3]
    expect(readId(newId(NOW + i, of), names)).toEqual({ of, ms: NOW + i })
  }
  let wrong = 0
  for (let i = 0; i < 200_000; i++) if (readId(newId(NOW), names) !== undefined) wrong++
  // 200,000 · 3 / 2^30 = 0.0006 are expected
  expect(wrong).toBeLessThan(2)
  for (const id of ['', 'mine', `${newId(NOW, 'a')}0`, newId(NOW, 'a').toLowerCase()]) {
    expect(readId(id, names)).toBeUndefined()
  }
})

it('takes nothing that its own log check refuses, whatever is sent, in whatever order', () => {
  const id = fc.constantFrom('d1', 'd2', 'd3')
  const sent = fc.oneof(
    fc.record({
      decide: fc.record({
        decisionId: fc.option(id, { nil: undefined }),
        context: fc.record({
          playerId: fc.constantFrom('p', 'q'),
          platform: fc.constantFrom('ios', 'android'),
          level: fc.integer({ min: 1, max: 3 }),
        }),
        deferActivation: fc.boolean(),
      }),
    }),
    fc.record({
      reward: fc.record(
        {
          rewardId: fc.constantFrom('r1', 'r2', 'activation/d1'),
          decisionId: fc.oneof(id, fc.constant('own')),
          slot: fc.constant(0),
          name: fc.constantFrom('purchase', 'spend'),
          value: fc.constantFrom(0, 1, 2, -1),
          ts: fc.constantFrom(...[-10_000, -5_001, -5_000, -1, 0, 1, 5_000, 5_001].map(at)),
        },
        { requiredKeys: ['decisionId', 'value'] },
      ),
    }),
    fc.record({
      activate: fc.record({ decisionId: id, ts: fc.constantFrom(at(-1), at(1)) }, { requiredKeys: ['decisionId'] }),
    }),
    fc.record({ clock: fc.integer({ min: -4_000_000, max: 4_000_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 40 }), all => {
      let now = NOW
      const self = bench([served()], {
        newId: createIds(),
        clock: { now: () => now, monotonic: () => 0 },
      })
      let own = 'nobody knows'
      for (const each of all) {
        if ('clock' in each) now = NOW + each.clock
        else if ('decide' in each) {
          const answer = self.engine.decide(each.decide, 0)
          if ('decisionId' in answer && each.decide.decisionId === undefined) own = answer.decisionId
        } else if ('activate' in each) self.engine.activate([each.activate])
        else {
          const { decisionId } = each.reward
          self.engine.reward([{ ...each.reward, decisionId: decisionId === 'own' ? own : decisionId }])
        }
      }
      const check = createLogCheck(new Map([['sha256:test', { policy: served().policy, wait: 3_600_000 }]]))
      let row = 0
      for (const record of [...self.decisions, ...self.rewards]) check.line('log', ++row, JSON.stringify(record))
      const { faults } = check.finish()
      expect(faults.filter(({ severity }) => severity === 'error')).toEqual([])
      // Only what no server could know at its door: rewards whose decision came later, or never.
      const known = faults.filter(({ code }) => !['orphan', 'early', 'too-early'].includes(code))
      expect(known).toEqual([])
    }),
    { numRuns: 300 },
  )
})
