import { createHash } from 'node:crypto'
import type { components } from '../../generated/api.d.ts'
import type { DecideAnswer, DecideRequest, Problem } from '../api.ts'
import type { PolicySource, ServedPolicy } from '../deciding/policies.ts'

type Schemas = components['schemas']
export type Evaluation = Schemas['OfrepEvaluation']
export type Failure = Schemas['OfrepFailure']
export type OfrepRequest = Schemas['OfrepRequest']

/**
 * The decision that an OpenFeature client asks for: only attributes that the policy knows, `targetingKey` as the unit. It counts once it is
 * activated, since the protocol does not say which type is wanted: a client that asks a boolean of it never shows what was decided.
 */
export function flagRequest({ policy }: ServedPolicy, { context = {} }: OfrepRequest): DecideRequest {
  const fields = policy.spec.context
  const known = Object.entries(context).filter(([name]) => Object.hasOwn(fields, name))
  const { unit } = policy.spec
  const key = targetingKey(context)
  if (unit !== undefined && key !== undefined && !Object.hasOwn(context, unit)) {
    // Written in another way, `0xC` for 12, it would be somebody else's unit.
    const number = fields[unit].type !== 'string' && String(Number(key)) === key
    known.push([unit, number ? Number(key) : key])
  }
  const offer = Object.fromEntries(
    OFFER.filter(name => !Object.hasOwn(fields, name)).map(name => [name, context[name]]),
  )
  return { policy: policy.name, context: Object.fromEntries(known), ...offer, deferActivation: true }
}

/** Attributes that say what can be chosen, as a request of dap's own does, unless the policy has fields of these names. */
const OFFER = ['actions', 'exclude'] as const

const targetingKey = (context: NonNullable<OfrepRequest['context']>): string | undefined =>
  typeof context['targetingKey'] === 'string' && context['targetingKey'] !== '' ? context['targetingKey'] : undefined

/** An answer in OpenFeature's words. Without a value the caller's own default holds. */
export function evaluationOf(answer: DecideAnswer, killed: boolean): Evaluation {
  const { decisionId, propensity, policy, servedBy, features = {}, slots } = answer
  const list = (slots ?? [answer]).map(({ action }) => action)
  const first = list.find(action => action !== null)
  return {
    key: policy.name,
    ...(first === undefined ? {} : { value: slots === undefined ? first : list, variant: first }),
    reason: killed ? 'DISABLED' : REASON[servedBy],
    metadata: {
      decisionId,
      policyDigest: policy.digest,
      servedBy,
      ...(propensity === null ? {} : { propensity }),
      ...(policy.snapshot === null ? {} : { snapshot: policy.snapshot }),
      ...Object.fromEntries(Object.entries(features).flatMap(([name, value]) => flat(`features.${name}`, value))),
    },
  }
}

const REASON = {
  policy: 'SPLIT',
  holdout: 'TARGETING_MATCH',
  fallback: 'DEFAULT',
  override: 'DEFAULT',
  none: 'DEFAULT',
} as const

function flat(name: string, value: unknown): [string, string | number | boolean][] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[name, value]] : []
}

/** A problem in OpenFeature's words. */
export function failureOf(problem: Problem): Omit<Failure, 'key'> {
  const { detail, errors = [] } = problem
  // Here these are attributes of the context.
  const inside = (pointer: string) => (OFFER.some(name => pointer.startsWith(`/${name}`)) ? '/context' : '')
  const faults = errors.map(fault => `${inside(fault.pointer)}${fault.pointer} ${fault.detail}`)
  return { errorCode: codeOf(problem), errorDetails: faults.join('; ') || detail }
}

function codeOf({ type, errors }: Problem): Failure['errorCode'] {
  switch (type.slice(type.lastIndexOf('/') + 1)) {
    case 'unknown-policy':
      return 'FLAG_NOT_FOUND'
    case 'invalid-request':
      return errors === undefined ? 'PARSE_ERROR' : 'INVALID_CONTEXT'
    default:
      return 'GENERAL'
  }
}

/** Does the policy need a unit that the request does not name? */
export function lacksUnit({ policy: { spec } }: ServedPolicy, { context }: DecideRequest): boolean {
  if (spec.unit === undefined || spec.context[spec.unit].default !== undefined) return false
  return !Object.hasOwn(context as object, spec.unit)
}

/** Changes with the policies, what they have learnt, their kill switches and the context. */
export function entityTag(
  policies: readonly ServedPolicy[],
  source: Pick<PolicySource, 'killed'>,
  { context = {} }: OfrepRequest,
): string {
  const served = policies.map(({ policy: { name, digest }, snapshot }) => [name, digest, snapshot, source.killed(name)])
  return `"${createHash('sha256')
    .update(JSON.stringify([served, context]))
    .digest('base64url')}"`
}
