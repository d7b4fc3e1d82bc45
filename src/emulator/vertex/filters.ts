import type { JsonObject } from '../ports.ts'
import { broken } from '../rules.ts'
import type { Labels } from '../state.ts'
import { camel } from './fields.ts'

/** What a list can be filtered by. */
export interface FilterShape {
  /** By camelCase names. */
  readonly fields: Readonly<Record<string, FilterField>>
  readonly labels: boolean
}

export interface FilterField {
  /** The text that a document has for it; undefined: it has none. */
  readonly text: (document: JsonObject) => string | undefined
  readonly comparators: readonly string[]
}

export const equality = (text: FilterField['text']): FilterField => ({ text, comparators: ['=', '!='] })

type Test = (document: JsonObject) => boolean

/** Deeper than anybody writes by hand, and far from the end of the stack. */
const MAX_DEPTH = 50

const QUOTED = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/.source
const TOKEN = new RegExp(`\\s*(?:([()]|<=|>=|!=|[=<>:])|((?:${QUOTED}|[^\\s()"'=!<>:])+))`, 'y')

/**
 * rule: filter-logic. The grammar of google.aip.dev/160, in which OR binds more closely than AND. What it has beyond comparisons of the list's own fields
 * (bare words, functions, `a b` for `a AND b`) is refused.
 */
export function compileFilter(text: string, shape: FilterShape): Test {
  const refuse = (reason: string) => broken('filter-syntax', `Invalid filter "${text}": ${reason}.`)
  const tokens = tokenised(text, refuse)
  let next = 0
  /** Whether the next token is that one, which is then taken. */
  const take = (token: string) => tokens[next] === token && ++next > 0

  function joined(word: 'AND' | 'OR', part: (depth: number) => Test, depth: number): Test[] {
    const parts = [part(depth)]
    while (take(word)) parts.push(part(depth))
    return parts
  }
  function expression(depth: number): Test {
    const tests = joined('AND', factor, depth)
    return document => tests.every(test => test(document))
  }
  function factor(depth: number): Test {
    const tests = joined('OR', term, depth)
    return document => tests.some(test => test(document))
  }
  function term(depth: number): Test {
    const minus = tokens[next]?.startsWith('-') ?? false
    if (minus) {
      tokens[next] = tokens[next].slice(1)
      if (tokens[next] === '') next++
    }
    const negated = minus || take('NOT')
    const test = simple(depth)
    return negated ? document => !test(document) : test
  }
  function simple(depth: number): Test {
    if (depth > MAX_DEPTH) throw refuse(`brackets are nested more than ${MAX_DEPTH} deep`)
    if (!take('(')) return restriction()
    const test = expression(depth + 1)
    if (!take(')')) throw refuse('a closing bracket is missing')
    return test
  }
  function restriction(): Test {
    const [name, comparator, value] = tokens.slice(next, next + 3)
    next += 3
    if (name === undefined || !isText(name)) throw refuse(`a comparison is expected, not "${name ?? 'its end'}"`)
    if (comparator === undefined || value === undefined || isText(comparator) || !isText(value))
      throw refuse(`"${name}" is not compared with anything`)
    const test = comparison(name, comparator, value, shape)
    if (!test) throw refuse(`this list has no "${name}${comparator}"`)
    return test
  }

  if (tokens.length === 0) return () => true
  const test = expression(0)
  if (next < tokens.length) throw refuse(`AND or OR is expected, not "${tokens[next]}"`)
  return test
}

function tokenised(text: string, refuse: (reason: string) => Error): string[] {
  const tokens: string[] = []
  const end = text.trimEnd().length
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end; ) {
    const from = TOKEN.lastIndex
    const [, sign, word] = TOKEN.exec(text) ?? []
    if (sign === undefined && word === undefined) throw refuse(`it cannot be read from character ${from + 1} on`)
    tokens.push(sign ?? word)
  }
  return tokens
}

const isText = (token: string) => !/^(?:[()=<>:]|[<>!]=)$/.test(token) && !['AND', 'OR', 'NOT'].includes(token)

function comparison(name: string, comparator: string, quoted: string, shape: FilterShape): Test | undefined {
  const value = unquoted(quoted)
  // rule: filter-labels
  if (shape.labels && name === 'labels')
    return comparator === ':' ? document => labelOf(document, value) !== undefined : undefined
  if (shape.labels && name.startsWith('labels.')) {
    const label = (document: JsonObject) => labelOf(document, unquoted(name.slice('labels.'.length)))
    if (comparator === ':') return quoted === '*' ? document => label(document) !== undefined : undefined
    if (comparator === '=') return document => label(document) === value
    if (comparator === '!=') return document => ![undefined, value].includes(label(document))
    return undefined
  }
  const field = Object.hasOwn(shape.fields, camel(name)) ? shape.fields[camel(name)] : undefined
  if (!field?.comparators.includes(comparator)) return undefined
  return comparator === '=' ? document => field.text(document) === value : document => field.text(document) !== value
}

function labelOf({ labels = {} }: JsonObject, key: string): string | undefined {
  return Object.hasOwn(labels as Labels, key) ? (labels as Labels)[key] : undefined
}

/** Quoted parts as what they stand for. */
const unquoted = (text: string) =>
  text.replaceAll(new RegExp(QUOTED, 'g'), (_, double?: string, single?: string) =>
    (double ?? single ?? '').replaceAll(/\\(.)/g, '$1'),
  )
