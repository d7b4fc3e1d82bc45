import { describe, expect, it } from 'vitest'
import type { ClickSpec, PolicySpec, ScenarioSpec } from '../../src/kinds.ts'
import { createLogCheck } from '../../src/log/check/check.ts'
import type { DecisionRecord, RewardRecord } from '../../src/log/records/records.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import type { PolicyResult } from '../../src/results.ts'
import { decisionLog } from '../../src/simulate/log.ts'
import type { Named } from '../../src/simulate/players.ts'
import { createRounds } from '../../src/simulate/rounds.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { createWorld } from '../../src/simulate/worlds/worlds.ts'
import { everyOne, type PolicyOptions, policy, scenario, simulate } from './support.ts'

const MEANS = { a: 0.6, b: 0.5, c: 0.3, d: 0.2, e: 0.1 }
const ACTIONS = Object.keys(MEANS).map((id, i) => ({ id, features: { genre: 'xyxzy'[i] } }))
const CLICKS: readonly ClickSpec[] = [
  { type: 'pbm', examination: [1, 0.6, 0.3] },
  { type: 'cascade' },
  { type: 'dcm', continuation: [0.7, 0.5] },
  { type: 'list-wise', same: 'genre', factor: 0.4 },
]
const [pbm, cascade] = CLICKS
const softmax = { learner: { type: 'mean' }, exploration: { type: 'softmax', temperature: 0.1 } } as const
const ranking = (slots = 3, uniform = 0.05): PolicySpec['decision'] => ({ type: 'ranking', slots, uniform })

const world = (click: ClickSpec): ScenarioSpec['world'] => ({ type: 'bernoulli', means: MEANS, click })
const list = (name: string, options: PolicyOptions = {}) =>
  policy(name, { actions: ACTIONS, algorithm: softmax, decision: ranking(), ...options })
/** Always this list, its actions in the order of a, b, c, …, where every slot has one that may stand there. */
const fixed = (name: string, ids: string) =>
  list(name, {
    algorithm: { learner: { type: 'uniform' } },
    decision: { type: 'slots', slots: [...ids].map((id, k) => ({ id: `s${k}`, actions: [id] })) },
  })
const slotMeans = ({ slots = [] }: PolicyResult) => slots.map(({ reward }) => reward.mean)

