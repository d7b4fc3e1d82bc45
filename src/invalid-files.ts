import type { Diagnostic } from './diagnostics.ts'
import { DapError } from './errors.ts'
import { ERROR_RESULT_SCHEMA } from './generated/names.ts'
import type { ErrorResult } from './results.ts'

/** A command cannot go on, since files that it needs have errors; `dap validate` shows them, and so does `--json`. */
export class InvalidFilesError extends DapError {
  override readonly name = 'InvalidFilesError'
  /** Those of these files alone, warnings left out. */
  readonly diagnostics: readonly Diagnostic[]

  constructor(files: readonly string[], diagnostics: readonly Diagnostic[]) {
    const list = files.map(file => `\`${file}\``).join(' and ')
    super(`${list} ${files.length === 1 ? 'has' : 'have'} errors`, { hint: `dap validate ${files.join(' ')}` })
    this.diagnostics = diagnostics.filter(({ severity, file }) => severity === 'error' && files.includes(file))
  }
}

/** A stop as a result. */
export function errorResult(error: DapError): ErrorResult & Pick<DapError, 'exitCode'> {
  const { exitCode, message, hint } = error
  const diagnostics = error instanceof InvalidFilesError ? error.diagnostics : []
  return { schema: ERROR_RESULT_SCHEMA, exitCode, message, hint, diagnostics }
}
