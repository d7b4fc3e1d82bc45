import type { Diagnostic } from './diagnostics.ts'
import { DapError } from './errors.ts'
import { ERROR_RESULT_SCHEMA } from './generated/names.ts'
import type { ErrorResult } from './results.ts'

/** A file as it was read; without a text where it could not be. */
interface ReadFile {
  readonly path: string
  readonly text?: string
}

/** A command cannot go on, since files that it needs have errors; it shows them as `dap validate` does. */
export class InvalidFilesError extends DapError {
  override readonly name = 'InvalidFilesError'
  /** Those of these files alone, warnings left out. */
  readonly diagnostics: readonly Diagnostic[]
  /** The lines of these files, for code frames. */
  readonly lines: ReadonlyMap<string, readonly string[]>

  constructor(files: readonly string[], diagnostics: readonly Diagnostic[], sources: readonly ReadFile[]) {
    const list = files.map(file => `\`${file}\``).join(' and ')
    super(`${list} ${files.length === 1 ? 'has' : 'have'} errors`, { hint: `dap validate ${files.join(' ')}` })
    this.diagnostics = diagnostics.filter(({ severity, file }) => severity === 'error' && files.includes(file))
    this.lines = linesOf(sources.filter(({ path }) => files.includes(path)))
  }
}

/** A stop as a result. */
export function errorResult(error: DapError): ErrorResult & Pick<DapError, 'exitCode'> {
  const { exitCode, message, hint } = error
  const diagnostics = error instanceof InvalidFilesError ? error.diagnostics : []
  return { schema: ERROR_RESULT_SCHEMA, exitCode, message, hint, diagnostics }
}

/** The lines of each file that has a text. */
export function linesOf(files: readonly ReadFile[]): ReadonlyMap<string, readonly string[]> {
  return new Map(files.flatMap(({ path, text }) => (text === undefined ? [] : [[path, text.split(/\r?\n/)] as const])))
}
