import { isDeepStrictEqual } from 'node:util'
import { decisionRecord } from '../log/decision-record.ts'
import { recordText } from '../log/record-text.ts'
import { type DecisionRecord, IMPOSED, REWARD_SCHEMA, type RewardRecord, type ServedBy } from '../log/records.ts'
import { type Decision, type DecisionRequest, decide } from '../policy/decide.ts'
import { hashUniform } from '../policy/draw.ts'
import { explain } from '../policy/explanation.ts'
import type { Policy } from '../policy/policy.ts'
import {
  type Accepted,
  type ActivationRequest,
  type DecideAnswer,
  type DecideRequest,
  MAX_FAULTS,
  type Problem,
  type ProblemName,
  problem,
  type RewardRequest,
} from './api.ts'
import type { LogWriter } from './log-writer.ts'
import type { OnlineLearner } from './online-learner.ts'
import type { PolicySource, ServedPolicy } from './policies.ts'
import { createRemembered } from './remembered.ts'

/** The server without HTTP: requests that have the right shape to answers, records to the log. */
export interface Engine {
  /** `arrived` is when the request came in, by `clock.monotonic`. */
  decide(request: DecideRequest, arrived: number): DecideAnswer | Problem
  /** All or none: a fault of one, at `/index/…`, refuses all of them before anything is decided. */
  decideAll(requests: readonly DecideRequest[], arrived: number): readonly DecideAnswer[] | Problem
  reward(requests: readonly RewardRequest[]): Accepted | Problem
  activate(requests: readonly ActivationRequest[]): Accepted | Problem
  /** Whose decision this is, as far as it is remembered. */
  policyOf(decisionId: string): string | undefined
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
  /** A request that has waited longer is answered without the policy: with the fallback. */
  readonly timeoutMs: number
  /** How long, and for how many decisions, an id is remembered. */
  readonly retentionMs: number
  readonly retained: number
}

/** Is told what happens, for metrics. */
export interface Observer {
  decided(policy: string, servedBy: ServedBy, action: string | null, latencyUs: number): void
  /** A mode with a baseline: did the policy choose the same? */
  agreed(policy: string, agrees: boolean): void
  /** A record was not kept: the log is under pressure. */
  shed(policy: string): void
  /** A request with an id that was answered before. */
  repeated(policy: string, conflict: boolean): void
  rewarded(kind: 'metric' | 'activation'): void
}

interface Fault {
  readonly name: ProblemName
  readonly pointer: string
  readonly detail: string
}

/** A decision that has been made, and is neither logged nor answered yet; or one that was answered before under the same id. */
type Prepared =
  | { readonly request: DecideRequest; readonly served: ServedPolicy; readonly decision: Decision }
  | { readonly answered: DecideAnswer }

