import type { ModelInput } from '../kinds.ts'

/**
 * The port through which tables are written, as Parquet: columns with a type, rows in the order in which they are added, and the same bytes for the
 * same rows. `adapters/duckdb/` is the implementation.
 */
export interface TableWriter {
  /** Adds the first rows of these columns, in the order in which they were declared. */
  add(rows: number, columns: readonly WrittenValues[]): void
  /** Puts the file in its place, and resolves with its size in bytes; before, there is nothing there of what was added. */
  finish(signal?: AbortSignal): Promise<number>
  /** Lets go of all of it; after `finish` there is nothing left to do. */
  discard(): void
}

export interface WrittenColumn {
  readonly name: string
  /** `time`: milliseconds since 1970. Else lists of numbers of this type, all of the length `width`. */
  readonly type: 'text' | 'number' | 'time' | { readonly list: ModelInput['dtype']; readonly width: number }
}

/** Of a row one text, or one number, or `width` numbers of the list's type, 0 and 1 of `bool`; null and NaN are missing, but in lists. */
export type WrittenValues =
  | readonly (string | null)[]
  | Float64Array
  | Float32Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
