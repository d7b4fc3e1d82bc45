import { didYouMean } from '../../diagnostics.ts'
import { groupedDigits } from '../../grouped.ts'
import { instantOf } from '../../instant.ts'
import type { ActionSetSpec, ContextField, SetAction } from '../../kinds.ts'
import { createContextCheck } from '../../policy/context.ts'
import type { Fault } from '../fault.ts'
import { some } from '../rules/common.ts'
import { type SetTable, type TableFault, WHOLE_FILE } from './table.ts'

/** What a set's file says: its actions, or what is wrong, of the resource and in the file. */
export type SetReading =
  | { readonly list: readonly SetAction[] }
  | { readonly faults: readonly Fault[]; readonly cells: readonly CellFault[] }

export interface CellFault extends TableFault {
  readonly code: 'duplicate' | 'file' | 'semantic'
}

/** Every record of a decision names all actions, and every decision looks at each: with more of them it is no longer a matter of milliseconds. */
const MOST_ACTIONS = 5000

/** So many faults of a file are told; of a column that is wrong there are as many as rows. */
const MOST_FAULTS = 20

/** As policies write them in a list. */
const ID = /^[^\p{Cc}/]{1,128}$/u

/** The actions of a set's file, each checked; every fault is found at once. */
export function readSet(spec: ActionSetSpec, table: SetTable): SetReading {
  const faults = [...columnFaults(spec, table)]
  const cells: CellFault[] = table.faults.map(fault => ({ code: 'file', ...fault }))
  if (faults.length > 0) return { faults, cells }
  if (table.rows.length > MOST_ACTIONS) {
    const message = `a set has at most ${groupedDigits(MOST_ACTIONS)} actions, and this is the first of ${groupedDigits(table.rows.length - MOST_ACTIONS)} more`
    const hint =
      'find those that a request can be about before dap is asked, and let it bring them: `actions: { from: request }`'
    cells.push({ code: 'semantic', message, hint, place: table.rows[MOST_ACTIONS].place() })
  } else if (table.rows.length + cells.length === 0) {
    const message = 'there is no action in the file'
    cells.push({ code: 'semantic', message, hint: 'a row an action, after the header of CSV', place: WHOLE_FILE })
  }
  const list = cells.length > 0 && table.rows.length > MOST_ACTIONS ? [] : actionsOf(spec, table, cells)
  if (cells.length === 0) return { list }
  cells.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
  const [first, ...others] = cells.slice(MOST_FAULTS)
  if (first === undefined) return { faults, cells }
  const more = `${others.length + 1} more ${others.length === 0 ? 'fault' : 'faults'}, the first of them here`
  const rest: CellFault = { code: first.code, message: more, hint: 'mend those above first', place: first.place }
  return { faults, cells: [...cells.slice(0, MOST_FAULTS), rest] }
}

/** Columns that are named and not there. */
function* columnFaults(spec: ActionSetSpec, { columns }: SetTable): Generator<Fault> {
  const { file, format, id, features, from, until } = spec
  if (columns.length === 0) return
  // A key that is in no line of JSON is missing in all of them.
  const may = format === 'jsonl' ? optionalColumns(spec) : []
  const delimiter = format === 'csv' ? otherDelimiter(columns, spec.csv?.delimiter ?? ',') : undefined
  const named = [
    { column: id, path: ['spec', 'id'], on: 'value' as const },
    ...Object.keys(features).map(column => ({ column, path: ['spec', 'features', column], on: 'key' as const })),
    ...Object.entries({ from, until }).flatMap(([role, column]) =>
      column === undefined ? [] : [{ column, path: ['spec', role], on: 'value' as const }],
    ),
  ]
  for (const { column, path, on } of named) {
    if (columns.includes(column) || may.includes(column)) continue
    const message = `\`${file}\` has no column \`${column}\``
    const hint = delimiter ?? didYouMean(column, columns) ?? `it has ${some(columns)}`
    yield { code: 'reference', message, hint, path, on }
  }
}

/** Those without which a row may be. */
function optionalColumns({ features, from, until }: ActionSetSpec): readonly (string | undefined)[] {
  return [from, until, ...Object.keys(features).filter(name => features[name].default !== undefined)]
}

/** What to do about a header that is one field, in which something else than the delimiter stands between names. */
function otherDelimiter([header, ...others]: readonly string[], delimiter: string): string | undefined {
  if (others.length > 0) return undefined
  const other = [';', '\t', '|', ','].find(each => each !== delimiter && header.includes(each))
  return other === undefined
    ? undefined
    : `its header is one field: say \`csv: { delimiter: ${JSON.stringify(other)} }\` in \`spec\``
}

