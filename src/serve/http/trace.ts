import type { FastifyRequest } from 'fastify'

/** W3C Trace Context, level 1 and what may come after it: `00-<trace id>-<parent id>-<flags>`, in lower case. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(-.*)?$/

/**
 * What a record keeps of the header `traceparent`, in the form of version 00, whatever newer version it was. Undefined where there is none, and of one
 * that is not valid, which the standard has ignored.
 */
export function traceOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const header = headers['traceparent']
  if (typeof header !== 'string') return undefined
  const [, version, rest, more] = TRACEPARENT.exec(header) ?? []
  if (version === undefined || (version === '00' && more !== undefined)) return undefined
  return `00-${rest}`
}
