import { resolve } from 'node:path'
import type { ProgressEvent } from '../command.ts'
import { UsageError } from '../errors.ts'
import type { Host } from '../host.ts'
import { folderFiles } from './data-files.ts'
import { displayPath } from './repository.ts'

/** Whatever is done with the lines of a log, file after file. */
export interface LogReader {
  line(file: string, row: number, text: string): void
  endOfFile(): void
}

/**
 * Reads the given files and every file of the format `dap` below the given folders, sorted, each once. The files are named
 * relative to the working folder, rows counted from 1.
 */
export async function readLogs(
  host: Host,
  paths: readonly string[],
  reader: LogReader,
  report: (event: ProgressEvent) => void,
): Promise<void> {
  let done = 0
  for (const path of await logFiles(host, paths)) {
    const file = displayPath(host.cwd, path)
    let row = 0
    for await (const lines of host.files.readLines(path)) {
      for (const text of lines) reader.line(file, ++row, text)
      done += lines.length
      report({ type: 'progress', unit: 'records', done })
      await host.breathe()
      host.signal.throwIfAborted()
    }
    reader.endOfFile()
  }
}

/** Those files, absolute; a UsageError where one does not exist or there are none. */
async function logFiles(host: Host, paths: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>()
  for (const path of paths.map(given => resolve(host.cwd, given))) {
    if (!(await host.files.exists(path)))
      throw new UsageError(`no such file or folder: \`${displayPath(host.cwd, path)}\``)
    if (await host.files.isFolder(path)) {
      for (const file of await folderFiles(host, path, 'dap')) found.add(file)
    } else found.add(path)
  }
  if (found.size > 0) return found
  throw new UsageError('there is no `.jsonl` file below the given folders', { hint: 'name the files of the log' })
}
