import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { replay } from '../../src/log/records/replay.ts'
import type { DecideAnswer, Problem } from '../../src/serve/api.ts'
import { createIds } from '../../src/serve/ids/ids.ts'
import { createLedger, type Ledger } from '../../src/serve/ids/ledger.ts'
import { type Bench, bench, logStats, NOW, policyOf, served } from './support.ts'

const context = { playerId: 'p1', level: 30, platform: 'ios' }
const ok = (answer: DecideAnswer | Problem): DecideAnswer => {
  if ('status' in answer) throw new Error(JSON.stringify(answer))
  return answer
}

describe('deciding', () => {
  it('answers with the action, its propensity and who decided, and logs all that it takes to recompute it', () => {
    const self = bench()
    const { engine, decisions } = self
    const answer = ok(engine.decide({ decisionId: 'd1', context }, 0))
    expect(answer).toMatchObject({
      decisionId: 'd1',
      policy: { name: 'shop-offer', digest: 'sha256:test', snapshot: null },
      servedBy: 'policy',
    })
    const [record] = decisions
    expect(record).toMatchObject({
      schema: 'dap.decision/v1',
      decisionId: 'd1',
      ts: '2026-11-22T18:00:00.000Z',
      mode: 'online',
      policy: { name: 'shop-offer', digest: 'sha256:test', snapshot: null, runtime: 'dap/test' },
      unit: 'p1',
      context: { ...context, spend30d: 0 },
      defaulted: ['spend30d'],
      eligible: [{ id: 'none' }, { id: 'gold-small' }, { id: 'bundle-mid' }],
      excluded: [],
      slots: [{ slot: 0, action: answer.action, propensity: answer.propensity, floor: 0.02 }],
      randomness: { scheme: 'sha256-53/v1', salt: 'shop-offer' },
      served: { by: 'policy' },
      logProbability: 1,
      latencyUs: 0,
    })
    expect(replay(policyOf(self), record)).toEqual({
      same: true,
      differences: [],
    })
  })

  it('makes up an id where there is none', () => {
    expect(ok(bench().engine.decide({ context }, 0)).decisionId).toBe('id-0')
  })

  it('explains itself when asked, and only then', () => {
    const { engine } = bench()
    expect(ok(engine.decide({ context }, 0)).explanation).toBeUndefined()
    const { explanation, action } = ok(engine.decide({ context: { ...context, level: 5 }, explain: true }, 0))
    expect(action).toBe('none')
    expect(explanation?.actions[1]).toEqual({ id: 'gold-small', excludedBy: 'ctx.level >= 10' })
  })

  it('names every fault of the context at its pointer', () => {
    const { engine, decisions } = bench()
    expect(engine.decide({ context: { level: 0, platform: 'windows', lvel: 1 } }, 0)).toMatchObject({
      status: 400,
      type: 'https://dap.dev/problems/invalid-request',
      errors: [
        { pointer: '/context/lvel', detail: 'is not a field of this policy' },
        { pointer: '/context/playerId' },
        { pointer: '/context/level' },
        { pointer: '/context/platform' },
      ],
    })
    expect(decisions).toEqual([])
  })

  it('says which policies there are', () => {
    const two = bench([served({}, 'a'), served({}, 'b')])
    expect(two.engine.decide({ context }, 0)).toMatchObject({ status: 400, errors: [{ pointer: '/policy' }] })
    expect(two.engine.decide({ policy: 'c', context }, 0)).toMatchObject({
      status: 404,
      detail: '/policy there is no policy of this name; served here: a, b',
    })
    expect(ok(two.engine.decide({ policy: 'b', context }, 0)).policy.name).toBe('b')
  })
})

