import cluster, { type Worker } from 'node:cluster'
import { AggregatorRegistry, type Registry } from 'prom-client'
import { DapError } from '../errors.ts'
import type { Tell } from './events.ts'
import type { Ledger, LocalLedger } from './ledger.ts'
import type { Totals } from './metrics.ts'
import { answerQuestions, askingLedger, type LedgerQuestions, type LedgerReplies } from './shared-ledger.ts'

/** What a worker tells its primary. */
type Message =
  | { readonly dap: 'ready'; readonly url: string; readonly policies: number }
  | { readonly dap: 'metrics'; readonly id: number }
  | { readonly dap: 'done'; readonly totals: Totals; readonly lost: string | undefined }
  | { readonly dap: 'leaving' }
  | LedgerQuestions

/** What a primary tells its workers. */
type Order =
  | { readonly dap: 'stop' }
  | { readonly dap: 'metrics'; readonly id: number; readonly text: string }
  | LedgerReplies

/** A worker that dies is started again after this, doubled each time, unless it has lived for long. */
const FIRST_RESTART_MS = 100
const LAST_RESTART_MS = 30_000
const LONG_LIFE_MS = 60_000

/** What a worker that dies has claimed in so many ms before may not have come into the log. */
const UNCERTAIN_MS = 5_000

/** A worker's side of `--workers`. */
export interface WorkerLink {
  /** Aborted when the primary stops, or is gone. */
  readonly stopped: AbortSignal
  /** The primary's, for all workers. */
  readonly ledger: Ledger
  ready(url: string, policies: number): void
  /** Adds this worker's metrics to those of the others; what it returns asks for all of them. */
  aggregated(own: Registry): () => Promise<string>
  /** The last word of a worker that has served. */
  done(totals: Totals, lost: string | undefined): void
  /** Nothing keeps the process alive after this. */
  leave(): void
}

/** Undefined in a process that no primary has started. */
export function workerLink(): WorkerLink | undefined {
  if (!cluster.isWorker) return undefined
  const stop = new AbortController()
  const waiting = new Map<number, (text: string) => void>()
  let asked = 0
  const tell = (message: Message, then = () => {}) => process.send?.(message, undefined, undefined, then)
  const ledger = askingLedger(message => void tell(message))
  process.on('message', (order: Order) => {
    if (order.dap === 'stop') stop.abort()
    if (order.dap === 'metrics') waiting.get(order.id)?.(order.text)
    if (order.dap === 'ledger') ledger.replied(order)
  })
  // A worker whose primary is gone has requests and a log to finish, where Node would end it at once.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
  process.on('disconnect', () => {
    ledger.gone()
    stop.abort()
  })
  return {
    stopped: stop.signal,
    ledger,
    ready: (url, policies) => tell({ dap: 'ready', url, policies }),
    aggregated(own) {
      new AggregatorRegistry()
      AggregatorRegistry.setRegistries([own])
      return () => {
        const id = asked++
        tell({ dap: 'metrics', id })
        return new Promise<string>(resolve => waiting.set(id, resolve)).finally(() => waiting.delete(id))
      }
    },
    done: (totals, lost) => tell({ dap: 'done', totals, lost }),
    // Messages are sent in order: when this one is, those before it are.
    leave() {
      tell({ dap: 'leaving' }, () => {
        if (process.connected) process.disconnect()
      })
    },
  }
}

export interface Primary {
  readonly url: string
  readonly policies: number
  /** Resolves when the last worker is gone; kills those that are there after `limitMs`. */
  stop(limitMs: number): Promise<{ readonly totals: Totals; readonly lost: readonly string[] }>
}

/** Starts `count` processes with these words after the program's name, and again those that die; resolves when all listen. */
export async function startWorkers(
  count: number,
  args: readonly string[],
  tell: Tell,
  ledger: LocalLedger,
): Promise<Primary> {
  cluster.setupPrimary({ args: [...args] })
  const registry = new AggregatorRegistry()
  const totals = { decisions: 0, rewards: 0 }
  const lost: string[] = []
  let stopping = false
  let restartMs = FIRST_RESTART_MS

  async function answerMetrics(worker: Worker, id: number): Promise<void> {
    const text = await registry.clusterMetrics().catch(() => '')
    if (worker.isConnected()) worker.send({ dap: 'metrics', id, text } satisfies Order)
  }

  function start(): Promise<{ readonly url: string; readonly policies: number }> {
    const worker = cluster.fork()
    const born = performance.now()
    return new Promise((resolve, reject) => {
      worker.on('message', (message: Message) => {
        if (message.dap === 'ready') resolve(message)
        if (message.dap === 'metrics') answerMetrics(worker, message.id)
        if (message.dap === 'ledger' && worker.isConnected()) {
          worker.send(answerQuestions(ledger, worker.id, message) satisfies Order)
        }
        if (message.dap === 'done') {
          totals.decisions += message.totals.decisions
          totals.rewards += message.totals.rewards
          if (message.lost !== undefined) lost.push(message.lost)
        }
      })
      worker.on('exit', (code, signal) => {
        const why = signal ?? `exit code ${code}`
        ledger.forget(worker.id, UNCERTAIN_MS)
        reject(new DapError(`a worker could not start (${why})`, { hint: 'its error is above' }))
        if (stopping || !started) return
        if (performance.now() - born > LONG_LIFE_MS) restartMs = FIRST_RESTART_MS
        tell('error', 'worker died', { why, restartMs })
        setTimeout(() => {
          if (!stopping) start().catch(() => {})
        }, restartMs)
        restartMs = Math.min(LAST_RESTART_MS, restartMs * 2)
      })
    })
  }

  const everyone = () => Object.values(cluster.workers ?? {}).filter(worker => worker !== undefined)

  async function stop(limitMs: number): Promise<{ readonly totals: Totals; readonly lost: readonly string[] }> {
    stopping = true
    const gone = everyone().map(worker => new Promise(resolve => worker.once('exit', resolve)))
    for (const worker of everyone()) if (worker.isConnected()) worker.send({ dap: 'stop' } satisfies Order)
    const kill = setTimeout(() => {
      for (const worker of everyone()) worker.process.kill('SIGKILL')
    }, limitMs)
    await Promise.all(gone)
    clearTimeout(kill)
    return { totals, lost }
  }

  let started = false
  try {
    const [first] = await Promise.all(Array.from({ length: count }, start))
    started = true
    return { ...first, stop }
  } catch (error) {
    await stop(LAST_RESTART_MS)
    throw error
  }
}
