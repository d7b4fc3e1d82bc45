import { fileURLToPath } from 'node:url'
import { nodeFiles } from '../../src/adapters/node/files.ts'
import { runCli } from '../../src/cli.ts'
import type { RunEvent } from '../../src/command.ts'
import type { LockProcess } from '../../src/deploy/memory.ts'
import type { ProcessState } from '../../src/deploy/runs.ts'
import type { Commit } from '../../src/deploy/wanted/plan.ts'
import { UsageError } from '../../src/errors.ts'
import type { Choice, Files, Host, Machine, OwnPackage } from '../../src/host.ts'
import { memoryFiles } from './memory-files.ts'
import { type MemoryCloud, memoryCloud } from './memory-vertex.ts'

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
export function dap(line: string, files: Readonly<Record<string, string>> = {}): Promise<Session> {
  return repository(files).dap(line)
}

/** What one session meets, where it is not what every session does. */
export interface Setting {
  readonly cloud?: MemoryCloud
  readonly commit?: Commit | null
  /** The address that the repository was cloned from. */
  readonly origin?: string | null
  readonly branch?: string | null
  /** The folder of Git's hooks. */
  readonly hooks?: string | null
  /** What programs print at `--version`; others are not installed. */
  readonly programs?: Readonly<Record<string, string>>
  readonly machine?: Partial<Machine>
  readonly owner?: string
  /** What became of the process of another session; the number of each is its number. */
  stateOf?(process: LockProcess): ProcessState
  /** An interactive terminal, and what is answered at it; what it shows is on stderr. */
  choose?(question: string, choices: readonly Choice[]): string
  /** The same, of a line of text; empty is Enter alone. */
  ask?(question: string): string
  /** The same, of what is answered by yes or no. */
  agree?(question: string): boolean
  readonly signal?: AbortSignal
  /** What runs models of ONNX, where it is not ONNX Runtime. */
  readonly models?: Host['models']
  /** Of a terminal that is so wide. */
  readonly columns?: number
  /** The repository as Git has it at other times, by revision. */
  readonly history?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Variables of the process's environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** What is piped to stdin. */
  readonly input?: string
}

/** Sessions over the same files in memory, one after the other or at the same time. */
export interface Repository {
  dap(line: string, setting?: Setting): Promise<Session>
  read(path: string): string
  write(path: string, text: string): void
  /** Replaces the text of a file that is there. */
  edit(path: string, before: string, after: string): void
  remove(path: string): void
}

export function repository(files: Readonly<Record<string, string>>, usual: Setting = {}): Repository {
  const cwd = '/repo'
  const at = (path: string) => `${cwd}/${path}`
  const memory = memoryFiles(Object.fromEntries(Object.entries(files).map(([path, text]) => [at(path), text])), {
    prefix: PACKAGE_ROOT,
    files: nodeFiles(),
  })
  const read = (path: string) => {
    const text = memory.all.get(at(path))
    if (text === undefined) throw new Error(`there is no ${path}`)
    return text
  }
  let runs = 0
  return {
    async dap(line, setting) {
      const { owner = RUN.owner, ...all } = { ...usual, ...setting }
      const id = all.cloud === undefined ? RUN.id : (++runs).toString(16).padStart(8, '0')
      const session = await run(line.split(' ').filter(Boolean), cwd, memory, { ...all, run: { id, owner } })
      return {
        ...session,
        files: Object.fromEntries([...memory.all].map(([path, text]) => [path.slice(cwd.length + 1), text])),
      }
    },
    read,
    write: (path, text) => void memory.all.set(at(path), text),
    edit(path, before, after) {
      if (!read(path).includes(before)) throw new Error(`${path} has no ${before}`)
      memory.all.set(at(path), read(path).replace(before, after))
    },
    remove: path => void memory.all.delete(at(path)),
  }
}

export const COMMIT: Commit = { id: 'c'.repeat(40), dirty: false }

/** A repository with a cloud, whose time is virtual. Every session is another run of the same person. */
export function deployments(
  files: Readonly<Record<string, string>>,
  cloud: MemoryCloud = memoryCloud(),
): Repository & { readonly cloud: MemoryCloud } {
  return { ...repository(files, { cloud, commit: COMMIT }), cloud }
}

/** The same over real files, which DuckDB needs. */
export function dapIn(
  place:
    | string
    | (Pick<Setting, 'environment' | 'cloud' | 'columns' | 'signal'> & {
        readonly folder: string
        readonly files?: Files
      }),
  ...words: readonly string[]
): Promise<Omit<Session, 'files'>> {
  const { folder, files = nodeFiles(), ...setting } = typeof place === 'string' ? { folder: place } : place
  return run(words, folder, files, { ...setting, run: RUN })
}

