import type { FastifyError, FastifySchemaValidationError } from 'fastify'
import { didYouMean } from '../diagnostics.ts'
import { pointerTo } from '../policy/context.ts'
import { MAX_FAULTS, type Problem, type ProblemName, problem } from './api.ts'

export type Fault = NonNullable<Problem['errors']>[number]

/** Stops a request before its route sees it. */
export function refusal(problem: Problem): Error & { readonly problem: Problem } {
  return Object.assign(new Error(problem.detail), { problem })
}

/** Why a request was refused, from what was thrown; undefined for a bug of the server. */
export function problemOf(error: Partial<FastifyError> & { readonly problem?: Problem }): Problem | undefined {
  if (error.problem !== undefined) return error.problem
  if (error.validation !== undefined) {
    // The branches of a choice have their own errors.
    const errors = error.validation.filter(({ keyword }) => keyword !== 'if')
    return invalid(errors.slice(0, MAX_FAULTS).map(faultOf), errors.length)
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

function faultOf({ instancePath, keyword, params, message, parentSchema }: SchemaError): Fault {
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
      return { pointer: instancePath, detail: `must be ${[params['type']].flat().join(' or ')}` }
    case 'format':
      return { pointer: instancePath, detail: 'must be an RFC 3339 time, such as 2026-11-22T18:15:53Z' }
    default:
      return { pointer: instancePath, detail: message ?? 'is not valid' }
  }
}

/** With `verbose`, ajv says which schema it was. */
type SchemaError = FastifySchemaValidationError & { readonly parentSchema?: { readonly properties?: object } }
