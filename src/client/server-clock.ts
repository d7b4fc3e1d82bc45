/** The server's clock as its answers tell it, since the caller's own may be hours off. */
export interface ServerClock {
  /** Reads the `Date` of an answer. */
  heard(headers: Headers): void
  readonly known: boolean
  /** What it was at a moment of the monotonic clock, RFC 3339; undefined as long as no answer has said it. */
  at(moment: number): string | undefined
}

/** `Date` has whole seconds: a reward must not seem to come before its decision, so it is taken for their end. */
const SECOND_MS = 1_000

/** @param monotonic Milliseconds since any moment; never set, as a clock is. */
export function createServerClock(monotonic: () => number): ServerClock {
  /** The server's time less the monotonic one. */
  let ahead: number | undefined
  return {
    heard(headers) {
      const date = Date.parse(headers.get('date') ?? '')
      if (!Number.isNaN(date)) ahead = date + SECOND_MS - monotonic()
    },
    get known() {
      return ahead !== undefined
    },
    at: moment => (ahead === undefined ? undefined : new Date(ahead + moment).toISOString()),
  }
}
