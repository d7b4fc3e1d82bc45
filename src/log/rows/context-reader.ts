import { DapError } from '../../errors.ts'
import type { ContextField, FeatureSpec } from '../../kinds.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import type { Column, ColumnRequest, NumberColumn, TextColumn } from '../tables.ts'
import { wholeNumber } from './actions.ts'
import type { LogColumns } from './layout.ts'
import { RowFault, type RowReader } from './row-reader.ts'

/** Where the contexts of a policy are in a log: one column with the whole of each as JSON, or field → column. */
export type ContextSource = { readonly json: string } | { readonly columns: ReadonlyMap<string, string> }

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

/**
 * The contexts of a policy, checked, defaults filled in; a context that does not fit it, or that it has no features for, is a fault of
 * its row.
 */
export function contextReader(policy: Policy, source: ContextSource): RowReader<Context> {
  const { requests, bind } = inputReader(policy.spec.context, source)
  const { features = [], scorer } = policy.spec
  const used = policy.features.dimension === 0 ? [] : features
  const logarithms = logarithmsOf([...used, ...(scorer?.inputs ?? []).flatMap(input => input.features)])
  const misfit = (faults: readonly string[]) =>
    new RowFault(`the context does not fit policy \`${policy.name}\`: ${faults.join('; ')}`)
  return {
    requests,
    bind(columns) {
      const inputAt = bind(columns)
      return i => {
        const input = inputAt(i)
        if (typeof input === 'string') return misfit([input])
        const result = policy.context(input)
        if ('context' in result) {
          const { context } = result
          const small = logarithms.find(name => !isAboveMinusOne(context[name]))
          return small === undefined ? context : misfit([`\`${small}\` must be above -1 for \`log1p\``])
        }
        return misfit(result.faults.map(({ pointer, message }) => `\`${pointer.slice(1)}\` ${message}`))
      }
    },
  }
}

/** The fields whose logarithm is a feature. */
function logarithmsOf(features: readonly FeatureSpec[]): readonly string[] {
  return features.flatMap(feature => ('field' in feature && feature.transform === 'log1p' ? [feature.field] : []))
}

function isAboveMinusOne(value: Context[string]): boolean {
  return Array.isArray(value) ? value.every(isAboveMinusOne) : (value as number) > -1
}

interface InputReader {
  readonly requests: readonly ColumnRequest[]
  /** A context as it came in, or what is wrong with it. */
  bind(columns: readonly Column[]): (i: number) => Readonly<Record<string, unknown>> | string
}

function inputReader(fields: Readonly<Record<string, ContextField>>, source: ContextSource): InputReader {
  return 'json' in source ? jsonReader(Object.keys(fields), source.json) : columnsReader(fields, source.columns)
}

function jsonReader(names: readonly string[], column: string): InputReader {
  return {
    requests: [{ column, type: 'text' }],
    bind([texts]) {
      const { values } = texts as TextColumn
      return i => {
        const logged = parseJson(values[i] ?? 'null')
        if (typeof logged !== 'object' || Array.isArray(logged)) return 'it is not an object'
        const given = (logged ?? {}) as Readonly<Record<string, unknown>>
        // The log may be of a policy that knew more.
        const known = names.filter(name => Object.hasOwn(given, name))
        return Object.fromEntries(known.map(name => [name, given[name]]))
      }
    },
  }
}

function columnsReader(
  fields: Readonly<Record<string, ContextField>>,
  columns: ReadonlyMap<string, string>,
): InputReader {
  const used = [...columns].map(([name, column]) => ({ name, column, field: fields[name] }))
  return {
    requests: used.map(({ field, column }) => ({ column, type: isNumeric(field) ? 'number' : 'text' })),
    bind(chunk) {
      // One object for all rows: the policy's check copies what it takes.
      const input: Record<string, unknown> = Object.fromEntries(used.map(({ name }) => [name, undefined]))
      return i => {
        for (let j = 0; j < used.length; j++) {
          const { name, field } = used[j]
          if (!isNumeric(field)) {
            input[name] = parse(field, (chunk[j] as TextColumn).values[i])
            continue
          }
          const value = (chunk[j] as NumberColumn).values[i]
          if (Math.abs(value) === Infinity) return `\`${name}\` must be a finite number`
          input[name] = value
        }
        return input
      }
    },
  }
}

function isNumeric({ type }: ContextField): boolean {
  return type === 'number' || type === 'integer'
}

/** A text as a value of the field; undefined where it is missing. What is no such value is left for the policy to refuse. */
function parse(field: ContextField, text: string | null): unknown {
  if (text === null) return undefined
  if (field.type === 'string') {
    if (field.enum === undefined || field.enum.includes(text)) return text
    return isBlank(text) ? undefined : wholeNumber(text)
  }
  if (isBlank(text)) return undefined
  return field.type === 'boolean' ? parseBoolean(text) : (parseJson(text) ?? text)
}

function isBlank(text: string): boolean {
  return text === '' || /^nan$/i.test(text)
}

function parseBoolean(text: string): unknown {
  if (/^(true|1|1\.0+)$/i.test(text)) return true
  return /^(false|0|0\.0+)$/i.test(text) ? false : text
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
