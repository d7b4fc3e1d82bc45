import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Registry } from 'prom-client'
import { DapError } from '../../errors.ts'
import type { Tell } from '../events.ts'
import type { Ledger, LocalLedger } from '../ids/ledger.ts'
import {
  type AskingLedger,
  answerQuestions,
  askingLedger,
  type LedgerQuestions,
  type LedgerReplies,
  type LedgerSettled,
} from '../ids/shared-ledger.ts'
import type { Reserve } from '../log/log-writer.ts'
import { type Account, createReserve, mayBeLost, NO_ACCOUNT } from '../log/reserve.ts'
import type { Totals } from '../metrics.ts'
import { closeWhatDiesWith } from './handover.ts'
import { createWorkerMetrics, type Measured } from './worker-metrics.ts'

/** What a worker tells its primary. */
type Message =
  | { readonly dap: 'ready'; readonly url: string; readonly policies: number }
  | { readonly dap: 'metrics'; readonly id: number }
  | { readonly dap: 'measured'; readonly metrics: Measured }
  | { readonly dap: 'account'; readonly account: Account }
  | { readonly dap: 'done'; readonly totals: Totals; readonly lost: Losses | undefined }
  | { readonly dap: 'leaving' }
  | LedgerQuestions
  | LedgerSettled

/** What a primary tells its workers. */
type Order =
  | { readonly dap: 'stop' }
  | { readonly dap: 'measure' }
  | { readonly dap: 'metrics'; readonly id: number; readonly text: string }
  | LedgerReplies

/** Records of the log that were acknowledged and are not in it. */
export interface Losses {
  readonly reason: string
  /** At most. */
  readonly records: number
}

/** A worker that dies is started again after this, doubled each time, unless it has lived for long. */
const FIRST_RESTART_MS = 100
const LAST_RESTART_MS = 30_000
const LONG_LIFE_MS = 60_000

/** A worker's side of `--workers`. */
export interface WorkerLink {
  /** Aborted when the primary stops, or is gone. */
  readonly stopped: AbortSignal
  /** Aborted when the primary is gone, and the port with it. */
  readonly orphaned: AbortSignal
  /** The primary's, for all workers; `settled` resolves when what has been logged until now is written. */
  ledger(settled: () => Promise<void>): Ledger
  ready(url: string, policies: number): void
  /** Adds this worker's metrics to those of the others; what it returns asks for all of them. */
  aggregated(own: Registry): () => Promise<string>
  /** What its log has is known to the primary, in case it dies. */
  readonly reserve: Reserve
  /** The last word of a worker that has served. */
  done(totals: Totals, lost: Losses | undefined): void
  /** Nothing keeps the process alive after this. */
  leave(): void
}

