import { join, relative, resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { DapError, ExitCode, messageOf, UsageError } from '../errors.ts'
import { SERVE_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host } from '../host.ts'
import type { ServeResult } from '../results.ts'
import { type Losses, startWorkers, type WorkerLink, workerLink } from '../serve/cluster/cluster.ts'
import { createPolicySource, type PolicyLoader } from '../serve/deciding/policies.ts'
import { connectionsWithin, openFilesLimit } from '../serve/door/descriptors.ts'
import { createEvents, type Tell } from '../serve/events.ts'
import { DEFAULT_LIMITS } from '../serve/http/app.ts'
import { createLedger, type LocalLedger } from '../serve/ids/ledger.ts'
import { recentClaims } from '../serve/ids/recent.ts'
import { fileSink } from '../serve/log/files.ts'
import { createLogWriter, type Sink } from '../serve/log/log-writer.ts'
import { stdoutSink } from '../serve/log/stdout.ts'
import { createUpkeep, type Upkeep, type UpkeepOptions } from '../serve/log/upkeep.ts'
import type { Totals } from '../serve/metrics.ts'
import { createOnlineLearner } from '../serve/rewards/online-learner.ts'
import { type Patience, type Server, startServer } from '../serve/server.ts'
import { serveText, startedText } from '../ui/serve.ts'
import { publishSnapshot } from './opening/policies.ts'
import { findRoot, openRepository, requireValid } from './opening/repository.ts'
import { declareServe, type ServeOptions, STDOUT, serveOptions } from './serve/options.ts'
import { bundleLoader, controlFile, learnableLoader, repositoryLoader } from './serve/sources.ts'
import { misspeltVariables, withVariables } from './serve/variables.ts'

/** How long requests in flight and the log may take when the server stops: with the usual drain, less than the ten seconds of others. */
const GRACE_MS = 5_000

/** How long an id is remembered, and how many are. */
const RETENTION = { retentionMs: 600_000, retained: 100_000 }

interface Finished {
  readonly result: ServeResult
  /** stdout belongs to somebody else. */
  readonly quiet: boolean
}

export const serveCommand = defineCommand<ServeOptions, Finished>({
  declare: declareServe,
  options: (_, flags, host) => withVariables(declareServe, flags, host, given => serveOptions(given, host)),

  async run(options, host) {
    const tell = createEvents(line => void host.output.err(line), host.now)
    const link = workerLink()
    if (link === undefined) {
      for (const found of await misspeltVariables(declareServe, host.environmentNames()))
        tell('warn', 'unknown variable', found)
    }
    if (options.workers > 1 && link === undefined) return runPrimary(options, host, tell)
    return runServer(options, host, tell, link).finally(() => link?.leave())
  },

  text: ({ result, quiet }) => (quiet ? '' : serveText(result)),
  json: ({ result }) => result,
  exitCode: ({ result }) => (result.lost.length > 0 ? ExitCode.no : ExitCode.done),
})

/** One process: all there is, or one of several workers. */
async function runServer(
  options: ServeOptions,
  host: Host,
  tell: Tell,
  link: WorkerLink | undefined,
): Promise<Finished> {
  const root = options.bundle === undefined ? await repositoryRoot(host) : await findRoot(host)
  const folder = root ?? host.cwd
  const source = createPolicySource({
    loader: loaderOf(options, host, folder),
    ...(options.control === undefined ? {} : { control: controlFile(host, options.control) }),
    pollMs: options.pollMs,
    now: host.now,
  })
  const { sink, upkeep } = sinkOf(options, host, folder, tell)
  const log = createLogWriter(sink, { flushMs: options.flushMs, reserve: link?.reserve })
  const { publishMs } = options
  const learner =
    publishMs === undefined
      ? undefined
      : createOnlineLearner({
          source,
          dap: host.version,
          publishMs,
          migrate: options.migrate,
          startedAt: host.now(),
          publish: (policy, snapshot) => publishSnapshot(host, folder, policy, snapshot),
        })
  const tokens = await tokensOf(options, host, tell)
  const certificate = await certificateOf(options, host, tell)
  const server = await startServer({
    ...options,
    ledger: link?.ledger(log.settled) ?? (await rememberedIds(options, host, folder, tell)),
    ...(tokens === undefined ? {} : { tokens }),
    ...(certificate === undefined ? {} : { tls: certificate.tls }),
    source,
    log,
    learner,
    upkeep,
    clock: { now: host.now, monotonic: () => performance.now() },
    tell,
    runtime: `dap/${host.version}`,
    limits: {
      ...DEFAULT_LIMITS,
      timeoutMs: options.timeoutMs,
      body: options.bodyLimit,
      batch: options.maxBatch,
      connections: Math.min(DEFAULT_LIMITS.connections, connectionsWithin(openFilesLimit())),
      client: options.clientLimits,
    },
    aggregated: link?.aggregated,
  }).catch(error => unserved(error, options, host))
  const { url } = server
  if (link === undefined) await announce(options, host, url, source.policies.size)
  else link.ready(url, source.policies.size)
  tell('info', 'listening', { url, policies: [...source.policies.keys()] })

  await aborted(link === undefined ? host.signal : AbortSignal.any([host.signal, link.stopped]))
  tell('info', 'shutdown')
  const reason = await lostBy(server, { drainMs: options.drainMs, graceMs: GRACE_MS, cut: link?.orphaned })
  tokens?.stop()
  certificate?.stop()
  const lost = reason === undefined ? undefined : { reason, records: log.stats.queuedRecords }
  if (lost !== undefined) tell('error', 'records lost', { ...lost })
  const { totals } = server
  link?.done(totals, lost)
  return resultOf(options, url, totals, lost === undefined ? [] : [lost], link !== undefined)
}

/** Why there is no server: in a repository of which files have errors, those. */
async function unserved(error: unknown, { bundle }: ServeOptions, host: Host): Promise<never> {
  if (error instanceof DapError && bundle === undefined) {
    const opened = await openRepository(host)
    requireValid(
      opened,
      opened.sources.map(({ path }) => path),
    )
  }
  throw error
}

async function tokensOf({ tokenFile, pollMs }: ServeOptions, host: Host, tell: Tell) {
  if (tokenFile === undefined) return undefined
  return (await import('./serve/token-file.ts')).followTokens(host, tokenFile, pollMs, tell)
}

async function certificateOf({ certificate, pollMs }: ServeOptions, host: Host, tell: Tell) {
  if (certificate === undefined) return undefined
  return (await import('./serve/certificate-files.ts')).followCertificate(host, certificate, pollMs, tell)
}

/** The process that starts the others. */
async function runPrimary(options: ServeOptions, host: Host, tell: Tell): Promise<Finished> {
  const folder = (await findRoot(host)) ?? host.cwd
  const ledger = await rememberedIds(options, host, folder, tell)
  const primary = await startWorkers(options.workers, workerArguments(process.argv.slice(2)), tell, ledger)
  await announce(options, host, primary.url, primary.policies)
  await aborted(host.signal)
  tell('info', 'shutdown')
  const { totals, lost } = await primary.stop(options.drainMs + 2 * GRACE_MS)
  return resultOf(options, primary.url, totals, lost, false)
}

/** Ids that callers have made: those that are in the log already, as far as they would still be remembered without the restart. */
async function rememberedIds(options: ServeOptions, host: Host, folder: string, tell: Tell): Promise<LocalLedger> {
  const ledger = createLedger(() => performance.now(), RETENTION)
  if (options.log === STDOUT) {
    tell('warn', 'nothing remembered', { reason: 'what was logged to stdout before is not known here' })
    return ledger
  }
  const { readLines } = host.files
  try {
    const claims = await recentClaims(logFolder(options, host, folder), { ...RETENTION, now: host.now(), readLines })
    if (claims.length > 0) tell('info', 'remembered', { ...ledger.restore(claims) })
  } catch (error) {
    tell('error', 'nothing remembered', { reason: messageOf(error) })
  }
  return ledger
}

/** Only the primary says what has become of all. */
function workerArguments(words: readonly string[]): string[] {
  return words.filter((word, i) => !/^--json(-file(=.*)?)?$/.test(word) && words[i - 1] !== '--json-file')
}

function resultOf(
  { workers, log }: ServeOptions,
  url: string,
  totals: Totals,
  losses: readonly Losses[],
  isWorker: boolean,
): Finished {
  const quiet = isWorker || log === STDOUT
  const lost = losses.map(({ reason }) => reason)
  const lostRecords = losses.reduce((sum, { records }) => sum + records, 0)
  return { result: { schema: SERVE_RESULT_SCHEMA, url, workers, ...totals, lost, lostRecords }, quiet }
}

/** Stops the server; why records are lost, or undefined where all are written. */
async function lostBy(server: Server, patience: Patience): Promise<string | undefined> {
  try {
    await server.stop(patience)
    return undefined
  } catch (error) {
    if (error instanceof DapError) return error.message
    throw error
  }
}

async function announce(options: ServeOptions, host: Host, url: string, policies: number): Promise<void> {
  if (!host.terminal.interactive) return
  const folder = (await findRoot(host)) ?? host.cwd
  const log = options.log === STDOUT ? STDOUT : `${relative(host.cwd, logFolder(options, host, folder)) || '.'}/`
  await host.output.err(`${startedText(url, policies, log)}\n`)
}

async function repositoryRoot(host: Host): Promise<string> {
  const root = await findRoot(host)
  if (root !== undefined) return root
  throw new UsageError('nothing to serve: no `dap.yaml` in this folder or above it, and no --bundle', {
    hint: '-C DIR names a config repository; --bundle PATH what `dap bundle` has made',
  })
}

function loaderOf({ bundle, snapshots, migrate, publishMs }: ServeOptions, host: Host, root: string): PolicyLoader {
  const loader =
    bundle === undefined ? repositoryLoader(host, root, { snapshots, migrate }) : bundleLoader(host, bundle)
  return publishMs === undefined ? loader : learnableLoader(loader)
}

function sinkOf(
  options: ServeOptions,
  host: Host,
  root: string,
  tell: Tell,
): { readonly sink: Sink; readonly upkeep?: Upkeep } {
  if (options.log === STDOUT) return { sink: stdoutSink(host.output.out) }
  const folder = logFolder(options, host, root)
  const clock = { now: host.now }
  const sink = fileSink(folder, { maxBytes: options.maxLogBytes, fsync: options.fsync, clock })
  const { compress, keepMs, keepBytes } = options
  if (compress === undefined && keepMs === undefined && keepBytes === undefined) return { sink }
  const onFailure: UpkeepOptions['onFailure'] = (work, file, reason) =>
    tell('error', 'log upkeep failed', { work, file, reason })
  return { sink, upkeep: createUpkeep(folder, sink, { compress, keepMs, keepBytes, clock, onFailure }) }
}

const logFolder = ({ log }: ServeOptions, { cwd }: Host, folder: string) =>
  log === undefined ? join(folder, 'logs') : resolve(cwd, log)

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(done => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}
