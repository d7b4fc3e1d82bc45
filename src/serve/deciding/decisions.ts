/** From a request that has the right shape to a decision, which is neither logged nor answered yet. */
import { didYouMean } from '../../diagnostics.ts'
import { decisionRecord } from '../../log/records/decision-record.ts'
import { type DecisionRecord, IMPOSED } from '../../log/records/records.ts'
import type { ContextFault } from '../../policy/context.ts'
import { type Decision, type DecisionRequest, decide } from '../../policy/decide.ts'
import { isList } from '../../policy/lists/slots.ts'
import { failed } from '../../policy/model-outputs.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Pool } from '../../policy/pool.ts'
import { answerOf, withSlotIds } from '../answer.ts'
import type { DecideAnswer, DecideRequest } from '../api.ts'
import type { EngineParts } from '../engine-parts.ts'
import { type Fault, invalid } from '../faults.ts'
import { readId } from '../ids/ids.ts'
import type { Soon } from '../soon.ts'
import type { PolicySource, ServedPolicy } from './policies.ts'

/** A decision that has been made, and is neither logged nor answered yet. */
export interface Made {
  readonly request: DecideRequest
  readonly served: ServedPolicy
  readonly decision: Decision
  /** What it was between. */
  readonly pool: Pool
  readonly record: DecisionRecord
  readonly answer: DecideAnswer
}

/** Makes the decision, or says what is wrong with the request. `arrived` and `trace` are as in `Engine`. */
export type MakeDecision = (request: DecideRequest, arrived: number, trace?: string) => Soon<Made | readonly Fault[]>

export const isFaults = (result: Made | readonly Fault[]): result is readonly Fault[] => Array.isArray(result)

type Parts = Pick<EngineParts, 'source' | 'log' | 'clock' | 'observer' | 'newId' | 'runtime' | 'limits'>

export function createMakeDecision({ source, log, clock, observer, newId, runtime, limits }: Parts): MakeDecision {
  const timestamp = createTimestamp()

  /** What comes before anything that the policy would choose: a kill switch, a request that is too late, a mode that decides nothing. */
  function imposedOn(
    policy: Policy,
    { ids }: Pool,
    baselines: readonly string[],
    arrived: number,
  ): DecisionRequest['imposed'] {
    const { mode } = policy.spec
    const late = clock.monotonic() - arrived > limits.timeoutMs
    const reason = source.killed(policy.name) ? IMPOSED.killed : late ? IMPOSED.timeout : undefined
    if (mode === 'online') return reason && { reason }
    if (!baselines.some(id => ids.includes(id))) return { reason: IMPOSED.unknownBaseline }
    const why = reason ?? (mode === 'logging-only' ? mode : undefined)
    return why && { actions: baselines, reason: why }
  }

  return (request, arrived, traceparent) => {
    const served = find(source, request.policy)
    if ('detail' in served) return [served]
    const { policy, snapshot, model } = served
    const { mode } = policy.spec
    const { actions, exclude, baseline, deferActivation: deferred } = request
    const own: Fault[] = []
    if (mode !== 'online' && baseline === undefined) own.push(invalid('/baseline', `is needed in the mode ${mode}`))
    if (request.decisionId !== undefined && readId(request.decisionId, source.policies.keys()) !== undefined) {
      own.push({ name: 'conflict', pointer: '/decisionId', detail: 'is of the ids that the server makes itself' })
    }
    const now = clock.now()
    const pool = policy.offer({ actions, exclude, at: now })
    if ('faults' in pool || own.length > 0 || baselineFaults(policy, pool, baseline).length > 0)
      return [...own, ...contentFaults(policy, request)]
    const baselines = typeof baseline === 'string' ? [baseline] : baseline
    const decisionId = request.decisionId ?? newId(now, policy.name)
    const imposed = imposedOn(policy, pool, baselines ?? [], arrived)

    const decided = (asked: Pool): Made | readonly Fault[] => {
      const decision = decide(policy, { decisionId, context: request.context ?? {}, pool: asked, imposed })
      if ('faults' in decision) {
        return decision.faults.map(inContext).map(({ pointer, message }) => invalid(pointer, message))
      }
      const latencyUs = Math.round((clock.monotonic() - arrived) * 1000)
      const facts = { ts: timestamp(now), mode, snapshot, runtime, latencyUs, logProbability: log.admission }
      const record = decisionRecord(policy, decision, { ...facts, baselines, deferred, traceparent }, asked)
      return { request, served, decision, pool: asked, record, answer: withSlotIds(answerOf(record, asked), policy) }
    }

    if (model === undefined || imposed !== undefined) return decided(pool)
    const checked = policy.context(request.context ?? {})
    if ('faults' in checked) return decided(pool)
    const before = clock.monotonic()
    return model.ask(checked.context, pool, limits.timeoutMs - (before - arrived)).then(({ pool: asked, rows }) => {
      const { outputs } = asked
      if (outputs !== undefined) {
        const failure = failed(outputs) ? outputs.failure : undefined
        observer.asked(model.scorer.name, rows, clock.monotonic() - before, failure)
      }
      return decided(asked)
    })
  }
}

