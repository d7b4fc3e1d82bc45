/** `dap __complete -- WORDS`: what the last word may become. It is asked at each press of a key, so it is quick, and never says what is wrong. */
import { Command, type Option } from 'commander'
import type { CommandModule } from '../../command.ts'
import type { Host } from '../../host.ts'
import { kindWord } from '../../kind-word.ts'
import { KINDS, type Kind } from '../../kinds.ts'
import { formatsOf } from '../../ui/formats/formats.ts'
import { RESOURCE_NAME } from '../arguments.ts'
import { openRepository } from '../opening/repository.ts'
import type { CommandEntry } from '../registry.ts'

export interface Candidate {
  readonly word: string
  /** What it is, on one line. */
  readonly what: string
}

/** Candidates for the last of the words that come after `dap`; none where the shell should look for files. */
export async function complete(
  words: readonly string[],
  commands: readonly CommandEntry[],
  globals: Globals,
  hostIn: (folder: string | undefined) => Promise<Host>,
): Promise<Candidate[]> {
  const { before, partial, split } = wordsOf(words)
  const at = commandAt(before)
  const command = await commandOf(before.slice(at), commands, globals)
  const lookup = async () => hostIn(folderOf(before))
  const option = pendingOption(before, command.options)
  const values = async (of: Option) => (of.long === '--format' ? command.formats.map(plain) : valuesOf(of, lookup))
  const [, name, value] = /^(--[a-z-]+)=(.*)$/s.exec(partial) ?? []
  if (option !== undefined) return matching(partial, await values(option))
  if (name !== undefined) {
    const known = command.options.find(({ long }) => long === name)
    const found = known === undefined ? [] : matching(value, await values(known))
    return split ? found : found.map(({ word, what }) => ({ word: `${name}=${word}`, what }))
  }
  if (before.includes('--')) return []
  if (partial.startsWith('-')) return matching(partial, optionsOf(command, before))
  if (command.slot === undefined) return matching(partial, command.next)
  return matching(partial, [...command.next, ...(await command.slot(lookup))])
}

/** bash has `--format`, `=` and `text` as three words, and wants the last one alone. */
function wordsOf(words: readonly string[]): { before: readonly string[]; partial: string; split: boolean } {
  const joined: string[] = []
  let split = false
  for (const [i, word] of words.entries()) {
    const last = joined.at(-1)
    if (word === '=' && last?.startsWith('--')) joined.push(`${joined.pop()}=`)
    else if (words[i - 1] === '=' && last?.endsWith('=')) joined.push(`${joined.pop()}${word}`)
    else joined.push(word)
    split = words[i - 1] === '=' || word === '='
  }
  return { before: joined.slice(0, -1), partial: joined.at(-1) ?? '', split }
}

const matching = (partial: string, found: readonly Candidate[]) => found.filter(({ word }) => word.startsWith(partial))

const WITH_VALUE = ['-C', '--directory', '--json-file']

function commandAt(words: readonly string[]): number {
  let at = 0
  while (at < words.length && words[at].startsWith('-')) at += WITH_VALUE.includes(words[at]) ? 2 : 1
  return at
}

function folderOf(words: readonly string[]): string | undefined {
  const at = words.findIndex(word => word === '-C' || word === '--directory')
  return at === -1 ? undefined : words[at + 1]
}

/** Adds the options of every command. */
type Globals = (command: Command, module: Pick<CommandModule<unknown, unknown>, 'report'>) => void

type Lookup = () => Promise<Host>

interface Meant {
  readonly options: readonly Option[]
  /** That it can be printed in. */
  readonly formats: readonly string[]
  /** Words of commands that may come now. */
  readonly next: readonly Candidate[]
  /** What the argument may be that comes now, if there is one. */
  readonly slot?: (lookup: Lookup) => Promise<Candidate[]>
}

