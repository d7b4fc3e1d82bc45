import type { ServedBy } from '../log/records.ts'
import type { Accepted, ActivationRequest, DecideAnswer, DecideRequest, Problem, RewardRequest } from './api.ts'
import type { LogWriter } from './log-writer.ts'
import type { OnlineLearner } from './online-learner.ts'
import type { PolicySource } from './policies.ts'

/** The server without HTTP: requests that have the right shape to answers, records to the log. */
export interface Engine {
  /** `arrived` is when the request came in, by `clock.monotonic`. */
  decide(request: DecideRequest, arrived: number): DecideAnswer | Problem
  /** All or none: a fault of one, at `/index/…`, refuses all of them before anything is decided. */
  decideAll(requests: readonly DecideRequest[], arrived: number): readonly DecideAnswer[] | Problem
  reward(requests: readonly RewardRequest[]): Accepted | Problem
  activate(requests: readonly ActivationRequest[]): Accepted | Problem
}

export interface EngineParts {
  readonly source: PolicySource
  readonly log: LogWriter
  readonly clock: Clock
  readonly observer: Observer
  readonly learner?: OnlineLearner
  readonly newId: () => string
  /** `dap/0.2.0` */
  readonly runtime: string
  readonly limits: EngineLimits
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds, never going back. */
  monotonic(): number
}

export interface EngineLimits {
  /** A request that has waited longer is answered with the fallback. */
  readonly timeoutMs: number
  /** How long, and for how many decisions, an id is remembered. */
  readonly retentionMs: number
  readonly retained: number
}

/** Is told what happens, for metrics. */
export interface Observer {
  decided(policy: string, servedBy: ServedBy, action: string, latencyUs: number): void
  /** A mode with a baseline: did the policy choose the same? */
  agreed(policy: string, agrees: boolean): void
  /** A record was not kept: the log is under pressure. */
  shed(policy: string): void
  /** A request with an id that was answered before. */
  repeated(policy: string, conflict: boolean): void
  rewarded(kind: 'metric' | 'activation'): void
}
