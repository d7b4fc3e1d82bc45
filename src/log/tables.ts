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
}

export interface TableSource {
  /**
   * `dap` is seen as a table with a row a decision: `decisionId, unit, action, propensity, reward, servedBy`, and the JSON
   * texts `eligible` (list of ids), `propensities` (in that order) and `context`, whose field `level` is also the column
   * `context.level`. Rewards are summed by decision.
   */
  readonly format: 'dap' | 'csv' | 'jsonl' | 'parquet'
  /** Absolute. */
  readonly paths: readonly string[]
  /** How rewards join decisions, of a `dap` log. */
  readonly join?: RewardJoin
  /** Only the rows whose unit falls into these groups; the row's decision id where it has no unit. */
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

/** Rows whose group (see GroupColumn) is in [from, to). */
export interface UnitPart {
  /** Column of the unit. */
  readonly column: string
  readonly from: number
  readonly to: number
}

export interface ColumnRequest {
  readonly column: string
  readonly type: Column['type']
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

/** What to do about a column that a table does not have: the name that was meant, or those that there are. */
export function columnHint(column: string, known: readonly string[]): string {
  const shown = known.slice(0, 12).join(', ')
  return didYouMean(column, known) ?? `its columns are ${shown}${known.length > 12 ? ', …' : ''}`
}
