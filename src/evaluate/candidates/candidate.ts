import { didYouMean } from '../../diagnostics.ts'
import { DapError } from '../../errors.ts'
import type { Wanted } from '../../log/rows/row-reader.ts'
import type { Column } from '../../log/tables.ts'

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
  readonly columns: readonly Wanted[]
  /** For one chunk's columns, in the order of `columns`: writes the probability of every action at row i into `out`. */
  bind(columns: readonly Column[]): (i: number, out: Float64Array) => void
  /** Of one whose Model says what its probabilities are. */
  readonly model?: AskedModel
}

/** A Model that is asked about the rows of a chunk before they are judged. */
export interface AskedModel {
  /** The columns are those that `bind` is given. */
  ask(columns: readonly Column[], signal?: AbortSignal): Promise<void>
  /** How many rows it scored, and where; undefined where the log had all of the scores. */
  note(): string | undefined
}

/** The actions of the log, and whether its rows say which of them could be taken. */
export interface ActionSpace {
  readonly ids: readonly string[]
  /** The action that a cell names, as its index; −1 for a stranger. */
  readonly find: (cell: string) => number
  /** Not every action is eligible in every row: `eligibleSet` is to be asked. */
  readonly eligible: boolean
}

/** Indices of all actions. */
export function everyAction(space: ActionSpace): Int32Array {
  return Int32Array.from(space.ids.keys())
}

/** The index of the action that a cell names, or a DapError. */
export function requireAction(space: ActionSpace, action: string): number {
  const index = space.find(action)
  if (index >= 0) return index
  throw new DapError(`\`${action}\` is none of the log's actions`, {
    hint: didYouMean(action, space.ids) ?? 'add it to `spec.actions` of the Dataset',
  })
}
