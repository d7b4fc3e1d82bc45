/** Values of a JSON Schema, and the same values broken in exactly one place. Of the keywords, those that our documents use. */
import type { Rng } from '../../src/math/rng.ts'
import { pointerTo } from '../../src/policy/context.ts'

export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  /** Taken three times in four. */
  readonly examples?: readonly unknown[]
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  /** A list of exactly these. */
  readonly prefixItems?: readonly JsonSchema[]
  readonly minItems?: number
  readonly maxItems?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
}

/** One place of a value that is wrong, and the value with it. */
export interface Broken {
  readonly pointer: string
  readonly what: string
  /** What is there; undefined for what is missing. */
  readonly wrong: unknown
  readonly value: unknown
}

/** A number that JSON can write and no double can be: see `textOf`. */
export const TOO_LARGE = '\u0000 1e999'

/** JSON, with numbers that `JSON.stringify` would not write. */
export const textOf = (value: unknown): string => JSON.stringify(value).replaceAll(JSON.stringify(TOO_LARGE), '1e999')

export const pick = <T>(rng: Rng, all: readonly T[]): T => all[Math.floor(rng.uniform() * all.length)]

const chance = (rng: Rng, probability: number) => rng.uniform() < probability

export function sampleOf(schema: JsonSchema, rng: Rng): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return pick(rng, schema.enum)
  if (schema.examples !== undefined && chance(rng, 0.75)) return pick(rng, schema.examples)
  switch (pick(rng, typesOf(schema))) {
    case 'null':
      return null
    case 'boolean':
      return chance(rng, 0.5)
    case 'integer':
      return integerOf(schema, rng)
    case 'number':
      return numberOf(schema, rng)
    case 'string':
      return textLike(schema, rng)
    case 'array':
      return listOf(schema, rng)
    default:
      return objectOf(schema, rng)
  }
}

const ANY = ['null', 'boolean', 'number', 'string']

const typesOf = ({ type, properties, items }: JsonSchema): readonly string[] =>
  type === undefined ? (properties ? ['object'] : items ? ['array'] : ANY) : [type].flat()

function integerOf({ minimum = -1e6, maximum = 1e6 }: JsonSchema, rng: Rng): number {
  return chance(rng, 0.1)
    ? pick(rng, [minimum, maximum])
    : minimum + Math.floor(rng.uniform() * (maximum - minimum + 1))
}

/** Numbers as odd as JSON has them. */
const ODD = [0, -0, 5e-324, -1.5, 0.1, 1e-7, 1e21, 2 ** 53 + 2, -123456789.125, 1e300, -1.7976931348623157e308]

function numberOf({ minimum = -Infinity, maximum = Infinity }: JsonSchema, rng: Rng): number {
  const fits = [...ODD, minimum, maximum].filter(n => n >= minimum && n <= maximum && Number.isFinite(n))
  if (chance(rng, 0.5)) return pick(rng, fits)
  return Math.max(minimum, Math.min(maximum, (rng.uniform() - 0.3) * 1000))
}

/** Characters of one, two and four bytes, what JSON and logs must escape, what joins others, and what is written from the right. */
const CHARACTERS = [
  ...'abcXYZ019 -_/~.:"\\{}\'%,',
  '\n',
  '\t',
  '\u0000',
  '\u007f',
  '\u2028',
  '\ufeff',
  '\ufffd',
  'é',
  'e\u0301',
  'ß',
  'ש',
  '漢',
  '🎲',
  '👩‍👧',
]

function textLike({ format, minLength = 0, maxLength = 1_000 }: JsonSchema, rng: Rng): string {
  if (format === 'date-time') return new Date(Date.UTC(2020, 0, 1) + Math.floor(rng.uniform() * 1e11)).toISOString()
  const length = chance(rng, 0.05)
    ? maxLength
    : minLength + Math.floor(rng.uniform() * (Math.min(maxLength, 24) - minLength + 1))
  let text = ''
  let characters = 0
  while (characters < length) {
    const next = pick(rng, CHARACTERS)
    const more = [...next].length
    if (characters + more > length) continue
    text += next
    characters += more
  }
  return text
}

function listOf({ items = {}, prefixItems, minItems = 0, maxItems = 5 }: JsonSchema, rng: Rng): unknown[] {
  if (prefixItems !== undefined) return prefixItems.map(each => sampleOf(each, rng))
  const length = minItems + Math.floor(rng.uniform() * (maxItems - minItems + 1))
  return Array.from({ length }, () => sampleOf(items, rng))
}

