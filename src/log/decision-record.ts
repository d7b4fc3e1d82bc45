import type { Decision } from '../policy/decide.ts'
import type { Policy } from '../policy/policy.ts'
import { DECISION_SCHEMA, type DecisionRecord, type DecisionSlot, type Mode, type ServedBy } from './records.ts'

/** What a record says beside the decision itself. */
export interface RecordFacts {
  readonly ts: string
  readonly mode: Mode
  /** Digest of the snapshot that the learner was loaded from. */
  readonly snapshot: string | null
  readonly runtime: string
  readonly latencyUs: number
  readonly logProbability: number
  /** What the caller would have done. */
  readonly baseline?: string
  /** Does the decision count only once it has been activated? */
  readonly deferred?: boolean
}

/** The log's record of a decision. */
export function decisionRecord(policy: Policy, decision: Decision, facts: RecordFacts): DecisionRecord {
  const { mode, baseline } = facts
  const slot: DecisionSlot = {
    slot: 0,
    action: decision.action,
    propensity: decision.propensity,
    propensities: decision.propensities,
    floor: decision.floor,
    ...(baseline === undefined ? {} : { baseline }),
  }
  return {
    schema: DECISION_SCHEMA,
    decisionId: decision.decisionId,
    ts: facts.ts,
    mode,
    policy: { ...decision.policy, snapshot: facts.snapshot, runtime: facts.runtime },
    ...(decision.unit === undefined ? {} : { unit: decision.unit }),
    context: decision.context,
    ...(decision.defaulted.length === 0 ? {} : { defaulted: decision.defaulted }),
    eligible: decision.eligible.map(id => eligibleEntry(policy, id)),
    excluded: decision.excluded,
    slots: [slot],
    randomness: decision.randomness,
    served: {
      ...servedOf(policy, decision, mode, baseline),
      ...(facts.deferred ? { activation: 'pending' as const } : {}),
    },
    logProbability: facts.logProbability,
    latencyUs: facts.latencyUs,
  }
}

/**
 * Who is served. In the modes that serve the caller's baseline the policy's choice is recorded all the same, but as an override, so
 * that no evaluation takes the reward for the policy's.
 */
export function servedOf(
  policy: Policy,
  { servedBy, reason }: Pick<Decision, 'servedBy' | 'reason'>,
  mode: Mode,
  baseline: string | undefined,
): { readonly by: ServedBy; readonly reason?: string } {
  const overridden = (mode === 'shadow' || mode === 'apprentice') && policy.actions.includes(baseline ?? '')
  if (overridden) return { by: 'override', reason: reason === undefined ? mode : `${mode}: ${reason}` }
  return { by: servedBy, ...(reason === undefined ? {} : { reason }) }
}

function eligibleEntry({ spec, actions }: Policy, id: string): DecisionRecord['eligible'][number] {
  const { features } = spec.actions[actions.indexOf(id)]
  return features === undefined ? { id } : { id, features }
}