/** The command that the words begin with, as far as they name one. */
async function commandOf(
  words: readonly string[],
  commands: readonly CommandEntry[],
  globals: Globals,
): Promise<Meant> {
  const [first, second] = words
  const parsed = new Command()
  const named = (name: string) => commands.find(command => command.name === name)
  const entry = named(`${first} ${second}`) ?? (first === undefined ? undefined : named(first))
  const group = commands.filter(({ name }) => name.startsWith(`${first} `))
  if (entry === undefined || first === undefined) {
    globals(parsed, {})
    return {
      options: parsed.options,
      formats: formatsOf(false),
      next:
        words.length === 0
          ? firstWords(commands)
          : words.length === 1
            ? first === 'help'
              ? firstWords(commands)
              : seconds(group)
            : [],
    }
  }
  const module = await entry.load()
  module.declare(parsed)
  globals(parsed, module)
  const rest = words.slice(entry.name.split(' ').length)
  const given = argumentsAmong(rest, parsed.options)
  const slots = parsed.registeredArguments
  const slot = slots[given] ?? (slots.at(-1)?.variadic ? slots.at(-1) : undefined)
  return {
    options: parsed.options,
    formats: formatsOf(module.report !== undefined),
    next: rest.length === 0 && !entry.name.includes(' ') ? seconds(group) : [],
    slot: slot && (async lookup => slot.argChoices?.map(plain) ?? resourcesCalled(slot.name(), lookup)),
  }
}

function argumentsAmong(words: readonly string[], options: readonly Option[]): number {
  return words.filter((word, i) => !word.startsWith('-') && !takesNext(words[i - 1], options)).length
}

const takesNext = (word: string | undefined, options: readonly Option[]) =>
  word !== undefined && options.some(option => option.required && (option.long === word || option.short === word))

const pendingOption = (before: readonly string[], options: readonly Option[]) =>
  options.find(option => takesNext(before.at(-1), [option]))

function firstWords(commands: readonly CommandEntry[]): Candidate[] {
  const words = new Map<string, string>()
  for (const { name, summary } of commands) {
    const [first] = name.split(' ')
    if (name === first) words.set(first, summary)
    else if (!words.has(first))
      words.set(
        first,
        commands
          .filter(each => each.name.startsWith(`${first} `))
          .map(each => each.name.slice(first.length + 1))
          .join(', '),
      )
  }
  return [
    ...[...words].map(([word, what]) => ({ word, what })),
    { word: 'help', what: 'what a command does and takes' },
  ]
}

const seconds = (group: readonly CommandEntry[]): Candidate[] =>
  group.map(({ name, summary }) => ({ word: name.slice(name.indexOf(' ') + 1), what: summary }))

const plain = (word: string): Candidate => ({ word, what: '' })

function optionsOf({ options }: Meant, before: readonly string[]): Candidate[] {
  return options
    .filter(
      ({ long, variadic, parseArg }) =>
        long !== undefined && (variadic || parseArg !== undefined || !before.includes(long)),
    )
    .map(({ long, description }) => ({ word: long!, what: description }))
}

async function valuesOf(option: Option, lookup: Lookup): Promise<Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map(plain)
  const [, value = ''] = /<([a-z]+)/.exec(option.flags) ?? []
  const kind =
    value === 'env' || option.long === '--env' ? 'environment' : value === 'name' ? option.long!.slice(2) : value
  return resourcesCalled(kind, lookup)
}

/** Names of what an argument is called after: of a kind's resources, of kinds, of all. */
async function resourcesCalled(word: string, lookup: Lookup): Promise<Candidate[]> {
  if (word === 'kind') return KINDS.map(kind => ({ word: kindWord(kind), what: 'a kind' }))
  const kind = KINDS.find(each => word === kindWord(each) || word === `${kindWord(each)}s`)
  if (word === 'topic') return topicsAndKinds()
  if (kind === undefined && word !== 'name') return []
  return namesOf(await lookup(), kind === undefined ? KINDS.filter(each => each !== 'Project') : [kind])
}

async function topicsAndKinds(): Promise<Candidate[]> {
  const { topicNames } = await import('../../repo/topics.ts')
  return topicNames()
    .filter(name => /^[\w-]+$/.test(name))
    .map(plain)
}

/** Names that a shell can be given as they are: what else a file says is nobody's name. */
async function namesOf(host: Host, kinds: readonly Kind[]): Promise<Candidate[]> {
  const { resources, misshapen } = (await openRepository(host)).repository
  const found = new Map<string, string>()
  for (const { kind, name } of [...resources, ...misshapen]) {
    if (name === undefined || !kinds.includes(kind) || !RESOURCE_NAME.test(name)) continue
    const before = found.get(name)
    if (!before?.split(', ').includes(kindWord(kind)))
      found.set(name, [before, kindWord(kind)].filter(Boolean).join(', '))
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, what]) => ({ word, what }))
}
