/**
 * The decision log: two append-only streams of JSON lines, whose schemas are `schemas/decision.schema.json` and
 * `schemas/reward.schema.json`. Their join is derived, and never written.
 */

/**
 * How far two clocks may be apart, in milliseconds. A reward that is earlier than its decision by no more is taken for one that came with it;
 * by more, its time is wrong.
 */
export const CLOCK_TOLERANCE_MS = 5_000

/** When a reward counts as having come, in milliseconds since 1970: not before its decision. Undefined where its time is wrong. */
export const rewardTime = (decided: number, came: number): number | undefined =>
  came < decided - CLOCK_TOLERANCE_MS ? undefined : Math.max(decided, came)

export const DECISION_SCHEMA = 'dap.decision/v1'
export const REWARD_SCHEMA = 'dap.reward/v1'

/** In place of a snapshot's digest: the learner learnt from one decision to the next, so this one cannot be recomputed alone. */
export const LEARNING = 'learning'

/** What is done with a policy's choice. */
export type Mode = 'online' | 'shadow' | 'apprentice' | 'logging-only'

/**
 * Who chose what was served. Only `policy` is a draw from the logged propensities that an evaluation may weight. `none`: there was nothing
 * that the rules let be served.
 */
export const SERVED_BY = ['policy', 'holdout', 'fallback', 'override', 'none'] as const
export type ServedBy = (typeof SERVED_BY)[number]

/** Reasons for which a server decides without asking the policy. */
export const IMPOSED = {
  killed: 'killed',
  timeout: 'timeout',
  unknownBaseline: 'the baseline is not an action',
} as const

/** The end of an override's reason: what the caller served is what dap never would have. */
export const EXCLUDED_BASELINE = 'the rules exclude the baseline'

export interface DecisionRecord {
  readonly schema: typeof DECISION_SCHEMA
  readonly decisionId: string
  /** RFC 3339, UTC, milliseconds. */
  readonly ts: string
  readonly mode: Mode
  readonly policy: {
    readonly name: string
    /** What was written. */
    readonly digest: string
    /** What had been learnt: the digest of the snapshot, null for a learner that knew nothing, or `learning`. */
    readonly snapshot: string | null
    /** `dap/0.2.0`: which kernel decided. */
    readonly runtime: string
  }
  readonly unit?: string
  /** After defaults. */
  readonly context: Readonly<Record<string, unknown>>
  /** Fields of the context that the request left out. */
  readonly defaulted?: readonly string[]
  /** In the order of `slots[].propensities`. */
  readonly eligible: readonly { readonly id: string; readonly features?: Readonly<Record<string, unknown>> }[]
  /** The other actions, and the rule that excluded each. Older logs have here, too, what was merely not chosen, by `fallback` or `override`. */
  readonly excluded: readonly { readonly id: string; readonly by: string }[]
  /** A single decision is one slot, number 0. */
  readonly slots: readonly DecisionSlot[]
  readonly randomness: {
    readonly scheme: string
    /** u = the first 53 bits of SHA-256(salt/decisionId/slot). */
    readonly salt: string
    readonly u: number
  }
  readonly served: {
    readonly by: ServedBy
    /** Why it was not the policy: `killed`, `timeout`, `shadow`, `shadow: killed`, … */
    readonly reason?: string
    /** The decision counts only once an activation has come for it. */
    readonly activation?: 'pending'
  }
  /** The probability with which this record was kept when the log was under pressure; 1 otherwise. */
  readonly logProbability: number
  readonly latencyUs: number
  /** Of the request, by W3C Trace Context: `00-<trace id>-<parent id>-<flags>`. */
  readonly traceparent?: string
}

export interface DecisionSlot {
  readonly slot: number
  /**
   * What the policy chose; in the mode `logging-only`, and where the policy did not choose, what dap would have served: never what its rules
   * exclude. null where that was nothing.
   */
  readonly action: string | null
  /** null without an action. */
  readonly propensity: number | null
  /** By eligible action: the vector that was drawn from. Empty without an action. */
  readonly propensities: readonly number[]
  /** The least probability that the policy promises an eligible action. */
  readonly floor: number
  /** What the caller would have done, and in the modes `shadow`, `apprentice` and `logging-only` did. */
  readonly baseline?: string
}

/**
 * What a decision says, by name. Records under one `decisionId` that agree in all of it are one decision, logged again; when, and how long it
 * took, may differ.
 */
export function decidedBy({ policy, unit, context, eligible, slots: [slot], served, logProbability }: DecisionRecord) {
  const { action, propensity, propensities, baseline } = slot
  return {
    policy: [policy.name, policy.digest, policy.snapshot, policy.runtime] as const,
    unit: unit ?? null,
    context,
    action,
    propensity,
    propensities,
    baseline: baseline ?? null,
    eligible: eligible.map(({ id }) => id),
    servedBy: served.by,
    pending: served.activation === 'pending',
    logProbability,
  }
}

/**
 * What a reward says. Two records under one `rewardId` that say the same are one reward, sent twice: when it came to be known, and when its
 * caller believed it to have happened, may differ from one try to the next.
 */
export const saidBy = ({ decisionId, slot = 0, kind = 'metric', name, value }: RewardRecord) =>
  [decisionId, slot, kind, name ?? null, value ?? null] as const

export interface RewardRecord {
  readonly schema: typeof REWARD_SCHEMA
  /** Records of one id that say the same count once, from the earliest `ts`; of those that do not none is used. */
  readonly rewardId: string
  readonly decisionId: string
  /** Default: 0. */
  readonly slot?: number
  /** `activation`: the decision was really shown. Default: `metric`. */
  readonly kind?: 'metric' | 'activation'
  /** Default: the reward that the policy names. */
  readonly name?: string
  /** A metric has one. */
  readonly value?: number
  /** When it happened. */
  readonly ts: string
  /** When the server heard of it. */
  readonly receivedTs?: string
  /** As of a decision. */
  readonly traceparent?: string
}
