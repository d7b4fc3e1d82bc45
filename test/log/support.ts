import {
  DECISION_SCHEMAS,
  type DecisionRecord,
  REWARD_SCHEMA,
  type RewardRecord,
} from '../../src/log/records/records.ts'
import { DRAW_SCHEME, drawIndex, drawUniform } from '../../src/policy/draw.ts'

export const ACTIONS = ['a', 'b', 'c', 'd', 'e'] as const

/** A right record of a decision among the first actions with these propensities. */
export function decision(
  decisionId: string,
  propensities: readonly number[],
  changes: Partial<DecisionRecord> = {},
): DecisionRecord {
  const u = drawUniform('salt', decisionId)
  const at = drawIndex(propensities, u)
  return {
    schema: DECISION_SCHEMAS[0],
    decisionId,
    ts: '2026-01-01T00:00:00.000Z',
    mode: 'online',
    policy: { name: 'shop-offer', digest: 'sha256:test', snapshot: null, runtime: 'dap/0.0.0-test' },
    context: {},
    eligible: propensities.map((_, i) => ({ id: ACTIONS[i] })),
    excluded: [],
    slots: [{ slot: 0, action: ACTIONS[at], propensity: propensities[at], propensities, floor: 0 }],
    randomness: { scheme: DRAW_SCHEME, salt: 'salt', u },
    served: { by: 'policy' },
    logProbability: 1,
    latencyUs: 100,
    ...changes,
  }
}

export function reward(decisionId: string, changes: Partial<RewardRecord> = {}): RewardRecord {
  return {
    schema: REWARD_SCHEMA,
    rewardId: `${decisionId}-r`,
    decisionId,
    value: 1,
    ts: '2026-01-01T00:00:01.000Z',
    ...changes,
  }
}
