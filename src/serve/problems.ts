import type { FastifyError, FastifySchemaValidationError } from 'fastify'
import { didYouMean } from '../diagnostics.ts'
import { groupedDigits } from '../grouped.ts'
import { pointerTo } from '../policy/context.ts'
import { MAX_FAULTS, type Problem, type ProblemName, problem } from './api.ts'

export type Fault = NonNullable<Problem['errors']>[number]

/** Stops a request before its route sees it. */
export function refusal(problem: Problem): Error & { readonly problem: Problem } {
  return Object.assign(new Error(problem.detail), { problem })
}

/**
 * Why a request was refused, from what was thrown; undefined for a bug of the server. `others` are what else is wrong with a body whose shape is, as far
 * as that can be said.
 */
export function problemOf(
  error: Partial<FastifyError> & { readonly problem?: Problem },
  others: () => readonly Fault[] = () => [],
): Problem | undefined {
  if (error.problem !== undefined) return error.problem
  if (error.validation !== undefined) {
    // The branches of a choice have their own errors.
    const errors = error.validation.filter(({ keyword }) => keyword !== 'if')
    const shape = errors.slice(0, MAX_FAULTS).map(faultOf)
    const places = new Set(shape.map(({ pointer }) => pointer))
    const more = others().filter(({ pointer }) => !places.has(pointer))
    return invalid([...shape, ...more], errors.length + more.length)
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('too-large', 'the body is larger than the server takes')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problem('unsupported-media-type', 'send `content-type: application/json`')
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return problem('not-found', 'the path is not valid')
    default:
      return error.statusCode === 400 ? problem('invalid-request', 'the body could not be read') : undefined
  }
}

/** The problem of a body that is not valid, with `count` faults, of which these are the first. */
export const invalid = (faults: readonly Fault[], count = faults.length): Problem =>
  problemAt('invalid-request', faults, count)

/** The problem of a body that has `count` faults, of which these are the first; its detail begins with the place of the first one. */
export function problemAt(name: ProblemName, faults: readonly Fault[], count = faults.length): Problem {
  const [{ pointer, detail }] = faults
  const more = count === 1 ? '' : `, and ${count - 1} more`
  return problem(name, `${pointer || 'the body'} ${detail}${more}`, faults.slice(0, MAX_FAULTS))
}

function faultOf({ instancePath, keyword, params, parentSchema }: SchemaError): Fault {
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      const suggestion = didYouMean(name, Object.keys(parentSchema?.properties ?? {}))
      const detail = `is not a field${suggestion === undefined ? '' : `; ${suggestion}`}`
      return { pointer: instancePath + pointerTo(name), detail }
    }
    case 'required':
      return { pointer: instancePath + pointerTo(String(params['missingProperty'])), detail: 'is missing' }
    case 'type':
      return { pointer: instancePath, detail: `must be ${String(params['type']).split(',').join(' or ')}` }
    case 'format':
      return { pointer: instancePath, detail: 'must be an RFC 3339 time, such as 2026-11-22T18:15:53Z' }
    default:
      return { pointer: instancePath, detail: LIMITS[keyword]?.(params) ?? 'is not valid' }
  }
}

type Params = SchemaError['params']

const counted = (words: string, noun: string) => (params: Params) => {
  const limit = Number(params['limit'])
  return `${words} ${groupedDigits(limit)} ${noun}${limit === 1 ? '' : 's'}`
}

/** What is wrong by the other keywords that the schemas of requests have: in dap's words, and not those of who looks for it. */
const LIMITS: Readonly<Record<string, (params: Params) => string>> = {
  minItems: counted('must have at least', 'item'),
  maxItems: counted('must have at most', 'item'),
  minLength: counted('must have at least', 'character'),
  maxLength: counted('must have at most', 'character'),
  minProperties: counted('must have at least', 'field'),
  maxProperties: counted('must have at most', 'field'),
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  enum: ({ allowedValues }) => `must be one of ${[allowedValues].flat().join(', ')}`,
  const: ({ allowedValue }) => `must be ${allowedValue}`,
}

/** With `verbose`, ajv says which schema it was. */
type SchemaError = FastifySchemaValidationError & { readonly parentSchema?: { readonly properties?: object } }
