/** What a result can be printed as, besides text and JSON. */
import { relative, resolve } from 'node:path'
import { didYouMean } from '../../diagnostics.ts'
import { UsageError } from '../../errors.ts'
import { github } from './github.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import { seenFrom } from './place.ts'
import type { Report } from './report.ts'
import { sarif } from './sarif.ts'

export const FORMATS = ['text', 'json', 'sarif', 'junit', 'github', 'markdown'] as const
export type Format = (typeof FORMATS)[number]

/** What every command gives. */
const PLAIN: readonly Format[] = ['text', 'json']

/** One thing to print. */
export interface Output {
  readonly format: Format
  /** Absolute; absent: stdout. */
  readonly file?: string
}

/**
 * What the values of `--format` ask for, as far as they can be followed, and what is wrong with the rest.
 *
 * @param json `--json` was given, too.
 * @param cwd Absolute; what files are relative to.
 */
export function readFormats(
  values: readonly string[],
  json: boolean,
  cwd: string,
): { readonly outputs: readonly Output[]; readonly fault?: UsageError } {
  const outputs: Output[] = []
  let fault: UsageError | undefined
  for (const value of [...(json ? ['json'] : []), ...values]) {
    const read = readFormat(value, cwd)
    const taken = 'format' in read ? outputs.find(({ file }) => file === read.file) : undefined
    if ('format' in read && taken === undefined) outputs.push(read)
    else fault ??= 'format' in read ? repeated(taken!, read, cwd) : read
  }
  return { outputs, ...(fault === undefined ? {} : { fault }) }
}

function readFormat(value: string, cwd: string): Output | UsageError {
  const at = value.indexOf('=')
  const word = at === -1 ? value : value.slice(0, at)
  const format = FORMATS.find(each => each === word)
  if (format === undefined) {
    return new UsageError(`no format \`${word}\``, {
      hint: word.includes(',')
        ? 'one at a time: --format sarif=out.sarif --format github'
        : (didYouMean(word, FORMATS) ?? `one of ${FORMATS.join(', ')}`),
    })
  }
  if (at === -1) return { format }
  const file = value.slice(at + 1)
  if (file === '-') return { format }
  if (file === '') return new UsageError(`--format ${value} names no file`, { hint: `--format ${format}=FILE` })
  return { format, file: resolve(cwd, file) }
}

function repeated(first: Output, second: Output, cwd: string): UsageError {
  const both =
    first.format === second.format ? `\`${first.format}\` twice` : `both \`${first.format}\` and \`${second.format}\``
  return first.file === undefined
    ? new UsageError(`${both} would go to stdout`, { hint: `give one a file: --format ${second.format}=FILE` })
    : new UsageError(`${both} would go to \`${relative(cwd, first.file)}\``, { hint: 'give each a file of its own' })
}

/** A UsageError for a format that a command does not give, since what it finds are no cases. */
export function requirePlain(outputs: readonly Output[], command: string): void {
  const wrong = outputs.find(({ format }) => !PLAIN.includes(format))
  if (wrong === undefined) return
  throw new UsageError(`\`dap ${command}\` gives no ${wrong.format}`, { hint: `one of ${PLAIN.join(', ')}` })
}

export interface Rendering {
  readonly command: string
  /** dap's own version. */
  readonly version: string
  /** The absolute folder that whoever reads the formats starts from. */
  readonly sourceRoot: string
}

export function rendered(
  format: Exclude<Format, 'text' | 'json'>,
  report: Report,
  { command, version, sourceRoot }: Rendering,
): string {
  const seen = seenFrom(sourceRoot, report)
  return {
    sarif: () => sarif(seen, command, version),
    junit: () => junit(seen, command),
    github: () => github(seen, command),
    markdown: () => markdown(seen, command),
  }[format]()
}
