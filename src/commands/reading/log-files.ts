import { resolve } from 'node:path'
import type { ProgressEvent } from '../../command.ts'
import { UsageError } from '../../errors.ts'
import type { FoundFile, Host } from '../../host.ts'
import { confirmedRoots, displayPath, findRoot } from '../opening/repository.ts'
import { folderFiles } from './data-files.ts'

/** What the paths of a log may be; `dap log tail` has more to say of them. */
export const LOG_PATHS = 'files, and folders whose `.jsonl` and `.ndjson` files are read, also with `.gz` or `.zst`'

/** Whatever is done with the lines of a log, file after file. */
export interface LogReader {
  line(file: string, row: number, text: string): void
  endOfFile(): void
  /** What cannot be done line by line; awaited after some of them, and after the last. */
  settle?(): Promise<void>
}

/**
 * Reads the given files and every file of the format `dap` below the given folders, sorted, each once. The files are named
 * relative to the working folder, rows counted from 1.
 *
 * @returns Those names.
 */
export async function readLogs(
  host: Host,
  paths: readonly string[],
  reader: LogReader,
  report: (event: ProgressEvent) => void,
): Promise<readonly string[]> {
  let done = 0
  const names: string[] = []
  for (const path of await logFiles(host, paths)) {
    const file = displayPath(host.cwd, path)
    names.push(file)
    let row = 0
    for await (const lines of host.files.readLines(path)) {
      for (const text of lines) reader.line(file, ++row, text)
      done += lines.length
      report({ type: 'progress', unit: 'records', done })
      await reader.settle?.()
      await host.breathe()
      host.signal.throwIfAborted()
    }
    reader.endOfFile()
  }
  return names
}

/**
 * Those files, absolute, each once; a UsageError where one does not exist or one holds none. Links may lead below any of the given folders,
 * into the repository around the working folder, and below what is confirmed.
 */
async function logFiles(host: Host, paths: readonly string[]): Promise<string[]> {
  const within = await confirmedRoots(host)
  const root = await findRoot(host)
  if (root !== undefined) within.push(root)
  const given: FoundFile[] = []
  for (const path of paths.map(each => resolve(host.cwd, each))) {
    if (!(await host.files.exists(path))) {
      throw new UsageError(`no such file or folder: \`${displayPath(host.cwd, path)}\``)
    }
    given.push({ path, real: await host.files.real(path) })
  }
  within.push(...given.map(({ real }) => real))
  const found = new Map<string, string>()
  for (const each of given) {
    const isFolder = await host.files.isFolder(each.path)
    const files = isFolder ? await folderFiles(host, each.path, within, 'dap') : [each]
    if (files.length === 0) {
      throw new UsageError(`there is no \`.jsonl\` file below \`${displayPath(host.cwd, each.path) || '.'}\``, {
        hint: 'name the files of the log',
      })
    }
    for (const { path, real } of files) if (!found.has(real)) found.set(real, path)
  }
  return [...found.values()]
}
