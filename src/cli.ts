import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { CommandModule, TextContext } from './command.ts'
import { COMMANDS, type CommandEntry } from './commands/registry.ts'
import { didYouMean } from './diagnostics.ts'
import { ExitCode, UsageError } from './errors.ts'
import { fail, type Run } from './failure.ts'
import type { Host } from './host.ts'
import { fittedTo, jsonText, type Lines, readerOf, recordTo, writeResult } from './printing.ts'
import type { Output } from './ui/formats/formats.ts'
import { createStyle } from './ui/style.ts'
import type { World } from './world.ts'

/** One run: argv → command → result → text or JSON → exit code. */
export async function runCli(argv: readonly string[], world: World): Promise<ExitCode> {
  const { out } = world.streams
  const run: Run = {}
  try {
    const at = commandAt(argv)
    const name: string | undefined = argv[at]
    if (argv[0] === '--version' || argv[0] === '-V') {
      out(`${world.version}\n`)
      return ExitCode.done
    }
    if (name === COMPLETE) return await completeWords(argv.slice(at + 1), world)
    const alone = name === undefined && !argv.some(isHelp)
    if (!alone && (name === undefined || name === 'help' || argv[0] === '--help' || argv[0] === '-h')) {
      const topic = name === 'help' ? argv.slice(at + 1).filter(word => !word.startsWith('-')) : []
      if (topic.length > 0) return await helpOn(topic, world)
      const { overviewText } = await import('./commands/help.ts')
      const text = overviewText(world.version, COMMANDS, helpColumns(world))
      const flag = argv.find(arg => arg.startsWith('-') && arg !== '--help' && arg !== '-h')
      if (flag !== undefined) {
        const known = ['--help', '--version', '--directory', '--json', '--json-file', '--no-color']
        const hint = didYouMean(flag, known) ?? 'dap --help lists the commands'
        throw new UsageError(`unknown option \`${flag}\``, { hint })
      }
      out(text)
      return ExitCode.done
    }
    const list = alone || !isHelp(argv[at + 1]) ? undefined : await listed(name, world)
    if (list !== undefined && !COMMANDS.some(command => command.name === name)) {
      out(list)
      return ExitCode.done
    }
    const { entry, words } = alone ? { entry: ALONE, words: 0 } : findCommand(argv, at)
    run.command = entry.name
    const module = await entry.load()
    const parsed = await parse(entry, module, argv.toSpliced(at, words), world)
    if (parsed === 'help') return ExitCode.done
    const { args, flags } = parsed
    run.host = await world.host({ folder: flags['directory'] as string | undefined, color: flags['color'] as boolean })
    const path = flags['jsonFile'] as string | undefined
    if (path !== undefined) run.record = await recordTo(path, run.host)
    return await execute(entry.name, module, args, flags, run.host, run.record, world)
  } catch (error) {
    return await fail(error, argv, run, world)
  }
}

/** What `dap` alone does. */
const ALONE: CommandEntry = {
  name: '',
  usage: '',
  summary: 'where you are, what is here, what next',
  load: async () => (await import('./commands/here/here.ts')).hereCommand,
}

/** What the scripts of `dap completion` ask; nobody types it. */
const COMPLETE = '__complete'

async function completeWords(words: readonly string[], world: World): Promise<ExitCode> {
  try {
    const { complete } = await import('./commands/completion/complete.ts')
    const hostIn = (folder: string | undefined) => world.host({ folder, color: false })
    for (const { word, what } of await complete(words.slice(words[0] === '--' ? 1 : 0), COMMANDS, addGlobals, hostIn)) {
      world.streams.out(`${word}\t${what}\n`)
    }
  } catch {
    // Whatever is wrong, whoever types is told by the command itself.
  }
  return ExitCode.done
}

const isHelp = (word: string | undefined) => word === '--help' || word === '-h'

const helpColumns = ({ streams }: World, of: 'out' | 'err' = 'out') => Math.min(HELP_COLUMNS, streams.columns(of))

/** Help is no wider than this, so that it can stand anywhere. */
const HELP_COLUMNS = 80

const listed = async (word: string, world: World) =>
  (await import('./commands/help.ts')).listedText(word, COMMANDS, helpColumns(world))

/** `dap help TOPIC`: a command, the first word of some, a task, or whatever `dap explain` knows. */
async function helpOn(words: readonly string[], world: World): Promise<ExitCode> {
  const [word] = words
  const named = (name: string) => COMMANDS.some(command => command.name === name)
  if (named(word) || (words.length > 1 && named(words.slice(0, 2).join(' '))))
    return runCli([...words, '--help'], world)
  const list = await listed(word, world)
  if (list === undefined) {
    const { isTopic, topicNames } = await import('./commands/help.ts').then(({ topics }) => topics())
    if (isTopic(word)) return runCli(['explain', ...words], world)
    const near = didYouMean(word, [...COMMANDS.map(({ name }) => name), ...topicNames()])
    const hint = near ?? 'dap --help lists the commands, dap explain the topics'
    throw new UsageError(`no help on \`${words.join(' ')}\``, { hint })
  }
  world.streams.out(list)
  return ExitCode.done
}

