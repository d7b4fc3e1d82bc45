import { isAbsolute, join } from 'node:path'
import type { Command } from 'commander'
import type { CommandModule, RunEvent } from './command.ts'
import { COMMANDS, type CommandEntry } from './commands/registry.ts'
import { didYouMean, printable } from './diagnostics.ts'
import { DapError, ExitCode, InterruptedError, UsageError } from './errors.ts'
import { ERROR_RESULT_SCHEMA } from './generated/names.ts'
import type { Host } from './host.ts'
import { InvalidFilesError } from './invalid-files.ts'
import type { ErrorResult } from './results.ts'
import { createStyle, type Style } from './ui/style.ts'

/** Where a run's words go. Results to `out`, everything else to `err`. */
export interface Streams {
  out(text: string): void
  err(text: string): void
}

/** What `main.ts` provides: the outside world, once the global flags are known. */
export interface World {
  readonly version: string
  readonly streams: Streams
  host(flags: { readonly folder?: string; readonly color?: boolean }): Promise<Host>
  /** Draws progress on stderr, if that is a terminal; `stop` leaves the screen clean. */
  progress(host: Host): { report(event: RunEvent): void; stop(): void | Promise<void> }
}

/** One run: argv → command → result → text or JSON → exit code. The only place where an error becomes text and a number. */
export async function runCli(argv: readonly string[], world: World): Promise<ExitCode> {
  const { out } = world.streams
  const run: { host?: Host; record?: Lines } = {}
  try {
    const at = commandAt(argv)
    const name: string | undefined = argv[at]
    if (argv[0] === '--version' || argv[0] === '-V') {
      out(`${world.version}\n`)
      return ExitCode.done
    }
    if (name === undefined || name === 'help' || argv[0] === '--help' || argv[0] === '-h') {
      const topic = name === 'help' ? argv[at + 1] : undefined
      if (topic !== undefined) return await runCli([...argv.slice(at + 1), '--help'], world)
      const text = overview(world.version)
      if (argv.length === 0) {
        world.streams.err(text)
        return ExitCode.usage
      }
      const flag = argv.find(arg => arg.startsWith('-') && arg !== '--help' && arg !== '-h')
      if (flag !== undefined)
        throw new UsageError(`unknown option \`${flag}\``, { hint: 'dap --help lists the commands' })
      out(text)
      return ExitCode.done
    }
    const { entry, words } = findCommand(argv, at)
    const module = await entry.load()
    const parsed = await parse(entry, module, argv.toSpliced(at, words), world.streams)
    if (parsed === 'help') return ExitCode.done
    const { args, flags } = parsed
    run.host = await world.host({ folder: flags['directory'] as string | undefined, color: flags['color'] as boolean })
    const path = flags['jsonFile'] as string | undefined
    if (path !== undefined) run.record = await recordTo(path, run.host)
    return await execute(module, args, flags, run.host, run.record, world)
  } catch (error) {
    return await fail(error, argv, run, world)
  }
}

/** A `--json-file`: events, and at the end the result. */
type Lines = Awaited<ReturnType<Host['files']['lines']>>

const recordTo = (path: string, { files, cwd }: Host): Promise<Lines> =>
  files.lines(isAbsolute(path) ? path : join(cwd, path))

async function execute(
  module: CommandModule<unknown, unknown>,
  args: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  host: Host,
  record: Lines | undefined,
  world: World,
): Promise<ExitCode> {
  const options = await module.options(args, flags, host)
  const progress = world.progress(host)
  let result: unknown
  try {
    result = await module.run(options, host, event => {
      record?.write(JSON.stringify(event))
      progress.report(event)
    })
  } finally {
    await progress.stop()
  }
  const exitCode = module.exitCode(result)
  if (record !== undefined) await writeResult(record, exitCode, module.json(result))
  const text = flags['json'] ? JSON.stringify(module.json(result), null, 2) : module.text(result, textContext(host))
  if (text !== '') world.streams.out(text.endsWith('\n') ? text : `${text}\n`)
  return exitCode
}

function writeResult(record: Lines, exitCode: ExitCode, result: unknown): Promise<void> {
  record.write(JSON.stringify({ type: 'result', exitCode, result }))
  return record.close()
}