describe('an id that comes again', () => {
  it('gets the same answer for the same body, and is logged once', () => {
    const self = bench()
    const first = self.engine.decide({ decisionId: 'd1', context }, 0)
    expect(self.engine.decide({ decisionId: 'd1', context: { ...context } }, 0)).toEqual(first)
    expect(self.decisions).toHaveLength(1)
    expect(self.seen).toContain('repeated decision false')
  })

  it('is compared by policy, baseline and context after defaults, and by nothing else', () => {
    const self = bench([served(), served({ mode: 'shadow' }, 'shadow')])
    const ask = (request: object) => self.engine.decide({ decisionId: 'd1', policy: 'shop-offer', ...request }, 0)
    const first = ask({ context })
    const same = [
      { context: { ...context, spend30d: 0 } },
      { context: { spend30d: null, platform: 'ios', level: 30, playerId: 'p1' } },
      { context, deferActivation: true },
    ]
    for (const request of same) expect(ask(request)).toEqual(first)
    const { explanation, ...rest } = ok(ask({ context, explain: true }))
    expect(rest).toEqual(first)
    expect(explanation?.actions).toHaveLength(3)
    const others = [
      { context: { ...context, spend30d: 1 } },
      { context, baseline: 'none' },
      { policy: 'shadow', context, baseline: 'none' },
    ]
    for (const request of others) expect(ask(request)).toMatchObject({ status: 409 })
    expect(self.decisions).toHaveLength(1)
  })

  it('is taken by none of a batch in which one is in conflict', () => {
    const self = bench()
    self.engine.decide({ decisionId: 'd1', context }, 0)
    const other = { ...context, level: 31 }
    expect(
      self.engine.decideAll(
        [
          { decisionId: 'd2', context },
          { decisionId: 'd1', context: other },
        ],
        0,
      ),
    ).toMatchObject({ status: 409, errors: [{ pointer: '/1/decisionId' }] })
    expect(self.engine.decide({ decisionId: 'd2', context: other }, 0)).toHaveProperty('action')
  })

  it('is a conflict for another body', () => {
    const self = bench()
    self.engine.decide({ decisionId: 'd1', context }, 0)
    expect(self.engine.decide({ decisionId: 'd1', context: { ...context, level: 31 } }, 0)).toMatchObject({
      status: 409,
    })
    expect(self.decisions).toHaveLength(1)
  })

  it('is forgotten after the retention, or when there are too many', () => {
    const self = bench([served()], { limits: { retentionMs: 1000, retained: 2 } })
    self.engine.decide({ decisionId: 'd1', context }, 0)
    self.time = 1000
    expect(self.engine.decide({ decisionId: 'd1', context: { ...context, level: 31 } }, 1000)).toHaveProperty('action')
    for (const decisionId of ['d2', 'd3', 'd1']) self.engine.decide({ decisionId, context }, 1000)
    expect(self.decisions.map(({ decisionId }) => decisionId)).toEqual(['d1', 'd1', 'd2', 'd3', 'd1'])
  })
})

describe('an id that the server makes', () => {
  it('is taken: nobody can decide anything else under it, here or on a replica', () => {
    const self = bench([served()], { newId: createIds() })
    const { decisionId } = ok(self.engine.decide({ context }, 0))
    const replica = bench([served()], { newId: createIds() })
    for (const { engine } of [self, replica]) {
      expect(engine.decide({ decisionId, context: { ...context, level: 31 } }, 0)).toMatchObject({ status: 409 })
      expect(engine.decideAll([{ decisionId, context }], 0)).toMatchObject({
        status: 409,
        errors: [{ pointer: '/0/decisionId', detail: 'is of the ids that the server makes itself' }],
      })
    }
    expect(self.decisions).toHaveLength(1)
  })
})

describe('a batch', () => {
  it('is decided one by one', () => {
    const { engine, decisions } = bench()
    const answers = engine.decideAll(
      [
        { decisionId: 'a', context },
        { decisionId: 'b', context },
      ],
      0,
    )
    expect(answers).toHaveLength(2)
    expect(decisions.map(({ decisionId }) => decisionId)).toEqual(['a', 'b'])
  })

  it('is refused as a whole, with every fault of every request, before anything is decided', () => {
    const { engine, decisions } = bench()
    const answer = engine.decideAll([{ context }, { context: { level: 0 } }, { policy: 'x', context }], 0)
    expect(answer).toMatchObject({
      status: 400,
      errors: [
        { pointer: '/1/context/playerId' },
        { pointer: '/1/context/level' },
        { pointer: '/1/context/platform' },
        { pointer: '/2/policy' },
      ],
    })
    expect(decisions).toEqual([])
  })

  it('may not name an id twice', () => {
    const twice = [
      { decisionId: 'a', context },
      { decisionId: 'a', context },
    ]
    expect(bench().engine.decideAll(twice, 0)).toMatchObject({ status: 400, errors: [{ pointer: '/1/decisionId' }] })
  })
})

