import type { Command } from 'commander'
import type { DeployEvent } from './deploy/doing/events.ts'
import type { ExitCode } from './errors.ts'
import type { PublishedResult } from './generated/types.ts'
import type { Host } from './host.ts'
import type { Report } from './ui/formats/report.ts'
import type { Style } from './ui/style.ts'

/** What a long run says while it works. */
export interface ProgressEvent {
  readonly type: 'progress'
  /** What is counted: `replications`, `rows`. */
  readonly unit: string
  readonly done: number
  /** Absent when it is not known beforehand. */
  readonly total?: number
}

/** A call that reads from the cloud was not answered, and is tried again after so many ms. */
export interface RetryEvent {
  readonly type: 'retry'
  readonly call: string
  /** Of a try that failed, from 1. */
  readonly attempt: number
  readonly reason: string
  readonly ms: number
}

export type RunEvent = ProgressEvent | RetryEvent | DeployEvent

export interface TextContext {
  readonly style: Style
  /** Of the terminal; Infinity where text goes elsewhere. */
  readonly columns: number
}

/**
 * A command is a function from options to a result; it prints nothing. What it returns is drawn as text, written as JSON
 * and turned into an exit code, each in one place.
 */
export interface CommandModule<Options, Result> {
  /** Adds arguments, options and help to commander's command. */
  declare(command: Command): void
  /** Turns parsed arguments into options, or throws a UsageError. May ask the user, when there is a terminal. */
  options(args: readonly string[], flags: Readonly<Record<string, unknown>>, host: Host): Options | Promise<Options>
  run(options: Options, host: Host, report: (event: RunEvent) => void): Promise<Result>
  /** It prints by itself, while it runs: its result is for `--json-file` alone. */
  readonly printed?: true
  text(result: Result, context: TextContext): string
  /** Is the text for programs, such as a schema? Lines of all other texts are broken where a terminal is narrower. */
  verbatim?(result: Result): boolean
  /** What `--json` prints: of a shape that is published in `schemas/`; but `dap schema` prints a schema. */
  json(result: Result): PublishedResult | { readonly $schema: string }
  exitCode(result: Result): ExitCode
  /** What the formats of other programs are made of; a command without it has text and JSON alone. */
  report?(result: Result): Report
  /** `--format markdown`, where it says more than what is made of the report. */
  markdown?(result: Result): string
}

export function defineCommand<Options, Result>(
  module: CommandModule<Options, Result>,
): CommandModule<unknown, unknown> {
  return module as unknown as CommandModule<unknown, unknown>
}
