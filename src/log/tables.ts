import { didYouMean } from '../diagnostics.ts'

/**
 * The port through which logs and tables are read: chosen columns of files, in file order, a chunk of typed arrays at a
 * time, so that memory does not grow with the log. `adapters/duckdb.ts` is the implementation.
 */
export interface Tables {
  /** Names of the columns. Throws a DapError when a file is missing or is not of the format. */
  columns(source: TableSource): Promise<readonly string[]>
  /**
   * Streams the requested columns, in the order of the requests; the rows of all files are one sequence. A chunk's arrays
   * may be reused: they are valid until the next chunk is asked for.
   */
  read(source: TableSource, requests: readonly ColumnRequest[], signal?: AbortSignal): AsyncIterable<TableChunk>
  /** What the join of a `dap` log met, over the whole log; undefined of any other format. */
  joinCounts(source: TableSource, signal?: AbortSignal): Promise<JoinCounts | undefined>
}

export interface TableSource {
  /**
   * `dap` is seen as a table with a row a decision: `decisionId, ts, unit, action, propensity, reward, servedBy`, and the JSON
   * texts `eligible` (list of ids), `propensities` (in that order) and `context`, whose field `level` is also the column
   * `context.level`. Left out are decisions that are still waiting (see RewardJoin), that were never activated though they
   * had to be, and those logged again under the id of another; rows are numbered without them.
   */
  readonly format: 'dap' | 'csv' | 'jsonl' | 'parquet'
  /** Absolute. */
  readonly paths: readonly string[]
  /** How rewards join decisions, of a `dap` log; default: all are summed. */
  readonly join?: RewardJoin
  /** Only the rows of some units; they are numbered among themselves. */
  readonly part?: UnitPart
}

/** Decision ← rewards, by id. */
export interface RewardJoin {
  /** Only rewards of this name, or of none; default: all. */
  readonly name?: string
  /** Milliseconds after the decision; a later reward does not count. Default: no limit. */
  readonly wait?: number
  readonly aggregate: 'first' | 'sum' | 'mean' | 'max'
  /** The reward of a decision that nothing came back for. */
  readonly default: number
  /** Milliseconds since 1970. A decision whose wait is not over by then is not handed on: its reward may still come. */
  readonly until?: number
}

/** Decisions and rewards that a join met. */
export interface JoinCounts {
  /** Records of decisions, all of them. */
  readonly decisions: number
  /** Of these, logged again under an id that was there before; their wait not over; never activated. */
  readonly repeated: number
  readonly waiting: number
  readonly inactive: number
  /** Kept with a `logProbability` below 1. */
  readonly shed: number
  /** Rewards that count; that came after the wait; of no decision in the log. */
  readonly rewards: number
  readonly late: number
  readonly orphans: number
  /** Records that are neither decision nor reward; lines that are no JSON object, such as one that a crash cut off. */
  readonly otherSchemas: number
  readonly unreadable: number
}

/** Rows whose group (see GroupColumn) is in [from, to). */
export interface UnitPart {
  /** Whose group; default: the row's number modulo `UNIT_GROUPS`. */
  readonly unit?: UnitColumn
  readonly from: number
  readonly to: number
}

/** Where the unit of a row is. */
export interface UnitColumn {
  readonly column: string
  /** The column that stands in where the unit is missing. */
  readonly otherwise?: string
}

export interface ColumnRequest {
  readonly column: string
  readonly type: Column['type']
  /** Of a `group`: the column that stands in where this one is missing. */
  readonly otherwise?: string
}

export interface TableChunk {
  /** Row number of the chunk's first row, from 0, counted over all files. */
  readonly start: number
  readonly rows: number
  readonly columns: readonly Column[]
}

export type Column = NumberColumn | KeyColumn | TextColumn | GroupColumn

/** NaN where a value is missing or is not a number. */
export interface NumberColumn {
  readonly type: 'number'
  readonly values: Float64Array
}

/** Few distinct values: `dictionary[codes[i]]`; a code of −1 is a missing value. The dictionary grows while reading. */
export interface KeyColumn {
  readonly type: 'key'
  readonly codes: Int32Array
  readonly dictionary: readonly string[]
}

/** Many distinct values. */
export interface TextColumn {
  readonly type: 'text'
  readonly values: readonly (string | null)[]
}

/** Units: the group of each, the last 8 bytes of MD5 over its text, little-endian, modulo `UNIT_GROUPS`; −1 where the unit is missing. */
export interface GroupColumn {
  readonly type: 'group'
  readonly values: Int32Array
}

/** Units are hashed into this many groups, so that sums by unit group stay small however many units there are. */
export const UNIT_GROUPS = 1024

/** The column at these rows alone. */
export function takeRows(column: Column, rows: Int32Array): Column {
  switch (column.type) {
    case 'number':
      return { type: 'number', values: Float64Array.from(rows, i => column.values[i]) }
    case 'key':
      return { type: 'key', codes: Int32Array.from(rows, i => column.codes[i]), dictionary: column.dictionary }
    case 'group':
      return { type: 'group', values: Int32Array.from(rows, i => column.values[i]) }
    case 'text':
      return { type: 'text', values: Array.from(rows, i => column.values[i]) }
  }
}

/** What to do about a column that a table does not have: the name that was meant, or those that there are. */
export function columnHint(column: string, known: readonly string[]): string {
  const shown = known.slice(0, 12).join(', ')
  return didYouMean(column, known) ?? `its columns are ${shown}${known.length > 12 ? ', …' : ''}`
}