const textContext = (host: Host) => ({ style: createStyle(host.terminal.color), columns: host.terminal.columns })

/** Where the command's name is: the first word that is neither an option nor the value of one, as in `dap -C shop validate`. */
function commandAt(argv: readonly string[]): number {
  let at = 0
  while (at < argv.length && argv[at].startsWith('-')) at += GLOBAL_WITH_VALUE.includes(argv[at]) ? 2 : 1
  return at
}

/** The command named at `at`, and of how many words its name is: `validate`, `log check`, `plan` and `plan show`. */
function findCommand(argv: readonly string[], at: number): { entry: CommandEntry; words: number } {
  const [first, second = ''] = argv.slice(at, at + 2)
  const named = (name: string) => COMMANDS.find(command => command.name === name)
  const group = COMMANDS.filter(command => command.name.startsWith(`${first} `))
  const long = named(`${first} ${second}`)
  if (long !== undefined) return { entry: long, words: 2 }
  const short = named(first)
  const mistyped = group.length > 0 && /^[a-z]/.test(second)
  if (short !== undefined && !(mistyped && short.usage === short.name)) return { entry: short, words: 1 }
  const known = (group.length > 0 ? group : COMMANDS).map(command => command.name)
  const all = known.map(each => `dap ${each}`).join(', ')
  if (group.length > 0 && !mistyped) throw new UsageError(`\`dap ${first}\` needs another word`, { hint: all })
  const name = mistyped ? `${first} ${second}` : first
  throw new UsageError(`unknown command \`${name}\``, {
    hint: didYouMean(name, known) ?? (group.length > 0 ? all : 'dap --help lists the commands'),
  })
}

const GLOBAL_WITH_VALUE = ['-C', '--directory', '--json-file']

interface Parsed {
  readonly args: readonly string[]
  readonly flags: Readonly<Record<string, unknown>>
}

async function parse(
  { name, usage, summary }: CommandEntry,
  module: CommandModule<unknown, unknown>,
  words: readonly string[],
  streams: Streams,
): Promise<'help' | Parsed> {
  // Without options there is nothing to parse, and what a pre-commit hook runs need not wait for the parser to load.
  if (!words.some(word => word.startsWith('-')) && takes(usage, words.length))
    return { args: words, flags: { color: true } }

  const commander = await import('commander')
  const command: Command = new commander.Command(`dap ${name}`)
    .description(summary)
    .exitOverride()
    .configureOutput({ writeOut: streams.out, writeErr: () => {} })
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'show this help')
  module.declare(command)
  // Both say what the result is printed as.
  command.options.find(({ long }) => long === '--format')?.conflicts('json')
  command
    .option('--json', 'print the result as JSON')
    .option('--json-file <path>', 'write events and the result to a file, a JSON value a line')
    .option('-C, --directory <dir>', 'run as if started in this folder')
    .option('--no-color', 'print without colours')
  try {
    command.parse(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof commander.CommanderError)) throw error
    if (error.exitCode === 0) return 'help'
    const [message, suggestion] = error.message.replace(/^error: /, '').split('\n')
    const conflict = error.code === 'commander.conflictingOption' ? 'leave one of them out' : undefined
    const near = suggestion?.replace(/^\(Did you mean (.*)\?\)$/, 'did you mean `$1`?')
    const hint = conflict ?? near ?? `dap ${name} --help`
    throw new UsageError(message.replaceAll("'", '`'), { hint })
  }
  return { args: command.args, flags: command.opts() }
}

