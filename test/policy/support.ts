import type { PolicySpec } from '../../src/kinds.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'

/** The policy of the documentation, with what the test changes. */
export function policySpec(changes: Partial<PolicySpec> = {}): PolicySpec {
  return {
    unit: 'playerId',
    context: {
      playerId: { type: 'string' },
      level: { type: 'integer', minimum: 1, default: 1 },
      platform: { type: 'string', enum: ['ios', 'android'] },
      spend30d: { type: 'number', minimum: 0, default: 0 },
    },
    actions: [
      { id: 'none' },
      { id: 'gold-small', eligible: 'ctx.level >= 10' },
      { id: 'bundle-mid', eligible: "ctx.level >= 20 && ctx.platform == 'ios'" },
    ],
    decision: { type: 'single' },
    mode: 'online',
    algorithm: {
      learner: { type: 'linear', l2: 1, intercept: true },
      exploration: { type: 'thompson', scale: 1 },
    },
    guardrails: { minProbability: 0.02 },
    reward: { name: 'purchase', type: 'binary', wait: '72h', default: 0 },
    ...changes,
  }
}

export function shopOffer(changes: Partial<PolicySpec> = {}): Policy {
  return createPolicy('shop-offer', policySpec(changes), 'sha256:test')
}
