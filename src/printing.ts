/** What both results and errors are printed as. */
import { resolve } from 'node:path'
import type { ExitCode } from './errors.ts'
import type { Host } from './host.ts'

/** A `--json-file`: events, and at the end the result. */
export type Lines = Awaited<ReturnType<Host['files']['lines']>>

/** A path is relative to the working folder. */
export const recordTo = (path: string, { files, cwd }: Host): Promise<Lines> => files.lines(resolve(cwd, path))

/** Its last line. */
export function writeResult(record: Lines, exitCode: ExitCode, result: unknown): Promise<void> {
  record.write(JSON.stringify({ type: 'result', exitCode, result }))
  return record.close()
}

/** A result as `--json` prints it. */
export const jsonText = (result: unknown) => JSON.stringify(result, null, 2)

/** What a report is rendered for, beside itself: the command, this dap, and the folder that CI has checked out. */
export const readerOf = async (host: Host, command: string, folder: string) => ({
  command,
  version: host.version,
  sourceRoot: await (await import('./outputs.ts')).sourceRoot(host, folder),
})

/** What a pipe reads is never broken, so it need not wait for what breaks lines. */
export async function fittedTo(text: string, columns: number): Promise<string> {
  return columns === Number.POSITIVE_INFINITY ? text : (await import('./ui/wrap.ts')).fitted(text, columns)
}
