import type { ServedBy } from '../log/records/records.ts'
import type { FailureReason } from '../policy/model-outputs.ts'
import type { PolicySource } from './deciding/policies.ts'
import type { Ids } from './ids/ids.ts'
import type { Claim, Ledger } from './ids/ledger.ts'
import type { LogWriter } from './log/log-writer.ts'
import type { OnlineLearner } from './rewards/online-learner.ts'

/** What an engine decides with, and writes to. */
export interface EngineParts {
  readonly source: PolicySource
  readonly log: LogWriter
  readonly ledger: Ledger
  readonly clock: Clock
  readonly observer: Observer
  readonly learner?: OnlineLearner
  readonly newId: Ids
  /** `dap/0.2.0` */
  readonly runtime: string
  /** What is acknowledged is in the log's queue, or written. */
  readonly ack: 'queued' | 'written'
  readonly limits: EngineLimits
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds, never going back. */
  monotonic(): number
}

export interface EngineLimits {
  /** A request that has waited longer is answered without the policy: with the fallback. */
  readonly timeoutMs: number
}

/** Is told what happens, for metrics. */
export interface Observer {
  decided(policy: string, servedBy: ServedBy, action: string | null, latencyUs: number): void
  /** A mode with a baseline: did the policy choose the same? */
  agreed(policy: string, agrees: boolean): void
  /** A record was not kept: the log is under pressure. */
  shed(policy: string): void
  /** A decision or a reward with an id that was taken before. */
  repeated(kind: Claim['kind'], conflict: boolean): void
  /** A reward or an activation is taken, and nothing that is known here has use for it. */
  unmatched(reason: 'unknown-decision' | 'other-name'): void
  /** A reward or an activation is not taken. */
  refused(reason: 'value' | 'time' | 'slot' | 'conflict'): void
  rewarded(kind: 'metric' | 'activation'): void
  /** A Model was asked about so many rows of a decision, and answered, or did not: for that reason. */
  asked(model: string, rows: number, ms: number, failure: FailureReason | undefined): void
}
