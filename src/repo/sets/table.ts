/** A set's file as a table, whatever its format. */
export interface SetTable {
  /** The names of its columns; of JSON lines, of all that some row has. */
  readonly columns: readonly string[]
  readonly rows: readonly SetRow[]
  /** What of the file is no row. */
  readonly faults: readonly TableFault[]
}

export interface SetRow {
  /** Text of CSV and Parquet, any value of JSON; undefined where there is none. */
  cell(column: string): unknown
  /** From 1, in a file that has no lines. */
  readonly number?: number
  /** Where the row is, or its cell, in a file that has lines. */
  place(column?: string): CellPlace
}

/** From 1, as in a Diagnostic; the whole file is 0. */
export interface CellPlace {
  readonly line: number
  readonly column: number
  readonly length: number
}

export interface TableFault {
  readonly message: string
  readonly hint: string
  readonly place: CellPlace
}

export const WHOLE_FILE: CellPlace = { line: 0, column: 0, length: 1 }
