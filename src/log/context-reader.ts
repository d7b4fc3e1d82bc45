import { DapError } from '../errors.ts'
import type { ContextField } from '../kinds.ts'
import type { Context, Policy } from '../policy/policy.ts'
import type { LogColumns } from './layout.ts'
import type { Column, ColumnRequest, NumberColumn, TextColumn } from './tables.ts'

/** Where the contexts of a policy are in a log: one column with the whole of each as JSON, or field → column. */
export type ContextSource = { readonly json: string } | { readonly columns: ReadonlyMap<string, string> }

export interface ContextReader {
  readonly requests: readonly ColumnRequest[]
  /**
   * For one chunk's columns, in the order of `requests`: the context of row i, checked, defaults filled in. Throws a DapError for
   * one that does not fit the policy.
   */
  bind(columns: readonly Column[]): (i: number) => Context
}

/** Finds a policy's context in a log. Throws a DapError where a field has neither a column nor a default. */
export function contextSource(policy: Policy, { decision, contextColumn }: LogColumns): ContextSource {
  if (decision !== undefined) return { json: decision.context }
  const columns = new Map<string, string>()
  for (const [name, field] of Object.entries(policy.spec.context)) {
    const column = contextColumn(name)
    if (column !== undefined) columns.set(name, column)
    else if (field.default === undefined) {
      throw new DapError(`the log has no column \`${name}\`, which the context of policy \`${policy.name}\` needs`, {
        hint: 'name it in `spec.mapping.context` of the Dataset',
      })
    }
  }
  return { columns }
}

export function contextReader(policy: Policy, source: ContextSource): ContextReader {
  const { requests, bind } = inputReader(policy.spec.context, source)
  return {
    requests,
    bind(columns) {
      const input = bind(columns)
      return i => {
        const result = policy.context(input(i))
        if ('context' in result) return result.context
        const faults = result.faults.map(({ pointer, message }) => `\`${pointer.slice(1)}\` ${message}`)
        throw new DapError(`the context does not fit policy \`${policy.name}\`: ${faults.join('; ')}`)
      }
    },
  }
}

interface InputReader {
  readonly requests: readonly ColumnRequest[]
  bind(columns: readonly Column[]): (i: number) => Record<string, unknown>
}

/** Contexts as they came in. */
function inputReader(fields: Readonly<Record<string, ContextField>>, source: ContextSource): InputReader {
  if ('json' in source) {
    const names = Object.keys(fields)
    return {
      requests: [{ column: source.json, type: 'text' }],
      bind([column]) {
        const { values } = column as TextColumn
        return i => {
          const logged = (JSON.parse(values[i] ?? '{}') ?? {}) as Record<string, unknown>
          // The log may be of a policy that knew more.
          const known = names.filter(name => Object.hasOwn(logged, name))
          return Object.fromEntries(known.map(name => [name, logged[name]]))
        }
      },
    }
  }
  const used = [...source.columns].map(([name, column]) => ({ name, column, field: fields[name] }))
  return {
    requests: used.map(({ field, column }) => ({ column, type: isPlainNumber(field) ? 'number' : 'text' })),
    bind(columns) {
      // One object for all rows: the policy's check copies what it takes.
      const input: Record<string, unknown> = Object.fromEntries(used.map(({ name }) => [name, undefined]))
      return i => {
        for (let j = 0; j < used.length; j++) {
          const column = columns[j]
          input[used[j].name] =
            column.type === 'number'
              ? (column as NumberColumn).values[i]
              : parse(used[j].field, (column as TextColumn).values[i])
        }
        return input
      }
    },
  }
}

/** A number that must be there is read as a number, and where it is missing the row is a bad one. */
function isPlainNumber(field: ContextField): boolean {
  return (field.type === 'number' || field.type === 'integer') && field.default === undefined
}

/** A text as a value of the field; undefined where it is missing. What is no such value is left for the policy to refuse. */
function parse(field: ContextField, text: string | null): unknown {
  if (text === null || (text === '' && field.type !== 'string')) return undefined
  switch (field.type) {
    case 'string':
      return text
    case 'boolean':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
    case 'array':
      return parseJson(text)
    default:
      return Number(text)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
