import type { Command, Option } from 'commander'
import { didYouMean } from '../../diagnostics.ts'
import { UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { collect } from '../arguments.ts'

/** `--flush-ms` is `DAP_FLUSH_MS`. */
export const variableOf = ({ long }: Option): string =>
  `DAP_${String(long).slice(2).toUpperCase().replaceAll('-', '_')}`

/** What other commands, and others' programs, understand. */
const OTHERS = /^DAP_(MEMORY|SPILL|DATA_ROOTS|TOKEN|VERTEX_ENDPOINT|WORKLOAD_IDENTITY_PROVIDER|SERVICE_\w+|PORT_\w+)$/

/** Kubernetes sets `DAP_PORT` to this, beside a Service that is called `dap`. */
const SERVICE_LINK = /^(tcp|udp|sctp):\/\/\S+:\d+$/

/**
 * Options of a command from the environment, where they are not on the command line: `read` is called with both, and what it, or an option's
 * own parser, says of an option names the variable where the value came from there. One that is empty is not set.
 */
export async function withVariables<T>(
  declare: (command: Command) => void,
  flags: Readonly<Record<string, unknown>>,
  { environment }: Pick<Host, 'environment'>,
  read: (flags: Readonly<Record<string, unknown>>) => T,
): Promise<T> {
  const all: Record<string, unknown> = { ...flags }
  const taken: Option[] = []
  try {
    for (const option of await declaredOptions(declare)) {
      const text = environment(variableOf(option))
      const name = option.attributeName()
      if (text === undefined || text === '' || SERVICE_LINK.test(text) || flags[name] !== undefined) continue
      taken.push(option)
      all[name] = valueFrom(option, text)
    }
    return read(all)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const renamed = (text: string) =>
      taken.reduce(
        (said, option) => said.replace(new RegExp(`${option.long}(?![\\w-])`, 'g'), () => `$${variableOf(option)}`),
        text,
      )
    throw new UsageError(renamed(error.message), { hint: error.hint && renamed(error.hint), cause: error })
  }
}

/** Variables that nobody reads, and that are nearly one of the command's own. */
export async function misspeltVariables(
  declare: (command: Command) => void,
  names: readonly string[],
): Promise<readonly { readonly variable: string; readonly hint: string }[]> {
  // What all begin with would make everything look alike.
  const bare = (variable: string) => variable.slice('DAP_'.length)
  const known = (await declaredOptions(declare)).map(option => bare(variableOf(option)))
  return names
    .filter(name => name.startsWith('DAP_') && !OTHERS.test(name) && !known.includes(bare(name)))
    .flatMap(variable => {
      const hint = didYouMean(bare(variable), known)?.replace('`', '`DAP_')
      return hint === undefined ? [] : [{ variable, hint }]
    })
}

async function declaredOptions(declare: (command: Command) => void): Promise<readonly Option[]> {
  const { Command } = await import('commander')
  const command = new Command()
  declare(command)
  return command.options
}

function valueFrom(option: Option, text: string): unknown {
  const { parseArg } = option
  if (option.isBoolean()) {
    if (/^(1|true)$/i.test(text)) return true
    if (/^(0|false)$/i.test(text)) return undefined
    throw new UsageError(`${option.long} takes 1 or 0, true or false, got \`${text}\``)
  }
  if (parseArg === undefined) return text
  if (parseArg !== collect) return parseArg(text, undefined)
  const items = text.split(',').map(item => item.trim())
  return items.filter(item => item !== '').reduce<readonly string[]>((list, item) => collect(item, list), [])
}
