/** Requests and answers of the HTTP interface, as `schemas/openapi.yaml` describes them. */
import type { ServedBy } from '../log/records/records.ts'
import type { Explanation } from '../policy/explanation.ts'

export interface DecideRequest {
  /** May be left out where one policy is served. */
  readonly policy?: string
  /** The caller's idempotency key; default: a new one. */
  readonly decisionId?: string
  readonly context?: Readonly<Record<string, unknown>> | null
  /** Ids and features of what can be chosen, for a policy whose actions are the request's. */
  readonly actions?:
    | readonly { readonly id: string; readonly features?: Readonly<Record<string, unknown>> | null }[]
    | null
  /** Ids that must not be served, whoever chooses. */
  readonly exclude?: readonly string[]
  /** What the caller would do itself, of a list slot by slot: served in the modes `shadow`, `apprentice` and `logging-only`, which need it. */
  readonly baseline?: string | readonly string[]
  /** The decision counts only once `/v1/activations` has heard of it. */
  readonly deferActivation?: boolean
  /** Answer with the reasons, too. */
  readonly explain?: boolean
}

export interface DecideAnswer {
  readonly decisionId: string
  readonly policy: { readonly name: string; readonly digest: string; readonly snapshot: string | null }
  /** What to do; null: nothing, since there is no action that the rules let be served. */
  readonly action: string | null
  /** The action's features, as the policy lists them. */
  readonly features?: Readonly<Record<string, unknown>>
  /** The probability with which it was chosen; null where it was the caller's baseline, or there is none. */
  readonly propensity: number | null
  readonly servedBy: ServedBy
  readonly reason?: string
  /** Of a list, all that there is of it; what stands above is of the first. */
  readonly slots?: readonly AnsweredSlot[]
  readonly explanation?: Explanation
}

export interface AnsweredSlot extends Pick<DecideAnswer, 'action' | 'features' | 'propensity'> {
  /** Its number, from 0. */
  readonly slot: number
  /** What the policy calls it, if it declares its slots. */
  readonly id?: string
}

export interface RewardRequest {
  /** The caller's idempotency key; default: a new one. */
  readonly rewardId?: string
  readonly decisionId: string
  readonly slot?: number
  /** Default: the reward that the policy names. */
  readonly name?: string
  readonly value: number
  /** When it happened; default: now. RFC 3339. */
  readonly ts?: string
}

export interface ActivationRequest {
  readonly decisionId: string
  /** Default: all of them. */
  readonly slot?: number
  readonly ts?: string
}

export interface Accepted {
  readonly accepted: number
}

/** RFC 9457, `application/problem+json`. */
export interface Problem {
  /** `https://dap.dev/problems/…` */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** Every fault of the body, at its JSON pointer. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

export type ProblemName =
  | 'invalid-request'
  | 'unauthorized'
  | 'forbidden'
  | 'unknown-policy'
  | 'conflict'
  | 'too-many-requests'
  | 'overloaded'
  | 'too-large'
  | 'not-found'
  | 'method-not-allowed'
  | 'unsupported-media-type'
  | 'internal'

const STATUS: Readonly<Record<ProblemName, readonly [status: number, title: string]>> = {
  'invalid-request': [400, 'The request is not valid'],
  unauthorized: [401, 'A token is needed'],
  forbidden: [403, 'The token is not for this'],
  'unknown-policy': [404, 'There is no such policy'],
  conflict: [409, 'The id was used for something else'],
  'too-many-requests': [429, 'The client asks for more than it may'],
  overloaded: [503, 'The server cannot log what it would decide'],
  'too-large': [413, 'The request is too large'],
  'not-found': [404, 'There is nothing here'],
  'method-not-allowed': [405, 'The path takes other methods'],
  'unsupported-media-type': [415, 'The body must be JSON'],
  internal: [500, 'Something went wrong'],
}

/** More faults of one body help nobody. */
export const MAX_FAULTS = 100

export function problem(name: ProblemName, detail: string, errors?: Problem['errors']): Problem {
  const [status, title] = STATUS[name]
  return { type: `https://dap.dev/problems/${name}`, title, status, detail, ...(errors ? { errors } : {}) }
}

export const isProblem = (answer: object): answer is Problem => 'status' in answer && 'title' in answer
