/** What becomes of an error on the way out: the only place where one becomes text and a number. */
import { printable } from './diagnostics.ts'
import { DapError, ExitCode, InterruptedError } from './errors.ts'
import { ERROR_RESULT_SCHEMA } from './generated/names.ts'
import type { Host } from './host.ts'
import { InvalidFilesError, errorResult as stopResult } from './invalid-files.ts'
import { fittedTo, jsonText, type Lines, readerOf, recordTo, writeResult } from './printing.ts'
import type { ErrorResult } from './results.ts'
import type { Format } from './ui/formats/formats.ts'
import { createStyle, type Style } from './ui/style.ts'
import type { World } from './world.ts'

/** What is known of a run once it fails. */
export interface Run {
  command?: string
  host?: Host
  record?: Lines
}

/** An error as text on stderr, and as a result wherever a result was asked for. */
export async function fail(error: unknown, argv: readonly string[], run: Run, world: World): Promise<ExitCode> {
  const { streams, version, host: createHost } = world
  const { out } = streams
  const err = async (text: string) => streams.err(await fittedTo(text, streams.columns('err')))
  const style = createStyle(run.host?.terminal.color ?? false)
  const result = errorResult(error, run.host?.signal.aborted === true, version)
  const { exitCode, message, hint } = result
  if (exitCode === ExitCode.bug) streams.err(`${error instanceof Error ? (error.stack ?? message) : message}\n\n`)
  if (error instanceof InvalidFilesError) await err(await invalidFilesText(error, style, streams.columns('err')))
  if (exitCode === ExitCode.interrupted) await err(`${message}\n`)
  else await err(`${style.red('error')}: ${printable(message)}\n`)
  if (hint) await err(`${style.cyan('hint')}: ${printable(hint)}\n`)

  const asked = askedFor(argv)
  if (asked.formats.length > 0) await failInFormats(result, asked, run, world)
  else if (asked.json) out(`${jsonText(result)}\n`)
  // Where the options are wrong, the file is not open yet. If it is the file that cannot be written, that has been said.
  if (asked.file !== undefined) {
    try {
      run.record ??= await recordTo(asked.file, run.host ?? (await createHost({ folder: asked.folder })))
      await writeResult(run.record, exitCode, result)
    } catch {}
  }
  return exitCode
}

/** What CI reads must say that there was an error, whatever it was. */
async function failInFormats(
  result: ErrorResult,
  { folder, ...asked }: ReturnType<typeof askedFor>,
  run: Run,
  { host: createHost, streams }: World,
): Promise<void> {
  const host = run.host ?? (await createHost({ folder }).catch(() => createHost({})))
  const command = run.command ?? 'command'
  const [{ writeError }, { rendered }, { failedReport }, { findRoot }] = await Promise.all([
    import('./outputs.ts'),
    import('./ui/formats/formats.ts'),
    import('./ui/formats/report.ts'),
    import('./commands/opening/repository.ts'),
  ])
  const text = async (format: Format) => {
    if (format === 'json') return jsonText(result)
    if (format === 'text') return `error: ${printable(result.message)}`
    const report = failedReport(command, (await findRoot(host)) ?? host.cwd, result)
    return rendered(format, report, await readerOf(host, command, report.folder))
  }
  await writeError(host, asked, text, streams.out)
}

/** So many diagnostics are enough to read before the error. */
const MOST_SHOWN = 10

/** What is wrong with the files that a command needs, as `dap validate` shows it. */
async function invalidFilesText(
  { diagnostics, lines }: InvalidFilesError,
  style: Style,
  columns: number,
): Promise<string> {
  const { diagnosticText } = await import('./ui/diagnostics.ts')
  const shown = diagnostics
    .slice(0, MOST_SHOWN)
    .map(each => `${diagnosticText(each, lines.get(each.file), style, columns)}\n\n`)
  const more = diagnostics.length - shown.length
  return [...shown, ...(more > 0 ? [`and ${more} more\n\n`] : [])].join('')
}

function errorResult(error: unknown, aborted: boolean, version: string): ErrorResult & { readonly exitCode: ExitCode } {
  const schema = ERROR_RESULT_SCHEMA
  if (aborted || error instanceof InterruptedError) {
    return { schema, exitCode: ExitCode.interrupted, message: 'interrupted', diagnostics: [] }
  }
  if (error instanceof DapError) return stopResult(error)
  const message = `this is a bug in dap ${version}: ${error instanceof Error ? error.message : String(error)}`
  const hint = 'please report it with the trace on stderr'
  return { schema, exitCode: ExitCode.bug, message, hint, diagnostics: [] }
}

/** What a command line asks for besides text, as far as it can be read: it may be wrong, and still its error is asked for. */
function askedFor(argv: readonly string[]): {
  readonly json: boolean
  readonly formats: readonly string[]
  readonly file?: string
  readonly folder?: string
} {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  const argumentsOf = (...names: readonly string[]) =>
    words.flatMap((word, i) => {
      const name = names.find(each => word === each || word.startsWith(`${each}=`))
      if (name === undefined) return []
      return word === name ? words.slice(i + 1, i + 2) : [word.slice(name.length + 1)]
    })
  return {
    json: words.includes('--json'),
    formats: argumentsOf('--format'),
    file: argumentsOf('--json-file')[0],
    folder: argumentsOf('-C', '--directory')[0],
  }
}