describe('what the server imposes', () => {
  const fallback = { minProbability: 0.02, fallback: 'gold-small' }

  it('is the fallback once the kill switch is thrown, and the log says so', () => {
    const self = bench([served({ guardrails: fallback })])
    self.killed.add('shop-offer')
    expect(ok(self.engine.decide({ context }, 0))).toMatchObject({
      action: 'gold-small',
      propensity: 1,
      servedBy: 'fallback',
      reason: 'killed',
    })
    expect(replay(policyOf(self), self.decisions[0]).differences).toEqual([])
  })

  it('is the fallback for a request that has waited too long', () => {
    const self = bench([served({ guardrails: fallback })])
    self.time = 1001
    expect(ok(self.engine.decide({ context }, 0))).toMatchObject({ servedBy: 'fallback', reason: 'timeout' })
    expect(ok(self.engine.decide({ context }, 1)).servedBy).toBe('policy')
    expect(self.decisions[0].latencyUs).toBe(1_001_000)
  })

  const paid = {
    actions: [{ id: 'lives-1', features: { price: 0.99 }, eligible: 'ctx.level >= 16' }, { id: 'none' }],
    guardrails: { minProbability: 0.02 },
  }

  it('is nothing where the fallback is not eligible, and the log says so', () => {
    const self = bench([served(paid)])
    self.killed.add('shop-offer')
    const young = { ...context, level: 12 }
    expect(ok(self.engine.decide({ context: young, explain: true }, 0))).toMatchObject({
      action: null,
      features: undefined,
      propensity: null,
      servedBy: 'none',
      reason: 'killed',
      explanation: { actions: [{ id: 'lives-1', excludedBy: 'ctx.level >= 16' }, { id: 'none' }] },
    })
    const [record] = self.decisions
    expect(record).toMatchObject({
      eligible: [{ id: 'none' }],
      excluded: [{ id: 'lives-1', by: 'ctx.level >= 16' }],
      served: { by: 'none', reason: 'killed' },
    })
    expect(record.slots).toEqual([{ slot: 0, action: null, propensity: null, propensities: [], floor: 0 }])
    expect(self.seen).toEqual(['decided shop-offer none '])
    expect(replay(policyOf(self), record).differences).toEqual([])
    expect(ok(self.engine.decide({ context }, 0))).toMatchObject({ action: 'lives-1', servedBy: 'fallback' })
  })

  it('is the fallback where a rule of the policy fails', () => {
    const actions = [{ id: 'a' }, { id: 'b', eligible: '10 / (ctx.level - 30) > 1' }]
    const self = bench([served({ actions, guardrails: { minProbability: 0.02 } })])
    expect(ok(self.engine.decide({ context }, 0))).toMatchObject({ action: 'a', servedBy: 'fallback' })
    expect(replay(policyOf(self), self.decisions[0]).same).toBe(true)
  })
})

