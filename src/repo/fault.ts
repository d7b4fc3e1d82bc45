import type { DiagnosticCode } from '../diagnostics.ts'

/** So many faults of one document are enough to read. */
export const MAX_FAULTS = 100

/** From the document's root to a key or an item. */
export type Path = readonly (string | number)[]

/** A diagnostic before its place in the text is known. */
export interface Fault {
  readonly code: DiagnosticCode
  /** Default: `error`. */
  readonly severity?: 'error' | 'warning'
  readonly message: string
  readonly hint?: string
  /** The two with the value as it is written, where that is another text than the value's own: `3.10` is 3.1, `0x1F` is 31. */
  readonly written?: (text: string) => Pick<Fault, 'message' | 'hint'>
  readonly path: Path
  /** Which of the two the caret is under; default: the value. */
  readonly on?: 'key' | 'value'
  /** How far into a string value the fault is: a position in a CEL expression. */
  readonly offset?: number
  /** What the writer may have meant, as far as the schema can tell. */
  readonly mend?: Mend
}

/**
 * Another value at the fault's path; with `key` alone another name for its last key; with both a value that is missing in the
 * mapping at its path. It only serves to judge the rest of a document: nobody's file is changed.
 */
export interface Mend {
  readonly key?: string
  readonly value?: unknown
}

/** A stretch of a text, in UTF-16 code units. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A fault of a text that is no YAML, or none that dap reads. */
export interface YamlFault extends Span {
  readonly message: string
  readonly hint?: string
}
