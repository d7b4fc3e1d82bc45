import { join, resolve } from 'node:path'
import { defineCommand } from '../../command.ts'
import { printable } from '../../diagnostics.ts'
import { ExitCode, UsageError } from '../../errors.ts'
import { LOG_TAIL_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { readRecord } from '../../log/records/read-record.ts'
import type { DecisionRecord, RewardRecord } from '../../log/records/records.ts'
import { mayBe } from '../../repo/declarations.ts'
import type { LogTailResult } from '../../results.ts'
import { createTailText, type ShownDecision } from '../../ui/log-tail.ts'
import { createStyle } from '../../ui/style.ts'
import { wholeNumber } from '../arguments.ts'
import { displayPath, findRoot, openRepository } from '../opening/repository.ts'
import { LOG_PATHS } from '../reading/log-files.ts'
import { createFollower, type FollowedFile, type FollowedLine } from './follow.ts'

interface Options {
  readonly paths: readonly string[]
  /** How many of the last decisions come first. */
  readonly last: number
  readonly follow: boolean
  /** Records as they are, instead of text. */
  readonly records: boolean
  readonly wanted: Wanted
}

/** What a decision has to be of to be shown. */
interface Wanted {
  readonly policy?: string
  readonly action?: string
  readonly unit?: string
}

export const logTailCommand = defineCommand<Options, LogTailResult>({
  declare: command =>
    command
      .argument('[paths...]', `${LOG_PATHS}; default: the folder \`logs\` of the repository, or of this folder`)
      .option('-n, --lines <n>', 'begin with so many of the last decisions; default: 10', wholeNumber('lines', 0))
      .option('-f, --follow', 'wait for more, which is what it does unless it is told otherwise')
      .option('--no-follow', 'show what is there, and end')
      .option('--policy <name>', 'decisions of this policy alone')
      .option('--action <id>', 'decisions for this action alone')
      .option('--unit <id>', 'decisions about this unit alone')
      .addHelpText(
        'after',
        '\nA line a decision: time (UTC), decision, unit, action, propensity; and one more when its reward comes.\nUnits are shown as they are logged. --json prints the records as they stand in the log, a line each.\nNew files of the server are followed, also while it compresses and deletes old ones.\n\nexit codes: 0 shown, or nobody reads any more, 3 usage, 130 interrupted',
      ),

  options(paths, flags, host) {
    const {
      lines = 10,
      follow = true,
      policy,
      action,
      unit,
      json,
    } = flags as {
      readonly lines?: number
      readonly follow?: boolean
      readonly json?: boolean
    } & Wanted
    return {
      paths: paths.map(path => resolve(host.cwd, path)),
      last: lines,
      follow,
      records: json === true,
      wanted: { policy, action, unit },
    }
  },

  async run({ paths, last, follow, records, wanted }, host) {
    const root = await findRoot(host)
    const from = paths.length > 0 ? paths : [join(root ?? host.cwd, 'logs')]
    const unknown = root === undefined ? undefined : await unknownPolicy(host, root, wanted)
    if (unknown !== undefined) await host.output.err(`${printable(unknown)}\n`)
    const follower = createFollower(host, from)
    const shown = createShown(host, wanted, records)
    let files = await follower.found()
    if (!follow) refuseNothing(host, from, files, follower.absent, follower.trouble)
    try {
      await shown.begin(await history(files, last, shown, !follow), last)
      if (!follow) return shown.result
      let said: string | undefined
      for (;;) {
        const trouble = follower.trouble ?? (files.length === 0 ? waiting(host, from) : undefined)
        if (trouble !== said && trouble !== undefined) await host.output.err(`${printable(trouble)}\n`)
        said = trouble
        await host.sleep(POLL_MS, host.signal)
        files.push(...(await follower.found()))
        const lines: FollowedLine[] = []
        for (const file of files) for await (const line of file.read()) lines.push(line)
        files = growing(files)
        await shown.show(lines)
      }
    } catch (error) {
      if (error instanceof Gone) return shown.result
      throw error
    }
  },

  printed: true,
  text: () => '',
  json: result => result,
  exitCode: () => ExitCode.done,
})

const POLL_MS = 200

const waiting = ({ cwd }: Host, paths: readonly string[]) =>
  `waiting for a log in ${paths.map(path => `\`${displayPath(cwd, path) || '.'}\``).join(', ')}`

/** A log may be of policies that are no more, or of another repository: their decisions are waited for, but not without a word. */
async function unknownPolicy(host: Host, root: string, { policy }: Wanted): Promise<string | undefined> {
  if (policy === undefined) return undefined
  const { repository } = await openRepository(host, root)
  if (repository.declared('Policy').some(each => mayBe(each, policy))) return undefined
  const known = repository.suggest('Policy', policy) ?? '`dap list policies` names those that there are'
  return `warning: the repository has no policy \`${policy}\`: ${known}`
}