describe('modes', () => {
  const decideIn = (
    mode: 'shadow' | 'apprentice' | 'logging-only',
    baseline?: string,
  ): [Bench, DecideAnswer | Problem] => {
    const self = bench([served({ mode })])
    return [self, self.engine.decide({ decisionId: 'd1', context, ...(baseline === undefined ? {} : { baseline }) }, 0)]
  }

  it.each(['shadow', 'apprentice'] as const)('%s serves the baseline and logs the choice as an override', mode => {
    const [self, answer] = decideIn(mode, 'none')
    expect(answer).toMatchObject({ action: 'none', propensity: null, servedBy: 'override', reason: mode })
    const [record] = self.decisions
    expect(record.slots[0]).toMatchObject({ baseline: 'none' })
    expect(record.slots[0].propensities).toHaveLength(3)
    expect(record.served).toEqual({ by: 'override', reason: mode })
    expect(self.seen).toContain(`agreed shop-offer ${record.slots[0].action === 'none'}`)
    expect(replay(policyOf(self), record).differences).toEqual([])
  })

  it('logging-only decides nothing', () => {
    const [self, answer] = decideIn('logging-only', 'bundle-mid')
    expect(answer).toMatchObject({ action: 'bundle-mid', propensity: null, servedBy: 'override' })
    expect(self.decisions[0]).toMatchObject({
      eligible: [{ id: 'none' }, { id: 'gold-small' }, { id: 'bundle-mid' }],
      slots: [{ action: 'bundle-mid', propensity: 1, propensities: [0, 0, 1] }],
      served: { by: 'override', reason: 'logging-only' },
    })
    expect(replay(policyOf(self), self.decisions[0]).same).toBe(true)
  })

  const excludedReasons = {
    shadow: 'shadow: the rules exclude the baseline',
    apprentice: 'apprentice: the rules exclude the baseline',
    'logging-only': 'logging-only: the rules exclude the baseline',
  }

  it.each(Object.entries(excludedReasons))(
    '%s serves a baseline that the rules exclude, with a warning, and never as a choice of dap',
    (mode, reason) => {
      const self = bench([served({ mode: mode as keyof typeof excludedReasons })])
      const young = { ...context, level: 5 }
      const answer = self.engine.decide({ decisionId: 'd1', context: young, baseline: 'bundle-mid' }, 0)
      expect(answer).toMatchObject({ action: 'bundle-mid', propensity: null, servedBy: 'override', reason })
      expect(self.decisions[0]).toMatchObject({
        eligible: [{ id: 'none' }],
        slots: [{ action: 'none', propensity: 1, propensities: [1], baseline: 'bundle-mid' }],
        served: { by: 'override', reason },
      })
      expect(replay(policyOf(self), self.decisions[0]).differences).toEqual([])
    },
  )

  it('need a baseline', () => {
    expect(decideIn('shadow')[1]).toMatchObject({ status: 400, errors: [{ pointer: '/baseline' }] })
  })

  it('answer a baseline that is no action with the fallback', () => {
    const [self, answer] = decideIn('shadow', 'nonne')
    expect(answer).toMatchObject({ action: 'none', servedBy: 'fallback', reason: 'the baseline is not an action' })
    expect(replay(policyOf(self), self.decisions[0]).same).toBe(true)
  })

  it('serve the baseline when they are killed, too', () => {
    const self = bench([served({ mode: 'shadow' })])
    self.killed.add('shop-offer')
    expect(self.engine.decide({ context, baseline: 'bundle-mid' }, 0)).toMatchObject({
      action: 'bundle-mid',
      reason: 'shadow: killed',
    })
    expect(replay(policyOf(self), self.decisions[0]).same).toBe(true)
  })
})

describe('a log under pressure', () => {
  it('keeps a record with the probability that it carries, whatever was decided', () => {
    const self = bench()
    self.admission = 0.25
    for (let i = 0; i < 4000; i++) ok(self.engine.decide({ decisionId: `d${i}`, context }, 0))
    const kept = self.decisions.length
    // 4000 · 0.25 ± 4 · √(4000 · 0.25 · 0.75)
    expect(Math.abs(kept - 1000)).toBeLessThan(110)
    expect(new Set(self.decisions.map(record => record.logProbability))).toEqual(new Set([0.25]))
    expect(self.seen.filter(line => line === 'shed shop-offer')).toHaveLength(4000 - kept)
    const mean = self.decisions.reduce((sum, { randomness: { u } }) => sum + u, 0) / kept
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / kept))
  })

  it('refuses everything once nothing can be kept', () => {
    const self = bench()
    self.admission = 0
    const refusals = [
      self.engine.decide({ context }, 0),
      self.engine.decideAll([{ context }], 0),
      self.engine.reward([{ decisionId: 'd', value: 1 }]),
      self.engine.activate([{ decisionId: 'd' }]),
    ]
    for (const refusal of refusals) expect(refusal).toMatchObject({ status: 503 })
    expect([self.decisions, self.rewards]).toEqual([[], []])
  })
})

describe('rewards and activations', () => {
  it('are logged with both times', () => {
    const self = bench()
    self.time = 5000
    const reward = { rewardId: 'r1', decisionId: 'd1', value: 1.5, name: 'revenue', ts: '2026-11-22T19:00:00+01:00' }
    expect(self.engine.reward([reward, { decisionId: 'd2', value: 0 }])).toEqual({ accepted: 2 })
    expect(self.rewards).toEqual([
      {
        schema: 'dap.reward/v1',
        ...reward,
        ts: '2026-11-22T18:00:00.000Z',
        receivedTs: new Date(NOW + 5000).toISOString(),
      },
      {
        schema: 'dap.reward/v1',
        rewardId: 'id-0',
        decisionId: 'd2',
        value: 0,
        ts: '2026-11-22T18:00:05.000Z',
        receivedTs: '2026-11-22T18:00:05.000Z',
      },
    ])
    expect(self.engine.activate([{ decisionId: 'd1' }])).toEqual({ accepted: 1 })
    expect(self.rewards[2]).toMatchObject({ kind: 'activation', rewardId: 'activation/d1', decisionId: 'd1' })
  })

  it('refuses what cannot be: all faults at once, and nothing is logged', () => {
    const self = bench()
    self.engine.decide({ decisionId: 'd1', context }, 0)
    const rewards = [
      { decisionId: 'd1', value: Number.POSITIVE_INFINITY },
      { decisionId: 'd1', value: 2 },
      { decisionId: 'd1', value: 1, ts: 'yesterday' },
      { decisionId: 'd1', value: 2, name: 'revenue' },
      { decisionId: 'd1', value: 1, ts: '2026-13-45T00:00:00Z' },
    ]
    expect(self.engine.reward(rewards)).toMatchObject({
      status: 400,
      errors: [{ pointer: '/0/value' }, { pointer: '/1/value' }, { pointer: '/2/ts' }, { pointer: '/4/ts' }],
    })
    expect(self.rewards).toEqual([])
  })

  it('mark a deferred decision as pending', () => {
    const self = bench()
    self.engine.decide({ context, deferActivation: true }, 0)
    expect(self.decisions[0].served).toEqual({ by: 'policy', activation: 'pending' })
  })
})

