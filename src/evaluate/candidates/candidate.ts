import { didYouMean } from '../../diagnostics.ts'
import { DapError } from '../../errors.ts'
import type { Column, ColumnRequest } from '../../log/tables.ts'

/**
 * A candidate policy, as what it needs of the log and the probabilities it gives. `cells`: its probabilities depend on a few
 * key columns only, and are computed once a combination. `rows`: they are computed row by row. `logging` made the log.
 */
export type Candidate = LoggingCandidate | CellsCandidate | RowsCandidate

export interface LoggingCandidate {
  readonly kind: 'logging'
}

export interface CellsCandidate {
  readonly kind: 'cells'
  readonly keys: readonly string[]
  /** The probability of every action where the key columns have these values. Throws a DapError where it is not known. */
  distribution(keys: readonly string[]): Float64Array
}

export interface RowsCandidate {
  readonly kind: 'rows'
  readonly columns: readonly ColumnRequest[]
  /** For one chunk's columns, in the order of `columns`: writes the probability of every action at row i into `out`. */
  bind(columns: readonly Column[]): (i: number, out: Float64Array) => void
}

/** The actions of the log, and how a row says which of them could be taken. */
export interface ActionSpace {
  readonly ids: readonly string[]
  readonly index: ReadonlyMap<string, number>
  /** The key column with the JSON list of the ids that were eligible, in logs that say so. */
  readonly eligible: string | undefined
}

/** How far the probabilities of a file or a row may be from summing to 1. */
export const SUM_TOLERANCE = 1e-6

/** Indices of the actions of a JSON list of ids. */
export function eligibleActions(space: ActionSpace, json: string): Int32Array {
  return Int32Array.from(JSON.parse(json) as readonly string[], id => requireAction(space, id))
}

/** Indices of all actions. */
export function everyAction(space: ActionSpace): Int32Array {
  return Int32Array.from(space.ids.keys())
}

/** The action's index, or a DapError. */
export function requireAction(space: ActionSpace, action: string): number {
  const index = space.index.get(action)
  if (index !== undefined) return index
  throw new DapError(`\`${action}\` is none of the log's actions`, {
    hint: didYouMean(action, space.ids) ?? 'add it to `spec.actions` of the Dataset',
  })
}