/** Does a command whose usage is `new <kind> <name>` or `validate [paths...]` take so many words? */
function takes(usage: string, words: number): boolean {
  const slots = usage.split(' ').filter(word => /^[<[]/.test(word))
  const most = slots.some(slot => slot.includes('...')) ? Number.POSITIVE_INFINITY : slots.length
  return words >= slots.filter(slot => slot.startsWith('<')).length && words <= most
}

/** An error as text on stderr, and as a result wherever a result was asked for. */
async function fail(
  error: unknown,
  argv: readonly string[],
  run: { host?: Host; record?: Lines },
  { streams: { out, err }, version, host: createHost }: World,
): Promise<ExitCode> {
  const style = createStyle(run.host?.terminal.color ?? false)
  const result = errorResult(error, run.host?.signal.aborted === true, version)
  const { exitCode, message, hint } = result
  if (exitCode === ExitCode.bug) err(`${error instanceof Error ? (error.stack ?? message) : message}\n\n`)
  if (error instanceof InvalidFilesError) err(await invalidFilesText(error, style))
  if (exitCode === ExitCode.interrupted) err(`${message}\n`)
  else err(`${style.red('error')}: ${printable(message)}\n`)
  if (hint) err(`${style.cyan('hint')}: ${printable(hint)}\n`)

  const asked = askedFor(argv)
  if (asked.json) out(`${JSON.stringify(result, null, 2)}\n`)
  // Where the options are wrong, the file is not open yet. If it is the file that cannot be written, that has been said.
  if (asked.file !== undefined) {
    try {
      run.record ??= await recordTo(asked.file, run.host ?? (await createHost({ folder: asked.folder })))
      await writeResult(run.record, exitCode, result)
    } catch {}
  }
  return exitCode
}

/** So many diagnostics are enough to read before the error. */
const MOST_SHOWN = 10

/** What is wrong with the files that a command needs, as `dap validate` shows it. */
async function invalidFilesText({ diagnostics, lines }: InvalidFilesError, style: Style): Promise<string> {
  const { diagnosticText } = await import('./ui/diagnostics.ts')
  const shown = diagnostics.slice(0, MOST_SHOWN).map(each => `${diagnosticText(each, lines.get(each.file), style)}\n\n`)
  const more = diagnostics.length - shown.length
  return [...shown, ...(more > 0 ? [`and ${more} more\n\n`] : [])].join('')
}

function errorResult(error: unknown, aborted: boolean, version: string): ErrorResult & { readonly exitCode: ExitCode } {
  const schema = ERROR_RESULT_SCHEMA
  if (aborted || error instanceof InterruptedError) {
    return { schema, exitCode: ExitCode.interrupted, message: 'interrupted', diagnostics: [] }
  }
  if (error instanceof DapError) {
    const { exitCode, message, hint } = error
    const diagnostics = error instanceof InvalidFilesError ? error.diagnostics : []
    return { schema, exitCode, message, hint, diagnostics }
  }
  const message = `this is a bug in dap ${version}: ${error instanceof Error ? error.message : String(error)}`
  const hint = 'please report it with the trace on stderr'
  return { schema, exitCode: ExitCode.bug, message, hint, diagnostics: [] }
}

/** What a command line asks for besides text, as far as it can be read: it may be wrong, and still its error is asked for. */
function askedFor(argv: readonly string[]): {
  readonly json: boolean
  readonly file?: string
  readonly folder?: string
} {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  const argumentOf = (...names: readonly string[]) =>
    words.flatMap((word, i) => {
      const name = names.find(each => word === each || word.startsWith(`${each}=`))
      if (name === undefined) return []
      return word === name ? words.slice(i + 1, i + 2) : [word.slice(name.length + 1)]
    })[0]
  return { json: words.includes('--json'), file: argumentOf('--json-file'), folder: argumentOf('-C', '--directory') }
}

function overview(version: string): string {
  const width = Math.max(...COMMANDS.map(command => command.usage.length))
  const lines = COMMANDS.map(command => `  ${command.usage.padEnd(width)}  ${command.summary}`)
  return `dap ${version}: decisions as code, from a YAML policy to a number that can be trusted

usage: dap <command> [options]

${lines.join('\n')}

options of every command:
  --json             print the result as JSON, an error too
  --json-file PATH   write events and the result to a file, a JSON value a line
  -C DIR             run as if started in DIR
  --no-color         print without colours
  -h, --help         what the command does and takes

exit codes: 0 done, 1 the answer is no, 2 changes or drift (only with --exit-code), 3 usage, 4 a stale plan or a lock,
            5 the cloud said no, 6 stopped part-way, 70 a bug in dap, 130 interrupted
`
}
