import { OFREPProvider } from '@openfeature/ofrep-provider'
import { OpenFeature } from '@openfeature/server-sdk'
import { afterEach, describe, expect, it } from 'vitest'
import { createClient } from '../../src/client.ts'
import type { PolicySpec } from '../../src/kinds.ts'
import { createLogCheck } from '../../src/log/check/check.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import { replay } from '../../src/log/records/replay.ts'
import { answerOf } from '../../src/serve/answer.ts'
import type { DecideAnswer, DecideRequest, Problem } from '../../src/serve/api.ts'
import { claimOfDecision, createLedger } from '../../src/serve/ids/ledger.ts'
import { httpBench } from './http-support.ts'
import { type Bench, bench, policyOf, served } from './support.ts'

const ITEMS = ['a', 'b', 'c', 'd', 'e', 'f'].map((id, i) => ({ id, features: { price: i + 1 } }))
const RANKING: PolicySpec['decision'] = { type: 'ranking', slots: 3, uniform: 0.2 }
const PAGE: PolicySpec['decision'] = {
  type: 'slots',
  slots: [{ id: 'hero' }, { id: 'side', actions: ['a', 'b'] }, { id: 'foot', actions: ['a', 'b'], exclude: ['b'] }],
}

const row = (decision: PolicySpec['decision'] = RANKING, changes: Partial<PolicySpec> = {}) =>
  served(
    {
      context: { playerId: { type: 'string' }, level: { type: 'integer', default: 1 } },
      actions: ITEMS.map(each => (each.id === 'f' ? { ...each, eligible: 'ctx.level > 5' } : each)),
      decision,
      algorithm: { learner: { type: 'mean' }, exploration: { type: 'softmax', temperature: 0.2 } },
      guardrails: { minProbability: 0 },
      ...changes,
    },
    'row',
  )

const context = { playerId: 'p1' }
const ok = (answer: DecideAnswer | Problem): DecideAnswer => {
  if ('status' in answer) throw new Error(JSON.stringify(answer))
  return answer
}
const ask = (self: Bench, request: DecideRequest = {}, arrived = self.time) =>
  ok(self.engine.decide({ context, ...request }, arrived))
const faultsOf = (answer: object) =>
  'errors' in answer
    ? (answer.errors as { pointer: string; detail: string }[]).map(f => `${f.pointer} ${f.detail}`)
    : []
const told = ({ slots = [] }: DecideAnswer) => slots.map(({ action }) => action)

/** It is checked, and recomputes. */
function sound(self: Bench, record: DecisionRecord): void {
  expect(replay(policyOf(self), record)).toEqual({ same: true, differences: [] })
  const check = createLogCheck(new Map([['sha256:test', { policy: policyOf(self), wait: 1 }]]))
  check.line('log', 1, JSON.stringify(record))
  expect(check.finish().faults.filter(({ severity }) => severity === 'error')).toEqual([])
}

