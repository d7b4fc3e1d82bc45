/** What differs between two JSON values, field by field, in the words of the file that they stand in. */
import type { ValueChange } from '../../generated/types.ts'
import { canonicalJson } from '../../policy/digest.ts'
import { isMapping } from '../../schema/shape.ts'

/** In the order of `after`; what it no longer has comes last. Values may come from anywhere: a RangeError for one nested too deeply. */
export function* valueChanges(before: unknown, after: unknown, path: readonly string[] = []): Generator<ValueChange> {
  if (same(before, after)) return
  const [was, is] = [fieldsOf(before), fieldsOf(after)]
  if (was === undefined || is === undefined || Array.isArray(before) !== Array.isArray(after)) {
    yield { field: fieldName(path), ...shownPair(before, after) }
    return
  }
  for (const name of new Set([...is.keys(), ...was.keys()])) {
    yield* valueChanges(was.get(name), is.get(name), [...path, name])
  }
  const kept = (names: Iterable<string>) => [...names].filter(name => was.has(name) && is.has(name))
  if (Array.isArray(after) && !same(kept(was.keys()), kept(is.keys()))) {
    yield { field: fieldName([...path, 'order']), ...shownPair([...was.keys()], [...is.keys()]) }
  }
}

const same = (a: unknown, b: unknown) =>
  a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b)

/** By what an item of a list is known: an action has an id, a feature its field. */
const NAMES = ['id', 'field'] as const

/** Fields of a record, or items of a list by their names; undefined for anything else, which is shown whole. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (isMapping(value)) return new Map(Object.entries(value))
  if (!Array.isArray(value)) return undefined
  const names = value.map(item => NAMES.map(key => isMapping(item) && item[key]).find(name => typeof name === 'string'))
  if (names.includes(undefined) || new Set(names).size < names.length) return undefined
  return new Map(value.map((item, i) => [names[i] as string, item]))
}

/** Characters that a value, and the name of a field, may have. */
const LONGEST_VALUE = 36
const LONGEST_NAME = 60

const fieldName = (path: readonly string[]) =>
  cut(path.map(name => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name))).join('.'), 0, LONGEST_NAME)

/** Of two long texts the part where they begin to differ. */
function shownPair(before: unknown, after: unknown): Pick<ValueChange, 'before' | 'after'> {
  const [was, is] = [before, after].map(value => (value === undefined ? null : flowText(value)))
  if (was === null || is === null) return { before: was && cut(was, 0), after: is && cut(is, 0) }
  let equal = 0
  while (equal < was.length && was[equal] === is[equal]) equal++
  const from = Math.max(was.length, is.length) > LONGEST_VALUE && equal > LONGEST_VALUE / 2 ? equal - 12 : 0
  return { before: cut(was, from), after: cut(is, from) }
}

/** At most that many characters from there on; an ellipsis stands for what is left out. */
function cut(text: string, from: number, most = LONGEST_VALUE): string {
  const rest = from === 0 ? text : `…${text.slice(from)}`
  const shown = rest.length <= most ? rest : `${rest.slice(0, most - 1)}…`
  return shown.replace(LONE_SURROGATES, '�')
}

/** Where a cut went through a character. */
const LONE_SURROGATES = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

/** As YAML on one line: `{ type: beta, prior: { alpha: 1, beta: 1 } }`. Texts are in quotes where they might be taken for something else. */
function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`
  if (isMapping(value)) {
    const fields = Object.entries(value).map(([key, each]) => `${flowText(key)}: ${flowText(each)}`)
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
  }
  return typeof value === 'string' && /^[a-z_][\w-]*$/i.test(value) && !/^(true|false|null)$/.test(value)
    ? value
    : JSON.stringify(value)
}
