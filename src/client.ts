/**
 * The typed client of `dap serve`, for Node and browsers. A decision that does not come in time is the caller's own fallback, so asking
 * costs the caller at most `timeoutMs`; rewards go out in batches, under ids that let them be sent again.
 */
import createFetch from 'openapi-fetch'
import type { components, paths } from './generated/api.d.ts'

type Schemas = components['schemas']
export type DecideRequest = Schemas['DecideRequest']
export type RewardRequest = Schemas['RewardRequest']
export type Problem = Schemas['Problem']

/** Only a fallback that the caller served itself has no policy. */
export type Decision = Omit<Schemas['DecideAnswer'], 'policy'> & { readonly policy?: Schemas['DecideAnswer']['policy'] }

export interface ClientOptions {
  /** `http://127.0.0.1:8080` */
  readonly baseUrl: string
  /** How long a caller waits for a decision; default: 250. */
  readonly timeoutMs?: number
  /** How long a reward may wait for others to be sent with; default: 1000. */
  readonly flushMs?: number
  /** Rewards that wait while the server takes none; the oldest are dropped, and counted. Default: 10,000. */
  readonly maxQueued?: number
  readonly fetch?: (request: Request) => Promise<Response>
}

export interface Client {
  /**
   * Never rejects: without an answer in time, or with a problem, it is the fallback, with the reason. A null fallback is to do nothing; and
   * `action` is null, too, where the server answers that the policy's rules let nothing be served (`servedBy: 'none'`), which no fallback replaces.
   */
  decide(request: DecideRequest, options: { readonly fallback: string | null }): Promise<Decision>
  /** One decision a request, in order; `fallback` is the action of all of them. */
  decideBatch(
    requests: readonly DecideRequest[],
    options: { readonly fallback: string | null },
  ): Promise<readonly Decision[]>
  /** Queues a reward. It is given an id, so that it counts once however often it is sent. */
  reward(reward: RewardRequest): void
  /** Resolves when what was queued has been taken, or refused for good; rejects where the server takes nothing now. */
  flush(): Promise<void>
  /** Sends what is queued, and no more. */
  close(): Promise<void>
  readonly stats: ClientStats
}

export interface ClientStats {
  readonly queued: number
  /** Rewards that the server refused as wrong, or that had to make room. */
  readonly dropped: number
  /** Decisions that the caller served itself. */
  readonly fallbacks: number
}

/** Fewer than the server's limit on a batch. */
const BATCH = 500
const SEND_MS = 10_000
const LAST_RETRY_MS = 30_000

export function createClient(options: ClientOptions): Client {
  const { baseUrl, timeoutMs = 250, flushMs = 1_000, maxQueued = 10_000, fetch } = options
  const http = createFetch<paths>({ baseUrl, ...(fetch === undefined ? {} : { fetch }) })
  let queue: RewardRequest[] = []
  const stats = { dropped: 0, fallbacks: 0 }
  let timer: ReturnType<typeof setTimeout> | undefined
  let retryMs = flushMs
  let sending: Promise<void> | undefined
  let closed = false

  function own(request: DecideRequest, action: string | null, reason: string): Decision {
    stats.fallbacks++
    const decisionId = request.decisionId ?? crypto.randomUUID()
    return { decisionId, action, propensity: null, servedBy: action === null ? 'none' : 'override', reason }
  }

  /** What the server answers within the time, or why it does not. */
  async function ask<T>(
    send: (signal: AbortSignal) => Promise<{ readonly data?: T; readonly error?: Problem }>,
  ): Promise<T | string> {
    try {
      const { data, error } = await send(AbortSignal.timeout(timeoutMs))
      return data ?? error?.detail ?? 'no answer'
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : `unreachable: ${error}`
    }
  }

  /** One that is wrong makes the server refuse all that are sent with it, so those are sent in halves again. */
  async function send(rewards: readonly RewardRequest[]): Promise<void> {
    const signal = AbortSignal.timeout(SEND_MS)
    const { error, response } = await http.POST('/v1/rewards', { body: { rewards: [...rewards] }, signal })
    if (error === undefined) return
    if (!isFinal(response.status)) throw new Error(`the server takes no rewards now: ${error.detail}`)
    if (rewards.length === 1) stats.dropped++
    else {
      const half = Math.ceil(rewards.length / 2)
      await send(rewards.slice(0, half))
      await send(rewards.slice(half))
    }
  }

  async function sendAll(): Promise<void> {
    while (queue.length > 0) {
      const rewards = new Set(queue.slice(0, BATCH))
      await send([...rewards])
      queue = queue.filter(reward => !rewards.has(reward))
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    sending ??= sendAll().finally(() => {
      sending = undefined
    })
    return sending
  }

  function plan(ms: number): void {
    if (closed || timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      flush().then(
        () => {
          retryMs = flushMs
        },
        () => {
          retryMs = Math.min(LAST_RETRY_MS, Math.max(flushMs, 2 * retryMs))
          plan(retryMs)
        },
      )
    }, ms)
    // Where there is such a thing, a waiting reward does not keep the process alive: `close` is for that.
    if (typeof timer === 'object') timer.unref()
  }

  return {
    async decide(request, { fallback }) {
      const answer = await ask(signal => http.POST('/v1/decide', { body: request, signal }))
      return typeof answer === 'string' ? own(request, fallback, answer) : answer
    },

    async decideBatch(requests, { fallback }) {
      const answer = await ask(signal => http.POST('/v1/decide:batch', { body: { requests: [...requests] }, signal }))
      return typeof answer === 'string' ? requests.map(request => own(request, fallback, answer)) : answer.decisions
    },

    reward(reward) {
      if (closed) throw new Error('the client is closed')
      queue.push({ rewardId: crypto.randomUUID(), ts: new Date().toISOString(), ...reward })
      if (queue.length > maxQueued) {
        queue.shift()
        stats.dropped++
      }
      plan(retryMs)
    },

    flush,

    async close() {
      closed = true
      await flush()
    },

    get stats() {
      return { ...stats, queued: queue.length }
    },
  }
}

/** Will the server never take it, however often it is sent? */
const isFinal = (status: number) => status >= 400 && status < 500 && status !== 408 && status !== 429
