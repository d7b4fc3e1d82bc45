import { fileURLToPath } from 'node:url'
import { nodeFiles } from '../../src/adapters/files.ts'
import { runCli } from '../../src/cli.ts'
import type { RunEvent } from '../../src/command.ts'
import type { Files, Host } from '../../src/host.ts'
import { memoryFiles } from './memory-files.ts'

export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Session {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Every file afterwards, by its path relative to the working folder. */
  readonly files: Readonly<Record<string, string>>
  readonly events: readonly RunEvent[]
}

/** The front door: one command line over files in memory, in process. Words are split at blanks. */
export async function dap(line: string, files: Readonly<Record<string, string>> = {}): Promise<Session> {
  const cwd = '/repo'
  const memory = memoryFiles(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`${cwd}/${path}`, text])),
    { prefix: PACKAGE_ROOT, files: nodeFiles() },
  )
  const session = await run(line.split(' ').filter(Boolean), cwd, memory)
  return {
    ...session,
    files: Object.fromEntries([...memory.all].map(([path, text]) => [path.slice(cwd.length + 1), text])),
  }
}

/** The same over real files, which DuckDB needs. */
export function dapIn(folder: string, ...words: readonly string[]): Promise<Omit<Session, 'files'>> {
  return run(words, folder, nodeFiles())
}

const VERSION = '0.0.0-test'

/** The time of every session. */
export const NOW = Date.UTC(2026, 11, 1)

async function run(words: readonly string[], cwd: string, files: Files): Promise<Omit<Session, 'files'>> {
  let stdout = ''
  let stderr = ''
  const events: RunEvent[] = []
  const host: Host = {
    cwd,
    version: VERSION,
    packageRoot: PACKAGE_ROOT,
    files,
    terminal: { interactive: false, color: false, columns: 100 },
    signal: new AbortController().signal,
    tables: async () => (await import('../../src/adapters/duckdb.ts')).openTables(),
    objects: () => Promise.reject(new Error('Cloud Storage should not be asked')),
    cores: 1,
    choose: () => Promise.reject(new Error('nothing should be asked without a terminal')),
    now: () => NOW,
    environment: () => undefined,
    output: {
      out: async text => {
        stdout += text
      },
      err: async text => {
        stderr += text
      },
    },
    breathe: async () => {},
    cloud: () => Promise.reject(new Error('no cloud should be asked')),
    images: () => Promise.reject(new Error('no image should be built')),
    run: { id: '0123abcd', owner: 'ann-at-desk' },
    commit: async () => null,
    sleep: ms => new Promise(done => setTimeout(done, ms)),
  }
  const code = await runCli(words, {
    version: VERSION,
    streams: {
      out: text => {
        stdout += text
      },
      err: text => {
        stderr += text
      },
    },
    host: async ({ folder }) => ({ ...host, cwd: folder === undefined ? cwd : `${cwd}/${folder}` }),
    progress: () => ({ report: event => void events.push(event), stop() {} }),
  })
  return { code, stdout, stderr, events }
}
