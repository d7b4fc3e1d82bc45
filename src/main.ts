/** The process: the one place that knows the real terminal, the real signals and the real adapters. */
import { availableParallelism, hostname, userInfo } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli } from './cli.ts'
import { ExitCode, InterruptedError, UsageError } from './errors.ts'
import type { Host } from './host.ts'
import { digestBy } from './policy/digest.ts'
import { createProgress } from './ui/live/progress.ts'

declare const DAP_VERSION: string

const abort = new AbortController()
// process.stdin and its like are streams made when first touched, milliseconds each: they are touched late.
const { env } = process

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (abort.signal.aborted) process.exit(ExitCode.interrupted)
    abort.abort()
  })
}
/** How long a reader of stdout and stderr may take for what is left, once the process has been asked to stop. */
const LAST_WORDS_MS = 1_000

/** Is stdout written by somebody who hears of failures, such as a server's log? */
let stdoutOwned = false
/** The result could not be written, and not because nobody wanted to read it. */
let lost = false

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that went away (`dap … | head`) is not an error: the command ends with its own code.
  if (stdoutOwned || error.code === 'EPIPE' || lost) return
  lost = true
  process.exitCode = ExitCode.no
  say(`error: the result cannot be written to stdout (${error.code ?? error.message})\n`)
})

/** Touched late; there is nobody to tell if it cannot be written. */
function stderr(): NodeJS.WriteStream {
  if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => {})
  return process.stderr
}

const say = (text: string) => void stderr().write(text)

/** A terminal that does not say how wide it is says 0. */
const columnsOf = (of: 'out' | 'err'): number =>
  (of === 'out' ? process.stdout : process.stderr).columns || Number.POSITIVE_INFINITY

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((done, fail) => stream.write(text, error => (error ? fail(error) : done())))
}

const colorWanted = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0'
const colorRefused = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''

const packageRoot = fileURLToPath(new URL('..', import.meta.url))

let run: Host['run'] | undefined

/** What holds memory and disk until the command is done. */
const closing: { close(): Promise<void> }[] = []

// Loaded where something is digested.
digestBy(text => process.getBuiltinModule('node:crypto').hash('sha256', text, 'hex'))

const randomId = () => Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString('hex')

/** Who runs this: a CI job by its number, else a person at a machine. */
function ownerOf({ GITHUB_RUN_ID, CI_JOB_ID, BUILD_ID }: NodeJS.ProcessEnv): string {
  const job = GITHUB_RUN_ID ?? CI_JOB_ID ?? BUILD_ID
  if (job !== undefined) return `job-${job}`
  try {
    return `${userInfo().username}-at-${hostname()}`
  } catch {
    return `somebody-at-${hostname()}` // of a container's user that its system does not know
  }
}

async function createHost({ folder, color }: { folder?: string; color?: boolean }): Promise<Host> {
  const { nodeFiles } = await import('./adapters/node/files.ts')
  const files = nodeFiles()
  const cwd = resolve(folder ?? '.')
  if (folder !== undefined && !(await files.isFolder(cwd)))
    throw new UsageError(`\`${folder}\` is no folder`, { hint: '-C takes a folder' })
  return {
    cwd,
    version: DAP_VERSION,
    packageRoot,
    files,
    terminal: {
      get interactive() {
        return process.stdin.isTTY === true && process.stderr.isTTY === true && !env['CI'] && env['TERM'] !== 'dumb'
      },
      color:
        color !== false && !colorRefused && (colorWanted || (process.stdout.isTTY === true && env['TERM'] !== 'dumb')),
      columns: columnsOf('out'),
    },
    signal: abort.signal,
    async tables(options) {
      const tables = (await import('./adapters/duckdb/duckdb.ts')).openTables(options)
      closing.push(tables)
      return tables
    },
    writeTable: async (...args) => (await import('./adapters/duckdb/table-writer.ts')).writeTable(...args),
    models: async () => (await import('./adapters/models.ts')).modelRunner(),
    objects: async () => (await import('./adapters/objects.ts')).cloudObjects(),
    cloud: async place => (await import('./adapters/vertex/cloud.ts')).vertexCloud(place, name => env[name]),
    ownPackage: async () => (await import('./adapters/node/own-package.ts')).ownPackage(packageRoot),
    get run() {
      run ??= { id: randomId(), owner: ownerOf(env) }
      return run
    },
    processes: async () => (await import('./adapters/node/lock-processes.ts')).lockProcesses(),
    commit: async folder => (await import('./adapters/node/git.ts')).gitCommit(folder),
    origin: async folder => (await import('./adapters/node/git.ts')).gitOrigin(folder),
    branch: async folder => (await import('./adapters/node/git.ts')).gitBranch(folder),
    filesAt: async (folder, revision) =>
      (await import('./adapters/node/git-files.ts')).gitFilesAt(folder, revision, files),
    hooks: async folder => (await import('./adapters/node/git.ts')).gitHooks(folder),
    programVersion: async name => (await import('./adapters/node/machine.ts')).programVersion(name),
    machine: async folder => (await import('./adapters/node/machine.ts')).machineOf(folder),
    images: async () => (await import('./adapters/node/images.ts')).serverImages(abort.signal),
    cores: availableParallelism(),
    playInWorkers: async (...args) =>
      (await import('./adapters/node/workers.ts')).simulationWorkers(
        new URL('./worker.js', import.meta.url),
        abort.signal,
      )(...args),
    foldInWorkers: async workers =>
      (await import('./adapters/node/workers.ts')).foldWorkers(
        new URL('./worker.js', import.meta.url),
        workers,
        abort.signal,
      ),
    choose: async (question, choices) =>
      (await import('./ui/live/select-view.tsx')).select(question, choices, process.stderr, abort.signal),
    ask: async question => (await import('./ui/live/line-view.tsx')).askLine(question, process.stderr, abort.signal),
    agree: async question => (await import('./ui/live/answer-view.tsx')).agree(question, process.stderr, abort.signal),
    now: Date.now,
    async input() {
      let text = ''
      for await (const part of process.stdin.setEncoding('utf8')) text += part
      return text
    },
    environment: name => env[name],
    environmentNames: () => Object.keys(env),
    output: {
      out(text) {
        stdoutOwned = true
        return write(process.stdout, text)
      },
      err: text => write(stderr(), text).catch(() => {}),
    },
    sleep: async (ms, signal) => {
      const { setTimeout: sleep } = await import('node:timers/promises')
      await sleep(ms, undefined, { signal }).catch(() => {
        throw new InterruptedError()
      })
    },
    breathe: () => new Promise(done => setImmediate(done)),
  }
}

const code = await runCli(process.argv.slice(2), {
  version: DAP_VERSION,
  streams: { out: text => void process.stdout.write(text), err: say, columns: columnsOf },
  host: createHost,
  progress: host => createProgress(host.terminal, say),
})
process.exitCode = lost ? ExitCode.no : code
for (const each of closing) await each.close()
const stopped = abort.signal.aborted
// Of calls that were begun side by side one failed: nobody waits for the others any more.
abort.abort()
if (stopped || stdoutOwned) {
  // What was asked of others last may not be answered for a minute, and nobody may read what was written last: who owned stdout has waited
  // for it, and said what is lost.
  const read = Promise.all([write(process.stdout, ''), write(stderr(), '')]).then(
    () => true,
    () => true,
  )
  const inTime = await Promise.race([read, new Promise<boolean>(late => setTimeout(late, LAST_WORDS_MS, false))])
  if (!inTime) process.exitCode ||= ExitCode.no
  process.exit()
}
