import type { DecisionRecord, DecisionSlot } from '../log/records/records.ts'
import type { Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import type { AnsweredSlot, DecideAnswer } from './api.ts'

/**
 * What a caller is told of a decision, from its record: now, and when the same request comes again after a restart. Only the features of a baseline that the
 * rules exclude may not be in the record: those are of what it was between. What slots are called is not there at all: see `withSlotIds`.
 */
export function answerOf(record: DecisionRecord, pool?: Pool): DecideAnswer {
  const { by, reason } = record.served
  const own = by === 'override' && record.slots.some(({ baseline }) => baseline !== undefined)
  const told = ({ action, propensity, baseline }: DecisionSlot) => {
    const shown = own ? (baseline ?? null) : action
    return {
      action: shown,
      features: shown === null ? undefined : featuresOf(shown, record, pool),
      propensity: by === 'override' ? null : propensity,
    }
  }
  const { name, digest, snapshot } = record.policy
  return {
    decisionId: record.decisionId,
    policy: { name, digest, snapshot },
    ...told(record.slots[0]),
    servedBy: by,
    reason,
    slots: record.list && slotsOf(record, told),
  }
}

/** A ranking ends where nothing stands; a slot that is declared may be empty. */
function slotsOf(
  { list, slots }: DecisionRecord,
  told: (slot: DecisionSlot) => Omit<AnsweredSlot, 'slot'>,
): readonly AnsweredSlot[] {
  const all = slots.map(each => ({ slot: each.slot, ...told(each) }))
  return list?.design === 'mixture' ? all.filter(({ action }) => action !== null) : all
}

/** The answer with the names of declared slots, which the policy that made the decision knows. */
export function withSlotIds(answer: DecideAnswer, { slots: { ids } }: Pick<Policy, 'slots'>): DecideAnswer {
  if (ids.length === 0 || answer.slots === undefined) return answer
  return { ...answer, slots: answer.slots.map(({ slot, ...rest }) => ({ slot, id: ids[slot], ...rest })) }
}

function featuresOf(action: string, { eligible, excluded }: DecisionRecord, pool: Pool | undefined) {
  const among = pool?.entries ?? [...eligible, ...excluded]
  return among.find(({ id }) => id === action)?.features
}
