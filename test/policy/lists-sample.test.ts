import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'

const ACTIONS = ['a', 'b', 'c', 'd'].map((id, i) => ({ id, features: { price: i, card: i % 2 === 0 } }))
const DRAWS = 40_000

function policyOf(
  decision: PolicySpec['decision'],
  algorithm: PolicySpec['algorithm'],
  features?: PolicySpec['features'],
): Policy {
  const policy = createPolicy(
    'list',
    {
      context: { level: { type: 'number' } },
      actions: ACTIONS,
      decision,
      mode: 'online',
      algorithm,
      guardrails: { minProbability: decision.type === 'slots' ? 0.05 : 0 },
      reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
      ...(features === undefined ? {} : { features }),
    },
    'digest',
  )
  const rng = stream(3, 'learnt')
  const x = new Float64Array(policy.features.dimension)
  for (let i = 0; i < 60; i++) {
    policy.features.writeRow({ level: i % 5 }, i % 4, x, undefined, i % 2)
    policy.learner.learn(i % 4, x, Number(rng.uniform() < 0.2 + 0.2 * (i % 4)))
  }
  return policy
}

const context = { level: 2 }
const all = Int32Array.from(ACTIONS.keys())

/** P(list) by the vectors of the walk, on average over some decisions where these draw. */
function walked(policy: Policy, decisions: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (let d = 0; d < decisions; d++) {
    const walk = policy.walk(context, all, all.length, `d${d}`)
    const down = (prefix: readonly number[], p: number): void => {
      const vector = new Float64Array(all.length)
      const left = walk.slot < policy.slots.count ? walk.vector(vector) : 0
      if (left === 0 && (walk.slot === policy.slots.count || policy.slots.ids.length === 0)) {
        found.set(prefix.join(), (found.get(prefix.join()) ?? 0) + p / decisions)
        return
      }
      for (const [action, chance] of left === 0 ? [[-1, 1]] : [...vector].map((each, a) => [a, each])) {
        if (chance === 0) continue
        walk.take(action)
        down([...prefix, action], p * chance)
        walk.back()
      }
    }
    down([], 1)
  }
  return found
}

function sampled(policy: Policy): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  const rng = stream(9, 'sampled')
  const out = new Int32Array(policy.slots.count)
  for (let i = 0; i < DRAWS; i++) {
    const list = out.subarray(0, policy.sampleList(context, all, all.length, rng, out)).join()
    found.set(list, (found.get(list) ?? 0) + 1)
  }
  return found
}

const ranking = { type: 'ranking', slots: 3, uniform: 0.2 } as const
const slots = {
  type: 'slots',
  slots: [
    { id: 'hero', features: { size: 2 }, actions: ['a', 'b'], floor: 0.1 },
    { id: 'side', features: { size: 1 }, exclude: ['d'] },
    { id: 'end', features: { size: 0 }, actions: ['a', 'b'] },
  ],
} as const
const mean = { type: 'mean' } as const
const shared = { type: 'linear', shared: true, l2: 1, intercept: true } as const
const softmax = { type: 'softmax', temperature: 0.3 } as const
const thompson = { type: 'thompson', scale: 1 } as const
type Case = readonly [
  name: string,
  decision: PolicySpec['decision'],
  algorithm: PolicySpec['algorithm'],
  features?: PolicySpec['features'],
]

const CASES: readonly Case[] = [
  ['softmax', ranking, { learner: mean, exploration: softmax }],
  ['a list by chance alone', { ...ranking, uniform: 1 }, { learner: mean, exploration: softmax }],
  ['never by chance', { ...ranking, uniform: 0 }, { learner: mean, exploration: softmax }],
  ['ε-greedy', ranking, { learner: mean, exploration: { type: 'epsilon-greedy', epsilon: 0.3, ties: 'random' } }],
  ['thompson', ranking, { learner: mean, exploration: thompson }],
  [
    'thompson by draws, the same in every slot',
    { ...ranking, slots: 2 },
    { learner: shared, exploration: { ...thompson, draws: 2 } },
    [{ action: 'price' }, { action: 'card' }],
  ],
  ...[0, 1, 2].map(
    (slot): Case => [
      `a pin of slot ${slot}, and quotas`,
      {
        ...ranking,
        pins: [{ slot, eligible: 'action.card' }],
        quotas: [{ eligible: 'action.price > 1.5', max: 1 }],
      },
      { learner: mean, exploration: softmax },
    ],
  ),
  ['slots of their own', slots, { learner: mean, exploration: softmax }],
  [
    'slots that features tell apart',
    slots,
    { learner: shared, exploration: softmax },
    [{ action: 'price' }, { cross: ['action.card', 'slot.size'] }],
  ],
  ['more slots than actions', { ...ranking, slots: 6 }, { learner: mean, exploration: softmax }],
]

describe('a list that is sampled', () => {
  it.each(CASES.map(([name, ...rest]) => ({ name, rest })))('comes as often as its vectors say: $name', ({ rest }) => {
    const policy = policyOf(...rest)
    const decisions = policy.exploration.seeded ? 2000 : 1
    const expected = walked(policy, decisions)
    const found = sampled(policy)
    expect([...expected.values()].reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
    for (const list of found.keys()) expect(expected.has(list)).toBe(true)
    for (const [list, p] of expected) {
      // Where the vectors are drawn, they are averages, too.
      const error = Math.sqrt(p * (1 - p) * (1 / DRAWS + (decisions > 1 ? 1 / decisions : 0)))
      expect(Math.abs((found.get(list) ?? 0) / DRAWS - p)).toBeLessThanOrEqual(4.5 * error + 1e-12)
    }
  })
})
