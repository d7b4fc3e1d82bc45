/** Time in at most so many buckets of one width, in one pass, though nobody knows before how long the log is. */
import { groupedDigits } from '../../grouped.ts'
export interface TimeBuckets {
  /** The least width doubled until all fits, so that buckets of two readings are halves or unions of one another. */
  readonly width: number
  /** Bucket 0 begins at first · width. */
  readonly first: number
  /** What has been seen; low > high where nothing was. */
  readonly low: number
  readonly high: number
}

/** Some 0.6 ms, of which 2²⁷ are a day: buckets of a day and more begin at midnight UTC. */
export const LEAST_WIDTH = { time: 84_375 / 131_072, row: 1 } as const

export const noTime = (width: number): TimeBuckets => ({ width, first: 0, low: Infinity, high: -Infinity })

/** The finest buckets, none finer than either, of which `most` (at least 2) hold all that was seen of both. */
export function joined(one: TimeBuckets, other: Omit<TimeBuckets, 'first'>, most: number): TimeBuckets {
  const low = Math.min(one.low, other.low)
  const high = Math.max(one.high, other.high)
  let width = Math.max(one.width, other.width)
  if (low > high) return { ...one, width }
  while (Math.floor(high / width) - Math.floor(low / width) >= most) width *= 2
  return { width, first: Math.floor(low / width), low, high }
}

export const bucketAt = ({ width, first }: TimeBuckets, time: number): number => Math.floor(time / width) - first

/** In which of `wider`, of at least that width, the bucket of `buckets` lies. */
export const bucketIn = (wider: TimeBuckets, buckets: TimeBuckets, bucket: number): number =>
  Math.floor((buckets.first + bucket) / (wider.width / buckets.width)) - wider.first

/** `between 2026-11-01 and 2026-11-08`, `in rows 1 to 2,000`: where a bucket lies, but nothing that was not seen. */
export function bucketText(clock: keyof typeof LEAST_WIDTH, buckets: TimeBuckets, bucket: number): string {
  const { width, first, low, high } = buckets
  const from = Math.max(low, (first + bucket) * width)
  const to = Math.min(high, (first + bucket + 1) * width - LEAST_WIDTH[clock])
  if (clock === 'row') return `in rows ${groupedDigits(from + 1)} to ${groupedDigits(to + 1)}`
  const text = (time: number) => new Date(time).toISOString().slice(0, width >= DAY ? 10 : 16)
  return `between ${text(from)} and ${text(to)}`
}

const DAY = 86_400_000