describe('a server of lists', () => {
  it('answers every slot, the first of them above, and what it wrote is checked and recomputed', () => {
    const self = bench([row()])
    for (let i = 0; i < 20; i++) {
      const answer = ask(self, { decisionId: `d${i}` })
      const record = self.decisions[i]
      expect(answer.slots).toEqual(
        record.slots.map(({ slot, action, propensity }) => ({
          slot,
          action,
          features: ITEMS.find(({ id }) => id === action)?.features,
          propensity,
        })),
      )
      const { action, features, propensity } = answer
      expect(answer.slots?.[0]).toEqual({ slot: 0, action, features, propensity })
      expect(new Set(told(answer)).size).toBe(3)
      sound(self, record)
    }
  })

  it('says what declared slots are called, and which of them are empty', () => {
    const self = bench([row(PAGE)])
    for (let i = 0; i < 20; i++) {
      const { slots = [] } = ask(self, { decisionId: `d${i}` })
      expect(slots.map(({ slot, id }) => [slot, id])).toEqual([
        [0, 'hero'],
        [1, 'side'],
        [2, 'foot'],
      ])
      for (const { action, propensity } of slots) expect(action === null).toBe(propensity === null)
      sound(self, self.decisions[i])
    }
    expect(self.decisions.some(({ slots }) => slots[2].action === null)).toBe(true)
  })

  it('is shorter where there is less to rank, and empty where there is nothing', () => {
    const self = bench([row()])
    expect(ask(self, { exclude: ['a', 'b', 'c', 'd'] }).slots).toMatchObject([{ slot: 0, action: 'e', propensity: 1 }])
    const nothing = { action: null, propensity: null, servedBy: 'none', slots: [] }
    expect(ask(self, { exclude: ['a', 'b', 'c', 'd', 'e'] })).toMatchObject(nothing)
    for (const record of self.decisions) sound(self, record)
  })

  it.each(['shadow', 'apprentice', 'logging-only'] as const)('serves the caller its own list in the mode %s', mode => {
    for (const decision of [RANKING, PAGE]) {
      const self = bench([row(decision, { mode })])
      const answer = ask(self, { baseline: ['c', 'a'] })
      expect(answer).toMatchObject({ action: 'c', features: { price: 3 }, propensity: null, servedBy: 'override' })
      expect(told(answer)).toEqual(decision === RANKING ? ['c', 'a'] : ['c', 'a', null])
      expect(self.decisions[0].slots.flatMap(({ baseline }) => baseline ?? [])).toEqual(['c', 'a'])
      sound(self, self.decisions[0])
      const longer = ask(self, { baseline: ['c', 'a', 'b'], exclude: ['b', 'd', 'e', 'f'] })
      expect(told(longer)).toEqual(['c', 'a', 'b'])
      expect(longer.reason).toContain('the rules exclude the baseline')
      sound(self, self.decisions[1])
    }
  })

  it('agrees with the caller where all of its list is the same', () => {
    const self = bench([row(RANKING, { mode: 'shadow' })])
    ask(self, { decisionId: 'd', baseline: ['c'] })
    const own = self.decisions[0].slots.flatMap(({ action }) => action ?? [])
    self.seen.length = 0
    const again = bench([row(RANKING, { mode: 'shadow' })])
    ask(again, { decisionId: 'd', baseline: own })
    ask(again, { decisionId: 'e', baseline: own.toReversed() })
    expect(again.seen.filter(line => line.startsWith('agreed'))).toEqual(['agreed row true', 'agreed row false'])
  })

  it('says what is wrong with a baseline, each at its place', () => {
    const faults = (decision: PolicySpec['decision'], baseline: string | string[]) =>
      faultsOf(bench([row(decision, { mode: 'shadow' })]).engine.decide({ context, baseline }, 0))
    expect(faults(RANKING, ['a', 'gg', 'a', 'b'])).toEqual([
      '/baseline/1 is none of the actions',
      '/baseline/2 is in the list twice',
      '/baseline/3 is one too many: a list of the policy has at most 3',
    ])
    expect(faults(RANKING, 'a')).toEqual(['/baseline must be a list of ids: the policy decides lists'])
    expect(faults({ type: 'single' }, ['a', 'b'])).toEqual(['/baseline must be one id: the policy decides one action'])
    const online = bench([row()])
    expect(faultsOf(online.engine.decide({ context: { level: 'x' }, baseline: ['zz'] }, 0))).toHaveLength(3)
    const single = bench([row({ type: 'single' }, { mode: 'shadow' })])
    expect(ask(single, { baseline: ['b'] })).toEqual({ ...ask(single, { baseline: 'b' }), decisionId: 'id-0' })
    expect('slots' in JSON.parse(JSON.stringify(ask(single, { baseline: 'b' })))).toBe(false)
  })

  it('serves lists where the policy is not asked: killed, or too late', () => {
    const self = bench([row(RANKING, { guardrails: { minProbability: 0, fallback: 'c' } })])
    self.time = 5_000
    expect(told(ask(self, {}, 0))).toEqual(['c', 'a', 'b'])
    self.killed.add('row')
    expect(ask(self)).toMatchObject({ servedBy: 'fallback', reason: 'killed', propensity: 1 })
    const shadow = bench([row(RANKING, { mode: 'shadow' })])
    shadow.killed.add('row')
    expect(told(ask(shadow, { baseline: ['e', 'b'] }))).toEqual(['e', 'b'])
    for (const each of [self, shadow]) for (const record of each.decisions) sound(each, record)
  })

  it('answers a retry the same, also after a restart, and another baseline under its id is a conflict', () => {
    for (const decision of [RANKING, PAGE]) {
      const request = { decisionId: 'd', context, baseline: ['b', 'a'] }
      for (const mode of ['online', 'shadow'] as const) {
        const before = bench([row(decision, { mode })])
        const first = JSON.stringify(ask(before, request))
        expect(JSON.stringify(ask(before, request))).toBe(first)
        const ledger = createLedger(() => 0, { retentionMs: 1e6, retained: 10 })
        ledger.restore([{ claim: claimOfDecision(before.decisions[0]), ageMs: 1 }])
        const after = bench([row(decision, { mode })], { ledger })
        expect(JSON.stringify(ask(after, request))).toBe(first)
        for (const baseline of [['a', 'b'], ['b']]) {
          expect(after.engine.decide({ ...request, baseline }, 0)).toMatchObject({ status: 409 })
        }
        expect(JSON.parse(JSON.stringify(answerOf(before.decisions[0]))).slots).toHaveLength(
          JSON.parse(first).slots.length,
        )
      }
    }
  })

  it('takes rewards and activations of its slots, and refuses those that the decision, or where that is not known no policy, has had', () => {
    const self = bench([row()])
    ask(self, { decisionId: 'd' })
    const { engine } = self
    expect(engine.reward([0, 2].map(slot => ({ rewardId: `r${slot}`, decisionId: 'd', slot, value: 1 })))).toEqual({
      accepted: 2,
    })
    expect(faultsOf(engine.reward([{ decisionId: 'd', slot: 3, value: 1 }]))).toEqual([
      "/0/slot is none of the decision's: the last is 2",
    ])
    expect(faultsOf(engine.activate([{ decisionId: 'd' }, { decisionId: 'd', slot: 49 }]))).toEqual([
      "/1/slot is none of the decision's: the last is 2",
    ])
    expect(engine.reward([{ decisionId: 'elsewhere', slot: 2, value: 1 }])).toEqual({ accepted: 1 })
    expect(faultsOf(engine.reward([{ decisionId: 'elsewhere', slot: 3, value: 1 }]))).toHaveLength(1)
    const shown = [{ decisionId: 'd' }, { decisionId: 'd', slot: 1 }, { decisionId: 'd', slot: 2 }]
    expect(engine.activate([...shown, ...shown])).toEqual({ accepted: 6 })
    expect(self.rewards.map(({ rewardId, slot }) => [rewardId, slot])).toEqual([
      ['r0', 0],
      ['r2', 2],
      ['id-0', 2],
      ['activation/d', undefined],
      ['activation#1/d', 1],
      ['activation#2/d', 2],
    ])
    for (const rewardId of ['activation/x', 'activation#12/x']) {
      expect(faultsOf(engine.reward([{ rewardId, decisionId: 'd', value: 1 }]))).toHaveLength(1)
    }
    expect(self.seen.filter(line => line.startsWith('refused'))).toEqual([
      'refused slot',
      'refused slot',
      'refused slot',
    ])
    expect(
      engine.reward([{ rewardId: 'r0', decisionId: 'd', slot: 1, value: 1 }]),
      'another slot is another reward',
    ).toMatchObject({ status: 409 })
  })
})

