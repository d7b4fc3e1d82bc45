/** What became of things that were sent together: `refused` is for good, since something in them is wrong. */
export type Sent = 'taken' | 'refused' | { readonly later: string }

export interface Outbox<Item> {
  /** The oldest make room where too many wait. */
  add(item: Item): void
  /** Sends what waits, until nothing does, or until nothing is taken now: then it is why. */
  flush(): Promise<string | undefined>
  /** Sends nothing by itself any more. */
  stop(): void
  readonly queued: number
  /** Refused, or had to make room. */
  readonly dropped: number
}

export interface OutboxParts<Item> {
  /** May reject, which is `later`. */
  send(items: readonly Item[]): Promise<Sent>
  /** How long an item may wait for others to be sent with. */
  readonly flushMs: number
  readonly maxQueued: number
}

/** Fewer than the server's limit on a batch. */
const BATCH = 500
const LAST_RETRY_MS = 30_000

/**
 * Things on their way to the server: sent together, again until they are taken, later each time. Nothing here rejects: what cannot be sent
 * waits, and its number is known.
 */
export function createOutbox<Item>({ send, flushMs, maxQueued }: OutboxParts<Item>): Outbox<Item> {
  let queue: Item[] = []
  let dropped = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let retryMs = flushMs
  let sending: Promise<string | undefined> | undefined
  let stopped = false

  /** One that is wrong makes the server refuse all that are sent with it, so those are sent in halves again. */
  async function deliver(items: readonly Item[]): Promise<string | undefined> {
    const sent = await send(items).catch((error: unknown): Sent => ({ later: String(error) }))
    if (typeof sent === 'object') return sent.later
    if (sent === 'refused' && items.length > 1) {
      const half = Math.ceil(items.length / 2)
      return (await deliver(items.slice(0, half))) ?? (await deliver(items.slice(half)))
    }
    const done = new Set(items)
    const before = queue.length
    queue = queue.filter(item => !done.has(item))
    // What had to make room meanwhile is counted already.
    if (sent === 'refused') dropped += before - queue.length
    return undefined
  }

  async function sendAll(): Promise<string | undefined> {
    while (queue.length > 0) {
      const later = await deliver(queue.slice(0, BATCH))
      if (later !== undefined) return later
    }
    return undefined
  }

  function flush(): Promise<string | undefined> {
    clearTimeout(timer)
    timer = undefined
    sending ??= sendAll().then(later => {
      sending = undefined
      retryMs = later === undefined ? flushMs : Math.min(LAST_RETRY_MS, Math.max(flushMs, 2 * retryMs))
      if (queue.length > 0) plan()
      return later
    })
    return sending
  }

  function plan(): void {
    if (timer !== undefined || stopped) return
    timer = setTimeout(flush, retryMs)
    // Where there is such a thing, what waits does not keep the process alive: `close` is for that.
    if (typeof timer === 'object') timer.unref()
  }

  return {
    add(item) {
      queue.push(item)
      if (queue.length > maxQueued) {
        queue.shift()
        dropped++
      }
      if (sending === undefined) plan()
    },
    flush,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
    get queued() {
      return queue.length
    },
    get dropped() {
      return dropped
    },
  }
}
