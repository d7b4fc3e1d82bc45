/** Where a result goes, and in which formats. Loaded where somebody asks for more than text on stdout. */
import { dirname, join, parse, relative } from 'node:path'
import { DapError, UsageError } from './errors.ts'
import type { Host } from './host.ts'
import { type Format, type Output, readFormats, requirePlain } from './ui/formats/formats.ts'

/**
 * What a command line asks for, text on stdout where it asks for nothing there; a UsageError before anything runs where that cannot be.
 *
 * @param taken Absolute paths that something else is written to.
 */
export async function openOutputs(
  { cwd, files }: Host,
  command: string,
  asked: { readonly formats: readonly string[]; readonly json: boolean; readonly plain: boolean },
  taken: readonly string[],
): Promise<readonly Output[]> {
  const { outputs, fault } = readFormats(asked.formats, asked.json, cwd)
  if (fault !== undefined) throw fault
  if (asked.plain) requirePlain(outputs, command)
  for (const { format, file } of outputs) {
    if (file === undefined) continue
    const fault = await unwritable(files, file)
    const say = (path: string) => `\`${relative(cwd, path) || '.'}\``
    if (taken.includes(file)) {
      throw new UsageError(`--format ${format} and --json-file would both go to ${say(file)}`, {
        hint: 'give each a file of its own',
      })
    }
    if (fault === 'no folder') {
      throw new UsageError(`--format ${format}: there is no folder ${say(dirname(file))}`, {
        hint: 'make it first, or mend the path',
      })
    }
    if (fault === 'no file') {
      throw new UsageError(`--format ${format}: ${say(file)} is there, and is no file`, {
        hint: `--format ${format}=FILE`,
      })
    }
  }
  return outputs.some(({ file }) => file === undefined) ? outputs : [{ format: 'text' }, ...outputs]
}

/** Why a result cannot be written there: it takes the place of what is there, which must be a file, and not a folder, a device or a pipe. */
async function unwritable(files: Host['files'], file: string): Promise<'no folder' | 'no file' | undefined> {
  if (!(await files.isFolder(dirname(file)))) return 'no folder'
  if (!(await files.exists(file))) return undefined
  const followed = await files.follow(file, [parse(file).root])
  return 'why' in followed || !followed.file ? 'no file' : undefined
}

/** Writes the files first: what comes to stdout says how it went. */
export async function writeOutputs(
  { files }: Host,
  outputs: readonly Output[],
  text: (output: Output) => string | Promise<string>,
  out: (text: string) => void,
): Promise<void> {
  for (const output of outputs) {
    if (output.file !== undefined) await files.write(output.file, lines(await text(output)))
  }
  for (const output of outputs) if (output.file === undefined) out(lines(await text(output)))
}

/** Of an error: whatever can be written is. */
export async function writeError(
  host: Host,
  asked: { readonly formats: readonly string[]; readonly json: boolean },
  text: (format: Format) => string | Promise<string>,
  out: (text: string) => void,
): Promise<void> {
  const { outputs } = readFormats(asked.formats, asked.json, host.cwd)
  for (const output of outputs) {
    // On stderr it has been said.
    if (output.format === 'text' && output.file === undefined) continue
    try {
      if (output.file !== undefined && (await unwritable(host.files, output.file)) !== undefined) continue
      await writeOutputs(host, [output], () => text(output.format), out)
    } catch (error) {
      if (!(error instanceof DapError)) throw error
    }
  }
}

const lines = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

/** The folder that CI has checked out, as far as it can be told: that of the nearest `.git` around a folder; else the folder itself. */
export async function sourceRoot({ files }: Host, folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    if (await files.exists(join(at, '.git'))) return at
    if (at === dirname(at)) return folder
  }
}