function objectOf({ properties = {}, required = [], additionalProperties }: JsonSchema, rng: Rng): object {
  const known = Object.entries(properties).filter(([name]) => required.includes(name) || chance(rng, 0.5))
  // What comes first must mean nothing.
  if (chance(rng, 0.3)) known.reverse()
  const value = Object.fromEntries(known.map(([name, schema]) => [name, sampleOf(schema, rng)]))
  if (additionalProperties !== false && chance(rng, 0.3)) value[`x${textLike({}, rng)}`] = sampleOf({}, rng)
  return value
}

/** Every way to break a value of the schema in one place. */
export function brokenOf(schema: JsonSchema, value: unknown): readonly Broken[] {
  const here = faultsOf(schema).map(([what, wrong]) => ({ pointer: '', what, wrong, value: wrong }))
  if (typeof value !== 'object' || value === null) return here
  if (Array.isArray(value)) {
    const items = value.flatMap((item, i) =>
      brokenOf(schema.prefixItems?.[i] ?? schema.items ?? {}, item).map(below(`/${i}`, inner => value.with(i, inner))),
    )
    return [...here, ...items]
  }
  const { properties = {}, required = [], additionalProperties } = schema
  const inside = Object.entries(value).flatMap(([name, item]) =>
    brokenOf(properties[name] ?? {}, item).map(below(pointerTo(name), inner => ({ ...value, [name]: inner }))),
  )
  const missing = required.map(name => {
    const { [name]: _, ...rest } = value as Readonly<Record<string, unknown>>
    return { pointer: pointerTo(name), what: 'required', wrong: undefined, value: rest }
  })
  const unknown = ['unknown', 'a/b~c', '__proto__'].map(name => ({
    ...{ pointer: pointerTo(name), what: 'additionalProperties', wrong: 1 },
    value: JSON.parse(
      `${JSON.stringify(value).slice(0, -1)}${Object.keys(value).length === 0 ? '' : ','}${JSON.stringify(name)}:1}`,
    ),
  }))
  return [...here, ...inside, ...missing, ...(additionalProperties === false ? unknown : [])]
}

const below =
  (at: string, put: (inner: unknown) => unknown) =>
  ({ pointer, value, ...rest }: Broken): Broken => ({ ...rest, pointer: at + pointer, value: put(value) })

/** Values that are wrong in themselves, and the keyword that says so. */
function faultsOf(schema: JsonSchema): readonly (readonly [what: string, wrong: unknown])[] {
  const { format, minLength, maxLength, minimum, maximum, minItems, maxItems } = schema
  const types = typesOf(schema)
  if (types === ANY) return []
  const takes = (type: string) => types.includes(type)
  const wrong: (readonly [string, unknown])[] = []
  const wrongTypes: Readonly<Record<string, unknown>> = {
    ...{ null: null, boolean: true, string: '1', array: [], object: {} },
    number: takes('integer') ? undefined : 7,
  }
  for (const [type, value] of Object.entries(wrongTypes)) {
    if (value !== undefined && !takes(type)) wrong.push(['type', value])
  }
  if (schema.enum !== undefined || schema.const !== undefined) {
    // Of the right type, but none of those.
    const others = takes('string') ? ['none of these', ''] : takes('number') ? [1000, 0.5, -3, 5e300] : []
    wrong.push(...others.map(other => ['enum', other] as const))
  }
  if (takes('integer')) wrong.push(['type', 1.5], ['type', TOO_LARGE])
  if (takes('number')) wrong.push(['type', TOO_LARGE])
  if (minLength) wrong.push(['minLength', ''])
  if (maxLength !== undefined) wrong.push(['maxLength', '🎲'.repeat(maxLength + 1)])
  if (minimum !== undefined) wrong.push(['minimum', minimum - Math.max(1, Math.abs(minimum) * 1e-15)])
  if (maximum !== undefined) wrong.push(['maximum', maximum + Math.max(1, Math.abs(maximum) * 1e-15)])
  if (format === 'date-time') wrong.push(...NO_TIMES.map(text => ['format', text] as const))
  if (minItems) wrong.push(['minItems', Array(minItems - 1).fill(0)])
  if (maxItems !== undefined) wrong.push(['maxItems', Array(maxItems + 1).fill(0)])
  return wrong
}

const NO_TIMES = [
  'yesterday',
  '2026-11-22',
  '2026-11-22T18:15:53',
  '2026-02-30T00:00:00Z',
  '2026-11-22 18:15:53Z',
  '2026-11-22T25:00:00Z',
  '1',
]
