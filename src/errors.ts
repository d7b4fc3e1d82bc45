/** Exit codes; `docs/exit-codes.md` says what a script may conclude from each. */
export const ExitCode = {
  done: 0,
  /** The answer is no: invalid files, a failed gate or expectation. */
  no: 1,
  /** Changes or drift, only with `--exit-code`. */
  changes: 2,
  usage: 3,
  stale: 4,
  remote: 5,
  partial: 6,
  bug: 70,
  interrupted: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export interface DapErrorOptions extends ErrorOptions {
  /** What to do about it: one sentence, or a command. */
  readonly hint?: string
  readonly exitCode?: ExitCode
}

/** A stop that the user can act on. Anything else that is thrown is a bug in dap. */
export class DapError extends Error {
  override readonly name: string = 'DapError'
  readonly hint: string | undefined
  readonly exitCode: ExitCode

  constructor(message: string, { hint, exitCode = ExitCode.no, cause }: DapErrorOptions = {}) {
    super(message, { cause })
    this.hint = hint
    this.exitCode = exitCode
  }
}

/** The command line itself is wrong: an unknown flag, a missing argument, a name that does not exist. */
export class UsageError extends DapError {
  override readonly name = 'UsageError'

  constructor(message: string, options: Omit<DapErrorOptions, 'exitCode'> = {}) {
    super(message, { ...options, exitCode: ExitCode.usage })
  }
}

/** A file cannot be read or written. */
export class FileError extends DapError {
  override readonly name = 'FileError'
  /** The message, of a file that whoever reads it knows by another name than its path. */
  readonly saying: (file: string) => string

  constructor(path: string, saying: (file: string) => string, options: DapErrorOptions = {}) {
    super(saying(`\`${path}\``), options)
    this.saying = saying
  }
}

/** What to do about packages that are installed with dap. */
const REINSTALL =
  'install dap again with all that it depends on, without `--omit=optional`; in a repository that pins it, `npm ci`'

/** Packages that dap depends on do not load: npm was told to leave some out, or this machine is none that they are made for. */
export class InstallationError extends DapError {
  override readonly name = 'InstallationError'

  constructor(packages: readonly string[], cause: unknown, hint: string = REINSTALL) {
    const [reason] = messageOf(cause).split('\n', 1)
    super(`dap cannot load ${packages.map(name => `\`${name}\``).join(' and ')}: ${reason}`, { hint, cause })
  }
}

/** The user stopped the run. */
export class InterruptedError extends DapError {
  override readonly name = 'InterruptedError'

  constructor() {
    super('interrupted', { exitCode: ExitCode.interrupted })
  }
}

/** What was thrown, in words; anything can be. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