const VERSION = '0.0.0-test'

const RUN: Host['run'] = { id: '0123abcd', owner: 'ann-at-desk' }

/** dap's own package, without its thousand kilobytes. */
const OWN_PACKAGE: OwnPackage = {
  manifest: {
    ...{ name: '@dap-platform/dap', version: VERSION, license: 'Apache-2.0', bin: { dap: 'bin/dap.js' } },
    ...{ dependencies: { one: '^1.0.0' }, engines: { node: '>=22.12' } },
  },
  locked: { 'node_modules/one': { version: '1.0.1', integrity: 'sha512-one' } },
  registryIntegrity: undefined,
  pack: async () => ({
    filename: `dap-platform-dap-${VERSION}.tgz`,
    integrity: 'sha512-dap',
    bytes: Buffer.from('a tarball'),
  }),
}

/** The time of every session. */
export const NOW = Date.UTC(2026, 11, 1)

async function run(
  words: readonly string[],
  cwd: string,
  files: Files,
  {
    cloud,
    commit = null,
    origin = null,
    branch = null,
    hooks = null,
    programs = { npm: '11.0.0', git: 'git version 2.47.0' },
    machine = {},
    run,
    choose,
    ask,
    agree,
    stateOf = () => 'running',
    signal = new AbortController().signal,
    environment = {},
    input = '',
    columns = Number.POSITIVE_INFINITY,
    history = {},
    models = async () => (await import('../../src/adapters/models.ts')).modelRunner(),
  }: Setting & Pick<Host, 'run'> = {
    run: RUN,
  },
): Promise<Omit<Session, 'files'>> {
  let stdout = ''
  let stderr = ''
  const events: RunEvent[] = []
  const closing: { close(): Promise<void> }[] = []
  const host: Host = {
    cwd,
    version: VERSION,
    packageRoot: PACKAGE_ROOT,
    files,
    terminal: { interactive: choose !== undefined || agree !== undefined, color: false, columns },
    signal,
    async tables(options) {
      const tables = (await import('../../src/adapters/duckdb/duckdb.ts')).openTables(options)
      closing.push(tables)
      return tables
    },
    writeTable: async (...args) => (await import('../../src/adapters/duckdb/table-writer.ts')).writeTable(...args),
    models,
    objects: () => Promise.reject(new Error('Cloud Storage should not be asked')),
    cores: 1,
    async choose(question, choices) {
      if (choose === undefined) throw new Error('nothing should be asked without a terminal')
      return choose(question, choices)
    },
    async ask({ question, standard, check }) {
      if (ask === undefined) throw new Error('nothing should be asked without a terminal')
      const text = ask(question) || standard
      const fault = check(text)
      if (fault !== undefined) throw new Error(fault)
      return text
    },
    async agree(question) {
      if (agree === undefined) throw new Error('nothing should be asked without a terminal')
      return agree(question)
    },
    now: cloud?.clock.now ?? (() => NOW),
    input: async () => input,
    environment: name => environment[name],
    environmentNames: () => Object.keys(environment),
    output: {
      out: async text => {
        stdout += text
      },
      err: async text => {
        stderr += text
      },
    },
    breathe: async () => {},
    async cloud(place) {
      if (cloud === undefined) throw new Error('no cloud should be asked')
      return (cloud.at(place) ?? cloud).cloud
    },
    images: () => Promise.reject(new Error('no image should be built')),
    ownPackage: async () => OWN_PACKAGE,
    run,
    processes: async () => ({
      process: { host: '0'.repeat(16), pid: Number.parseInt(run.id, 16), started: '1' },
      stateOf,
    }),
    commit: async () => commit,
    origin: async () => origin,
    branch: async () => branch,
    async filesAt(_, revision) {
      const past = history[revision]
      if (past === undefined) throw new UsageError(`Git has no commit \`${revision}\``)
      const all = Object.fromEntries(Object.entries(past).map(([path, text]) => [`${cwd}/${path}`, text]))
      return { files: memoryFiles(all, { prefix: PACKAGE_ROOT, files: nodeFiles() }), close: async () => {} }
    },
    hooks: async () => hooks,
    programVersion: async name => programs[name] ?? null,
    machine: async () => ({ node: '24.1.0', memory: 8e9, disk: 8e9, temporary: 8e9, ...machine }),
    sleep: cloud?.clock.sleep ?? (ms => new Promise(done => setTimeout(done, ms))),
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
      columns: () => columns,
    },
    host: async ({ folder }) => ({ ...host, cwd: folder === undefined ? cwd : `${cwd}/${folder}` }),
    progress: () => ({ report: event => void events.push(event), stop() {} }),
  })
  for (const each of closing) await each.close()
  return { code, stdout, stderr, events }
}
