import { learnerOf } from '../policy/algorithm.ts'
import { milliseconds } from '../policy/duration.ts'
import { forgettingOf } from '../policy/forgetting.ts'
import type { LearnerState, PassRows } from '../policy/learner.ts'
import { fitHere, rowsAsOf } from '../policy/passes.ts'
import type { Policy } from '../policy/policy.ts'
import { createStatistics, type MergedStatistics, mergeStatistics, type Statistics } from '../policy/statistics.ts'

/** When the clock of a scenario starts. */
export const START = Date.UTC(2026, 0, 1)

/** The time of a scenario's n-th decision, milliseconds since 1970, by the time between two of them; without any it is a second. */
export const timeOf = (every: string | undefined, number: number): number =>
  START + number * (every === undefined ? 1000 : milliseconds(every))

/**
 * How a policy's learner learns a decision at a time; one that forgets does so as time goes on, exactly as it would from a log until then. One that is fitted
 * in passes is fitted anew as each bucket of time begins, and learns at once in between.
 */
export interface Memory {
  /** Nothing was learnt. */
  start(): void
  /** It is so late now. Time does not go back. */
  advance(time: number): void
  /** Learns a reward of now. */
  learn(action: number, x: Float64Array, reward: number): void
}

/** Undefined for a learner that remembers all. */
export function createMemory({ spec, kept, features, learner }: Policy): Memory | undefined {
  const forgetting = forgettingOf(spec.algorithm.learner)
  if (forgetting === undefined) return undefined
  const { dimension, hashing, own } = features
  const size = [spec.algorithm, Math.max(1, kept.length), dimension, own] as const
  const passes = learnerOf(spec.algorithm.learner).passes?.(spec.algorithm.learner, kept.length, dimension, hashing)
  const blank = learner.state()
  let now = Number.NaN
  let bucket = Number.NaN
  /** Of the bucket that it is; the learner has learnt them, too. */
  let fresh: Statistics
  let before: MergedStatistics
  /** Of a learner that is fitted in passes: the rows that still count. */
  let seen: SeenRow[] = []
  start()

  function start(): void {
    learner.restore(blank)
    now = Number.NaN
    bucket = Number.NaN
    fresh = createStatistics(...size)
    before = mergeStatistics(...size)
    seen = []
  }

  /** What it knows once it is the bucket `next`. */
  function stateIn(next: number, time: number): LearnerState {
    if (passes === undefined || forgetting === undefined) return before.state(time)
    seen = seen.filter(row => next - row.bucket < forgetting.keep)
    const buckets = Float64Array.from(seen, row => row.bucket)
    const rows = rowsAsOf(rowsOf(seen, dimension), buckets, forgetting, next)
    const { counts, scale } = before.worth(time)
    return fitHere(passes, [rows], counts, scale, learner.state()).state()
  }

  return {
    start,
    advance(time) {
      const next = forgetting.bucketOf(time)
      now = time
      if (next === bucket) return
      before.merge(fresh.sums)
      fresh = createStatistics(...size)
      if (!Number.isNaN(bucket)) learner.restore(stateIn(next, time))
      bucket = next
    },
    learn(action, x, reward) {
      learner.learn(action, x, reward)
      // Where actions come and go there is one model, of all.
      fresh.add(kept.length === 0 ? 0 : action, x, reward, 1, now)
      if (passes !== undefined) seen.push({ bucket, action, x: x.slice(), reward })
    },
  }
}

interface SeenRow {
  readonly bucket: number
  readonly action: number
  readonly x: Float64Array
  readonly reward: number
}

function rowsOf(seen: readonly SeenRow[], dimension: number): PassRows {
  const x = new Float64Array(seen.length * dimension)
  for (const [r, row] of seen.entries()) x.set(row.x, r * dimension)
  return {
    rows: seen.length,
    x,
    action: Int32Array.from(seen, ({ action }) => action),
    reward: Float64Array.from(seen, ({ reward }) => reward),
    weight: undefined,
  }
}
