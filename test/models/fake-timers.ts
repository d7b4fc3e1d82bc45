import type { Timers } from '../../src/models/guard.ts'

export interface FakeTimers extends Timers {
  /** Moves the clock, and runs what falls due on the way, in its order. */
  pass(ms: number): void
  /** Timers that wait. */
  readonly waiting: number
}

export function fakeTimers(): FakeTimers {
  let now = 1_000_000
  const timers = new Set<{ readonly due: number; readonly run: () => void }>()
  return {
    now: () => now,
    after(ms, run) {
      const timer = { due: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    pass(ms) {
      const until = now + ms
      for (;;) {
        const next = [...timers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0]
        if (next === undefined) break
        timers.delete(next)
        now = next.due
        next.run()
      }
      now = until
    },
    get waiting() {
      return timers.size
    },
  }
}
