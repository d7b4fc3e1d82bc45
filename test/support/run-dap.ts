import { fileURLToPath } from 'node:url'
import { nodeFiles } from '../../src/adapters/files.ts'
import { runCli } from '../../src/cli.ts'
import type { ProgressEvent } from '../../src/command.ts'
import type { Host } from '../../src/host.ts'
import { memoryFiles } from './memory-files.ts'

export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Session {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Every file afterwards, by its path relative to the working folder. */
  readonly files: Readonly<Record<string, string>>
  readonly events: readonly ProgressEvent[]
}

/** The front door: one command line over files in memory, in process. Words are split at blanks. */
export async function dap(
  line: string,
  files: Readonly<Record<string, string>> = {},
  host: Partial<Host> = {},
): Promise<Session> {
  const cwd = '/repo'
  const memory = memoryFiles(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`${cwd}/${path}`, text])),
    {
      prefix: PACKAGE_ROOT,
      files: nodeFiles(),
    },
  )
  let stdout = ''
  let stderr = ''
  const events: ProgressEvent[] = []
  const code = await runCli(line.split(' ').filter(Boolean), {
    version: '0.0.0-test',
    streams: {
      out: text => {
        stdout += text
      },
      err: text => {
        stderr += text
      },
    },
    host: async ({ folder }) => ({
      cwd: folder === undefined ? cwd : `${cwd}/${folder}`,
      packageRoot: PACKAGE_ROOT,
      files: memory,
      terminal: { interactive: false, color: false, columns: 100 },
      signal: new AbortController().signal,
      tables: async () => (await import('../../src/adapters/duckdb.ts')).openTables(),
      choose: () => Promise.reject(new Error('nothing should be asked without a terminal')),
      breathe: async () => {},
      ...host,
    }),
    progress: () => ({ report: event => void events.push(event), stop() {} }),
  })
  const after = Object.fromEntries([...memory.all].map(([path, text]) => [path.slice(cwd.length + 1), text]))
  return { code, stdout, stderr, files: after, events }
}
