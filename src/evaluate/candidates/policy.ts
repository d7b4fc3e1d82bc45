import { DapError } from '../../errors.ts'
import type { ContextField } from '../../kinds.ts'
import type { Column, ColumnRequest, NumberColumn, TextColumn } from '../../log/tables.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import { type ActionSpace, type CellsCandidate, type RowsCandidate, requireAction } from './candidate.ts'
import { eligibleReader } from './columns.ts'
import { byEligible } from './simple.ts'

/** Where a context is in the log: one column with the whole of it as JSON, or a column a field. */
export type ContextSource = { readonly json: string } | { readonly columnOf: (field: string) => string | undefined }

/**
 * A Policy as a candidate: the probabilities it would decide by, floor included, over what it and the log find eligible. A
 * policy that does not look at the context needs none of the log.
 */
export function policyCandidate(
  space: ActionSpace,
  policy: Policy,
  source: ContextSource,
): CellsCandidate | RowsCandidate {
  const actionOf = Int32Array.from(policy.actions, id => requireAction(space, id))
  const eligible = new Int32Array(policy.actions.length)
  const probabilities = new Float64Array(policy.actions.length)
  const logged = new Uint8Array(space.ids.length)

  function write(context: Context, loggedEligible: Int32Array, out: Float64Array): void {
    logged.fill(0)
    for (const action of loggedEligible) logged[action] = 1
    const mine = policy.eligible(context, eligible)
    let count = 0
    for (let i = 0; i < mine; i++) if (logged[actionOf[eligible[i]]] === 1) eligible[count++] = eligible[i]
    out.fill(0)
    if (count === 0) return
    policy.probabilities(context, eligible, count, probabilities)
    for (let i = 0; i < count; i++) out[actionOf[eligible[i]]] = probabilities[eligible[i]]
  }

  const ignoresContext = policy.features.dimension === 0 && policy.eligibility.rules.every(rule => rule === undefined)
  if (ignoresContext) return byEligible(space, (loggedEligible, out) => write({}, loggedEligible, out))

  const { requests, bind } = contextReader(policy, source)
  const eligibleAt = eligibleReader(space)
  return {
    kind: 'rows',
    columns: [...requests, ...(space.eligible === undefined ? [] : [{ column: space.eligible, type: 'key' } as const])],
    bind(columns) {
      const input = bind(columns)
      const eligibleOf = eligibleAt(columns[requests.length])
      return (i, out) => {
        const result = policy.context(input(i))
        if ('faults' in result) {
          const faults = result.faults.map(({ pointer, message }) => `\`${pointer.slice(1)}\` ${message}`)
          throw new DapError(`the context does not fit policy \`${policy.name}\`: ${faults.join('; ')}`)
        }
        write(result.context, eligibleOf(i), out)
      }
    },
  }
}

interface ContextReader {
  readonly requests: readonly ColumnRequest[]
  bind(columns: readonly Column[]): (i: number) => Record<string, unknown>
}

function contextReader(policy: Policy, source: ContextSource): ContextReader {
  const fields = Object.entries(policy.spec.context)
  if ('json' in source) {
    return {
      requests: [{ column: source.json, type: 'text' }],
      bind([column]) {
        const { values } = column as TextColumn
        return i => {
          const logged = JSON.parse(values[i] ?? '{}') as Record<string, unknown>
          // The log may be of a policy that knew more.
          const known = fields.filter(([name]) => Object.hasOwn(logged, name))
          return Object.fromEntries(known.map(([name]) => [name, logged[name]]))
        }
      },
    }
  }
  const used = fields.flatMap(([name, field]) => {
    const column = source.columnOf(name)
    if (column !== undefined) return [{ name, field, column }]
    if (field.default !== undefined) return []
    throw new DapError(`the log has no column \`${name}\`, which the context of policy \`${policy.name}\` needs`, {
      hint: 'name it in `spec.mapping.context` of the Dataset',
    })
  })
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
