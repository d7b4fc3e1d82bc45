import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec, PolicySpec, ScenarioSpec } from '../../src/kinds.ts'
import { createLogCheck } from '../../src/log/check/check.ts'
import type { DecisionRecord, RewardRecord } from '../../src/log/records/records.ts'
import { createLogStats } from '../../src/log/stats/stats.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { decisionLog } from '../../src/simulate/log.ts'
import type { Named } from '../../src/simulate/players.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { always, everyOne, policy, scenario } from './support.ts'

const ACTIONS = [{ id: 'a' }, { id: 'b', eligible: 'ctx.level >= 2' }, { id: 'c', features: { price: 2 } }]

const contextual: Partial<ScenarioSpec> = {
  world: {
    type: 'logistic',
    logits: { a: -1, b: { intercept: 0, weights: { level: 0.1 } }, c: 'ctx.vip ? 1.0 : -2.0' },
  },
  population: { units: 200, context: { level: { poisson: { mean: 4 } }, vip: { bernoulli: { p: 0.5 } } } },
  policies: ['p'],
  horizon: 1200,
}

const player = (algorithm: AlgorithmSpec, guardrails: Partial<PolicySpec['guardrails']> = {}): Named<PolicySpec> =>
  policy('p', {
    algorithm,
    actions: ACTIONS,
    unit: 'id',
    context: { id: { type: 'string' }, level: { type: 'integer', minimum: 0 }, vip: { type: 'boolean' } },
    guardrails: { minProbability: 0.02, holdout: { fraction: 0.1, action: 'a' }, ...guardrails },
  })

const records = (played: Named<PolicySpec>, spec: Partial<ScenarioSpec> = contextual) =>
  everyOne(decisionLog({ scenario: scenario(spec), policies: [played] }, 'p', 'dap/0.0.0-test'))

const isDecision = (record: DecisionRecord | RewardRecord): record is DecisionRecord => 'slots' in record

const prior = { alpha: 1, beta: 1 }
const LEARNERS: readonly AlgorithmSpec['learner'][] = [
  { type: 'mean' },
  { type: 'beta', prior },
  { type: 'linear', l2: 1, intercept: true },
]
const EXPLORATIONS: readonly AlgorithmSpec['exploration'][] = [
  { type: 'greedy', ties: 'random' },
  { type: 'epsilon-greedy', epsilon: 0.1, ties: 'random' },
  { type: 'softmax', temperature: 0.2 },
  { type: 'thompson', scale: 1 },
]
const ALGORITHMS: readonly AlgorithmSpec[] = [
  ...LEARNERS.flatMap(learner => EXPLORATIONS.map(exploration => ({ learner, exploration }))),
  { learner: { type: 'mean' }, exploration: { type: 'ucb', factor: 2, ties: 'first' } },
  { learner: { type: 'linear', l2: 1, intercept: true }, exploration: { type: 'ucb', alpha: 1, ties: 'random' } },
  { learner: { type: 'fixed', probabilities: { a: 0.5, b: 0.25, c: 0.25 } } },
  { learner: { type: 'uniform' } },
]

describe('the log of a simulation', () => {
  it.each(ALGORITHMS)('passes check and stats: $learner.type $exploration.type', async algorithm => {
    const played = player(algorithm)
    const check = createLogCheck(
      new Map([[played.digest, { policy: createPolicy('p', played.spec, played.digest), wait: 1000 }]]),
    )
    const stats = createLogStats()
    for (const [i, record] of (await records(played)).entries()) {
      const line = JSON.stringify(record)
      check.line('log', i + 1, line)
      stats.line('log', i + 1, line)
    }
    expect(check.finish()).toMatchObject({
      decisions: 1200,
      rewards: 1200,
      joined: 1200,
      late: 0,
      orphans: 0,
      faults: [],
    })
    expect(stats.finish()).toMatchObject({ decisions: 1200, skipped: 0, alarms: [] })
  })

  it('earns what the simulation earns, where the choices are the same', async () => {
    for (const [action, guardrails] of [
      ['a', {}],
      ['c', { holdout: undefined }],
    ] as const) {
      const played = player(always(action), { minProbability: 0, ...guardrails })
      const simulated = prepare({ scenario: scenario(contextual), policies: [played] }).play(0, 1)
      const rewards = (await records(played)).flatMap(record => (isDecision(record) ? [] : [record.value as number]))
      expect(rewards.reduce((sum, value) => sum + value, 0)).toBe(simulated.reward[simulated.reward.length - 1])
    }
  })

  it('learns: the best action is soon the usual one', async () => {
    const played = policy('p', {
      algorithm: { learner: { type: 'beta', prior }, exploration: { type: 'thompson', scale: 1 } },
    })
    const made = (
      await records(played, {
        policies: ['p'],
        seed: 9,
        world: { type: 'bernoulli', means: { a: 0.4, b: 0.6 } },
        horizon: 600,
      })
    ).filter(isDecision)
    const share = (from: number) =>
      made.slice(from, from + 100).filter(({ slots: [slot] }) => slot.action === 'b').length / 100
    expect(share(0)).toBeLessThan(0.9)
    expect(share(500)).toBeGreaterThan(0.95)
  })

  it('is the same each time, its times a second apart', async () => {
    const played = player({ learner: { type: 'uniform' } })
    const [first, second, third] = await records(played)
    expect((await records(played)).slice(0, 3)).toEqual([first, second, third])
    expect([first, second, third].map(({ ts }) => ts)).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:00.001Z',
      '2026-01-01T00:00:01.000Z',
    ])
    expect(first).toMatchObject({
      decisionId: 'quiet-week-7-0',
      mode: 'online',
      policy: { snapshot: 'learning', runtime: 'dap/0.0.0-test' },
    })
    expect(second).toMatchObject({ rewardId: 'quiet-week-7-0-r', name: 'reward' })
  })

  it('stops with a hint where a context is not the policy’s, or a reward cannot be learnt', async () => {
    const moody = policy('p', { context: { mood: { type: 'string', enum: ['x'] } } })
    const population = { context: { mood: { constant: 'y' } } }
    await expect(records(moody, { policies: ['p'], population })).rejects.toThrow(
      /population's `mood` must be one of x/,
    )
    const beta = player({ learner: { type: 'beta', prior }, exploration: { type: 'thompson', scale: 1 } })
    await expect(
      records(beta, { ...contextual, world: { type: 'linear', means: { a: 5, b: 5, c: 5 }, noise: 1 } }),
    ).rejects.toThrow(/cannot learn in this world/)
  })
})
