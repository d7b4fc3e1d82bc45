import type { ServedBy } from '../log/records/records.ts'
import {
  type Accepted,
  type ActivationRequest,
  type DecideAnswer,
  type DecideRequest,
  isProblem,
  type Problem,
  problem,
  type RewardRequest,
} from './api.ts'
import { createCommit } from './deciding/commit.ts'
import { createMakeDecision, isFaults, type Made } from './deciding/decisions.ts'
import type { PolicySource } from './deciding/policies.ts'
import { type Fault, invalid, problemOf } from './faults.ts'
import type { Ids } from './ids/ids.ts'
import { type Claim, type Ledger, unwritten } from './ids/ledger.ts'
import { type LogWriter, systemTimers } from './log/log-writer.ts'
import type { OnlineLearner } from './rewards/online-learner.ts'
import { createRewardDoor } from './rewards/rewards.ts'
import { type Soon, whenDone } from './soon.ts'

/** The server without HTTP: requests that have the right shape to answers, records to the log. */
export interface Engine {
  /** `arrived` is when the request came in, by `clock.monotonic`; `trace` is what it was part of, as records have it. */
  decide(request: DecideRequest, arrived: number, trace?: string): Soon<DecideAnswer | Problem>
  /** All or none: a fault of one, at `/index/…`, refuses all of them before anything is decided. */
  decideAll(
    requests: readonly DecideRequest[],
    arrived: number,
    trace?: string,
  ): Soon<readonly DecideAnswer[] | Problem>
  /** All or none, as are these. */
  reward(requests: readonly RewardRequest[], trace?: string): Soon<Accepted | Problem>
  activate(requests: readonly ActivationRequest[], trace?: string): Soon<Accepted | Problem>
  /** Whose decisions these are, as far as it is known. */
  policiesOf(decisionIds: readonly string[]): Soon<readonly (string | undefined)[]>
}

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
  refused(reason: 'value' | 'time' | 'conflict'): void
  rewarded(kind: 'metric' | 'activation'): void
}

/** With `--ack written`: how long a caller waits for the disk. */
const WRITTEN_MS = 5_000

export function createEngine(parts: EngineParts): Engine {
  const { log, ack } = parts
  const rewards = createRewardDoor(parts)
  const make = createMakeDecision(parts)
  const commit = createCommit(parts)

  function decided(request: DecideRequest, arrived: number, trace: string | undefined): Made | readonly Fault[] {
    const made = make(request, arrived, trace)
    if (!isFaults(made)) rewards.saw(made.served.policy)
    return made
  }

  /** Of one whose log has room, once all that was logged before is written where that is wanted. */
  function answered<Answer extends object>(answer: () => Soon<Answer | Problem>): Soon<Answer | Problem> {
    if (log.admission === 0) return problem('overloaded', 'the log cannot take more records now; try again later')
    return ack === 'queued' ? answer() : whenDone(answer(), found => (isProblem(found) ? found : written(log, found)))
  }

  return {
    decide: (request, arrived, trace) =>
      answered(() => {
        const made = decided(request, arrived, trace)
        if (isFaults(made)) return problemOf(made)
        if (request.decisionId === undefined) return commit.one(made)
        return whenDone(
          commit.all([made], () => ''),
          found => (isProblem(found) ? found : found[0]),
        )
      }),

    decideAll: (requests, arrived, trace) =>
      answered(() => {
        const all: Made[] = []
        const faults: Fault[] = []
        const ids = new Set<string>()
        for (const [i, request] of requests.entries()) {
          const { decisionId } = request
          const twice = decisionId !== undefined && ids.has(decisionId)
          const made = twice ? [invalid('/decisionId', 'is in this batch twice')] : decided(request, arrived, trace)
          if (decisionId !== undefined) ids.add(decisionId)
          if (isFaults(made)) faults.push(...made.map(f => ({ ...f, pointer: `/${i}${f.pointer}` })))
          else all.push(made)
        }
        return faults.length > 0 ? problemOf(faults) : commit.all(all, i => `/${i}`)
      }),

    reward: (all, trace) => answered(() => rewards.reward(all, trace)),
    activate: (all, trace) => answered(() => rewards.activate(all, trace)),
    policiesOf: rewards.policiesOf,
  }
}

/** The answer, once all that was logged before it is written. */
function written<Answer extends object>(log: LogWriter, answer: Answer): Promise<Answer | Problem> {
  return new Promise(resolve => {
    const cancel = systemTimers.after(WRITTEN_MS, () => resolve(unwritten()))
    void log.flush().then(() => {
      cancel()
      resolve(answer)
    })
  })
}
