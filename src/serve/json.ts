/** A request's body as JSON, or one sentence that says where it is not. */
export type ParsedJson = { readonly value: unknown } | { readonly fault: string }

/** No request needs more; what walks a value recursively is then safe. */
const MAX_DEPTH = 64

/** A key `__proto__` becomes a property like any other, which no schema knows. */
export function parseJson(text: string): ParsedJson {
  if (isTooDeep(text)) return { fault: `the body is nested more than ${MAX_DEPTH} levels deep` }
  try {
    return { value: JSON.parse(text) }
  } catch {
    return { fault: `the body is not JSON: ${describe(text, faultAt(text))}` }
  }
}

const [QUOTE, BACKSLASH] = [34, 92]

function isTooDeep(text: string): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    // { and [ differ from } and ] by two, and from everything else in these bits.
    else if ((code | 0x20) === 0x7b) {
      if (++depth > MAX_DEPTH) return true
    } else if ((code | 0x20) === 0x7d) depth--
  }
  return false
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) return i
    if (code === BACKSLASH) i++
  }
  return text.length
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
