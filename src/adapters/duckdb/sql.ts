import { BUCKET_MASK, UNIT_GROUPS } from '../../log/tables.ts'

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`
export const listOf = (texts: readonly string[]): string => `[${texts.map(quoteText).join(', ')}]`

/** A value of a row, as SQL, and DuckDB's name of its type. */
export interface Value {
  readonly sql: string
  readonly type: string
  /** How numbers in text are written. */
  readonly decimal?: '.' | ','
  /** The zone of times in text that do not say theirs. */
  readonly timeZone?: string
}

/** It fits into 32 bits with a sign: such a key is much faster to read as a number than as text. */
export function isSmallInteger({ type }: Value): boolean {
  return /^(U?TINYINT|U?SMALLINT|INTEGER)$/.test(type)
}

const isFloating = ({ type }: Value) => /^(FLOAT|DOUBLE)$/.test(type)
const isDecimal = ({ type }: Value) => type.startsWith('DECIMAL')
const isNested = ({ type }: Value) => /^(STRUCT|MAP|UNION)|\]$/.test(type)
const isNumeric = (value: Value) =>
  isFloating(value) || isDecimal(value) || /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)$/.test(value.type)

/** The number: NaN where it is missing, +∞ where there is something else than a finite number. true is 1, false is 0. */
export function numberOf(value: Value): string {
  const { sql, decimal = '.' } = value
  if (isNumeric(value)) return `coalesce(${sql}::DOUBLE, 'nan'::DOUBLE)`
  if (value.type === 'BOOLEAN') return `coalesce(${sql}::TINYINT::DOUBLE, 'nan'::DOUBLE)`
  const text = isNested(value) ? textOf(value) : `${sql}::VARCHAR`
  const number =
    decimal === '.'
      ? `TRY_CAST(${text} AS DOUBLE)`
      : `CASE WHEN NOT contains(${text}, '.') THEN TRY_CAST(replace(${text}, ',', '.') AS DOUBLE) END`
  // DuckDB takes 1_000 for a thousand.
  return `CASE WHEN ${sql} IS NULL THEN 'nan'::DOUBLE WHEN contains(${text}, '_') THEN 'infinity'::DOUBLE
    ELSE coalesce(${number}, CASE lower(${text}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE 'infinity'::DOUBLE END) END`
}

/** The text; NULL where it is missing. A whole number of a numeric column has no `.0`; lists and structs are JSON. */
export function textOf(value: Value): string {
  const { sql } = value
  if (isNested(value)) return `to_json(${sql})::VARCHAR`
  if (!isFloating(value) && !isDecimal(value)) return `${sql}::VARCHAR`
  const whole = `${sql} = trunc(${sql}) AND abs(${sql}) < 1e15`
  const missing = isFloating(value) ? `WHEN isnan(${sql}) THEN NULL ` : ''
  return `CASE ${missing}WHEN ${whole} THEN ${sql}::BIGINT::VARCHAR ELSE ${sql}::VARCHAR END`
}

/** Milliseconds since 1970; NULL where it is missing or no time. */
export function timeOf(value: Value): string {
  const { sql, timeZone = 'UTC' } = value
  if (value.type.startsWith('TIMESTAMP') || value.type === 'DATE') return `epoch_ms(${sql}::TIMESTAMPTZ)`
  // DuckDB takes more than RFC 3339 for times: `epoch`, years BC, names of zones.
  const text = `regexp_extract(${textOf(value)}, '^\\d{4}-\\d\\d-\\d\\d([T ]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?( ?(Z|UTC|[+-]\\d\\d(:?\\d\\d)?))?)?$')`
  const utc = `TRY_CAST(replace(regexp_replace(${text}, ' ([UZ+-])', '\\1'), 'UTC', 'Z') AS TIMESTAMPTZ)`
  if (timeZone === 'UTC') return `epoch_ms(${utc})`
  const local = `timezone(${quoteText(timeZone)}, TRY_CAST(${text} AS TIMESTAMP))`
  return `epoch_ms(CASE WHEN regexp_matches(${text}, ':\\d\\d.*(Z|UTC|[+-]\\d\\d(:?\\d\\d)?)$') THEN ${utc} ELSE ${local} END)`
}

/** The group of a unit, from 0; NULL where it is missing. */
export function groupOf(unit: Value, otherwise: Value | undefined): string {
  const text = otherwise ? `coalesce(${textOf(unit)}, ${textOf(otherwise)})` : textOf(unit)
  return `(${md5Of(text)} & ${UNIT_GROUPS - 1})`
}

/** The bucket of a unit, from 0; −1 where it is missing. */
export function bucketOf(unit: Value): string {
  const text = textOf(unit)
  return `CASE WHEN ${text} IS NULL THEN -1 ELSE hash(${text}) & ${BUCKET_MASK} END`
}

/** The hash of a text, in 53 bits; NULL where it is missing. */
export const hashOf = (value: Value): string => `(${md5Of(textOf(value))} >> 11)`

/** The last 8 bytes of MD5, little-endian. DuckDB's `md5_number_lower` is the same, and four times as slow. */
const md5Of = (text: string): string => `(md5_number(${text}) >> 64)`

/** Values inside of JSON, for one query. */
export interface Insides {
  /** A value inside of another one, by keys and places in lists; of a text, if it is JSON. */
  of(outer: Value, steps: readonly Step[]): Value
  /** The relation with all that was asked for until now. */
  within(relation: string): string
}

/**
 * DuckDB parses JSON anew for each function that is asked of it: so all that a query wants of one JSON value is taken out by one, as a list,
 * in a column of its own. Nine columns of JSON lines come in 0.4 of the time that they would take one by one, two in 0.75 of it.
 */
export function createInsides(): Insides {
  /** JSON as SQL → the paths that are asked for. */
  const wanted = new Map<string, string[]>()
  return {
    of({ sql, type, timeZone }, steps) {
      const json = type === 'JSON' ? sql : type === 'VARCHAR' ? `TRY_CAST(${sql} AS JSON)` : `to_json(${sql})`
      const paths = wanted.get(json) ?? []
      wanted.set(json, paths)
      const path = jsonPath(steps)
      const known = paths.indexOf(path)
      const place = known < 0 ? paths.push(path) : known + 1
      // NaN is missing in JSON as in any other format.
      const value = `nullif(inside${[...wanted.keys()].indexOf(json)}[${place}], 'NaN')`
      return { sql: value, type: 'VARCHAR', timeZone }
    },
    within(relation) {
      const lists = [...wanted].map(
        ([json, paths], i) => `json_extract_string(${json}, ${listOf(paths)}) AS inside${i}`,
      )
      return lists.length === 0 ? relation : `(SELECT *, ${lists.join(', ')} FROM ${relation})`
    },
  }
}

export type Step = string | number

/** A JSON pointer to a value inside of JSON: unlike a path by `$`, it can name every key. */
export const jsonPath = (steps: readonly Step[]): string =>
  steps.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** `c.User.name` and `o[0].v` as names and places; undefined for a name that is no path. */
export function pathSteps(name: string): readonly Step[] | undefined {
  const steps: Step[] = []
  const step = /\.?([^.[\]]+)|\[(\d{1,9})\]/y
  while (step.lastIndex < name.length) {
    const at = step.lastIndex
    const found = step.exec(name)
    if (found === null) return undefined
    if (found[1] === undefined) steps.push(Number(found[2]))
    else if (at > 0 === (name[at] === '.')) steps.push(found[1])
    else return undefined
  }
  return steps.length > 1 && typeof steps[0] === 'string' ? steps : undefined
}
