import type { Column, ColumnRequest } from '../tables.ts'

/**
 * Makes something of a row that takes more than one column, or more than a number: a context, a list of probabilities. What it
 * makes stands as a `ValueColumn` in the chunk; a row that it finds a fault in is a bad one.
 */
export interface RowReader<T> {
  readonly requests: readonly ColumnRequest[]
  /** For one chunk's columns, in the order of `requests`. */
  bind(columns: readonly Column[]): (i: number, decision: LoggedDecision) => T | RowFault
}

/** What is known of a row before readers are asked. One object for all rows. */
export interface LoggedDecision {
  /** Number of the row in the log. */
  readonly row: number
  /** Index of the logged action. */
  readonly action: number
  readonly propensity: number
  /** Indices of the actions that could be taken: all of them, where the log does not say. */
  readonly eligible: Int32Array
}

export class RowFault {
  /** One sentence without a full stop. The same for all rows that have it, so that they can be counted. */
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/** Nothing is wrong with the row, but it is of no use to whoever asked. */
export class UnusedRow extends RowFault {}

/** Something of a chunk: a column, which every row must have unless it is optional, or what a reader makes of the rows. */
export type Wanted = WantedColumn | RowReader<unknown>

export interface WantedColumn extends ColumnRequest {
  /** What a missing value means is for whoever asks. */
  readonly optional?: true
}

/** Collects what is wanted of a log, each once. */
export interface Requests<W extends Wanted = Wanted> {
  readonly list: readonly W[]
  /** The place among a chunk's columns. */
  add(wanted: W): number
}

export function createRequests<W extends Wanted = Wanted>(): Requests<W> {
  const list: W[] = []
  return {
    list,
    add(wanted) {
      const found = list.findIndex(one => isSame(one, wanted))
      return found >= 0 ? found : list.push(wanted) - 1
    },
  }
}

function isSame(one: Wanted, other: Wanted): boolean {
  if ('bind' in one || 'bind' in other) return one === other
  return (
    one.column === other.column &&
    one.type === other.type &&
    one.otherwise === other.otherwise &&
    one.slot === other.slot &&
    one.optional === other.optional
  )
}

/** A column in a sentence: a pandas index has an empty name. */
export function called(column: string): string {
  return column === '' ? 'the column without a name' : `\`${column}\``
}
