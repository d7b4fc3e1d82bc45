import { pointerTo } from '../policy/context.ts'
import { MAX_FAULTS } from './api.ts'
import type { Fault } from './problems.ts'

/** A request's body as JSON, or one sentence that says where it is not, or where it may mean two things. */
export type ParsedJson =
  | { readonly value: unknown }
  | { readonly fault: string }
  | { readonly faults: readonly [Fault, ...Fault[]] }

/** No request needs more; what walks a value recursively is then safe. */
const MAX_DEPTH = 64

/**
 * A key `__proto__` becomes a property like any other, which no schema knows. A key that is there twice is a fault, since readers differ in
 * which they believe; so is half of a surrogate pair: written as UTF-8, all halves are the same character, and different ids one id.
 */
export function parseJson(text: string): ParsedJson {
  const { depth, colons, escapes } = scan(text)
  if (depth > MAX_DEPTH) return { fault: `the body is nested more than ${MAX_DEPTH} levels deep` }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { fault: `the body is not JSON: ${describe(text, faultAt(text))}` }
  }
  // Which key it is costs a second reading, that it is one a look at what was read.
  if (colons === membersOf(value) && !(escapes && hasHalves(value))) return { value }
  const [first, ...others] = ambiguities(text)
  return { faults: [first, ...others.slice(0, MAX_FAULTS - 1)] }
}

const [QUOTE, BACKSLASH, COLON, U] = [34, 92, 58, 117]

/** What is outside of strings, and whether a string has an escape by number, in one pass. Stops where it is too deep. */
function scan(text: string): { readonly depth: number; readonly colons: number; readonly escapes: boolean } {
  let depth = 0
  let colons = 0
  let escapes = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      for (i++; i < text.length; i++) {
        const inside = text.charCodeAt(i)
        if (inside === QUOTE) break
        if (inside === BACKSLASH && text.charCodeAt(++i) === U) escapes = true
      }
    } else if (code === COLON) colons++
    // { and [ differ from } and ] by two, and from everything else in these bits.
    else if ((code | 0x20) === 0x7b) {
      if (++depth > MAX_DEPTH) break
    } else if ((code | 0x20) === 0x7d) depth--
  }
  return { depth, colons, escapes }
}

/** How many members all objects of a value have. */
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) for (const item of value) count += membersOf(item)
  else for (const key in value) count += 1 + membersOf(value[key as keyof typeof value])
  return count
}

/** In this mode a whole pair is one character, and does not match. */
const HALF = /\p{Surrogate}/u

function hasHalves(value: unknown): boolean {
  if (typeof value === 'string') return HALF.test(value)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasHalves)
  return Object.entries(value).some(([key, item]) => hasHalves(key) || hasHalves(item))
}

/** Every key that is there again, and every text with half of a surrogate pair, of a text that is JSON. */
function ambiguities(text: string): Fault[] {
  const faults: Fault[] = []
  let at = 0

  function token(): string {
    const start = next(BLANKS, text, at)
    at = next(TOKEN, text, start)
    return text.slice(start, at)
  }

  function whole(written: string, pointer: (text: string) => string): string {
    const read = JSON.parse(written) as string
    if (HALF.test(read)) faults.push({ pointer: pointer(read), detail: 'has half of a surrogate pair' })
    return read
  }

  function value(first: string, pointer: string): void {
    if (first.startsWith('"')) whole(first, () => pointer)
    else if (first === '[') {
      let index = 0
      for (let each = token(); each !== ']'; each = token()) {
        if (each !== ',') value(each, `${pointer}/${index++}`)
      }
    } else if (first === '{') {
      const seen = new Set<string>()
      for (let each = token(); each !== '}'; each = token()) {
        if (each === ',') continue
        const key = whole(each, read => pointer + pointerTo(read))
        const member = pointer + pointerTo(key)
        if (seen.has(key)) faults.push({ pointer: member, detail: 'is there more than once' })
        seen.add(key)
        token() // the colon
        value(token(), member)
      }
    }
  }

  value(token(), '')
  return faults
}

const BLANKS = /[ \t\n\r]*/y
const TOKEN =
  /[{}[\],:]|"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** What may come next, by the first characters of tokens; `s` is a string, `v` another scalar. */
const [VALUE, KEY, END] = ['{[sv', 's', '']

/** Where a text that is not JSON stops being the beginning of one; its length, where it only ends too early. */
function faultAt(text: string): number {
  const open: string[] = []
  let expected = VALUE
  let at = 0
  for (;;) {
    at = next(BLANKS, text, at)
    const end = next(TOKEN, text, at)
    if (end === at) return at
    const first = text[at]
    const kind = '{}[],:'.includes(first) ? first : first === '"' ? 's' : 'v'
    if (!expected.includes(kind)) return at
    at = end
    const isKey = expected === KEY || expected === `${KEY}}`
    if (kind === '{' || kind === '[') {
      open.push(kind)
      expected = kind === '{' ? `${KEY}}` : `${VALUE}]`
    } else if (kind === ',') expected = open.at(-1) === '{' ? KEY : VALUE
    else if (kind === ':') expected = VALUE
    else if (isKey && kind === 's') expected = ':'
    else {
      if (kind === '}' || kind === ']') open.pop()
      expected = open.length === 0 ? END : open.at(-1) === '{' ? ',}' : ',]'
    }
  }
}

function next(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

function describe(text: string, at: number): string {
  const place = placeOf(text, at)
  return at < text.length ? `unexpected ${JSON.stringify(text[at])} at ${place}` : `it ends too early, at ${place}`
}

/** Where a text is not JSON, without a word of it: a file that is none may be anything. */
export function jsonFaultPlace(text: string): string {
  return placeOf(text, faultAt(text))
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return `line ${before.length}, column ${before[before.length - 1].length + 1}`
}