describe.each(CLICKS)('lists in a world of $type clicks', click => {
  it('are best where they are made by the oracle, and by chance have regret', () => {
    const names = { policies: ['it', 'oracle', 'uniform'] }
    const { policies } = simulate({ world: world(click), ...names }, [list('it')])
    const [it, oracle, uniform] = policies
    expect(oracle.regret.mean).toBeCloseTo(0, 9)
    expect(oracle.bestActionShare.mean).toBe(1)
    expect(uniform.regret.lower).toBeGreaterThan(it.regret.upper)
    expect(uniform.reward.upper).toBeLessThan(it.reward.lower)
    for (const each of policies) {
      expect(slotMeans(each).reduce((sum, mean) => sum + mean, 0)).toBeCloseTo(each.reward.mean, 12)
      // Three actions a decision.
      expect(Object.values(each.actionShares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(3, 12)
    }
  })

  it('are clicked alike whoever shows them, and as whole replications are, in whatever chunks', () => {
    const played = [fixed('one', 'bca'), fixed('two', 'bca')]
    const { policies, differences } = simulate({ world: world(click) }, played)
    expect(policies[1]).toEqual({ ...policies[0], name: 'two' })
    expect(differences[0].reward).toMatchObject({ mean: 0, upper: 0 })
    expect(simulate({ world: world(click) }, played, 7)).toEqual(simulate({ world: world(click) }, played))
  })
})

describe('clicks', () => {
  it('of a slot are the same for the same action there, whatever else is shown', () => {
    const { policies } = simulate({ world: world(pbm) }, [
      fixed('abc', 'abc'),
      fixed('aec', 'aec'),
      fixed('cba', 'cba'),
    ])
    const [abc, aec, cba] = policies.map(({ slots }) => slots!.map(({ reward }) => reward))
    expect(aec[0]).toEqual(abc[0])
    expect(aec[2]).toEqual(abc[2])
    expect(cba[1]).toEqual(abc[1])
    expect(aec[1].mean).toBeLessThan(abc[1].mean)
    expect(cba[0].mean).not.toBe(abc[2].mean)
  })

  it('are decided by uniforms of their own: by replication, round, action and slot', () => {
    const rounds = createRounds(createWorld(world(pbm), {}, []), undefined, 7)
    const seen = new Map<number, number>()
    const counts = new Float64Array(10)
    for (let replication = 0; replication < 4; replication++) {
      rounds.start(replication)
      const { uniform } = rounds.next(1)
      for (let round = 0; round < 50; round++) {
        for (let action = 0; action < 5; action++) {
          for (let slot = 0; slot < 10; slot++) {
            const u = uniform(round, action, slot)
            seen.set(u, (seen.get(u) ?? 0) + 1)
            counts[Math.floor(10 * u)]++
          }
        }
      }
    }
    expect(seen.size).toBe(4 * 50 * 5 * 10)
    // χ² with 9 degrees of freedom: above 33.7 once in 10,000, below 0.97 as rarely.
    const squares = counts.map(count => (count - 1000) ** 2 / 1000).reduce((sum, each) => sum + each, 0)
    expect(squares).toBeGreaterThan(0.97)
    expect(squares).toBeLessThan(33.7)
  })

  it('come at the rates of the model', () => {
    const { policies } = simulate({ world: world(pbm), horizon: 2000 }, [fixed('it', 'abc')])
    for (const [k, expected] of [0.6, 0.6 * 0.5, 0.3 * 0.3].entries()) {
      const { mean, lower, upper } = policies[0].slots![k].reward
      expect(Math.abs(mean - expected)).toBeLessThanOrEqual(2 * (upper - lower))
    }
    const down = simulate({ world: world(cascade), horizon: 2000 }, [fixed('it', 'abc')]).policies[0]
    expect(down.reward.mean).toBeCloseTo(1 - 0.4 * 0.5 * 0.7, 1)
    expect(down.reward.mean).toBeLessThanOrEqual(1)
  })

  it('are of one slot where one action is decided', () => {
    const single = policy('single', { actions: ACTIONS, algorithm: softmax })
    const { policies } = simulate({ world: world(pbm), policies: ['single', 'oracle'] }, [single])
    expect(policies.map(({ slots }) => slots?.length)).toEqual([1, 1])
    expect(policies[1].reward.mean).toBeCloseTo(0.6, 1)
    expect(policies[1].regret.mean).toBe(0)
  })
})

describe('regret', () => {
  it('is against the best list of the slots that there are to be filled', () => {
    const { policies } = simulate({ world: world(pbm), policies: ['it', 'oracle'] }, [fixed('it', 'cab')])
    // Every slot has one action: there is nothing that could be better.
    expect(policies[0].regret.mean).toBe(0)
    expect(policies[1].reward).toEqual(policies[0].reward)
  })

  it('is against the best that pins and quotas leave', () => {
    const decision: PolicySpec['decision'] = {
      type: 'ranking',
      slots: 3,
      uniform: 0.05,
      pins: [{ slot: 0, eligible: "action.genre == 'z'" }],
      quotas: [{ eligible: "action.genre == 'y'", max: 1 }],
    }
    const { policies } = simulate({ world: world(pbm), policies: ['it', 'oracle', 'uniform'] }, [
      list('it', { decision }),
    ])
    const [it, oracle] = policies
    expect(oracle.actionShares).toEqual({ a: 1, b: 1, c: 0, d: 1, e: 0 })
    expect(oracle.slots![0].reward.mean).toBeCloseTo(0.2, 1)
    expect(oracle.regret.mean).toBeCloseTo(0, 9)
    expect(it.actionShares['d']).toBe(1)
    expect(it.actionShares['b'] + it.actionShares['e']).toBeLessThanOrEqual(1)
  })
})

describe('lists', () => {
  it('are shorter where less may be taken, and there are none where nothing may', () => {
    const actions = ACTIONS.map(action => ({
      ...action,
      eligible: "ctx.level > 0 && (action.genre == 'x' || ctx.level > 1)",
    }))
    const levels = (level: number) => ({ population: { context: { level: { constant: level } } } })
    const it = list('it', { actions, context: { level: { type: 'number' } } })
    const [two, none] = [1, 0].map(
      level => simulate({ world: world(pbm), ...levels(level), policies: ['it', 'oracle'] }, [it]).policies,
    )
    for (const { slots, actionShares } of two) {
      expect(slots![2].reward.mean).toBe(0)
      expect(actionShares).toMatchObject({ a: 1, b: 0, c: 1, d: 0, e: 0 })
    }
    for (const each of none) {
      expect(each).toMatchObject({
        unservedShare: 1,
        reward: { mean: 0 },
        regret: { mean: 0 },
        bestActionShare: { mean: 1 },
      })
    }
  })

  it('of a holdout have its action first, the others below it, and teach nothing', () => {
    const held = list('held', {
      unit: 'id',
      context: { id: { type: 'string' } },
      guardrails: { holdout: { fraction: 1, action: 'd' } },
    })
    const { policies } = simulate({ world: world(pbm), population: { units: 50, context: {} } }, [held])
    expect(policies[0].actionShares).toEqual({ a: 1, b: 1, c: 0, d: 1, e: 0 })
    expect(policies[0].slots![0].reward.mean).toBeCloseTo(0.2, 1)
  })

  it('need a world that says how they are clicked, and somebody who says how long they are', () => {
    const plain: ScenarioSpec['world'] = { type: 'bernoulli', means: MEANS }
    expect(() => simulate({ world: plain }, [list('it')])).toThrow('does not say how people click')
    expect(() => simulate({ world: world(pbm), policies: ['uniform'] })).toThrow('how many slots')
  })
})

describe('the log of lists', () => {
  const isDecision = (record: DecisionRecord | RewardRecord): record is DecisionRecord => 'slots' in record
  const declared: PolicySpec['decision'] = {
    type: 'slots',
    slots: [
      { id: 'hero', features: { size: 2 }, actions: ['a', 'b', 'c'] },
      { id: 'side', exclude: ['a'], floor: 0.1 },
      { id: 'end', actions: ['a'] },
    ],
  }
  const cases: readonly (readonly [string, Named<PolicySpec>])[] = [
    ['a ranking', list('p')],
    ['slots', list('p', { decision: declared, guardrails: { minProbability: 0.02 } })],
    [
      'a holdout',
      list('p', {
        unit: 'id',
        context: { id: { type: 'string' } },
        guardrails: { holdout: { fraction: 0.2, action: 'd' } },
      }),
    ],
  ]

  it.each(cases)('is one that log check accepts: %s', async (_, played) => {
    const spec = { world: world(pbm), policies: ['p'], horizon: 400, population: { units: 40, context: {} } }
    const records = await everyOne(decisionLog({ scenario: scenario(spec), policies: [played] }, 'p', 'dap/0.0.0-test'))
    const check = createLogCheck(
      new Map([[played.digest, { policy: createPolicy('p', played.spec, played.digest), wait: 1000 }]]),
    )
    for (const [i, record] of records.entries()) check.line('log', i + 1, JSON.stringify(record))
    const clicks = records.length - 400
    expect(check.finish()).toMatchObject({ decisions: 400, rewards: clicks, joined: clicks, orphans: 0, faults: [] })
    const slots = records.filter(isDecision).flatMap(({ slots }) => slots)
    expect(clicks).toBeGreaterThan(100)
    expect(clicks).toBeLessThan(slots.length)
    for (const reward of records)
      if (!isDecision(reward)) expect(reward).toMatchObject({ value: 1, slot: expect.any(Number) })
  })

  it('has the clicks that the same lists have in the simulation', async () => {
    const spec = { world: world(cascade), policies: ['p'], horizon: 300, replications: 2 }
    const plan = { scenario: scenario(spec), policies: [fixed('p', 'bca')] }
    const records = await everyOne(decisionLog(plan, 'p', 'dap/0.0.0-test'))
    const clicked = [0, 1, 2].map(slot => records.filter(record => !isDecision(record) && record.slot === slot).length)
    expect(clicked).toEqual([...prepare(plan).play(0, 1).slots[0]])
  })
})
