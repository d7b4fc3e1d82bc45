import { didYouMean } from '../diagnostics.ts'
import { DapError } from '../errors.ts'
import type { CsvSpec, RewardSpec } from '../kinds.ts'

/**
 * The port through which logs and tables are read: chosen columns of files, in file order, a chunk of typed arrays at a
 * time, so that memory does not grow with the log. `adapters/duckdb/` is the implementation.
 *
 * All of a source is read, or an error names the file and where it stopped. Every reading of one source by one `Tables`
 * meets the same rows: files that change in between are an error.
 */
export interface Tables {
  /**
   * Names of the columns; of JSON lines those of the first ones, and of those that are needed any that comes later. Throws a
   * DapError when a file is missing or is not of the format.
   */
  columns(source: TableSource, needed?: readonly string[]): Promise<readonly string[]>
  /**
   * Streams the requested columns, in the order of the requests; the rows of all files are one sequence. A chunk's arrays
   * may be reused: they are valid until the next chunk is asked for. `onFault` is told of what is no row: lines that cannot be
   * read, rows of one decision that contradict each other. They are in no chunk.
   */
  read(
    source: TableSource,
    requests: readonly ColumnRequest[],
    options?: { readonly onFault?: (fault: SourceFault) => void; readonly signal?: AbortSignal },
  ): AsyncIterable<TableChunk>
  /** What was met in making one row of each decision, over the whole log; undefined where every line is a row. */
  joinCounts(source: TableSource, signal?: AbortSignal): Promise<JoinCounts | undefined>
  /** Where rows are, by their numbers; in the order of the numbers. */
  places(source: TableSource, rows: readonly number[]): Promise<readonly string[]>
}

export interface TableSource {
  /**
   * `dap` is seen as a table with a row a decision: `decisionId, ts, unit, action, propensity, servedBy, logProbability`, and
   * the JSON texts `eligible` (list of ids), `propensities` (in that order) and `context`, whose field `level` is also the column
   * `context.level`. Records that are wrong in themselves are faults.
   */
  readonly format: 'dap' | 'csv' | 'jsonl' | 'parquet'
  /** Absolute paths of files. */
  readonly paths: readonly string[]
  /** Files are named relative to this folder where they are in it; absolute. */
  readonly root?: string
  /** How CSV is written; default: as `CSV` says. */
  readonly csv?: CsvSpec
  /** Columns that every file with a header or a schema must have. */
  readonly named?: readonly string[]
  /** Columns of hive partitions (`day=2026-11-22/`): name → the value of each path, in the order of `paths`. */
  readonly partitions?: ReadonlyMap<string, readonly string[]>
  /** How lines become decisions; absent of a mapped log: every line is one. A `dap` log always has its own. */
  readonly once?: OneRow
  /** Of a `dap` log: whose decisions are read; default: all. */
  readonly policies?: readonly string[]
  /** How rewards join decisions, where they are in records of their own; default: all are summed. */
  readonly join?: RewardJoin
  /** Only some of the rows. */
  readonly part?: RowPart
}

/** A decision counts once: which rows of a mapped log are of one decision, and what they must agree in. */
export interface OneRow {
  /** The column of the decision's id, and that of its slot: the key. A row without an id is a fault. */
  readonly decisionId: string
  readonly slot?: string
  /** Columns in which the rows of a key must be equal: then they count once. */
  readonly same: readonly string[]
  /** The column of the reward, unless rewards are in files of their own; equal as well, or brought together. */
  readonly reward?: string
  /** The column that tells two rewards of one decision apart that are otherwise equal. */
  readonly rewardId?: string
}

