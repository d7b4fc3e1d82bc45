import type { JsonObject } from '../ports.ts'
import { RpcError } from '../ports.ts'
import { CODES } from '../rules.ts'

/** google.rpc.Code by number: its name, and the HTTP status that Google's REST interfaces answer it with. */
const STATUSES: readonly (readonly [name: string, http: number])[] = [
  ['OK', 200],
  ['CANCELLED', 499],
  ['UNKNOWN', 500],
  ['INVALID_ARGUMENT', 400],
  ['DEADLINE_EXCEEDED', 504],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 409],
  ['PERMISSION_DENIED', 403],
  ['RESOURCE_EXHAUSTED', 429],
  ['FAILED_PRECONDITION', 400],
  ['ABORTED', 409],
  ['OUT_OF_RANGE', 400],
  ['UNIMPLEMENTED', 501],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DATA_LOSS', 500],
  ['UNAUTHENTICATED', 401],
]

export const httpStatus = (code: number): number => STATUSES[code]?.[1] ?? 500

/** The code that stands for an HTTP status of a model server. */
export function codeOf(status: number): number {
  const code = STATUSES.findIndex(([, http]) => http === status)
  if (code > 0 && status !== 500) return code
  return status < 500 ? CODES.INVALID_ARGUMENT : CODES.INTERNAL
}

/** What a REST client of Google's is told. */
export function errorBody({ code, message, details }: RpcError): JsonObject {
  const [status, http] = STATUSES[code] ?? STATUSES[2]
  return { error: { code: http, message, status, ...(details.length > 0 ? { details } : {}) } }
}

/** Anything that is thrown, as an answer: a bug of the emulator's own is INTERNAL, and `onBug` hears of it. */
export function rpcError(error: unknown, onBug: (error: unknown) => void): RpcError {
  if (error instanceof RpcError) return error
  onBug(error)
  return new RpcError(
    CODES.INTERNAL,
    `a bug in the emulator: ${error instanceof Error ? error.message : String(error)}`,
  )
}
