import { addTo } from '../math/sum.ts'
import type { Forgetting, Remembered } from './forgetting.ts'

/** Sums by bucket of time, `length` numbers each. */
export interface Buckets {
  /** Those of the bucket that a time is in; undefined where that is too old to count, whatever else comes. */
  at(time: number): Float64Array | undefined
  /** All of them, from the oldest on, each after its number. */
  flat(): Float64Array
}

export function createBuckets({ keep, bucketOf }: Forgetting, length: number): Buckets {
  const shelf = createShelf(keep, length)
  return {
    at(time) {
      const bucket = bucketOf(time)
      if (!Number.isFinite(bucket)) throw new RangeError('a learner that forgets needs the times of decisions')
      return shelf.at(bucket)
    },
    flat() {
      const all = new Float64Array(shelf.numbers().length * (1 + length))
      for (const [i, bucket] of shelf.numbers().entries()) {
        all[i * (1 + length)] = bucket
        all.set(shelf.at(bucket)!, i * (1 + length) + 1)
      }
      return all
    },
  }
}

/** Parts of such sums together. */
export interface MergedBuckets {
  /** Adds what `flat` gave, with compensation. */
  merge(part: Float64Array): void
  /** The i-th number over all buckets that count, each times its weight; by default as of the newest bucket. */
  total(until?: number): (i: number) => number
  remembered(until?: number): Remembered | undefined
}

/** `counts`: is the i-th number a count of rows, which weighs nothing else than 1? */
export function mergeBuckets(forgetting: Forgetting, length: number, counts: (i: number) => boolean): MergedBuckets {
  const { keep, bucketOf, startOf, weight } = forgetting
  // Compensated sums take two places each.
  const shelf = createShelf(keep, 2 * length)

  /** The bucket that looks back: nothing is younger than it. */
  const reference = (until: number | undefined) =>
    Math.max(shelf.newest(), until === undefined ? Number.NEGATIVE_INFINITY : bucketOf(until))
  const counting = (now: number) => shelf.numbers().filter(bucket => now - bucket < keep)

  return {
    merge(part) {
      for (let at = 0; at < part.length; at += 1 + length) {
        const sums = shelf.at(part[at])
        if (sums === undefined) continue
        for (let i = 0; i < length; i++) addTo(sums, 2 * i, part[at + 1 + i])
      }
    },
    total(until) {
      const now = reference(until)
      const all = new Float64Array(2 * length)
      for (const bucket of counting(now)) {
        const sums = shelf.at(bucket)!
        const w = weight(now - bucket)
        for (let i = 0; i < length; i++) addTo(all, 2 * i, (counts(i) ? 1 : w) * (sums[2 * i] + sums[2 * i + 1]))
      }
      return i => all[2 * i] + all[2 * i + 1]
    },
    remembered(until) {
      const now = reference(until)
      if (!Number.isFinite(now)) return undefined
      const { bucket } = forgetting
      return { bucket, buckets: counting(now).length, since: startOf(now - keep + 1), at: startOf(now) }
    },
  }
}

/** Lists of numbers by bucket, of which only the `keep` newest can ever count: others go, or do not come in. */
function createShelf(keep: number, length: number) {
  const lists = new Map<number, Float64Array>()
  let newest = Number.NEGATIVE_INFINITY
  return {
    newest: () => newest,
    numbers: () => [...lists.keys()].sort((a, b) => a - b),
    at(bucket: number): Float64Array | undefined {
      if (newest - bucket >= keep) return undefined
      const known = lists.get(bucket)
      if (known !== undefined) return known
      const list = new Float64Array(length)
      lists.set(bucket, list)
      if (bucket > newest) {
        newest = bucket
        for (const old of lists.keys()) if (newest - old >= keep) lists.delete(old)
      }
      return list
    },
  }
}
