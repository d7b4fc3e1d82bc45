import type { IncomingMessage } from 'node:http'
import { type Problem, problem } from '../api.ts'
import { invalid } from '../problems.ts'

/** Headers of which two could mean two things: what Node makes of them is to take the first, or to join them to a value that nobody sent. */
const SINGLE = new Set([
  'host',
  'content-type',
  'content-length',
  'content-encoding',
  'authorization',
  'idempotency-key',
  'origin',
])

/** Why a request cannot be understood by its headers; nothing of its body has been read yet. */
export function headerFault({ headers, rawHeaders }: IncomingMessage): Problem | undefined {
  // Which one is repeated costs a second look, that one is does not.
  if (rawHeaders.length !== 2 * Object.keys(headers).length) {
    const twice = repeated(rawHeaders)
    if (twice !== undefined) return problem('invalid-request', `the header \`${twice}\` is there more than once`)
  }
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return problem('unsupported-media-type', 'send the body as it is, without `content-encoding`')
  }
  const type = headers['content-type']
  if (type !== undefined && type !== JSON_TYPE && charsetsOf(type).some(charset => !UTF8.test(charset))) {
    return problem('unsupported-media-type', 'send the body as UTF-8, which JSON always is: no other `charset` is read')
  }
  return undefined
}

const JSON_TYPE = 'application/json'

/** UTF-8 under its names, and what is a part of it. */
const UTF8 = /^(utf-?8|us-ascii)$/i

const charsetsOf = (type: string): string[] =>
  [...type.matchAll(/;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi)].map(([, quoted, bare]) => quoted ?? bare)

function repeated(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase()
    if (seen.has(name)) return name
    if (SINGLE.has(name)) seen.add(name)
  }
  return undefined
}

/** An id that came as a header. What is not ASCII has no encoding there that everybody would agree on. */
export function keyFault(key: string | string[]): Problem | undefined {
  if (typeof key === 'string' && /^[\x20-\x7e]{1,128}$/.test(key)) return undefined
  const detail = 'must be 1 to 128 ASCII characters where it is the `Idempotency-Key`; `decisionId` takes any'
  return invalid([{ pointer: '/decisionId', detail }])
}
