import { DapError } from '../errors.ts'
import type { DatasetSpec } from '../kinds.ts'
import type { LogLayout } from './decision-log.ts'
import { type ColumnRequest, columnHint, type TableSource, type UnitColumn } from './tables.ts'

/** Names of the log's columns, found and checked. */
export interface LogColumns {
  readonly action: string
  readonly propensity: string
  readonly reward: string
  readonly slot: string | undefined
  readonly unit: string | undefined
  readonly decisionId: string | undefined
  readonly ts: string | undefined
  /** Only in logs of decisions: who served, the eligible ids, the propensity of each, and the context as JSON. */
  readonly decision:
    | { readonly servedBy: string; readonly eligible: string; readonly propensities: string; readonly context: string }
    | undefined
  /** The column that a name of a specification stands for: `slot`, or a column's own name. Throws a DapError if there is none. */
  resolve(name: string): string
  /** The column of a context field, if the log has one. */
  contextColumn(field: string): string | undefined
}

/** `known` are the names of the columns that the files have. */
export function logColumns(spec: DatasetSpec, known: readonly string[]): LogColumns {
  const names = new Set(known)
  function required(column: string, role: string): string {
    if (names.has(column)) return column
    throw new DapError(`the log has no column \`${column}\` (${role})`, { hint: columnHint(column, known) })
  }
  if (spec.format === 'dap') {
    return {
      action: 'action',
      propensity: 'propensity',
      reward: 'reward',
      slot: undefined,
      unit: 'unit',
      decisionId: 'decisionId',
      ts: 'ts',
      decision: { servedBy: 'servedBy', eligible: 'eligible', propensities: 'propensities', context: 'context' },
      resolve: name => (names.has(name) ? name : `context.${name}`),
      contextColumn: field => `context.${field}`,
    }
  }
  const { mapping } = spec
  if (mapping === undefined) throw new DapError(`a Dataset of format ${spec.format} needs \`spec.mapping\``)
  const optional = (column: string | undefined, role: string) =>
    column === undefined ? undefined : required(column, role)
  return {
    action: required(mapping.action, 'mapping.action'),
    propensity: required(mapping.propensity, 'mapping.propensity'),
    reward: required(mapping.reward, 'mapping.reward'),
    slot: optional(mapping.slot, 'mapping.slot'),
    unit: optional(mapping.unit, 'mapping.unit'),
    decisionId: optional(mapping.decisionId, 'mapping.decisionId'),
    ts: optional(mapping.ts, 'mapping.ts'),
    decision: undefined,
    resolve(name) {
      if (name === 'slot' && mapping.slot !== undefined) return mapping.slot
      return required(name, 'named by the Evaluation')
    },
    contextColumn(field) {
      const mapped = mapping.context[field]
      if (mapped !== undefined) return required(mapped, `mapping.context.${field}`)
      return names.has(field) ? field : undefined
    },
  }
}

/** By which column the rows of a log are told apart into units: their own, or where there is none, the decision's id. */
export function unitColumn({ unit, decisionId }: LogColumns): UnitColumn | undefined {
  const [column, otherwise] = [unit, decisionId].filter(name => name !== undefined)
  if (column === undefined) return undefined
  return otherwise === undefined ? { column } : { column, otherwise }
}

/** Collects what is read beside action, propensity and reward, each column once. */
export interface Requests {
  readonly list: readonly ColumnRequest[]
  /** The place of the column in a chunk's `columns`. */
  add(request: ColumnRequest): number
}

export function createRequests(): Requests {
  const list: ColumnRequest[] = []
  return {
    list,
    add(request) {
      const found = list.findIndex(
        ({ column, type, otherwise }) =>
          request.column === column && request.type === type && request.otherwise === otherwise,
      )
      if (found >= 0) return found
      list.push(request)
      return list.length - 1
    },
  }
}

export function logLayout(source: TableSource, columns: LogColumns, requests: Requests): LogLayout {
  const { action, propensity, reward, decision } = columns
  return { source, action, propensity, reward, servedBy: decision?.servedBy, columns: requests.list }
}
