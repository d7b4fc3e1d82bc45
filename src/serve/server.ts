import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Registry } from 'prom-client'
import { DapError } from '../errors.ts'
import type { OpenModel } from '../models/open-model.ts'
import type { LivePolicySource, ReloadReport } from './deciding/policies.ts'
import type { Tls } from './door/tls.ts'
import type { TokenSource } from './door/tokens.ts'
import { createEngine } from './engine.ts'
import type { Clock, EngineLimits, EngineParts } from './engine-parts.ts'
import type { Tell } from './events.ts'
import { type AppLimits, buildApp } from './http/app.ts'
import { createIds } from './ids/ids.ts'
import type { LogWriter } from './log/log-writer.ts'
import type { Upkeep } from './log/upkeep.ts'
import { createMetrics, type Totals } from './metrics.ts'
import type { OnlineLearner } from './rewards/online-learner.ts'

export interface ServerParts extends Pick<EngineParts, 'ledger' | 'ack'> {
  readonly source: LivePolicySource
  readonly log: LogWriter
  readonly learner?: OnlineLearner
  /** Of the log's files, where there are any. */
  readonly upkeep?: Upkeep
  readonly clock: Clock
  readonly tell: Tell
  /** `dap/0.2.0` */
  readonly runtime: string
  readonly host: string
  readonly port: number
  readonly routes: { readonly predict: string; readonly health?: string }
  readonly limits: EngineLimits & AppLimits
  readonly corsOrigins: readonly string[]
  readonly tokens?: TokenSource
  readonly tls?: Tls
  /** Where this is one of several workers: adds its metrics to theirs, and returns what asks for all of them. */
  aggregated?(own: Registry): () => Promise<string>
}

export interface Server {
  readonly url: string
  readonly totals: Totals
  /** A DapError says how many records of the log are lost. */
  stop(patience: Patience): Promise<void>
}

/**
 * How a server stops. At once it is unready and each answer closes its connection; after `drainMs`, in which whoever sends requests can
 * hear of it, the port closes; requests in flight are finished, and then the log is written, both within `graceMs`.
 */
export interface Patience {
  readonly drainMs: number
  readonly graceMs: number
  /** Nobody can connect any more: there is nothing to drain. */
  readonly cut?: AbortSignal
}

/** How often the log is looked at, and the learner learns. */
const LOOK_MS = 1_000

/** So long a model may take for its first answers. */
const WARM_MS = 30_000

const SWEEP_MS = 20
/** A connection that was made when the port closed has this long to ask for something. */
const FRESH_MS = 200

/** Listens first and loads the policies then, so that whoever starts the server sees it unready rather than absent. */
export async function startServer(parts: ServerParts): Promise<Server> {
  const { source, log, learner, upkeep, clock, tell, host, port } = parts
  let stopping = false
  let trouble: string | undefined

  /** Models that a server has, which may come up after this one. */
  const unheard = (): readonly OpenModel[] =>
    [...source.policies.values()].flatMap(({ model }) => (model === undefined || model.heard ? [] : [model]))
  const warming = new Set<OpenModel>()

  /** A model may take longer for its first answer than until the next look. */
  function warm(model: OpenModel): void {
    if (warming.has(model)) return
    warming.add(model)
    model
      .warmUp(AbortSignal.timeout(WARM_MS))
      .catch(() => {})
      .finally(() => warming.delete(model))
  }

  function unready(): readonly string[] {
    return [
      ...(stopping ? ['the server is shutting down'] : []),
      ...(source.policies.size === 0 ? ['no policy is loaded'] : []),
      ...new Set(unheard().map(({ scorer }) => `the model \`${scorer.name}\` has not answered yet`)),
      ...(log.trouble === undefined ? [] : [log.trouble]),
    ]
  }

  const metrics = createMetrics({
    source,
    log,
    learner,
    upkeep,
    unready,
    inWork: () => app.traffic.inWork,
    connections: () => app.traffic.connections,
  })
  const newId = createIds()
  const engine = createEngine({ ...parts, observer: metrics.observer, newId })
  const app = buildApp({
    ...parts,
    engine,
    metrics,
    metricsText: parts.aggregated?.(metrics.registry) ?? (() => metrics.registry.metrics()),
    unready,
    onBug: (id, error, traceparent) =>
      tell('error', 'bug', { id, traceparent, error: error instanceof Error ? error.stack : String(error) }),
    newId,
  })

  function look(): void {
    learner?.tick(clock.now()).catch(publishFailed)
    for (const model of unheard()) warm(model)
    if (log.trouble === trouble) return
    trouble = log.trouble
    if (trouble === undefined) tell('info', 'recovery')
    else tell('error', 'trouble', { reason: trouble })
  }

  const publishFailed = (error: Error) => tell('error', 'publish failed', { reason: error.message })

  await app.listen({ host, port, listenTextResolver: () => '' }).catch((cause: NodeJS.ErrnoException) => {
    throw new DapError(`the server cannot listen on ${host}:${port}: ${cause.message}`, { cause, hint: hintFor(cause) })
  })
  const timer = setInterval(look, LOOK_MS)
  upkeep?.start()

  async function stop({ drainMs, graceMs, cut }: Patience): Promise<void> {
    stopping = true
    app.traffic.drain()
    if (drainMs > 0) await sleep(drainMs, undefined, { signal: cut }).catch(() => {})
    source.stop()
    const until = clock.monotonic() + graceMs
    // Connections without a request have nothing to wait for, and some never have one.
    const sweep = setInterval(() => {
      if (clock.monotonic() > until - graceMs / 2) app.traffic.closeAll()
      else app.traffic.closeIdle(FRESH_MS)
    }, SWEEP_MS)
    await app.close()
    clearInterval(sweep)
    clearInterval(timer)
    await upkeep?.stop()
    await learner?.publish().catch(publishFailed)
    await source.close()
    await log.close(Math.max(graceMs / 2, until - clock.monotonic()))
  }

  const [first] = await Promise.all([source.reload(), log.tried])
  if (source.policies.size === 0) {
    await stop({ drainMs: 0, graceMs: 0 })
    throw new DapError(`there is nothing to serve: ${first.faults.join('; ')}`, {
      hint: first.hint ?? '`dap validate` checks a repository; `dap bundle POLICY` makes what --bundle takes',
    })
  }
  tellReload(tell, { ...first, changed: [] })
  look()
  source.start(report => tellReload(tell, report))

  return {
    url: urlOf(parts.tls === undefined ? 'http' : 'https', host, (app.server.address() as AddressInfo).port),
    get totals() {
      return metrics.totals
    },
    stop,
  }
}

function tellReload(tell: Tell, { changed, faults, hint, kept, control }: ReloadReport): void {
  if (changed.length > 0) tell('info', 'reload', { changed })
  if (faults.length > 0) tell('error', 'reload failed', { faults, hint, kept })
  if (control !== undefined) tell('warn', 'kill switch', { ...control })
}

const urlOf = (scheme: string, host: string, port: number) =>
  `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`

function hintFor({ code }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'something listens there already; --port takes another'
    case 'EACCES':
      return 'ports below 1024 need a permission; --port takes another'
    default:
      return '--host takes an address of this machine, such as 127.0.0.1 or 0.0.0.0'
  }
}