describe('--ack written', () => {
  /** A log whose writes end when the test says so. */
  function slow() {
    let write = () => {}
    const flushed = new Promise<void>(resolve => {
      write = resolve
    })
    const pushed: string[] = []
    const log = {
      admission: 1,
      push: (_: string, record: string) => void pushed.push(record),
      trouble: undefined,
      stats: logStats(),
      tried: Promise.resolve(),
      settled: async () => {},
      flush: () => flushed,
      close: async () => {},
    }
    return { self: bench([served()], { log, ack: 'written' }), pushed, write: () => write() }
  }

  it('answers what was logged only once it is written', async () => {
    const { self, pushed, write } = slow()
    let answered = 0
    const asked = [
      self.engine.decide({ context }, 0),
      self.engine.decide({ decisionId: 'd1', context }, 0),
      self.engine.decideAll([{ context }], 0),
      self.engine.reward([{ decisionId: 'd1', value: 1 }]),
      self.engine.activate([{ decisionId: 'd1' }]),
    ].map(each => Promise.resolve(each).finally(() => answered++))
    await new Promise(done => setImmediate(done))
    expect({ answered, pushed: pushed.length }).toEqual({ answered: 0, pushed: 5 })
    write()
    expect(await Promise.all(asked)).toMatchObject([
      { servedBy: 'policy' },
      { decisionId: 'd1' },
      [{ servedBy: 'policy' }],
      { accepted: 1 },
      { accepted: 1 },
    ])
  })

  it('acknowledges nothing that another process has not written', async () => {
    const ledger = createLedger(() => 0, { retentionMs: 1_000, retained: 10 })
    const by = (worker: number): Ledger => ({ ...ledger, claim: claims => ledger.claim(claims, worker) })
    const [first, second] = [1, 2].map(worker => bench([served()], { ledger: by(worker), ack: 'written' }).engine)
    const reward = [{ rewardId: 'r', decisionId: 'd1', value: 1 }]
    await Promise.all([first.decide({ decisionId: 'd1', context }, 0), first.reward(reward)])
    for (const answer of [
      second.decide({ decisionId: 'd1', context }, 0),
      second.decideAll([{ decisionId: 'd1', context }], 0),
      second.reward(reward),
    ]) {
      expect(await answer).toMatchObject({ status: 503 })
    }
    ledger.settle([{ kind: 'decision', id: 'd1' }], 1, 'written')
    ledger.settle([{ kind: 'reward', id: 'r' }], 1, 'written')
    expect(await second.decide({ decisionId: 'd1', context }, 0)).toMatchObject({ decisionId: 'd1' })
    expect(await second.reward(reward)).toEqual({ accepted: 1 })
  })

  it('says what is wrong at once', () => {
    expect(slow().self.engine.decide({ context: {} }, 0)).toMatchObject({ status: 400 })
  })

  it('lets nobody wait for ever: the same request may be sent again', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { self, pushed, write } = slow()
    const late = Promise.resolve(self.engine.decide({ decisionId: 'd1', context }, 0))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await late).toMatchObject({ status: 503 })
    const again = Promise.resolve(self.engine.decide({ decisionId: 'd1', context }, 0))
    write()
    expect(await again).toMatchObject({ decisionId: 'd1' })
    expect(pushed).toHaveLength(1)
  })
})