/** Decision ← rewards, by id (and slot, where both have one). */
export interface RewardJoin {
  /** Of a `dap` log: only rewards of this name, or of none; default: all. */
  readonly name?: string
  /** Of a `dap` log: what the policy declares of its reward. One outside its range is not used. */
  readonly declared?: RewardSpec
  /** Milliseconds after the decision; a later reward does not count. Default: no limit. */
  readonly wait?: number
  /** Default of a mapped log: rows of one decision with different rewards are a fault. */
  readonly aggregate?: 'first' | 'sum' | 'mean' | 'max'
  /** Milliseconds since 1970. A decision whose wait is not over by then is not handed on: its reward may still come. */
  readonly until?: number
  /** The column of the decision's time, of a mapped log; needed by `wait`. */
  readonly ts?: string
  /** The files of the rewards of a mapped log, and their columns. */
  readonly rewards?: {
    readonly source: TableSource
    readonly decisionId: string
    readonly slot?: string
    readonly reward: string
    readonly ts?: string
    readonly rewardId?: string
  }
}

/** Decisions and rewards that were met in making one row of each decision. */
export interface JoinCounts {
  /** Rows or records of decisions, all of them. */
  readonly decisions: number
  /** Of these, the same again as one before; their wait not over; never activated. */
  readonly repeated: number
  readonly waiting: number
  readonly inactive: number
  /** Of a `dap` log: of policies that are not asked for. */
  readonly ofOthers: number
  /** Of a `dap` log: contradicting each other under one id. */
  readonly conflicts: number
  /** Decisions that a reward names which cannot be used: what came for them is not known. */
  readonly lost: number
  /** Rewards that count; the same again as one before; that came after the wait; of no decision in the log. */
  readonly rewards: number
  readonly rewardsRepeated: number
  readonly late: number
  readonly orphans: number
  /**
   * Rewards of a `dap` log that are not used: contradicting each other under one id; outside the range that the policy declares; earlier than
   * their decision by more than clocks may be apart; of a slot that it does not have. And those that are used as if they had come with it: earlier by no more.
   */
  readonly rewardConflicts: number
  readonly outside: number
  readonly tooEarly: number
  readonly noSlot: number
  readonly early: number
  /** Last lines of `dap` files that a crash cut off; rewards of another name than is asked for. */
  readonly torn: number
  readonly otherNames: number
}

export const NO_COUNTS: JoinCounts = {
  decisions: 0,
  repeated: 0,
  waiting: 0,
  inactive: 0,
  ofOthers: 0,
  conflicts: 0,
  lost: 0,
  rewards: 0,
  rewardsRepeated: 0,
  late: 0,
  orphans: 0,
  rewardConflicts: 0,
  outside: 0,
  tooEarly: 0,
  noSlot: 0,
  early: 0,
  torn: 0,
  otherNames: 0,
}

/** What is no row. `reason` is one sentence without a full stop. */
export interface SourceFault {
  readonly reason: string
  /** `data/l.csv:60002`: the file, and the line where there are lines. */
  readonly place: string
  /** How many rows it takes out; default 1. */
  readonly rows?: number
}

/** Rows of which all of this holds. */
export interface RowPart {
  readonly units?: UnitPart
  readonly after?: TimePart
}

/** Rows whose time is after `ms`, in milliseconds since 1970; a row without a time is not of them. */
export interface TimePart {
  readonly column: string
  readonly ms: number
}

/** Rows whose group (see GroupColumn) is in [from, to). */
export interface UnitPart {
  /** Whose group; default: `groupOfRow`. */
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
  /** A column's name, or a path into one: `c.User.name`, `o[0].v`. */
  readonly column: string
  /**
   * `bucket` makes a group column, of buckets. Three make number columns, with NaN where there is none. `reward`: what the rewards of the decision come to by `RewardJoin`; `column`
   * is then ignored. `time`: milliseconds since 1970. `hash`: of a text, such as a decision's id, the first 53 of the 64 bits that
   * `GroupColumn` takes its group from the end of.
   */
  readonly type: Exclude<Column['type'], 'value'> | 'bucket' | 'reward' | 'time' | 'hash'
  /** Of a `group`: the column that stands in where this one is missing. */
  readonly otherwise?: string
  /** Of a `reward` of a list: what came for this slot alone. */
  readonly slot?: number
}