function refuseNothing(
  host: Host,
  paths: readonly string[],
  files: readonly FollowedFile[],
  absent: readonly string[],
  trouble: string | undefined,
): void {
  const hint = '`dap serve` writes a log to `logs/` of the repository'
  if (absent.length > 0)
    throw new UsageError(`no such file or folder: ${absent.map(path => `\`${path}\``).join(', ')}`, { hint })
  if (trouble !== undefined) throw new UsageError(trouble)
  if (files.length > 0) return
  throw new UsageError(
    `there is no \`.jsonl\` file below ${paths.map(path => `\`${displayPath(host.cwd, path) || '.'}\``).join(', ')}`,
    { hint },
  )
}

/** Nobody reads what is printed any more. */
class Gone extends Error {}

interface Read {
  readonly text: string
  readonly record: { readonly decision: DecisionRecord } | { readonly reward: RewardRecord }
}

type Shown = ReturnType<typeof createShown>

/**
 * Lines of the past among which are the last decisions that are wanted, and their rewards. Of each process's files the newest that have enough of
 * them are read; what is not read is skipped.
 */
async function history(files: readonly FollowedFile[], last: number, shown: Shown, ends: boolean): Promise<Read[]> {
  const reads: Read[] = []
  const read = async (file: FollowedFile) => {
    const found: Read[] = []
    for await (const line of file.read(ends)) found.push(...(await shown.read(line)))
    reads.push(...found)
    return found.filter(({ record }) => 'decision' in record).length
  }
  const newest = [...writersOf(files)].map(([group, all]) => ({ group, all: all.toSorted(byBegin) }))
  for (const { group, all } of newest.filter(({ group }) => !group.startsWith('rewards'))) {
    let count = 0
    for (const file of all) {
      if (group !== '' && (last === 0 || count >= last)) await file.skip()
      else count += await read(file)
    }
  }
  const times = reads
    .flatMap(({ record }) => ('decision' in record ? [Date.parse(record.decision.ts)] : []))
    .sort((a, b) => a - b)
  const oldest = last === 0 ? undefined : (times.at(-last) ?? times[0])
  for (const { all } of newest.filter(({ group }) => group.startsWith('rewards'))) {
    let early = oldest === undefined
    for (const file of all) {
      if (early) await file.skip()
      else await read(file)
      early ||= file.segment!.begun < oldest!
    }
  }
  return reads
}

/** Files of servers by stream and process; others under the empty text. */
function writersOf(files: readonly FollowedFile[]): Map<string, FollowedFile[]> {
  const writers = new Map<string, FollowedFile[]>()
  for (const file of files) {
    const { segment } = file
    const writer = segment === undefined ? '' : `${segment.stream} ${segment.writer}`
    writers.set(writer, [...(writers.get(writer) ?? []), file])
  }
  return writers
}

/** Those that may still grow: a server has done with a file when it begins the next one. */
const growing = (files: readonly FollowedFile[]): FollowedFile[] =>
  [...writersOf(files)].flatMap(([writer, all]) => (writer === '' ? all : all.toSorted(byBegin).slice(0, 1)))

/** The newest first. */
function byBegin({ segment: a }: FollowedFile, { segment: b }: FollowedFile): number {
  return a === undefined || b === undefined ? 0 : b.begun - a.begun || b.number - a.number
}

/** So many decisions are known again when their rewards come. */
const MOST_KNOWN = 100_000

/** What is printed, and what was. */
function createShown(host: Host, wanted: Wanted, records: boolean) {
  const known = new Map<string, ShownDecision>()
  const text = createTailText(createStyle(host.terminal.color), host.terminal.columns)
  const counts = { decisions: 0, rewards: 0, bad: 0 }
  const filtered = Object.values(wanted).some(each => each !== undefined)

  async function print(line: string): Promise<void> {
    try {
      await host.output.out(`${line}\n`)
    } catch {
      throw new Gone()
    }
  }

  async function showOne({ text: raw, record }: Read): Promise<void> {
    if ('decision' in record) {
      const { decision } = record
      if (!isWanted(decision, wanted)) return
      const { decisionId, unit, slots } = decision
      counts.decisions++
      known.set(decisionId, { unit, actions: slots.map(({ action }) => action) })
      if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!)
      await print(records ? raw : text.decision(decision))
    } else {
      const { reward } = record
      const decision = known.get(reward.decisionId)
      if (decision === undefined && filtered) return
      counts.rewards++
      await print(records ? raw : text.reward(reward, decision))
    }
  }

  return {
    get result(): LogTailResult {
      return { schema: LOG_TAIL_RESULT_SCHEMA, ...counts }
    },

    /** A line as a record, if it is one; what it is else is said. */
    async read({ text: line, place, unfinished }: FollowedLine): Promise<Read[]> {
      if (line.trim() === '') return []
      const found = readRecord(line)
      if (!('fault' in found)) return [{ text: line, record: found }]
      counts.bad++
      const { code, message } = found.fault
      const what = unfinished && code === 'json' ? 'ends in the middle of a record' : message
      await host.output.err(`${printable(`${place}: ${what}`)}\n`)
      return []
    },

    /** Of the past the last decisions, with their rewards. */
    async begin(reads: readonly Read[], last: number): Promise<void> {
      const ordered = reads.toSorted(byTime)
      const decisions = ordered.flatMap(({ record }) =>
        'decision' in record && isWanted(record.decision, wanted) ? [record.decision.decisionId] : [],
      )
      const ids = new Set(last === 0 ? [] : decisions.slice(-last))
      for (const each of ordered) {
        const { record } = each
        if (ids.has('decision' in record ? record.decision.decisionId : record.reward.decisionId)) await showOne(each)
      }
    },

    async show(lines: readonly FollowedLine[]): Promise<void> {
      const reads: Read[] = []
      for (const line of lines) reads.push(...(await this.read(line)))
      for (const each of reads.toSorted(byTime)) await showOne(each)
    },
  }
}

const timeOf = ({ record }: Read) =>
  Date.parse('decision' in record ? record.decision.ts : (record.reward.receivedTs ?? record.reward.ts))

/** A decision before its reward, however their clocks went. */
const byTime = (a: Read, b: Read) =>
  timeOf(a) - timeOf(b) || Number('reward' in a.record) - Number('reward' in b.record)

function isWanted({ policy, slots, unit }: DecisionRecord, wanted: Wanted): boolean {
  return (
    (wanted.policy === undefined || policy.name === wanted.policy) &&
    (wanted.action === undefined || slots.some(({ action }) => action === wanted.action)) &&
    (wanted.unit === undefined || unit === wanted.unit)
  )
}
