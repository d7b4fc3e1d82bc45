import type { Clock } from './ports.ts'

export function realClock(): Clock {
  return {
    now: () => Date.now(),
    after(ms, call) {
      const timer = setTimeout(call, ms)
      return () => clearTimeout(timer)
    },
  }
}

export interface VirtualClock extends Clock {
  /** Runs what falls due in that time, in order, and lets the promises that it settles have their say before the next. */
  advance(ms: number): Promise<void>
}

/** Stands still until it is advanced; starts at that many ms since 1970. */
export function virtualClock(start = 1_700_000_000_000): VirtualClock {
  let now = start
  let serial = 0
  const due = new Map<number, { readonly at: number; readonly call: () => void }>()
  return {
    now: () => now,
    after(ms, call) {
      const id = serial++
      due.set(id, { at: now + ms, call })
      return () => due.delete(id)
    },
    async advance(ms) {
      const until = now + ms
      await settled()
      for (;;) {
        // A Map keeps the order of insertion, so equal times run in the order in which they were asked for.
        let next: [number, { readonly at: number; readonly call: () => void }] | undefined
        for (const entry of due) if (entry[1].at <= until && (!next || entry[1].at < next[1].at)) next = entry
        if (!next) break
        due.delete(next[0])
        now = Math.max(now, next[1].at)
        next[1].call()
        await settled()
      }
      // Another advance may have gone further meanwhile: time never runs backwards.
      now = Math.max(now, until)
    },
  }
}

/** A turn of the event loop: every microtask has run. */
const settled = () => new Promise<void>(resolve => setImmediate(resolve))
