/** What deployed models have answered, in slots of a second; kept in memory for a day. */

export interface Answered {
  readonly project: string
  readonly location: string
  readonly endpointId: string
  readonly deployedModelId: string
  /** HTTP status. */
  readonly status: number
  readonly latencyMs: number
  /** ms since 1970 */
  readonly at: number
}

/** A sum of requests that have everything but their time in common. */
export interface Slot {
  /** ms since 1970: the second's beginning. */
  readonly start: number
  count: number
  sum: number
  sumOfSquares: number
  /** By the buckets of LATENCY_BUCKETS: below the first bound, between bounds, above the last. */
  readonly latencies: Uint32Array
}

export interface Series extends Omit<Answered, 'latencyMs' | 'at'> {
  readonly slots: Slot[]
}

export interface Metrics {
  record(answered: Answered): void
  readonly series: Iterable<Series>
}

export const SLOT_MS = 1_000
const KEPT_MS = 86_400_000

/** The bounds of latencies in ms: scale · growthFactor^i. */
export const LATENCY_BUCKETS = { numFiniteBuckets: 64, growthFactor: 1.2, scale: 1 } as const

function bucketOf(latencyMs: number): number {
  const { numFiniteBuckets, growthFactor, scale } = LATENCY_BUCKETS
  if (latencyMs < scale) return 0
  return Math.min(1 + Math.floor(Math.log(latencyMs / scale) / Math.log(growthFactor)), numFiniteBuckets + 1)
}

export function createMetrics(): Metrics {
  const all = new Map<string, Series>()

  function slotAt({ slots }: Series, at: number): Slot {
    const start = Math.floor(at / SLOT_MS) * SLOT_MS
    const last = slots.at(-1)
    if (last?.start === start) return last
    while (slots.length > 0 && slots[0].start < start - KEPT_MS) slots.shift()
    const latencies = new Uint32Array(LATENCY_BUCKETS.numFiniteBuckets + 2)
    const slot = { start, count: 0, sum: 0, sumOfSquares: 0, latencies }
    slots.push(slot)
    return slot
  }

  return {
    series: { [Symbol.iterator]: () => all.values() },
    record({ latencyMs, at, ...labels }) {
      const key = Object.values(labels).join('/')
      const series = all.get(key) ?? { ...labels, slots: [] }
      all.set(key, series)
      const slot = slotAt(series, at)
      slot.count++
      slot.sum += latencyMs
      slot.sumOfSquares += latencyMs * latencyMs
      slot.latencies[bucketOf(latencyMs)]++
    },
  }
}
