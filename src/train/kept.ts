import type { Features } from '../policy/features.ts'
import type { Forgetting } from '../policy/forgetting.ts'
import { createSpread, mostTouches } from '../policy/hashing.ts'
import type { PassRows } from '../policy/learner.ts'
import { rowsAsOf } from '../policy/passes.ts'
import type { Context } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'

/** A batch's rows as a learner that is fitted in passes sees them, and what hashes among them stand for. */
export interface KeptBatch {
  readonly rows: PassRows
  readonly labels: ReadonlyMap<number, string>
  /** Of a learner that forgets: the bucket of time of each row. */
  readonly buckets?: Float64Array
}

/** The batch as it counts at a time, milliseconds since 1970. */
export function batchAsOf({ rows, labels, buckets }: KeptBatch, forgetting: Forgetting, time: number): KeptBatch {
  if (buckets === undefined) throw new RangeError('a learner that forgets needs the times of decisions')
  return { rows: rowsAsOf(rows, buckets, forgetting, forgetting.bucketOf(time)), labels }
}

/** Bytes of rows that are kept for the passes, in all threads together. */
export const MOST_KEPT = 2 * 1024 * 1024 * 1024

/** Bytes that so many rows take, with action, reward, weight and bucket of time. */
export const keptBytes = (rows: number, dimension: number): number => rows * (8 * dimension + 28)

/** What a row was made of: the action's place in the pool, the policy's own where there is none. */
export interface Said {
  readonly context: Context
  readonly pool: Pool | undefined
  readonly at: number
}

/** Keeps rows, one after the other, at most so many. */
export function keepBatch(
  features: Features,
  most: number,
  weighted: boolean,
  forgetting?: Forgetting,
): {
  readonly batch: KeptBatch
  add(x: Float64Array, action: number, reward: number, weight: number, said?: Said, time?: number): void
} {
  const { dimension, hashed } = features
  const of = {
    rows: 0,
    x: new Float64Array(most * dimension),
    action: new Int32Array(most),
    reward: new Float64Array(most),
    weight: weighted ? new Float64Array(most) : undefined,
  }
  const labels = new Map<number, string>()
  const buckets = forgetting && new Float64Array(most)
  return {
    batch: { rows: of, labels, buckets },
    add(x, action, reward, weight, said, time = Number.NaN) {
      const n = of.rows++
      of.x.set(x, n * dimension)
      of.action[n] = action
      of.reward[n] = reward
      if (of.weight !== undefined) of.weight[n] = weight
      if (forgetting !== undefined && buckets !== undefined) buckets[n] = forgetting.bucketOf(time)
      if (hashed === undefined || said === undefined) return
      const width = dimension / 2
      let known = true
      for (let i = 0; i < width && known; i++) known = labels.has(x[i])
      if (known) return
      for (const [i, label] of hashed.labels(said.context, said.at, said.pool).entries())
        if (!labels.has(x[i])) labels.set(x[i], label)
    },
  }
}

/** What the rows of a batch say of slots. */
export interface HashedNames {
  /** The first name of each slot that was asked for and is touched. */
  readonly names: readonly (readonly [slot: number, name: string])[]
  /** A bit for each of 2^(bits + `EXTRA_BITS`) places that a name may fall into: set where one does. */
  readonly places: Uint8Array
}

/**
 * So many more places than slots: in how many of them names fall says how many names there are, nearly. Whang, Vander-Zanden, Taylor, "A Linear-Time
 * Probabilistic Counting Algorithm for Database Applications", ACM TODS 15, 1990.
 */
export const EXTRA_BITS = 4

export function hashedNames(
  { hashing, hashed }: Features,
  { rows, x }: PassRows,
  labels: ReadonlyMap<number, string>,
  slots: readonly number[],
): HashedNames {
  if (hashing === undefined || hashed === undefined) throw new RangeError('these rows are not hashed')
  const spread = createSpread(hashing)
  const hashes = new Int32Array(mostTouches(hashing))
  const values = new Float64Array(hashes.length)
  const mask = (1 << hashing.bits) - 1
  const placeMask = (1 << (hashing.bits + EXTRA_BITS)) - 1
  const places = new Uint8Array((placeMask + 1) / 8)
  const wanted = new Set(slots)
  const names: [number, string][] = []
  const dimension = rows === 0 ? 0 : 2 * (hashing.ends.at(-1) ?? 0)
  for (let r = 0; r < rows; r++) {
    const n = spread(x, r * dimension, hashes, values)
    let hit = false
    for (let i = 0; i < n; i++) {
      const place = hashes[i] & placeMask
      places[place >> 3] |= 1 << (place & 7)
      hit ||= wanted.has(hashes[i] & mask)
    }
    if (!hit) continue
    const row = x.subarray(r * dimension, (r + 1) * dimension)
    const own = Array.from(row.subarray(0, dimension / 2), hash => labels.get(hash) ?? '')
    for (const { at, name } of hashed.named(row, own)) if (wanted.delete(at)) names.push([at, name])
  }
  return { names, places }
}