describe('the HTTP interface of lists', () => {
  afterEach(() => OpenFeature.clearProviders())

  it('has them one at a time, in batches and on the predict route, and describes their slots', async () => {
    const { post, get, bench: self } = httpBench({ on: bench([row(PAGE)]) })
    const { json: one } = await post('/v1/decide', { context, decisionId: 'd' })
    expect(one.slots[0]).toEqual({ ...one.slots[0], slot: 0, id: 'hero', action: one.action })
    const { json: many } = await post('/v1/decide:batch', { requests: [{ context, decisionId: 'd' }] })
    expect(many.decisions).toEqual([one])
    const { json: predicted } = await post('/predict', { instances: [{ context, decisionId: 'd' }] })
    expect(predicted.predictions).toEqual([one])
    expect(self.decisions).toHaveLength(1)
    expect((await get('/v1/policies/row')).json.slots).toEqual({ count: 3, ids: ['hero', 'side', 'foot'] })
    expect((await post('/v1/decide', { context, baseline: [1] })).json.errors).toMatchObject([
      { pointer: '/baseline/0' },
    ])
    expect((await post('/v1/rewards', { decisionId: 'd', slot: 50, value: 1 })).json.errors).toMatchObject([
      { pointer: '/slot' },
    ])
  })

  it("is a flag of the type object to OpenFeature's SDK", async () => {
    const { listen, bench: self } = httpBench({ on: bench([row()]) })
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: await listen() }))
    const flags = OpenFeature.getClient()
    const asked = { targetingKey: 'p1' }
    const details = await flags.getObjectDetails('row', ['a'], asked)
    const list = self.decisions[0].slots.map(({ action }) => action)
    expect(details).toMatchObject({ value: list, variant: list[0] })
    expect(details.flagMetadata).toMatchObject({ propensity: self.decisions[0].slots[0].propensity })
    expect(await flags.getStringDetails('row', 'a', asked)).toMatchObject({ value: 'a', errorCode: 'TYPE_MISMATCH' })
  })

  it('is typed in the client, whose fallback may be a list', async () => {
    const { listen, bench: self } = httpBench({ on: bench([row()]) })
    const dap = createClient({ baseUrl: await listen(), timeoutMs: 600_000 })
    const { decisionId, slots = [] } = await dap.decide(
      { context, decisionId: 'd', deferActivation: true },
      { fallback: ['a', 'b'] },
    )
    expect(slots.map(({ action }) => action)).toEqual(self.decisions[0].slots.map(({ action }) => action))
    dap.reward({ decisionId, slot: 2, value: 1 })
    for (const slot of [0, 2, 2, undefined]) dap.activate(decisionId, slot === undefined ? {} : { slot })
    expect(await dap.close()).toEqual({ unsent: 0 })
    expect(self.rewards.map(({ kind, slot }) => [kind, slot])).toEqual([
      ['activation', 0],
      ['activation', 2],
      ['activation', undefined],
      [undefined, 2],
    ])
    const gone = createClient({ baseUrl: 'http://127.0.0.1:1', timeoutMs: 600_000 })
    expect(await gone.decide({}, { fallback: ['b', 'a'] })).toMatchObject({
      action: 'b',
      servedBy: 'override',
      slots: [
        { slot: 0, action: 'b', propensity: null },
        { slot: 1, action: 'a', propensity: null },
      ],
    })
    expect(await gone.decide({}, { fallback: [] })).toMatchObject({ action: null, servedBy: 'none', slots: [] })
  })
})
