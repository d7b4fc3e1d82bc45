import type { DecisionRecord } from '../log/records/records.ts'
import type { Pool } from '../policy/pool.ts'
import type { DecideAnswer } from './api.ts'

/**
 * What a caller is told of a decision, from its record: now, and when the same request comes again after a restart. Only the features of a baseline that the
 * rules exclude may not be in the record: those are of what it was between.
 */
export function answerOf(record: DecisionRecord, pool?: Pool): DecideAnswer {
  const [slot] = record.slots
  const { by, reason } = record.served
  const action = by === 'override' && slot.baseline !== undefined ? slot.baseline : slot.action
  const { name, digest, snapshot } = record.policy
  return {
    decisionId: record.decisionId,
    policy: { name, digest, snapshot },
    action,
    features: action === null ? undefined : featuresOf(action, record, pool),
    propensity: by === 'override' ? null : slot.propensity,
    servedBy: by,
    reason,
  }
}

function featuresOf(action: string, { eligible, excluded }: DecisionRecord, pool: Pool | undefined) {
  const among = pool?.entries ?? [...eligible, ...excluded]
  return among.find(({ id }) => id === action)?.features
}
