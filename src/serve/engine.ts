import { decisionRecord } from '../log/decision-record.ts'
import { recordText } from '../log/record-text.ts'
import { type DecisionRecord, IMPOSED, type ServedBy } from '../log/records.ts'
import { type Decision, type DecisionRequest, decide } from '../policy/decide.ts'
import { hashUniform } from '../policy/draw.ts'
import { explain } from '../policy/explanation.ts'
import type { Policy } from '../policy/policy.ts'
import { answerOf } from './answer.ts'
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
import { type Fault, invalid, problemOf } from './faults.ts'
import { type Ids, readId } from './ids.ts'
import { type Claim, claimOfDecision, isUnwritten, type Ledger, unwritten } from './ledger.ts'
import { type LogWriter, systemTimers } from './log-writer.ts'
import type { OnlineLearner } from './online-learner.ts'
import type { PolicySource, ServedPolicy } from './policies.ts'
import { createRewardDoor } from './rewards.ts'
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

/** A decision that has been made, and is neither logged nor answered yet. */
interface Prepared {
  readonly request: DecideRequest
  readonly served: ServedPolicy
  readonly decision: Decision
  readonly record: DecisionRecord
  readonly answer: DecideAnswer
}

/** With `--ack written`: how long a caller waits for the disk. */
const WRITTEN_MS = 5_000

