import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionSpec } from '../../../src/kinds.ts'
import { createLogCheck, type KnownPolicy, type LogCheckResult } from '../../../src/log/check/check.ts'
import { decisionRecord } from '../../../src/log/records/decision-record.ts'
import type { DecisionRecord } from '../../../src/log/records/records.ts'
import { decide } from '../../../src/policy/decide.ts'
import { drawUniform } from '../../../src/policy/draw.ts'
import { policySpec, shopOffer } from '../../policy/support.ts'
import { mutations } from '../../support/mutations.ts'
import { decision, reward } from '../support.ts'

/** Checks one file of records, or of lines as they are. */
function check(records: readonly (object | string)[], policies?: ReadonlyMap<string, KnownPolicy>): LogCheckResult {
  const log = createLogCheck(policies)
  for (const [i, record] of records.entries()) {
    log.line('log.jsonl', i + 1, typeof record === 'string' ? record : JSON.stringify(record))
  }
  log.endOfFile()
  return log.finish()
}

/** `code row: message` */
const found = ({ faults }: LogCheckResult) =>
  faults.flatMap(({ code, examples }) => examples.map(({ row, message }) => `${code} ${row}: ${message}`))

const good = decision('d1', [0.5, 0.25, 0.25])
const [first] = good.slots
const slot = { ...first, propensities: first.propensities ?? [] }
const other = slot.action === 'a' ? 'b' : 'a'

/** The record, right but for its slot. */
const withSlot = (changes: object, more: Partial<DecisionRecord> = {}) => ({
  ...good,
  ...more,
  slots: [{ ...slot, ...changes }],
})

describe('a log that is right', () => {
  it('passes, whatever the order of its records and files', () => {
    const records = [
      decision('d1', [0.5, 0.5]),
      reward('d1'),
      decision('d2', [1]),
      reward('d2'),
      reward('d2', { rewardId: 'a', kind: 'activation', value: undefined }),
    ]
    const expected = {
      files: 1,
      decisions: 2,
      unserved: 0,
      rewards: 2,
      activations: 1,
      faults: [],
      joined: 3,
      late: 0,
      unused: 0,
      orphans: 0,
      passed: true,
    }
    expect(check(records)).toEqual({ schema: 'dap.log-check/v1', ...expected })
    expect(check(records.toReversed())).toEqual({ schema: 'dap.log-check/v1', ...expected })
  })

  it('has at least one valid decision', () => {
    expect(check(['', '  '])).toMatchObject({ decisions: 0, faults: [], passed: false })
    expect(check([reward('d1')])).toMatchObject({ decisions: 0, passed: false })
  })
})