async function execute(
  command: string,
  module: CommandModule<unknown, unknown>,
  args: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  host: Host,
  record: Lines | undefined,
  world: World,
): Promise<ExitCode> {
  const { json = false, format: formats, jsonFile } = flags as Asked
  const asked = formats === undefined ? undefined : { formats, json, plain: module.report === undefined }
  const taken = jsonFile === undefined ? [] : [resolve(host.cwd, jsonFile)]
  const outputs = asked && (await (await import('./outputs.ts')).openOutputs(host, command, asked, taken))
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
  if (module.printed) return exitCode
  if (outputs === undefined) {
    const text = json ? jsonText(module.json(result)) : await textOf(module, result, host)
    if (text !== '') world.streams.out(text.endsWith('\n') ? text : `${text}\n`)
    return exitCode
  }
  const [{ writeOutputs }, { rendered }] = await Promise.all([
    import('./outputs.ts'),
    import('./ui/formats/formats.ts'),
  ])
  const text = async ({ format, file }: Output) => {
    if (format === 'json') return jsonText(module.json(result))
    if (format === 'text')
      return file === undefined ? await textOf(module, result, host) : module.text(result, PLAIN_CONTEXT)
    if (format === 'markdown' && module.markdown !== undefined) return module.markdown(result)
    const report = module.report!(result)
    return rendered(format, report, await readerOf(host, command, report.folder))
  }
  await writeOutputs(host, outputs, text, world.streams.out)
  return exitCode
}

/** The flags that say what a result is printed as. */
interface Asked {
  readonly json?: boolean
  readonly format?: readonly string[]
  readonly jsonFile?: string
}

async function textOf(module: CommandModule<unknown, unknown>, result: unknown, { terminal }: Host): Promise<string> {
  const text = module.text(result, { style: createStyle(terminal.color), columns: terminal.columns })
  return module.verbatim?.(result) ? text : fittedTo(text, terminal.columns)
}

/** Of a file. */
const PLAIN_CONTEXT: TextContext = { style: createStyle(false), columns: Number.POSITIVE_INFINITY }

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

const GLOBAL_WITH_VALUE = ['-C', '--directory', '--json-file', '--format']

interface Parsed {
  readonly args: readonly string[]
  readonly flags: Readonly<Record<string, unknown>>
}

async function parse(
  { name, usage, summary }: CommandEntry,
  module: CommandModule<unknown, unknown>,
  words: readonly string[],
  world: World,
): Promise<'help' | Parsed> {
  // Without options there is nothing to parse, and what a pre-commit hook runs need not wait for the parser to load.
  if (!words.some(word => word.startsWith('-')) && takes(usage, words.length))
    return { args: words, flags: { color: true } }

  const commander = await import('commander')
  const help: string[] = []
  const called = `dap ${name}`.trimEnd()
  const command: Command = new commander.Command(called)
    .description(summary)
    .exitOverride()
    .configureOutput({
      writeOut: text => void help.push(text),
      writeErr: () => {},
      getOutHelpWidth: () => helpColumns(world),
    })
    .configureHelp({ minWidthToWrap: 20 })
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'show this help')
  module.declare(command)
  addGlobals(command, module)
  try {
    command.parse(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof commander.CommanderError)) throw error
    if (error.exitCode === 0) {
      const [options, ...notes] = help
      const { belowOptions } = await import('./commands/help.ts')
      world.streams.out(
        await fittedTo(options + belowOptions(name, notes.join('\n\n'), helpColumns(world)), helpColumns(world)),
      )
      return 'help'
    }
    const [message, suggestion] = error.message.replace(/^error: /, '').split('\n')
    const near = suggestion?.replace(/^\(Did you mean (.*)\?\)$/, 'did you mean `$1`?')
    const [, value, choices] = /argument '(.*)' is invalid\. Allowed choices are (.*)\.$/.exec(message) ?? []
    const choice = choices === undefined ? undefined : (didYouMean(value, choices.split(', ')) ?? `one of ${choices}`)
    const hint = near ?? choice ?? `${called} --help`
    throw new UsageError(message.replaceAll("'", '`'), { hint })
  }
  return { args: command.args, flags: command.opts() }
}

/** The options of every command. */
function addGlobals(command: Command, { report }: Pick<CommandModule<unknown, unknown>, 'report'>): void {
  command
    .option('--json', 'print the result as JSON: short for --format json')
    .option(
      '--format <format[=file]>',
      report === undefined
        ? 'text or json, to stdout or to a file; may be said several times'
        : 'text, json, sarif, junit, github or markdown, to stdout or to a file; may be said several times',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option('--json-file <path>', 'write events and the result to a file, a JSON value a line')
    .option('-C, --directory <dir>', 'run as if started in this folder')
    .option('--no-color', 'print without colours')
}

/** Does a command whose usage is `new <kind> <name>` or `validate [paths...]` take so many words? */
function takes(usage: string, words: number): boolean {
  const slots = usage.split(' ').filter(word => /^[<[]/.test(word))
  const most = slots.some(slot => slot.includes('...')) ? Number.POSITIVE_INFINITY : slots.length
  return words >= slots.filter(slot => slot.startsWith('<')).length && words <= most
}