export function createEngine(parts: EngineParts): Engine {
  const { source, log, clock, observer, learner, newId, runtime, limits } = parts
  const remembered = createRemembered<{ readonly request: DecideRequest; readonly answer: DecideAnswer }>(
    clock.monotonic,
    limits.retentionMs,
    limits.retained,
  )

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
  function prepare(request: DecideRequest, arrived: number): Prepared | readonly Fault[] {
    const served = find(request.policy)
    if ('detail' in served) return [served]
    const { policy } = served
    const { decisionId } = request
    const before = decisionId === undefined ? undefined : remembered.get(decisionId)
    if (before !== undefined) {
      const same = isDeepStrictEqual(before.request, request)
      observer.repeated(policy.name, !same)
      if (same) return { answered: before.answer }
      return [{ name: 'conflict', pointer: '/decisionId', detail: 'was used for another request' }]
    }
    const { mode } = policy.spec
    if (mode !== 'online' && request.baseline === undefined) {
      return [invalid('/baseline', `is needed in the mode ${mode}`)]
    }
    const imposed = imposedOn(policy, request.baseline, arrived)
    const result = decide(policy, { decisionId: decisionId ?? newId(), context: request.context ?? {}, imposed })
    if (!('faults' in result)) return { request, served, decision: result }
    return result.faults.map(({ pointer, message }) => invalid(`/context${pointer}`, message))
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
  function commit(prepared: Prepared, arrived: number): DecideAnswer {
    if ('answered' in prepared) return prepared.answered
    const { request, served, decision } = prepared
    const { policy, snapshot } = served
    const { mode } = policy.spec
    const { decisionId } = decision
    const { admission } = log
    const latencyUs = Math.round((clock.monotonic() - arrived) * 1000)
    const record = decisionRecord(policy, decision, {
      ts: timestamp(clock.now()),
      mode,
      snapshot,
      runtime,
      latencyUs,
      logProbability: admission,
      baseline: request.baseline,
      deferred: request.deferActivation,
    })
    // Kept or not by a hash of its own, so that what is kept depends on nothing that was decided.
    const kept = admission === 1 || hashUniform('kept', decisionId) < admission
    if (kept) log.push('decisions', recordText(record))
    else observer.shed(policy.name)
    observer.decided(policy.name, record.served.by, decision.action, latencyUs)
    if ((mode === 'shadow' || mode === 'apprentice') && decision.servedBy === 'policy') {
      observer.agreed(policy.name, decision.action === request.baseline)
    }
    learner?.decided(record)
    const answer = answerOf(policy, record, request.explain ? decision : undefined)
    if (request.decisionId !== undefined) remembered.set(decisionId, { request, answer })
    return answer
  }

  function pushReward(record: RewardRecord): void {
    log.push('rewards', JSON.stringify(record))
    observer.rewarded(record.kind ?? 'metric')
    learner?.rewarded(record)
  }

  const overloaded = () => problem('overloaded', 'the log cannot take more records now; try again later')

  return {
    decide(request, arrived) {
      if (log.admission === 0) return overloaded()
      const prepared = prepare(request, arrived)
      return isFaults(prepared) ? problemOf(prepared) : commit(prepared, arrived)
    },

    decideAll(requests, arrived) {
      if (log.admission === 0) return overloaded()
      const all: Prepared[] = []
      const faults: Fault[] = []
      const ids = new Set<string>()
      for (const [i, request] of requests.entries()) {
        const { decisionId } = request
        const prepared =
          decisionId !== undefined && ids.has(decisionId)
            ? [invalid('/decisionId', 'is in this batch twice')]
            : prepare(request, arrived)
        if (decisionId !== undefined) ids.add(decisionId)
        if (isFaults(prepared)) faults.push(...prepared.map(f => ({ ...f, pointer: `/${i}${f.pointer}` })))
        else all.push(prepared)
      }
      return faults.length > 0 ? problemOf(faults) : all.map(prepared => commit(prepared, arrived))
    },

    reward(requests) {
      if (log.admission === 0) return overloaded()
      const receivedTs = timestamp(clock.now())
      const faults = requests.flatMap((request, i) => {
        const wrong = rewardFault(request)
        return wrong === undefined ? [] : [{ ...wrong, pointer: `/${i}${wrong.pointer}` }]
      })
      if (faults.length > 0) return problemOf(faults)
      for (const { rewardId, decisionId, slot, name, value, ts } of requests) {
        pushReward({
          schema: REWARD_SCHEMA,
          rewardId: rewardId ?? newId(),
          decisionId,
          ...(slot === undefined ? {} : { slot }),
          ...(name === undefined ? {} : { name }),
          value,
          ts: utc(ts) ?? receivedTs,
          receivedTs,
        })
      }
      return { accepted: requests.length }
    },

    activate(requests) {
      if (log.admission === 0) return overloaded()
      const receivedTs = timestamp(clock.now())
      const faults = requests.flatMap(({ ts }, i) => timeFault(ts, `/${i}`) ?? [])
      if (faults.length > 0) return problemOf(faults)
      for (const { decisionId, ts } of requests) {
        const rewardId = `activation/${decisionId}`
        const when = { ts: utc(ts) ?? receivedTs, receivedTs }
        pushReward({ schema: REWARD_SCHEMA, rewardId, decisionId, kind: 'activation', ...when })
      }
      return { accepted: requests.length }
    },

    policyOf,
  }

  function policyOf(decisionId: string): string | undefined {
    return remembered.get(decisionId)?.answer.policy.name
  }

  function rewardFault({ value, ts, decisionId, name }: RewardRequest): Fault | undefined {
    if (!Number.isFinite(value)) return invalid('/value', 'must be a finite number')
    const decided = policyOf(decisionId)
    const reward = decided === undefined ? undefined : source.policies.get(decided)?.policy.spec.reward
    if (reward?.type === 'binary' && (name ?? reward.name) === reward.name && !(value >= 0 && value <= 1)) {
      return invalid('/value', `must be in [0, 1]: \`${reward.name}\` of policy ${decided} is binary`)
    }
    return timeFault(ts, '')
  }
}

function answerOf(policy: Policy, record: DecisionRecord, explained: Decision | undefined): DecideAnswer {
  const [slot] = record.slots
  const { by, reason } = record.served
  const action = by === 'override' && slot.baseline !== undefined ? slot.baseline : slot.action
  const features = action === null ? undefined : policy.spec.actions[policy.actions.indexOf(action)].features
  const { name, digest, snapshot } = record.policy
  return {
    decisionId: record.decisionId,
    policy: { name, digest, snapshot },
    action,
    features,
    propensity: by === 'override' ? null : slot.propensity,
    servedBy: by,
    reason,
    explanation: explained && explain(policy, explained),
  }
}

const invalid = (pointer: string, detail: string): Fault => ({ name: 'invalid-request', pointer, detail })

const isFaults = (result: Prepared | readonly Fault[]): result is readonly Fault[] => Array.isArray(result)

function problemOf(faults: readonly Fault[]): Problem {
  const [{ name, pointer, detail }] = faults
  const kind = faults.every(fault => fault.name === name) ? name : 'invalid-request'
  const more = faults.length === 1 ? '' : `, and ${faults.length - 1} more`
  return problem(
    kind,
    `${pointer || 'the body'} ${detail}${more}`,
    faults.slice(0, MAX_FAULTS).map(f => ({ pointer: f.pointer, detail: f.detail })),
  )
}

/** RFC 3339 with a time zone, which `Date` alone would not insist on. */
const TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/

function timeFault(ts: string | undefined, at: string): Fault | undefined {
  if (ts === undefined || (TIME.test(ts) && !Number.isNaN(Date.parse(ts)))) return undefined
  return invalid(`${at}/ts`, 'must be a time like 2026-11-22T18:15:53.412Z')
}

const utc = (ts: string | undefined): string | undefined => ts && new Date(ts).toISOString()