function actionsOf(spec: ActionSetSpec, { rows }: SetTable, cells: CellFault[]): SetAction[] {
  const { id: idColumn, features, csv } = spec
  const check = createContextCheck(features)
  const fields = Object.entries(features)
  const firsts = new Map<string, number>()
  const list: SetAction[] = []
  for (const { cell, place, number } of rows) {
    const inRow = number === undefined ? '' : `, in row ${number}`
    const wrong = (column: string, message: string, hint: string, code: CellFault['code'] = 'semantic') =>
      cells.push({ code, message: `${message}${inRow}`, hint, place: place(column) })

    function dateOf(role: 'from' | 'until'): string | undefined {
      const column = spec[role]
      const value = column === undefined ? undefined : cell(column)
      if (column === undefined || isEmpty(value)) return undefined
      const date = timeOf(value)
      if (date === undefined) {
        wrong(column, `\`${column}\` is no day and no time`, 'for example `2026-12-01`, or `2026-12-01T08:00:00Z`')
      }
      return date
    }

    const id = textOf(cell(idColumn))
    const first = id === undefined ? undefined : firsts.get(id)
    if (id === undefined || !ID.test(id)) {
      const message = `\`${idColumn}\` ${id === undefined ? 'is missing' : 'cannot be an id'}`
      wrong(idColumn, message, 'an id is a text of 1 to 128 characters, without `/` and control characters')
    } else if (first !== undefined) {
      const hint = `the first is in ${number === undefined ? 'line' : 'row'} ${first}`
      wrong(idColumn, `the action \`${id}\` is there twice`, hint, 'duplicate')
    } else firsts.set(id, number ?? place().line)

    const given: Record<string, unknown> = {}
    const unread = new Set<string>()
    for (const [name, field] of fields) {
      const value = cell(name)
      if (isEmpty(value)) continue
      given[name] = readAs(value, field, csv?.decimal ?? '.')
      if (given[name] !== undefined) continue
      unread.add(name)
      const hint = typeof value === 'string' && NO_NUMBER.test(value) ? 'leave it empty where there is none' : undefined
      wrong(name, `\`${name}\` must be ${WORDS[field.type]}, got \`${shown(value)}\``, hint ?? hintFor(field, spec))
    }
    const checked = check(given)
    if ('faults' in checked) {
      for (const { pointer, message } of checked.faults) {
        const name = pointer.slice(1).split('/')[0].replaceAll('~1', '/').replaceAll('~0', '~')
        if (unread.has(name)) continue
        const hint = isEmpty(cell(name))
          ? `write a value, or give \`spec.features.${name}\` a \`default\``
          : (meantIn(features[name], given[name]) ?? `write another value, or change \`spec.features.${name}\``)
        wrong(name, `\`${name}\` ${message}`, hint)
      }
    }
    const [from, until] = [dateOf('from'), dateOf('until')]
    if (from !== undefined && until !== undefined && from >= until) {
      const why = from === until ? 'when it begins' : 'before it begins'
      wrong(spec.until as string, `the action could never be taken: it ends ${why}`, 'mend one of the dates')
    }
    if (id !== undefined && 'context' in checked) {
      const dates = { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) }
      list.push({ id, features: checked.context as SetAction['features'], ...dates })
    }
  }
  return list
}

/** What an empty field of CSV is, is missing in every format. */
const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === ''

/** An id is a text, or a whole number. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 100)

/** A cell as a value of its field's type; undefined where it is none. JSON says the type itself, other formats give text. */
function readAs(value: unknown, { type }: ContextField, decimal: '.' | ','): unknown {
  if (typeof value !== 'string') {
    if (type === 'array') return Array.isArray(value) ? value : undefined
    return typeof value === (type === 'integer' ? 'number' : type) ? value : undefined
  }
  switch (type) {
    case 'string':
      return value
    case 'boolean':
      return BOOLEANS.get(value.toLowerCase())
    case 'array':
      return listIn(value)
    default: {
      const text = decimal === '.' ? value : value.includes('.') ? '' : value.replace(',', '.')
      return NUMBER.test(text) ? Number(text) : undefined
    }
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
])

/** What databases write for what is no finite number. */
const NO_NUMBER = /^[+-]?(inf|infinity|nan)$/i

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

const WORDS: Readonly<Record<ContextField['type'], string>> = {
  string: 'a text',
  boolean: '`true` or `false`',
  array: 'a list of numbers',
  integer: 'a whole number',
  number: 'a number',
}

const HINTS: Readonly<Record<ContextField['type'], string>> = {
  string: 'quote it, as JSON has texts',
  boolean: 'write `true` or `false`',
  array: 'write it as JSON does, for example `[0.5, -1]`; in CSV it is quoted: `"[0.5, -1]"`',
  integer: 'write it in digits alone',
  number: 'write it in digits, for example `2.5`',
}

const hintFor = ({ type }: ContextField, { format }: ActionSetSpec): string =>
  type === 'number' && format === 'csv'
    ? `${HINTS.number}; \`spec.csv.decimal: ","\` lets CSV say \`2,5\``
    : HINTS[type]

/** The value of an enum that was meant. */
const meantIn = (field: ContextField, value: unknown): string | undefined =>
  field.type === 'string' && field.enum !== undefined && typeof value === 'string'
    ? didYouMean(value, field.enum)
    : undefined

/** A day or a time as RFC 3339 in milliseconds; undefined where it is none. */
function timeOf(value: unknown): string | undefined {
  const ms = typeof value === 'string' ? instantOf(value) : undefined
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
