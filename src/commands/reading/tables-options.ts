import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { ProgressEvent } from '../../command.ts'
import { UsageError } from '../../errors.ts'
import type { Host, TablesOptions } from '../../host.ts'

/** Adds the options of the commands that read a log through `Host.tables`. */
export function declareTablesOptions(command: Command): Command {
  return command
    .option(
      '--memory <size>',
      'the most that is held of the log, such as 512MB, beside rows at work; default: $DAP_MEMORY, or 1GB',
    )
    .option(
      '--spill <folder>',
      "where the rest is put meanwhile; default: $DAP_SPILL, or the system's temporary folder",
    )
}

/** What was asked for, on the command line or else in the environment. */
export async function tablesOptions(flags: Readonly<Record<string, unknown>>, host: Host): Promise<TablesOptions> {
  const asked = (flag: string, variable: string) =>
    typeof flags[flag] === 'string'
      ? { text: flags[flag], by: `--${flag}` }
      : { text: host.environment(variable) || undefined, by: variable }
  const memory = asked('memory', 'DAP_MEMORY')
  const spill = asked('spill', 'DAP_SPILL')
  return {
    ...(memory.text === undefined ? {} : { memory: bytes(memory.text, memory.by) }),
    ...(spill.text === undefined ? {} : { folder: await folder(spill.text, spill.by, host) }),
  }
}

/** Lets a command's progress say what is done before rows come. */
export function watched(report: (event: ProgressEvent) => void): Pick<TablesOptions, 'onProgress'> {
  return { onProgress: progress => report({ type: 'progress', ...progress }) }
}

const UNITS: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }
const BINARY_UNITS: Readonly<Record<string, number>> = { KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 }

/** With less nothing can be read, in bytes. */
const LEAST = 128e6

function bytes(text: string, by: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([KMGT]i?B)$/i.exec(text) ?? []
  const size = Math.floor(Number(amount) * ({ ...UNITS, ...BINARY_UNITS }[unit.toUpperCase()] ?? Number.NaN))
  if (size >= LEAST && Number.isSafeInteger(size)) return size
  throw new UsageError(`${by} takes a size of at least 128MB, such as 512MB or 2GB, got \`${text}\``)
}

async function folder(text: string, by: string, host: Host): Promise<string> {
  const path = resolve(host.cwd, text)
  if (await host.files.isFolder(path)) return path
  throw new UsageError(`${by} takes a folder, and \`${text}\` is none`)
}