export function createEngine(parts: EngineParts): Engine {
  const { source, log, ledger, clock, observer, learner, newId, runtime, limits, ack } = parts
  const rewards = createRewardDoor(parts)

  let lastMs = Number.NaN
  let lastText = ''

  /** RFC 3339; many decisions fall into one millisecond. */
  function timestamp(ms: number): string {
    if (ms !== lastMs) {
      lastMs = ms
      lastText = new Date(ms).toISOString()
    }
    return lastText
  }

  /** Makes the decision, or says what is wrong with the request. */
  function prepare(request: DecideRequest, arrived: number, traceparent?: string): Prepared | readonly Fault[] {
    const served = find(request.policy)
    if ('detail' in served) return [served]
    const { policy, snapshot } = served
    const { mode } = policy.spec
    const { baseline, deferActivation: deferred } = request
    if (mode !== 'online' && baseline === undefined) return [invalid('/baseline', `is needed in the mode ${mode}`)]
    if (request.decisionId !== undefined && readId(request.decisionId, source.policies.keys()) !== undefined) {
      return [{ name: 'conflict', pointer: '/decisionId', detail: 'is of the ids that the server makes itself' }]
    }
    const now = clock.now()
    const decisionId = request.decisionId ?? newId(now, policy.name)
    const imposed = imposedOn(policy, baseline, arrived)
    const decision = decide(policy, { decisionId, context: request.context ?? {}, imposed })
    if ('faults' in decision) {
      return decision.faults.map(({ pointer, message }) => invalid(`/context${pointer}`, message))
    }
    rewards.saw(policy)
    const latencyUs = Math.round((clock.monotonic() - arrived) * 1000)
    const facts = { ts: timestamp(now), mode, snapshot, runtime, latencyUs, logProbability: log.admission }
    const record = decisionRecord(policy, decision, { ...facts, baseline, deferred, traceparent })
    return { request, served, decision, record, answer: answerOf(record, policy) }
  }

  function find(name: string | undefined): ServedPolicy | Fault {
    const { policies } = source
    if (name !== undefined) return policies.get(name) ?? unknownPolicy()
    if (policies.size === 1) return policies.values().next().value as ServedPolicy
    return invalid(
      '/policy',
      `is needed: ${policies.size === 0 ? 'no policy is' : `${policies.size} policies are`} served here`,
    )
  }

  function unknownPolicy(): Fault {
    const served = [...source.policies.keys()].slice(0, 20).join(', ') || 'none'
    return {
      name: 'unknown-policy',
      pointer: '/policy',
      detail: `there is no policy of this name; served here: ${served}`,
    }
  }

  /** What comes before anything that the policy would choose: a kill switch, a request that is too late, a mode that decides nothing. */
  function imposedOn(policy: Policy, baseline: string | undefined, arrived: number): DecisionRequest['imposed'] {
    const { mode } = policy.spec
    const late = clock.monotonic() - arrived > limits.timeoutMs
    const reason = source.killed(policy.name) ? IMPOSED.killed : late ? IMPOSED.timeout : undefined
    if (mode === 'online') return reason && { reason }
    if (baseline === undefined || !policy.actions.includes(baseline)) return { reason: IMPOSED.unknownBaseline }
    const why = reason ?? (mode === 'logging-only' ? mode : undefined)
    return why && { action: baseline, reason: why }
  }

  /** Logs the decision and answers. */
  function commit({ request, served: { policy }, decision, record, answer }: Prepared): DecideAnswer {
    const { name, spec } = policy
    const { logProbability, latencyUs } = record
    // Kept or not by a hash of its own, so that what is kept depends on nothing that was decided.
    const kept = logProbability === 1 || hashUniform('kept', record.decisionId) < logProbability
    if (kept) log.push('decisions', recordText(record))
    else observer.shed(name)
    observer.decided(name, record.served.by, decision.action, latencyUs)
    if ((spec.mode === 'shadow' || spec.mode === 'apprentice') && decision.servedBy === 'policy') {
      observer.agreed(name, decision.action === request.baseline)
    }
    learner?.decided(record)
    return request.explain ? { ...answer, explanation: explain(policy, decision) } : answer
  }

  /** What was answered before under this id; explained where the same policy would answer it again. */
  function repeat({ request, served, decision }: Prepared, before: DecideAnswer): DecideAnswer {
    const { policy, snapshot } = served
    const same = before.policy.digest === policy.digest && before.policy.snapshot === snapshot
    return request.explain && same ? { ...before, explanation: explain(policy, decision) } : before
  }

  /** Takes the ids that callers have made; then logs and answers all, or refuses all. `at` is the pointer to one of them. */
  function commitAll(all: readonly Prepared[], at: (index: number) => string): Soon<readonly DecideAnswer[] | Problem> {
    const own = all.filter(({ request }) => request.decisionId !== undefined)
    if (own.length === 0) return all.map(commit)
    return whenDone(ledger.claim(own.map(({ record, answer }) => claimOfDecision(record, answer))), outcomes => {
      for (const outcome of outcomes) if (outcome !== 'new') observer.repeated('decision', outcome === 'conflict')
      const outcomeOf = new Map(own.map((prepared, i) => [prepared, outcomes[i]]))
      const conflicts = all.flatMap((prepared, i): Fault[] =>
        outcomeOf.get(prepared) === 'conflict'
          ? [{ name: 'conflict', pointer: `${at(i)}/decisionId`, detail: 'was used for another request' }]
          : [],
      )
      if (conflicts.length > 0) return problemOf(conflicts)
      const answers = all.map(prepared => {
        const outcome = outcomeOf.get(prepared)
        const before = typeof outcome === 'object' ? outcome.again : null
        return before === null ? commit(prepared) : repeat(prepared, JSON.parse(before.answer) as DecideAnswer)
      })
      return ack === 'written' && outcomes.some(isUnwritten) ? unwritten() : answers
    })
  }

  /** Hands on an answer, where it is wanted so, once all that was logged before is written. */
  function acknowledged<Answer extends object>(answer: Soon<Answer | Problem>): Soon<Answer | Problem> {
    if (ack === 'queued') return answer
    return whenDone(answer, async found => {
      if (isProblem(found)) return found
      return new Promise<Answer | Problem>(resolve => {
        const cancel = systemTimers.after(WRITTEN_MS, () => resolve(unwritten()))
        void log.flush().then(() => {
          cancel()
          resolve(found)
        })
      })
    })
  }

  const overloaded = () => problem('overloaded', 'the log cannot take more records now; try again later')

  return {
    decide(request, arrived, trace) {
      if (log.admission === 0) return overloaded()
      const prepared = prepare(request, arrived, trace)
      if (isFaults(prepared)) return problemOf(prepared)
      if (request.decisionId === undefined) return acknowledged(commit(prepared))
      const answers = commitAll([prepared], () => '')
      return acknowledged(whenDone(answers, found => (isProblem(found) ? found : found[0])))
    },

    decideAll(requests, arrived, trace) {
      if (log.admission === 0) return overloaded()
      const all: Prepared[] = []
      const faults: Fault[] = []
      const ids = new Set<string>()
      for (const [i, request] of requests.entries()) {
        const { decisionId } = request
        const prepared =
          decisionId !== undefined && ids.has(decisionId)
            ? [invalid('/decisionId', 'is in this batch twice')]
            : prepare(request, arrived, trace)
        if (decisionId !== undefined) ids.add(decisionId)
        if (isFaults(prepared)) faults.push(...prepared.map(f => ({ ...f, pointer: `/${i}${f.pointer}` })))
        else all.push(prepared)
      }
      return faults.length > 0 ? problemOf(faults) : acknowledged(commitAll(all, i => `/${i}`))
    },

    reward: (all, trace) => (log.admission === 0 ? overloaded() : acknowledged(rewards.reward(all, trace))),
    activate: (all, trace) => (log.admission === 0 ? overloaded() : acknowledged(rewards.activate(all, trace))),
    policiesOf: rewards.policiesOf,
  }
}

const isFaults = (result: Prepared | readonly Fault[]): result is readonly Fault[] => Array.isArray(result)
