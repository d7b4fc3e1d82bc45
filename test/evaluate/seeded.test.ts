import { describe, expect, it } from 'vitest'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { decide } from '../../src/policy/decide.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { type MemoryColumn, memoryTables } from './support/memory-tables.ts'
import { plan } from './support/plan.ts'

const ACTIONS = ['a', 'b', 'c']
const CHANCES = [0.3, 0.5, 0.6]
const SHARED: LearnerSpec = { type: 'linear', l2: 1, intercept: true, shared: true }

/** It has seen a little of each action in two kinds of context. */
function policyOf(learner: LearnerSpec, draws?: number, changes: Partial<PolicySpec> = {}): Policy {
  const policy = createPolicy(
    'pol',
    {
      context: { warm: { type: 'boolean' } },
      actions: ACTIONS.map(id => ({ id })),
      ...(learner.type === 'linear' ? { features: [{ action: 'id' }, { cross: ['warm', 'action.id'] }] } : {}),
      decision: { type: 'single' },
      mode: 'online',
      algorithm: { learner, exploration: { type: 'thompson', scale: 1, ...(draws === undefined ? {} : { draws }) } },
      guardrails: { minProbability: 0.05 },
      reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
      ...changes,
    },
    'sha256:0',
  )
  const x = new Float64Array(policy.features.dimension)
  for (let t = 0; t < 24; t++) {
    policy.features.writeRow({ warm: t % 2 === 0 }, t % 3, x)
    policy.learner.learn(t % 3, x, t % 5 < 2 ? 1 : 0)
  }
  return policy
}

/** What was done by the policy's own decisions, or by chance. */
function logOf(rows: number, by?: Policy): Record<string, MemoryColumn> {
  const rng = stream(rows, 'log')
  const logged = Array.from({ length: rows }, (_, i) => {
    const warm = rng.uniform() < 0.5
    const id = `d${i}`
    let [action, propensity] = [Math.floor(3 * rng.uniform()), 1 / 3]
    if (by !== undefined) {
      const decision = decide(by, { decisionId: id, context: { warm } })
      if ('faults' in decision || decision.propensity === null) throw new Error('no decision')
      ;[action, propensity] = [ACTIONS.indexOf(decision.action ?? ''), decision.propensity]
    }
    const reward = rng.uniform() < CHANCES[action] ? 1 : 0
    return { id, warm: String(warm), action: ACTIONS[action], propensity, reward }
  })
  const names = ['id', 'warm', 'action', 'propensity', 'reward'] as const
  return Object.fromEntries(names.map(name => [name, logged.map(row => row[name])]))
}

async function worthOf(policy: Policy, memory: Record<string, MemoryColumn>, decisionId: string | undefined) {
  const mapping = decisionId === undefined ? {} : { decisionId }
  const spec = { candidates: [{ name: 'pol', policy: 'pol' }], estimators: ['ips' as const] }
  const { candidates, dataset } = await evaluate(
    plan({ spec, mapping, policies: new Map([['pol', policy]]) }),
    memoryTables({ memory }, 7),
  )
  return { ...candidates[0].estimates[0], dataset }
}

describe.each([SHARED, { type: 'mean' } as const])('a candidate that draws its probabilities, over %o', learner => {
  it('has those of the decisions that were logged: of its own log, every weight is 1', async () => {
    const policy = policyOf(learner, 16)
    const memory = logOf(300, policy)
    const { value, dataset } = await worthOf(policy, memory, 'id')
    expect(value).toBeCloseTo(dataset.meanReward, 12)
    // By other ids they are others.
    const { value: other } = await worthOf(policy, { ...memory, id: Array.from(memory['id'], id => `${id}x`) }, 'id')
    expect(other).not.toBeCloseTo(dataset.meanReward, 6)
  })

  it.each([
    ['ids', 'id'],
    ['rows', undefined],
  ])('is worth by %s what it earns', async (_, decisionId) => {
    const policy = policyOf(learner, 16)
    const { value, standardError } = await worthOf(policy, logOf(20_000), decisionId)
    // Played: what it would choose, decision by decision.
    const rng = stream(1, 'played')
    let played = 0
    const rounds = 20_000
    for (let i = 0; i < rounds; i++) {
      const decision = decide(policy, { decisionId: `p${i}`, context: { warm: rng.uniform() < 0.5 } })
      if ('faults' in decision) throw new Error('no decision')
      for (const [a, p] of decision.propensities.entries()) played += (p * CHANCES[a]) / rounds
    }
    expect(Math.abs((value ?? Number.NaN) - played)).toBeLessThan(4 * (standardError ?? Number.NaN))
  })
})

it('a candidate that draws keeps to its rules and to what the log says could be taken', async () => {
  const policy = policyOf(SHARED, 16, {
    actions: [{ id: 'a' }, { id: 'b', eligible: 'ctx.warm' }, { id: 'c' }],
  })
  const memory = logOf(300, policy)
  const { value, dataset } = await worthOf(policy, memory, 'id')
  expect(value).toBeCloseTo(dataset.meanReward, 12)
})