describe('every fault is found and named', () => {
  const cases: readonly (readonly [string, readonly (object | string)[], readonly string[]])[] = [
    ['a line that is not JSON', ['{"a', good], ['json 1: is not JSON']],
    ['a torn last line', [good, JSON.stringify(good).slice(0, 300), ''], ['torn 2: is the last line, and cut off']],
    [
      'an unknown schema',
      [{ ...good, schema: 'dap.decision/v9' }],
      ['schema 1: has the schema "dap.decision/v9"; known are dap.decision/v1, dap.decision/v2, dap.reward/v1'],
    ],
    [
      'a shape',
      [{ ...good, mode: 'live' }],
      ['shape 1: `mode` must be one of "online", "shadow", "apprentice", "logging-only"'],
    ],
    [
      'a time that is none',
      [{ ...good, ts: '12:00' }],
      ['timestamp 1: `ts` must be a time in UTC such as "2026-01-01T00:00:00.000Z"'],
    ],
    [
      'a day that there is not',
      [{ ...good, ts: '2026-02-30T00:00:00Z' }, reward('d1')],
      ['timestamp 1: `ts` is a day that there is not: 2026-02-30T00:00:00Z'],
    ],
    [
      'days of a reward that there are not',
      [good, reward('d1', { ts: '2026-04-31T00:00:00Z', receivedTs: '2026-02-29T00:00:00Z' })],
      [
        'timestamp 2: `receivedTs` is a day that there is not: 2026-02-29T00:00:00Z',
        'timestamp 2: `ts` is a day that there is not: 2026-04-31T00:00:00Z',
      ],
    ],
    [
      'a retry',
      [good, { ...good, ts: '2026-01-01T00:00:05Z', latencyUs: 3 }],
      ['repeated 2: decision `d1` is logged again'],
    ],
    [
      'two decisions of one id',
      [good, { ...good, context: { level: 2 } }, good, decision('d2', [1])],
      ['conflict 2: decision `d1` is another one than the first of this id'],
    ],
    [
      'an action that is listed twice',
      [{ ...good, excluded: [{ id: 'b', by: 'x' }] }],
      [
        'eligible 1: `b` is listed twice',
        ...(slot.action === 'b' ? ['excluded 1: the action `b` is excluded by `x`'] : []),
      ],
    ],
    [
      'an action that was not eligible',
      [withSlot({ action: 'z' })],
      [
        'ineligible 1: the action `z` is not among the eligible',
        `draw 1: u = ${good.randomness.u} draws \`${slot.action}\`, not \`z\``,
      ],
    ],
    [
      'too few propensities',
      [withSlot({ propensities: [0.5, 0.5] })],
      ['length 1: 2 propensities for 3 eligible actions'],
    ],
    [
      'a propensity above 1',
      [withSlot({ propensities: [1.5, 0.25, 0.25] })],
      ['propensity 1: `slots[0].propensities[0]` must be in [0, 1], not 1.5'],
    ],
    [
      'a chosen action of propensity 0',
      [withSlot({ propensity: 0 })],
      ['propensity 1: `slots[0].propensity` must be in (0, 1], not 0'],
    ],
    [
      'a logProbability of 0',
      [{ ...good, logProbability: 0 }],
      ['propensity 1: `logProbability` must be in (0, 1], not 0'],
    ],
    [
      'another action than the one drawn',
      [withSlot({ action: other, propensity: slot.propensities[other === 'a' ? 0 : 1] })],
      [`draw 1: u = ${good.randomness.u} draws \`${slot.action}\`, not \`${other}\``],
    ],
    [
      'a propensity that is not its entry',
      [withSlot({ propensity: 0.3 })],
      [`entry 1: the propensity 0.3 is not the action's entry of the propensities, ${slot.propensity}`],
    ],
    [
      'a floor that is not respected',
      [withSlot({ floor: 0.3 })],
      ['floor 1: a propensity of 0.25 is below the floor of 0.3'],
    ],
    [
      'another u',
      [{ ...good, randomness: { ...good.randomness, salt: 'other' } }],
      [`u 1: u is ${good.randomness.u}, and ${drawUniform('other', 'd1')} by salt, decision and slot`],
    ],
    [
      'an unknown scheme',
      [{ ...good, randomness: { ...good.randomness, scheme: 'dice' } }],
      ['scheme 1: the draw `dice` is unknown, and was not recomputed'],
    ],
    [
      'a policy that serves in the shadow',
      [{ ...good, mode: 'shadow' }],
      ["served 1: served by `policy` in the mode `shadow`, which serves the caller's baseline"],
    ],
    [
      'a baseline that is missing',
      [{ ...good, mode: 'apprentice', served: { by: 'override' } }],
      ['served 1: no `baseline` in the mode `apprentice`, which serves it'],
    ],
    [
      'an uncertain fallback',
      [{ ...good, served: { by: 'fallback' } }],
      [`served 1: a fallback is certain, and the propensity is ${slot.propensity}`],
    ],
    [
      'an action that a rule excludes',
      [
        {
          ...withSlot({ propensity: 1, propensities: [1] }),
          eligible: [{ id: 'z' }],
          excluded: [{ id: slot.action, by: 'ctx.age >= 16' }],
        },
      ],
      [
        `excluded 1: the action \`${slot.action}\` is excluded by \`ctx.age >= 16\``,
        `draw 1: u = ${good.randomness.u} draws \`z\`, not \`${slot.action}\``,
      ],
    ],
    [
      'a propensity of no action',
      [withSlot({ action: null }, { served: { by: 'none' } })],
      [
        'length 1: there is no action, and 3 propensities',
        `entry 1: there is no action, and its propensity is ${slot.propensity}`,
      ],
    ],
    [
      'a fallback without an action',
      [withSlot({ action: null, propensity: null, propensities: [] }, { served: { by: 'fallback' } })],
      [
        'served 1: a fallback is certain, and the propensity is null',
        'served 1: served by `fallback`, and there is no action',
      ],
    ],
    [
      'an action that nobody served',
      [{ ...good, served: { by: 'none' } }],
      [`served 1: served by \`none\`, and the action is \`${slot.action}\``],
    ],
    [
      'an override of nothing',
      [withSlot({ action: null, propensity: null, propensities: [] }, { served: { by: 'override' } })],
      ['served 1: served by `override`, and there is neither an action nor a `baseline`'],
    ],
    [
      'a baseline that a rule excludes',
      [
        withSlot(
          { baseline: 'z' },
          { mode: 'shadow', served: { by: 'override' }, excluded: [{ id: 'z', by: 'ctx.age >= 16' }] },
        ),
      ],
      ['baseline 1: the caller served its baseline `z`, which is excluded by `ctx.age >= 16`'],
    ],
    [
      'a reward that was sent again',
      [good, reward('d1'), reward('d1', { receivedTs: '2026-01-01T00:00:02Z' })],
      ['reward-repeated 3: reward `d1-r` is logged again'],
    ],
    [
      'two rewards of one id',
      [good, reward('d1'), reward('d1', { value: 2 })],
      ['reward-conflict 3: reward `d1-r` is another one than the first of this id'],
    ],
    ['a reward without a value', [good, reward('d1', { value: undefined })], ['value 2: `value` is missing']],
    [
      'a reward before its decision, as far as clocks may be apart',
      [reward('d1', { ts: '2025-12-31T23:59:55.000Z' }), good],
      ['early 1: the reward is 5000 ms earlier than its decision'],
    ],
    [
      'a reward before its decision, by more',
      [good, reward('d1', { ts: '2025-12-31T23:59:54.999Z' })],
      ['too-early 2: the reward is 5001 ms earlier than its decision'],
    ],
    ['an orphan', [good, reward('d2')], ['orphan 2: the decision of this reward is not in the log']],
  ]
  const warnings = [
    'torn',
    'repeated',
    'conflict',
    'reward-repeated',
    'reward-conflict',
    'scheme',
    'baseline',
    'early',
    'too-early',
    'orphan',
  ]

  it.each(cases)('%s', (_, records, faults) => {
    const result = check(records)
    expect(found(result)).toEqual(faults)
    expect(result.passed).toBe(faults.every(fault => warnings.includes(fault.split(' ')[0])))
  })

  it('sums: within 1e-9, and not beyond', () => {
    const sum = (excess: number) => {
      const propensities = slot.propensities.map((p, i) => (slot.action === 'abc'[i] ? p : p + excess / 2))
      return check([withSlot({ propensities })]).faults.map(({ code }) => code)
    }
    expect(sum(0.9e-9)).toEqual([])
    expect(sum(1.1e-9)).toEqual(['sum'])
  })

  it('whatever is changed: a fault, never a crash', () => {
    let shapely = 0
    const both = fc.oneof(mutations(good), mutations(reward('d1')))
    fc.assert(
      fc.property(fc.array(both, { minLength: 1, maxLength: 2 }), records => {
        const { faults, decisions, rewards } = check([good, ...(records as object[])])
        if (!faults.some(({ code }) => code === 'shape')) shapely++
        expect(decisions + rewards + faults.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(records.length)
      }),
      { numRuns: 2000 },
    )
    expect(shapely).toBeGreaterThan(100)
  })

  it('what contradicts itself under one id is counted, all of it, in any order, and not used', () => {
    const again = { ...good, ts: '2026-01-01T00:00:05Z' }
    const another = { ...good, context: { level: 2 } }
    for (const records of [
      [good, again, another, decision('d2', [1])],
      [another, decision('d2', [1]), good, again],
    ]) {
      const rewards = [reward('d1'), reward('d2'), reward('d2', { name: 'click' }), reward('d2', { rewardId: 'other' })]
      const result = check([...records, ...rewards])
      expect(result).toMatchObject({ decisions: 1, rewards: 2, joined: 1, unused: 1, orphans: 0, passed: true })
      expect(result.faults.map(({ code, severity, count }) => [code, severity, count])).toEqual([
        ['conflict', 'warning', 3],
        ['reward-conflict', 'warning', 2],
      ])
    }
    expect(check([good, another])).toMatchObject({ decisions: 0, passed: false })
  })

  it('a reward that was sent again came when the earliest says, whichever is logged first', () => {
    const two = [
      reward('d1', { ts: '2026-01-01T00:00:09Z' }),
      reward('d1', { ts: '2025-12-31T23:59:57Z', receivedTs: good.ts }),
    ]
    for (const records of [
      [good, ...two],
      [good, ...two.toReversed()],
    ]) {
      const row = 2 + records.slice(1).indexOf(two[1])
      expect(found(check(records))).toEqual([
        'reward-repeated 3: reward `d1-r` is logged again',
        `early ${row}: the reward is 3000 ms earlier than its decision`,
      ])
    }
    // So is a decision: its rewards are held against the earliest.
    const later = { ...good, ts: '2026-01-01T00:00:10Z' }
    for (const both of [
      [good, later],
      [later, good],
    ]) {
      expect(check([...both, reward('d1')]).faults.map(({ code }) => code)).toEqual(['repeated'])
    }
  })

  it('counts all and shows the first ten', () => {
    const result = check(Array.from({ length: 25 }, (_, i) => reward(`d${i}`)))
    expect(result.faults).toMatchObject([{ code: 'orphan', count: 25 }])
    expect(result.faults[0].examples.map(({ row }) => row)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(result.orphans).toBe(25)
  })
})

describe('against the policy of the repository', () => {
  const policy = shopOffer({ guardrails: { minProbability: 0.1 } })
  const known = new Map([[policy.digest, { policy, wait: 3_600_000 }]])
  const made = decide(policy, { decisionId: 'd1', context: { playerId: 'p1', level: 30, platform: 'ios' } })
  if ('faults' in made) throw new Error('the context is right')
  const record = decisionRecord(policy, made, {
    ts: '2026-01-01T00:00:00.000Z',
    mode: 'online',
    snapshot: null,
    runtime: 'dap/0.0.0-test',
    latencyUs: 1,
    logProbability: 1,
  })
  const faultsOf = (changes: Partial<DecisionRecord>) => found(check([{ ...record, ...changes }], known))

  it('a right record passes, and only rewards within the wait are in time', () => {
    const late = [
      reward('d1', { ts: '2026-01-01T01:00:00.000Z' }),
      reward('d1', { rewardId: 'l', ts: '2026-01-01T01:00:00.001Z' }),
    ]
    expect(check([record, ...late], known)).toMatchObject({ faults: [], joined: 2, late: 1 })
    expect(check([record, ...late])).toMatchObject({ faults: [], joined: 2, late: 0 })
  })

  it.each([
    [0, 'purchase', true],
    [1, undefined, true],
    [1000, undefined, false],
    [-3, 'purchase', false],
    [0.5, 'purchase', false],
    [1000, 'revenue', true],
  ])('a reward of %s called %s is in its range: %s', (value, name, used) => {
    const result = check([record, reward('d1', { value, name })], known)
    expect(result).toMatchObject({ joined: used ? 1 : 0, unused: used ? 0 : 1, passed: true })
    expect(found(result)).toEqual(used ? [] : [`range 2: the reward is ${value}, and \`purchase\` is binary: 0 or 1`])
    expect(check([record, reward('d1', { value, name })])).toMatchObject({ faults: [], joined: 1 })
  })

  it('other actions, contexts, units, salts and floors do not', () => {
    expect(faultsOf({ excluded: [{ id: 'new', by: 'x' }] })).toEqual(['actions 1: the policy has no action `new`'])
    expect(faultsOf({ context: { ...record.context, level: 'x' } })).toEqual([
      'context 1: `context/level` must be a finite number, not a string',
    ])
    expect(faultsOf({ context: { playerId: 'p1', platform: 'ios' } })).toEqual([
      'context 1: `context/level` is missing: contexts are logged with their defaults',
    ])
    expect(faultsOf({ unit: 'p2' })).toEqual(['context 1: the unit is "p2", and "p1" by the context'])
    const salty = shopOffer({ guardrails: { minProbability: 0.1 }, salt: 'pepper' })
    expect(found(check([record], new Map([[policy.digest, { policy: salty, wait: 1 }]])))).toEqual([
      "salt 1: the salt is `shop-offer`, and the policy's `pepper`",
    ])
    const [{ floor: _, ...rest }] = record.slots
    expect(faultsOf({ slots: [{ ...rest, floor: 0.05 }] })).toEqual([
      'floor 1: the floor is 0.05, and 0.1 by the policy',
    ])
    const fewer = shopOffer({ actions: (policySpec().actions as ActionSpec[]).slice(0, 2) })
    expect(found(check([record], new Map([[policy.digest, { policy: fewer, wait: 1 }]])))).toContain(
      'actions 1: the policy has no action `bundle-mid`',
    )
  })

  it('neither do actions that its rules exclude, as the fallback, or merely as eligible', () => {
    const young = { ...record, context: { ...record.context, level: 5 } }
    const [{ propensities: _, ...rest }] = record.slots
    const fallback = {
      eligible: [{ id: 'gold-small' }],
      excluded: ['none', 'bundle-mid'].map(id => ({ id, by: 'fallback' })),
      slots: [{ ...rest, action: 'gold-small', propensity: 1, propensities: [1], floor: 0 }],
      served: { by: 'fallback' as const, reason: 'killed' },
    }
    expect(faultsOf(fallback)).toEqual([])
    expect(found(check([{ ...young, ...fallback }], known))).toEqual([
      "excluded 1: the action `gold-small` is excluded by the policy's `ctx.level >= 10`",
    ])
    const others = { ...record.context, platform: 'android' }
    const named = record.slots[0].action === 'bundle-mid' ? 'action' : 'eligible'
    expect(faultsOf({ context: others })).toEqual([
      `excluded 1: the ${named} \`bundle-mid\` is excluded by the policy's \`ctx.level >= 20 && ctx.platform == 'ios'\``,
    ])
  })

  it('a baseline that its rules exclude is a warning, also where the record does not say so', () => {
    const [only] = record.slots
    const shadow = {
      mode: 'shadow' as const,
      context: { ...record.context, level: 5 },
      eligible: [{ id: 'none' }],
      excluded: [{ id: 'bundle-mid', by: 'x' }],
      slots: [{ ...only, action: 'none', propensity: 1, propensities: [1], baseline: 'gold-small' }],
      served: { by: 'override' as const, reason: 'shadow' },
    }
    expect(faultsOf(shadow)).toEqual([
      "baseline 1: the caller served its baseline `gold-small`, which is excluded by the policy's `ctx.level >= 10`",
      "actions 1: the policy's action `gold-small` is not listed",
    ])
  })

  it('decisions of another digest are not compared with it', () => {
    expect(faultsOf({ policy: { ...record.policy, digest: 'sha256:other' }, unit: 'p2' })).toEqual([])
  })
})
