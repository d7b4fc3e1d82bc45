import type { PolicySpec } from '../../../src/kinds.ts'
import { decisionRecord } from '../../../src/log/records/decision-record.ts'
import type { DecisionRecord } from '../../../src/log/records/records.ts'
import { createLogStats, type LogStats } from '../../../src/log/stats/stats.ts'
import { stream } from '../../../src/math/rng.ts'
import { decide } from '../../../src/policy/decide.ts'
import { shopOffer } from '../../policy/support.ts'

export const RANKING: PolicySpec['decision'] = { type: 'ranking', slots: 3, uniform: 0.1 }
export const PAGE: PolicySpec['decision'] = {
  type: 'slots',
  slots: [
    { id: 'hero', exclude: ['e'] },
    { id: 'side', floor: 0.1 },
    { id: 'foot', actions: ['a', 'b'] },
  ],
}

/** As many lists as a policy makes that has learnt a little, each told to `each` as its record, and what they come to. */
export function listStats(
  decision: PolicySpec['decision'],
  count: number,
  each: (record: DecisionRecord, stats: LogStats, i: number) => void = (record, stats) => stats.decision(record),
) {
  const policy = shopOffer({
    actions: ['a', 'b', 'c', 'd', 'e'].map(id => ({ id })),
    decision,
    algorithm: {
      learner: { type: 'linear', l2: 1, intercept: true },
      exploration: { type: 'softmax', temperature: 0.15 },
    },
    guardrails: { minProbability: decision.type === 'slots' ? 0.02 : 0 },
  })
  const rng = stream(3, 'lists')
  const x = new Float64Array(policy.features.dimension)
  const context = (i: number) => ({
    playerId: `p${i}`,
    level: 1 + (i % 3),
    platform: i % 2 === 0 ? 'ios' : 'android',
    spend30d: 0,
  })
  for (let i = 0; i < 300; i++) {
    policy.features.writeRow(context(i), i % 5, x)
    policy.learner.learn(i % 5, x, Number(rng.uniform() < 0.2 + 0.1 * (i % 5)))
  }
  const stats = createLogStats()
  for (let i = 0; i < count; i++) {
    const made = decide(policy, { decisionId: `d${i}`, context: context(i) })
    if ('faults' in made) throw new Error(JSON.stringify(made.faults))
    const facts = { ts: '2026-11-29T12:00:00.000Z', mode: 'online', snapshot: null, runtime: 'dap/test' } as const
    each(decisionRecord(policy, made, { ...facts, latencyUs: 1, logProbability: 1 }), stats, i)
  }
  return stats.finish()
}
