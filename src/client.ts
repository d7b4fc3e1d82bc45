/**
 * The typed client of `dap serve`, for Node and browsers. A decision that does not come in time is the caller's own fallback, so asking
 * costs the caller at most `timeoutMs`; rewards go out in batches, under ids that let them be sent again.
 */
import createFetch from 'openapi-fetch'
import { createOutbox, type Outbox, type Sent } from './client/outbox.ts'
import { createRecentIds } from './client/recent-ids.ts'
import { createServerClock } from './client/server-clock.ts'
import type { components, paths } from './generated/api.d.ts'

export { type ActivationHook, activationHook } from './client/activation-hook.ts'

type Schemas = components['schemas']
export type DecideRequest = Schemas['DecideRequest']
export type RewardRequest = Schemas['RewardRequest']
export type Problem = Schemas['Problem']

/** Only a fallback that the caller served itself has no policy. */
export type Decision = Omit<Schemas['DecideAnswer'], 'policy'> & { readonly policy?: Schemas['DecideAnswer']['policy'] }

export interface ClientOptions {
  /** `http://127.0.0.1:8080` */
  readonly baseUrl: string
  /** A token of the server's `--tokens`. */
  readonly token?: string
  /** How long a caller waits for a decision; default: 250. */
  readonly timeoutMs?: number
  /** How long a reward may wait for others to be sent with; default: 1000. */
  readonly flushMs?: number
  /** Rewards that wait while the server takes none; the oldest are dropped, and counted. Default: 10,000. */
  readonly maxQueued?: number
  readonly fetch?: (request: Request) => Promise<Response>
}

export interface DecideOptions {
  /** The action that the caller takes itself without an answer, or of a policy that decides lists the actions, from the top; null is to do nothing. */
  readonly fallback: string | readonly string[] | null
  /** W3C Trace Context, which the server logs. */
  readonly traceparent?: string
}

export interface Client {
  /**
   * Never rejects: without an answer in time, or with a problem, it is the fallback, with the reason. A null fallback is to do nothing; and
   * `action` is null, too, where the server answers that the policy's rules let nothing be served (`servedBy: 'none'`), which no fallback replaces.
   */
  decide(request: DecideRequest, options: DecideOptions): Promise<Decision>
  /** One decision a request, in order; `fallback` is the action of all of them. */
  decideBatch(requests: readonly DecideRequest[], options: DecideOptions): Promise<readonly Decision[]>
  /**
   * Queues a reward. It is given an id, so that it counts once however often it is sent. It was when it arrives; one that had to wait says how
   * long, by the server's clock. One of a decision that the caller served itself is not sent: the server knows no such decision, or has logged another one.
   */
  reward(reward: RewardRequest): void
  /**
   * Queues word that a decision with `deferActivation`, or one that OpenFeature's SDK has asked for, was really shown; or, of a list, that one of its slots was
   * seen. Once for each.
   */
  activate(decisionId: string, options?: { readonly slot?: number }): void
  /** Sends what is queued. Never rejects. */
  flush(): Promise<Unsent>
  /** The same, again and again for two seconds, or for `timeoutMs`; what is not sent by then is lost. Never rejects. */
  close(options?: { readonly timeoutMs?: number }): Promise<Unsent>
  readonly stats: ClientStats
}

export interface Unsent {
  /** Rewards and activations that the server has not taken. */
  readonly unsent: number
  /** Why, where there are any. */
  readonly reason?: string
}

export interface ClientStats {
  /** Rewards and activations that wait. */
  readonly queued: number
  /** Those that the server refused as wrong, or that had to make room. */
  readonly dropped: number
  /** Decisions that the caller served itself. */
  readonly fallbacks: number
  /** Rewards of such decisions, which are not sent. */
  readonly withheld: number
}

type ActivationRequest = Schemas['ActivationRequest']

interface Waiting<Item> {
  readonly item: Item
  /** By the monotonic clock. */
  readonly since: number
  /** Has the client made its id? */
  readonly ownId: boolean
}

type Post<Body> = (
  body: Body,
  signal: AbortSignal,
) => Promise<{ readonly error?: Problem; readonly response: Response }>

const SEND_MS = 10_000

/** What has waited longer says when it was; anything else was when it arrives, whatever the clocks say. */
const LATE_MS = 5_000
const CLOSE_MS = 2_000
const FIRST_PAUSE_MS = 50

/** Decisions that the caller served itself, and ones that it has activated: as many are remembered. */
const REMEMBERED = 10_000

/** What is sent again unchanged is refused again. Any other status may pass: a wrong token, too, until somebody mends it. */
const REFUSED: readonly number[] = [400, 409, 413]

