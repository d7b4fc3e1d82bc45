import type { DecisionRecord } from '../log/records/records.ts'
import type { Policy } from '../policy/policy.ts'
import type { DecideAnswer } from './api.ts'

/**
 * What a caller is told of a decision, from its record: now, and when the same request comes again after a restart. Only the features of a baseline that the
 * rules exclude are not in the record: those are the policy's.
 */
export function answerOf(record: DecisionRecord, policy?: Policy): DecideAnswer {
  const [slot] = record.slots
  const { by, reason } = record.served
  const action = by === 'override' && slot.baseline !== undefined ? slot.baseline : slot.action
  const { name, digest, snapshot } = record.policy
  return {
    decisionId: record.decisionId,
    policy: { name, digest, snapshot },
    action,
    features: action === null ? undefined : featuresOf(action, record, policy),
    propensity: by === 'override' ? null : slot.propensity,
    servedBy: by,
    reason,
  }
}

function featuresOf(action: string, { eligible }: DecisionRecord, policy: Policy | undefined) {
  if (policy === undefined) return eligible.find(({ id }) => id === action)?.features
  return policy.spec.actions[policy.actions.indexOf(action)].features
}
