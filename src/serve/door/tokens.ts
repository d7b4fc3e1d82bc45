import { hash, timingSafeEqual } from 'node:crypto'
import { didYouMean } from '../../diagnostics.ts'

/** What routes are for; the routes of health checks are for everybody. */
const NEEDS = ['decide', 'reward', 'read', 'metrics'] as const
export type Need = (typeof NEEDS)[number]

/** What somebody who shows a token may do. The token itself is nowhere: of it, only a hash is known. */
export interface Token {
  /** Of its owner, not secret. */
  readonly name: string
  readonly sha256: Buffer
  readonly may: ReadonlySet<Need>
  /** Undefined: all of them. */
  readonly policies: ReadonlySet<string> | undefined
  /** Milliseconds since 1970; undefined: never. */
  readonly expiresAt: number | undefined
}

/** The tokens that hold now; another table whenever their file changes. */
export interface TokenSource {
  readonly table: TokenTable
}

export interface TokenTable {
  readonly size: number
  /** Whose token this is, expired or not. */
  find(presented: string): Token | undefined
}

/** Does whoever shows this token, or none where none is needed, get to see this policy? */
export const covers = (token: Token | undefined, policy: string): boolean => token?.policies?.has(policy) ?? true

/** What is wrong with a file of tokens, without a word of what may be a secret. */
export interface TokenFault {
  readonly path: readonly (string | number)[]
  /** Which of the two is wrong. */
  readonly on: 'key' | 'value'
  readonly message: string
  readonly hint?: string
}

/** More would make a file that nobody can look after. */
const MAX_TOKENS = 1_000

const FIELDS = ['sha256', 'may', 'policies', 'expires']

/** RFC 3339 with a time zone. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/

/** `{tokens: {NAME: {sha256, may, policies, expires}}}`, whatever it was written in. */
export function readTokens(
  value: unknown,
): { readonly table: TokenTable } | { readonly faults: readonly TokenFault[] } {
  const faults: TokenFault[] = []
  const found: Token[] = []

  const fault = (path: TokenFault['path'], message: string, hint?: string, on: TokenFault['on'] = 'value') =>
    void faults.push({ path, on, message, hint })

  function unknownKeys(mapping: object, known: readonly string[], path: TokenFault['path']): void {
    for (const key of Object.keys(mapping).filter(key => !known.includes(key))) {
      const hint = didYouMean(key, known) ?? `the fields are ${known.join(', ')}`
      fault([...path, key], 'this is not a field', hint, 'key')
    }
  }

  /** The texts of a list; each is one of `known`, where that is given. */
  function texts(list: unknown, path: TokenFault['path'], known?: readonly string[]): readonly string[] {
    const hint = known === undefined ? 'such as [shop-offer], or ["*"] for all' : `some of ${known.join(', ')}`
    if (!Array.isArray(list) || list.length === 0) {
      fault(path, `\`${path.at(-1)}\` must be a list that is not empty`, hint)
      return []
    }
    for (const [i, item] of list.entries()) {
      const good = typeof item === 'string' && (known === undefined || known.includes(item))
      if (!good) fault([...path, i], `an item of \`${path.at(-1)}\` must be a ${known ? 'known word' : 'name'}`, hint)
    }
    return list
  }

  function token(name: string, entry: unknown): void {
    const path = ['tokens', name]
    if (!/^[\w.-]{1,63}$/.test(name)) {
      fault(
        path,
        'a name must be of letters, digits, `_`, `-` and `.`, 63 at most',
        'name whoever has the token',
        'key',
      )
    }
    if (!isMapping(entry)) {
      fault(path, 'a token must be a mapping', `with ${FIELDS.join(', ')}`)
      return
    }
    unknownKeys(entry, FIELDS, path)
    const { sha256, may, policies, expires } = entry
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
      fault(
        [...path, 'sha256'],
        '`sha256` must be the 64 hex digits of the hash of a token',
        'printf %s "$TOKEN" | sha256sum',
      )
    } else if (found.some(other => other.sha256.toString('hex') === sha256)) {
      fault([...path, 'sha256'], 'another name has the same token', 'make one for each')
    }
    const allowed = texts(may, [...path, 'may'], NEEDS)
    const named = texts(policies, [...path, 'policies'])
    const timed = typeof expires === 'string' && TIME.test(expires) ? Date.parse(expires) : Number.NaN
    if (expires !== undefined && Number.isNaN(timed)) {
      fault([...path, 'expires'], '`expires` must be a time with a time zone', 'such as 2027-06-30T00:00:00Z')
    }
    found.push({
      name,
      sha256: Buffer.from(String(sha256), 'hex'),
      may: new Set(allowed as readonly Need[]),
      policies: named.includes('*') ? undefined : new Set(named),
      expiresAt: expires === undefined ? undefined : timed,
    })
  }

  if (!isMapping(value) || !isMapping(value['tokens'])) {
    const path = isMapping(value) && 'tokens' in value ? ['tokens'] : []
    fault(
      path,
      'the file must have `tokens`, by name',
      'tokens: { shop-web: { sha256: …, may: [decide], policies: ["*"] } }',
    )
    return { faults }
  }
  unknownKeys(value, ['tokens'], [])
  const entries = Object.entries(value['tokens'])
  if (entries.length > MAX_TOKENS) fault(['tokens'], `there are more than ${MAX_TOKENS} tokens`)
  else for (const [name, entry] of entries) token(name, entry)
  return faults.length > 0 ? { faults } : { table: tableOf(found) }
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Found by the first bytes of the hash, which whoever asks cannot choose, and then compared in constant time. */
function tableOf(tokens: readonly Token[]): TokenTable {
  const byStart = new Map<number, Token[]>()
  for (const token of tokens) {
    const start = token.sha256.readUInt32BE()
    byStart.set(start, [...(byStart.get(start) ?? []), token])
  }
  return {
    size: tokens.length,
    find(presented) {
      const sha256 = hash('sha256', presented, 'buffer')
      return byStart.get(sha256.readUInt32BE())?.find(token => timingSafeEqual(token.sha256, sha256))
    },
  }
}
