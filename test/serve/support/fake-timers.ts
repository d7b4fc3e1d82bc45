import type { Timers } from '../../../src/serve/log/log-writer.ts'

export interface FakeTimers extends Timers {
  now(): number
  /** Lets `ms` milliseconds pass: every timer that is due runs, and what it started has its turn, in order. */
  pass(ms: number): Promise<void>
}

export function fakeTimers(start = 0): FakeTimers {
  let now = start
  let planned: { readonly at: number; readonly run: () => void }[] = []
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      planned.push(timer)
      return () => {
        planned = planned.filter(other => other !== timer)
      }
    },
    async pass(ms) {
      const end = now + ms
      for (;;) {
        await settle()
        const next = planned.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        planned = planned.filter(other => other !== next)
        now = next.at
        next.run()
      }
      now = end
    },
  }
}

/** Promises that are resolved by now have had their turn. */
export const settle = () => new Promise<void>(resolve => setImmediate(resolve))
