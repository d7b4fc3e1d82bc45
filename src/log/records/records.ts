/**
 * The decision log: two append-only streams of JSON lines, whose schemas are `schemas/decision.schema.json` and
 * `schemas/reward.schema.json`. Their join is derived, and never written.
 */

import { DECISION_SCHEMAS } from '../../generated/names.ts'
import type { DecisionRecord, DecisionSlot, RewardRecord } from '../../generated/types.ts'

export { DECISION_SCHEMAS, MODES, REWARD_SCHEMA, SERVED_BY } from '../../generated/names.ts'
export type { DecisionRecord, DecisionSlot, Mode, RewardRecord, ServedBy } from '../../generated/types.ts'

/**
 * How far two clocks may be apart, in milliseconds. A reward that is earlier than its decision by no more is taken for one that came with it;
 * by more, its time is wrong.
 */
export const CLOCK_TOLERANCE_MS = 5_000

/** When a reward counts as having come, in milliseconds since 1970: not before its decision. Undefined where its time is wrong. */
export const rewardTime = (decided: number, came: number): number | undefined =>
  came < decided - CLOCK_TOLERANCE_MS ? undefined : Math.max(decided, came)

/** In place of a snapshot's digest: the learner learnt from one decision to the next, so this one cannot be recomputed alone. */
export const LEARNING = 'learning'

/** Reasons for which a server decides without asking the policy. */
export const IMPOSED = {
  killed: 'killed',
  timeout: 'timeout',
  unknownBaseline: 'the baseline is not an action',
} as const

/** The end of an override's reason: what the caller served is what dap never would have. */
export const EXCLUDED_BASELINE = 'the rules exclude the baseline'

/** Were the actions the request's own? Their features are in the record then, and nowhere else. */
export const isOffered = ({ schema }: Pick<DecisionRecord, 'schema'>): boolean => schema === OF_REQUEST

/** Between the actions of a policy; between those of a request. */
export const [OF_POLICY, OF_REQUEST] = DECISION_SCHEMAS

/** The first slot of a decision that something stands in; the first of all where nothing does. */
export const firstFilled = (slots: readonly DecisionSlot[]): DecisionSlot =>
  slots.find(({ action }) => action !== null) ?? slots[0]

/** What the caller would have done, slot by slot. */
export const baselinesOf = ({ slots }: Pick<DecisionRecord, 'slots'>): readonly string[] =>
  slots.flatMap(({ baseline }) => baseline ?? [])

/** Would dap have done what the caller did, slot by slot? */
export const agrees = ({ slots }: Pick<DecisionRecord, 'slots'>): boolean =>
  slots.every(({ action, baseline = null }) => action === baseline)

/** What an action of a request is called by its place among the eligible ones, from 0. */
export const placeName = (at: number): string => `#${at + 1}`

/**
 * What a decision says, by name. Records under one `decisionId` that agree in all of it are one decision, logged again; when, and how long it
 * took, may differ.
 */
export function decidedBy(record: DecisionRecord) {
  const { policy, unit, context, eligible, slots, list, model, served, logProbability } = record
  const [{ baseline }] = slots
  const { action, propensity, propensities = [] } = firstFilled(slots)
  const featuresOf = (action: string | null) => eligible.find(({ id }) => id === action)?.features
  const withFeatures = (slot: (typeof slots)[number]) => ({ ...slot, features: featuresOf(slot.action) })
  return {
    policy: [policy.name, policy.digest, policy.snapshot, policy.runtime] as const,
    unit: unit ?? null,
    context,
    action,
    propensity,
    propensities,
    baseline: baseline ?? null,
    eligible: eligible.map(({ id }) => id),
    offered: isOffered(record) ? eligible : null,
    actionFeatures: isOffered(record) ? null : (featuresOf(action) ?? null),
    servedBy: served.by,
    list: list === undefined ? null : { ...list, slots: isOffered(record) ? slots : slots.map(withFeatures) },
    model: model === undefined ? null : saidByModel(model),
    pending: served.activation === 'pending',
    logProbability,
  }
}

/** In one order, whoever wrote the record. */
const saidByModel = ({ name, digest, outputs, failure }: NonNullable<DecisionRecord['model']>) => ({
  name,
  digest,
  outputs,
  failure,
})

/**
 * What a reward says. Two records under one `rewardId` that say the same are one reward, sent twice: when it came to be known, and when its
 * caller believed it to have happened, may differ from one try to the next.
 */
export const saidBy = ({ decisionId, slot = 0, kind = 'metric', name, value }: RewardRecord) =>
  [decisionId, slot, kind, name ?? null, value ?? null] as const