/**
 * What is wrong with what the caller would do itself. Of single decisions it may be no action at all, as in an app that is newer than the policy; of a
 * list it is not known then what the caller served.
 */
function baselineFaults(policy: Policy, { ids }: Pool, baseline: unknown): readonly Fault[] {
  const { count } = policy.slots
  if (!isBaseline(baseline)) return []
  if (!isList(policy.spec)) {
    const one = typeof baseline === 'string' || baseline.length === 1
    return one ? [] : [invalid('/baseline', 'must be one id: the policy decides one action')]
  }
  if (typeof baseline === 'string') return [invalid('/baseline', 'must be a list of ids: the policy decides lists')]
  const faultOf = (id: string, k: number): string | undefined => {
    if (k >= count) return `is one too many: a list of the policy has at most ${count}`
    if (baseline.indexOf(id) < k) return 'is in the list twice'
    return ids.includes(id) ? undefined : `is none of the actions${suggested(id, ids)}`
  }
  return baseline.flatMap((id, k) => {
    const detail = faultOf(id, k)
    return detail === undefined ? [] : [invalid(`/baseline/${k}`, detail)]
  })
}

/** Of another shape it is another fault. */
const isBaseline = (given: unknown): given is NonNullable<DecideRequest['baseline']> =>
  typeof given === 'string' || (Array.isArray(given) && given.every(each => typeof each === 'string'))

function suggested(id: string, ids: readonly string[]): string {
  const suggestion = didYouMean(id, ids)
  return suggestion === undefined ? '' : `; ${suggestion}`
}

/** What is wrong with the context, the actions and the baseline of a request, which may be anything. */
export function contentFaults(policy: Policy, { context, actions, exclude, baseline }: Content): readonly Fault[] {
  const checked = policy.context(context ?? {})
  const pool = policy.offer({ actions, exclude })
  const faults = [
    ...('faults' in checked ? checked.faults.map(inContext) : []),
    ...('faults' in pool ? pool.faults : []),
  ]
  return [
    ...faults.map(({ pointer, message }) => invalid(pointer, message)),
    ...('faults' in pool ? [] : baselineFaults(policy, pool, baseline)),
  ]
}

type Content = { readonly [name in 'context' | 'actions' | 'exclude' | 'baseline']?: unknown }

const inContext = ({ pointer, message }: ContextFault): ContextFault => ({ pointer: `/context${pointer}`, message })

/** The policy that a request names, or the only one. */
export function find({ policies }: PolicySource, name: string | undefined): ServedPolicy | Fault {
  if (name !== undefined) return policies.get(name) ?? unknownPolicy(policies)
  if (policies.size === 1) return policies.values().next().value as ServedPolicy
  return invalid(
    '/policy',
    `is needed: ${policies.size === 0 ? 'no policy is' : `${policies.size} policies are`} served here`,
  )
}

function unknownPolicy(policies: PolicySource['policies']): Fault {
  const served = [...policies.keys()].slice(0, 20).join(', ') || 'none'
  return {
    name: 'unknown-policy',
    pointer: '/policy',
    detail: `there is no policy of this name; served here: ${served}`,
  }
}

/** RFC 3339 of a time in ms; many decisions fall into one millisecond. */
function createTimestamp(): (ms: number) => string {
  let lastMs = Number.NaN
  let lastText = ''
  return ms => {
    if (ms !== lastMs) {
      lastMs = ms
      lastText = new Date(ms).toISOString()
    }
    return lastText
  }
}