/** Undefined in a process that no primary has started. */
export function workerLink(): WorkerLink | undefined {
  if (!cluster.isWorker) return undefined
  const stop = new AbortController()
  const orphan = new AbortController()
  const waiting = new Map<number, (text: string) => void>()
  let asked = 0
  let registry: Registry | undefined
  const tell = (message: Message, then = () => {}) => process.send?.(message, undefined, undefined, then)
  let ledger: AskingLedger | undefined
  process.on('message', (order: Order) => {
    if (order.dap === 'stop') stop.abort()
    if (order.dap === 'metrics') waiting.get(order.id)?.(order.text)
    if (order.dap === 'ledger') ledger?.replied(order)
    if (order.dap === 'measure') registry?.getMetricsAsJSON().then(metrics => tell({ dap: 'measured', metrics }))
  })
  // A worker whose primary is gone has requests and a log to finish, where Node would end it at once.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
  process.on('disconnect', () => {
    ledger?.gone()
    stop.abort()
    orphan.abort()
  })
  return {
    stopped: stop.signal,
    orphaned: orphan.signal,
    ledger(settled) {
      ledger = askingLedger(message => void tell(message), settled)
      return ledger
    },
    ready: (url, policies) => tell({ dap: 'ready', url, policies }),
    aggregated(own) {
      registry = own
      return () => {
        const id = asked++
        tell({ dap: 'metrics', id })
        const all = new Promise<string>(resolve => waiting.set(id, resolve))
        return Promise.race([all, sleep(2 * MEASURE_MS, undefined, { ref: false })])
          .then(text => text ?? own.metrics()) // a primary that does not answer is no reason to say nothing
          .finally(() => waiting.delete(id))
      }
    },
    reserve: createReserve((account, sent) => tell({ dap: 'account', account }, sent)),
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
  stop(limitMs: number): Promise<{ readonly totals: Totals; readonly lost: readonly Losses[] }>
}

/** How long a worker may take to tell its metrics: those that it told last stand for it then. */
const MEASURE_MS = 1_000

/** Starts `count` processes with these words after the program's name, and again those that die; resolves when all listen. */
export async function startWorkers(
  count: number,
  args: readonly string[],
  tell: Tell,
  ledger: LocalLedger,
): Promise<Primary> {
  cluster.setupPrimary({ args: [...args] })
  const metrics = createWorkerMetrics()
  const totals = { decisions: 0, rewards: 0 }
  const lost: Losses[] = []
  let stopping = false
  let restartMs = FIRST_RESTART_MS
  /** The workers that serve, each with those who wait for its metrics. */
  const serving = new Map<Worker, (() => void)[]>()

  const order = (worker: Worker, what: Order) => worker.isConnected() && worker.send(what)

  /** Asks all workers anew. */
  async function measureAll(): Promise<string> {
    const answers = [...serving].map(([worker, waiting]) => {
      order(worker, { dap: 'measure' })
      return new Promise<void>(resolve => waiting.push(resolve))
    })
    let late: NodeJS.Timeout | undefined
    const inTime = new Promise(resolve => {
      late = setTimeout(resolve, MEASURE_MS)
    })
    await Promise.race([Promise.all(answers), inTime])
    clearTimeout(late)
    return metrics.text()
  }
  const measured = coalesced(measureAll)

  function answered(worker: Worker): void {
    for (const resolve of serving.get(worker)?.splice(0) ?? []) resolve()
  }

  function start(): Promise<{ readonly url: string; readonly policies: number }> {
    const worker = cluster.fork()
    const born = performance.now()
    let account: Account | undefined = NO_ACCOUNT
    closeWhatDiesWith(worker)
    return new Promise((resolve, reject) => {
      worker.on('message', (message: Message) => {
        switch (message.dap) {
          case 'ready':
            serving.set(worker, [])
            return resolve(message)
          case 'metrics':
            return void measured().then(text => order(worker, { dap: 'metrics', id: message.id, text }))
          case 'measured':
            metrics.measured(worker.id, message.metrics)
            return answered(worker)
          case 'account':
            account = message.account
            return
          case 'settled':
            ledger.settle(message.ids, worker.id, message.how)
            return
          case 'ledger':
            order(worker, answerQuestions(ledger, worker.id, message))
            return
          case 'done':
            account = undefined
            totals.decisions += message.totals.decisions
            totals.rewards += message.totals.rewards
            if (message.lost !== undefined) lost.push(message.lost)
        }
      })
      // It is gone, and all that it has said has been heard.
      worker.process.once('close', (code, signal) => gone(signal ?? `exit code ${code}`))
      worker.on('error', (error: Error) => {
        // What is sent to one that is just dying does not matter; one that was never born has no other end.
        if (worker.process.pid === undefined) gone(error.message)
      })

      function gone(why: string): void {
        metrics.died(worker.id)
        const repeated = ledger.forget(worker.id)
        answered(worker)
        serving.delete(worker)
        // What others were answered by it was perhaps never logged, and nobody reserved it.
        const records = account === undefined ? 0 : mayBeLost(account) + repeated
        if (account !== undefined) settle(account, records, why)
        reject(new DapError(`a worker could not start (${why})`, { hint: 'its error is above' }))
        if (stopping || !started) return
        if (performance.now() - born > LONG_LIFE_MS) restartMs = FIRST_RESTART_MS
        tell('error', 'worker died', { why, mayBeLost: records, restartMs })
        setTimeout(() => {
          if (!stopping) start().catch(() => {})
        }, restartMs)
        restartMs = Math.min(LAST_RESTART_MS, restartMs * 2)
      }
    })
  }

  /** What becomes of the account of a worker that could not say it is done. */
  function settle(account: Account, records: number, why: string): void {
    totals.decisions += account.written.decisions
    totals.rewards += account.written.rewards
    if (records === 0) return
    metrics.lost(records)
    const what = records === 1 ? 'one record' : `at most ${records} records`
    lost.push({ reason: `${what} of a worker that died (${why}) may be lost`, records })
  }

  const everyone = () => Object.values(cluster.workers ?? {}).filter(worker => worker !== undefined)

  async function stop(limitMs: number): Promise<{ readonly totals: Totals; readonly lost: readonly Losses[] }> {
    stopping = true
    const gone = everyone().map(worker => once(worker.process, 'close'))
    for (const worker of everyone()) order(worker, { dap: 'stop' })
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

/** Runs one at a time: all who ask while it runs get what it comes to when it has been run once more. */
function coalesced<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<T> | undefined
  return () => {
    next ??= running.then(() => {
      next = undefined
      const now = run()
      running = now.catch(() => {})
      return now
    })
    return next
  }
}