export interface TableChunk {
  readonly rows: number
  /** The number of each row, from 0, counted over all files; ascending. */
  readonly row: Float64Array
  readonly columns: readonly Column[]
}

export type Column = NumberColumn | KeyColumn | TextColumn | GroupColumn | ValueColumn

/** NaN where a value is missing (absent, null and NaN are one thing), ±∞ where it is no finite number. true is 1, false is 0. */
export interface NumberColumn {
  readonly type: 'number'
  readonly values: Float64Array
}

/** Few distinct values: `dictionary[codes[i]]`; a code of −1 is a missing value. The dictionary grows while reading. A whole number of a numeric column has no `.0`. */
export interface KeyColumn {
  readonly type: 'key'
  readonly codes: Int32Array
  readonly dictionary: readonly string[]
}

/** Many distinct values. Lists and structs are JSON. */
export interface TextColumn {
  readonly type: 'text'
  readonly values: readonly (string | null)[]
}

/**
 * Units: the group of each, the last 8 bytes of MD5 over its text, little-endian, modulo `UNIT_GROUPS`; or its bucket, a hash that is many
 * times as fast, in 31 bits (docs/decisions/0018). −1 where the unit is missing.
 */
export interface GroupColumn {
  readonly type: 'group'
  readonly values: Int32Array
}

/** What a `RowReader` of a decision log made of each row; `Tables` have no such column. */
export interface ValueColumn {
  readonly type: 'value'
  readonly values: readonly unknown[]
}

/** Units are held out, or not, by the group that they are in, which they keep for ever. */
export const UNIT_GROUPS = 1024

/** How many groups a share of the units is: at least one, and never all, but for 0. */
export const groupsOf = (share: number): number =>
  share === 0 ? 0 : Math.min(UNIT_GROUPS - 1, Math.max(1, Math.round(share * UNIT_GROUPS)))

/** The bits of a unit's bucket: a hash, to count units by and to sum by (`bucket & (SUM_GROUPS − 1)`). */
export const BUCKET_MASK = 0x7fff_ffff

/** Sums are kept for so many groups of units, so that they stay small however many units there are. */
export const SUM_GROUPS = 65_536

/** Odd, and near the golden section of `UNIT_GROUPS`: so many groups lie between those of one row and the next. */
export const ROW_STEP = 633

/** The group of a row where there are no units: any stretch of rows is spread evenly over the groups. */
export const groupOfRow = (row: number): number => (row * ROW_STEP) % UNIT_GROUPS

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
    case 'value':
      return { type: 'value', values: Array.from(rows, i => column.values[i]) }
  }
}

/**
 * What to do about a column that a table does not have: the name that was meant, or those that there are. They are told of a table that has
 * at least one of the columns that it must have (`named`): without, what is taken for names may be a line of any file.
 */
export function columnHint(column: string, known: readonly string[], named: readonly string[]): string {
  if (known.length === 0) return 'there are no columns: the files are empty, or of another format'
  const near = didYouMean(column, known)
  if (near !== undefined) return near
  const has = (name: string) =>
    known.includes(name) || known.some(each => each !== '' && /^[.[]/.test(after(each, name)))
  if (!named.some(has)) {
    return `none of its ${known.length} columns is one that is asked for: is this the file, and are its format and its header as they are declared?`
  }
  return `its columns are ${known.slice(0, 12).join(', ')}${known.length > 12 ? ', …' : ''}`
}

/** What is left of a name that begins like this. */
const after = (start: string, name: string) => (name.startsWith(start) ? name.slice(start.length) : '')

/** A file that is no longer what it was when a part of it was read. */
export function changedError(file: string): DapError {
  return new DapError(`\`${file}\` changed while it was read`, {
    hint: 'read a log that nobody is writing: a copy, or the files of the days before',
  })
}
