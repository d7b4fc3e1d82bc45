import type { Reserve, Stream } from './log-writer.ts'

/** What a worker has told its primary of its log, in records since it started. */
export interface Account {
  /** It has acknowledged no more than this. */
  readonly reserved: number
  readonly written: Readonly<Record<Stream, number>>
}

export const NO_ACCOUNT: Account = { reserved: 0, written: { decisions: 0, rewards: 0 } }

/** How many records may have been acknowledged and not written by a worker of which this is the last account. */
export const mayBeLost = ({ reserved, written }: Account): number => reserved - written.decisions - written.rewards

/** As many records are reserved ahead as are waiting to be written, but no more than this: a message for so many, where they come fast. */
const MOST_AHEAD = 64
/** Messages that wait in this process, and would die with it, since the pipe is full: some ten seconds of a primary that has stopped. */
const MOST_UNSENT = 100

/**
 * Sees to it that a primary can say how many records have died with a worker: the worker reserves before it acknowledges, and a message
 * in the pipe outlives it. What is reserved is given back with each write, so that at most what came since the last one, and as much
 * again, is ever in doubt.
 */
export function createReserve(send: (account: Account, sent: () => void) => void): Reserve {
  const written = { decisions: 0, rewards: 0 }
  let waiting = 0
  let taken = 0
  let reserved = 0
  let unsent = 0

  function tell(): void {
    unsent++
    send({ reserved, written: { ...written } }, () => {
      unsent--
    })
  }

  return {
    took() {
      taken++
      waiting++
      if (taken <= reserved) return
      reserved = taken + Math.min(MOST_AHEAD, waiting - 1)
      tell()
    },
    wrote(stream, records) {
      waiting -= records
      written[stream] += records
      reserved = Math.min(reserved, taken + waiting)
      tell()
    },
    get stalled() {
      return unsent > MOST_UNSENT
    },
  }
}