export function createClient(options: ClientOptions): Client {
  const { baseUrl, token, timeoutMs = 250, flushMs = 1_000, maxQueued = 10_000, fetch } = options
  const http = createFetch<paths>({
    baseUrl,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    ...(fetch === undefined ? {} : { fetch }),
  })
  const clock = createServerClock(() => performance.now())
  const own = createRecentIds(REMEMBERED)
  const activated = createRecentIds(REMEMBERED)
  const stats = { fallbacks: 0, withheld: 0 }
  const ended = new AbortController()
  let closing: Promise<Unsent> | undefined

  const rewards = outbox<RewardRequest>((all, signal) => http.POST('/v1/rewards', { body: { rewards: all }, signal }))
  const activations = outbox<ActivationRequest>((all, signal) =>
    http.POST('/v1/activations', { body: { activations: all }, signal }),
  )

  function outbox<Item extends { readonly ts?: string }>(post: Post<Item[]>): Outbox<Waiting<Item>> {
    async function send(all: readonly Waiting<Item>[]): Promise<Sent> {
      const signal = AbortSignal.any([AbortSignal.timeout(SEND_MS), ended.signal])
      if (!clock.known && all.some(isLate)) clock.heard((await http.GET('/healthz', { signal })).response.headers)
      const timed = all.map(withTime)
      const { error, response } = await post(timed, signal)
      clock.heard(response.headers)
      if (response.ok) return 'taken'
      if (!REFUSED.includes(response.status)) return { later: error?.detail ?? `the server answers ${response.status}` }
      const [{ item, ownId }] = all
      if (all.length > 1) return 'refused'
      // Nobody else has this id: the server has taken it, and its answer was lost.
      if (response.status === 409 && ownId) return 'taken'
      // A proxy's clock may be off. When it arrives is better than nothing.
      return timed[0] !== item && (await post([item], signal)).response.ok ? 'taken' : 'refused'
    }
    return createOutbox({ send, flushMs, maxQueued })
  }

  const isLate = <Item extends { readonly ts?: string }>({ item, since }: Waiting<Item>): boolean =>
    item.ts === undefined && performance.now() - since > LATE_MS

  function withTime<Item extends { readonly ts?: string }>(waiting: Waiting<Item>): Item {
    const ts = isLate(waiting) ? clock.at(waiting.since) : undefined
    return ts === undefined ? waiting.item : { ...waiting.item, ts }
  }

  function fallBack(request: DecideRequest, fallback: DecideOptions['fallback'], reason: string): Decision {
    stats.fallbacks++
    const decisionId = request.decisionId ?? crypto.randomUUID()
    own.add(decisionId)
    const [action = null] = typeof fallback === 'object' ? (fallback ?? []) : [fallback]
    const decision = {
      decisionId,
      action,
      propensity: null,
      servedBy: action === null ? 'none' : 'override',
      reason,
    } as const
    if (typeof fallback !== 'object' || fallback === null) return decision
    return { ...decision, slots: fallback.map((each, slot) => ({ slot, action: each, propensity: null })) }
  }

  /** What the server has decided is its own, also where it was late before. */
  function served(decision: Decision): Decision {
    own.delete(decision.decisionId)
    return decision
  }

  /** What the server answers within the time, or why it does not. */
  async function ask<T>(
    send: (
      signal: AbortSignal,
    ) => Promise<{ readonly data?: T; readonly error?: Problem; readonly response: Response }>,
  ): Promise<T | string> {
    try {
      const { data, error, response } = await send(AbortSignal.timeout(timeoutMs))
      clock.heard(response.headers)
      return data ?? error?.detail ?? `the server answers ${response.status}`
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : `unreachable: ${error}`
    }
  }

  const headers = ({ traceparent }: DecideOptions) => (traceparent === undefined ? {} : { headers: { traceparent } })

  async function flush(): Promise<Unsent> {
    // A decision that is pending must not miss its reward.
    const reasons = [await activations.flush(), await rewards.flush()]
    return unsent(reasons.find(reason => reason !== undefined))
  }

  function unsent(reason: string | undefined): Unsent {
    const waiting = activations.queued + rewards.queued
    return { unsent: waiting, ...(waiting === 0 || reason === undefined ? {} : { reason }) }
  }

  async function close(ms: number): Promise<Unsent> {
    rewards.stop()
    activations.stop()
    let last = unsent(undefined)
    async function tryUntilSent(): Promise<void> {
      for (let wait = FIRST_PAUSE_MS; !ended.signal.aborted; wait *= 2) {
        last = await flush()
        if (last.unsent === 0) return
        await pause(wait, ended.signal)
      }
    }
    const sent = new AbortController()
    await Promise.race([tryUntilSent(), pause(ms, sent.signal)])
    sent.abort()
    ended.abort()
    return unsent(last.reason ?? 'no answer')
  }

  function queue<Item>(box: Outbox<Waiting<Item>>, item: Item, ownId: boolean): void {
    box.add({ item, since: performance.now(), ownId })
  }

  function mustBeOpen(): void {
    if (closing !== undefined) throw new Error('the client is closed')
  }

  return {
    async decide(request, options) {
      const answer = await ask(signal => http.POST('/v1/decide', { body: request, signal, ...headers(options) }))
      return typeof answer === 'string' ? fallBack(request, options.fallback, answer) : served(answer)
    },

    async decideBatch(requests, options) {
      const body = { requests: [...requests] }
      const answer = await ask(signal => http.POST('/v1/decide:batch', { body, signal, ...headers(options) }))
      return typeof answer === 'string'
        ? requests.map(request => fallBack(request, options.fallback, answer))
        : answer.decisions.map(served)
    },

    reward(reward) {
      mustBeOpen()
      if (own.has(reward.decisionId)) stats.withheld++
      else
        queue(rewards, { ...reward, rewardId: reward.rewardId ?? crypto.randomUUID() }, reward.rewardId === undefined)
    },

    activate(decisionId, { slot } = {}) {
      mustBeOpen()
      const what = JSON.stringify([decisionId, slot])
      if (activated.has(what) || own.has(decisionId)) return
      activated.add(what)
      queue(activations, { decisionId, ...(slot === undefined ? {} : { slot }) }, true)
    },

    flush,

    close({ timeoutMs: ms = CLOSE_MS } = {}) {
      closing ??= close(ms)
      return closing
    },

    get stats() {
      return {
        ...stats,
        queued: rewards.queued + activations.queued,
        dropped: rewards.dropped + activations.dropped,
      }
    },
  }
}

/** Ends early when the signal does. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
