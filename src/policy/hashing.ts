import { expm1 } from '../math/elementary.ts'
import { murmur3 } from '../math/murmur.ts'

/**
 * How names become numbers of 32 bits, of which a model of 2^bits weights looks at the last `bits`: murmur3 of the full path under a namespace, a
 * value's hash chained to that of its path. VowpalWabbit's scheme (`hashName`, `pairHash`), but for what it leaves ambiguous: texts that are
 * digits are texts, `{a: bc}` is not `{ab: c}`.
 */

/**
 * A name under a seed: that of its namespace, or the hash of the path whose value it is. By `strings`, which is VowpalWabbit's default, blanks at both ends
 * do not count, and digits alone are a number, added to the seed; by `all`, `--hash all` there, a name is its bytes.
 */
export function hashName(name: string, seed: number, scheme: 'all' | 'strings' = 'all'): number {
  if (scheme === 'all') return murmur3(name, seed)
  const trimmed = name.replace(BLANKS, '')
  if (!/^[0-9]*$/.test(trimmed)) return murmur3(trimmed, seed)
  let number = 0
  for (let i = 0; i < trimmed.length; i++) number = (Math.imul(number, 10) + trimmed.charCodeAt(i) - 48) | 0
  return (number + seed) | 0
}

/** What C calls blank, and control characters. */
const BLANKS = /^[\0-\x20]+|[\0-\x20]+$/g

/** The seed of the names in a namespace. */
export const namespaceSeed = (namespace: string, scheme: 'all' | 'strings' = 'all'): number =>
  hashName(namespace, 0, scheme)

/** Of a product of two features, which is another where they change places. */
export const pairHash = (first: number, second: number): number => Math.imul(first, PRIME) ^ second
const PRIME = 16777619

/** The share of n names that are expected to share one of so many slots with another, since a hash puts each anywhere. */
export const sharedSlots = (names: number, slots: number): number => -expm1(-names / slots)

/** Of a state that says more nobody should make room; it is the schema's maximum, too. */
export const MOST_BITS = 22

/**
 * How a row of hashed features is laid out. It has n features: n hashes of 32 bits and then their n values, 0 where there is none. The features of a
 * namespace stand together, in the order of their paths; namespaces are in the order of their names, so that it does not matter in what order
 * anybody wrote them.
 */
export interface Hashing {
  readonly bits: number
  /** Where the features of each namespace end; each begins where the last one ends. */
  readonly ends: readonly number[]
  /** Namespaces whose features are multiplied, by position, the first not after the second. */
  readonly pairs: readonly (readonly [number, number])[]
}

/** How many numbers a row has. */
export const rowLength = ({ ends }: Hashing): number => 2 * (ends.at(-1) ?? 0)

/** The most slots that a row may touch: those of its features, of its products, and the intercept. */
export function mostTouches({ ends, pairs }: Hashing): number {
  const size = (n: number) => ends[n] - (ends[n - 1] ?? 0)
  const products = pairs.map(([a, b]) => (a === b ? (size(a) * (size(a) - 1)) / 2 : size(a) * size(b)))
  return products.reduce((sum, n) => sum + n, 1 + (ends.at(-1) ?? 0))
}

/**
 * Lists the features of the row at `at` that have a value. Returns where those of each namespace begin among them, overwritten by the next row; the last
 * is how many there are.
 */
function createRead({
  ends,
}: Hashing): (x: Float64Array, at: number, hashes: Int32Array, values: Float64Array) => Int32Array {
  const features = ends.at(-1) ?? 0
  const starts = new Int32Array(ends.length + 1)
  return (x, at, hashes, values) => {
    let n = 0
    for (let space = 0, i = 0; space < ends.length; space++) {
      starts[space] = n
      for (; i < ends[space]; i++) {
        const value = x[at + features + i]
        if (value === 0) continue
        hashes[n] = x[at + i]
        values[n++] = value
      }
    }
    starts[ends.length] = n
    return starts
  }
}

/** The hashes of all that a row says, whole, with values; the intercept, which has a slot of its own, is not among them. Returns how many. */
export type Spread = (x: Float64Array, at: number, hashes: Int32Array, values: Float64Array) => number

/**
 * Makes of the row at `at` its features and the products of its pairs; of a namespace with itself, each two features once. Features without a value
 * are left out, and so are their products.
 */
export function createSpread(hashing: Hashing): Spread {
  const { ends, pairs } = hashing
  const read = createRead(hashing)
  return (x, at, hashes, values) => {
    const starts = read(x, at, hashes, values)
    let n = starts[ends.length]
    for (let p = 0; p < pairs.length; p++) {
      const [first, second] = pairs[p]
      for (let i = starts[first]; i < starts[first + 1]; i++) {
        const hash = hashes[i]
        const value = values[i]
        for (let j = first === second ? i + 1 : starts[second]; j < starts[second + 1]; j++) {
          hashes[n] = pairHash(hash, hashes[j])
          values[n++] = value * values[j]
        }
      }
    }
    return n
  }
}

/**
 * The slots that the row at `at` touches, each once, in the order in which it first does, with the sum of the values that meet there: `Spread` by the last
 * `bits` of the hashes. Returns how many.
 */
export function createTouches(hashing: Hashing): Spread {
  const spread = createSpread(hashing)
  const mask = (1 << hashing.bits) - 1
  /** The number of the last row that touched the slot. */
  const met = new Uint16Array(mask + 1)
  let row = 0
  return (x, at, slots, values) => {
    const n = spread(x, at, slots, values)
    if (row === 0xffff) {
      met.fill(0)
      row = 0
    }
    row++
    let count = 0
    for (let i = 0; i < n; i++) {
      const slot = slots[i] & mask
      const value = values[i]
      if (met[slot] === row) {
        values[slots.indexOf(slot)] += value
        continue
      }
      met[slot] = row
      slots[count] = slot
      values[count++] = value
    }
    return count
  }
}

/**
 * Σ weight · value over all that the row at `at` says, a weight being that of the last `bits` of a hash: what `Spread` would write, but summed on the way,
 * which takes a third of the time.
 */
export function createScore(hashing: Hashing): (x: Float64Array, at: number, weights: Float64Array) => number {
  const { bits, ends, pairs } = hashing
  const mask = (1 << bits) - 1
  const read = createRead(hashing)
  const hashes = new Int32Array(ends.at(-1) ?? 0)
  const values = new Float64Array(hashes.length)
  return (x, at, weights) => {
    const starts = read(x, at, hashes, values)
    let sum = 0
    for (let i = 0; i < starts[ends.length]; i++) sum += weights[hashes[i] & mask] * values[i]
    for (let p = 0; p < pairs.length; p++) {
      const [first, second] = pairs[p]
      const end = starts[second + 1]
      let i = starts[first]
      // Two at a time, whose sums do not wait for each other; with itself, a namespace has one fewer for each.
      for (; first !== second && i + 1 < starts[first + 1]; i += 2) {
        const one = Math.imul(hashes[i], PRIME)
        const other = Math.imul(hashes[i + 1], PRIME)
        let ofOne = 0
        let ofOther = 0
        for (let j = starts[second]; j < end; j++) {
          const hash = hashes[j]
          const value = values[j]
          ofOne += weights[(one ^ hash) & mask] * value
          ofOther += weights[(other ^ hash) & mask] * value
        }
        sum += values[i] * ofOne
        sum += values[i + 1] * ofOther
      }
      for (; i < starts[first + 1]; i++) {
        const hash = Math.imul(hashes[i], PRIME)
        let part = 0
        for (let j = first === second ? i + 1 : starts[second]; j < end; j++)
          part += weights[(hash ^ hashes[j]) & mask] * values[j]
        sum += values[i] * part
      }
    }
    return sum
  }
}

/** The other way round: adds `by` times the value to the entry of `to` of each slot that the row at `at` touches. */
export function createScatter(hashing: Hashing): (x: Float64Array, at: number, by: number, to: Float64Array) => void {
  const { bits, ends, pairs } = hashing
  const mask = (1 << bits) - 1
  const read = createRead(hashing)
  const hashes = new Int32Array(ends.at(-1) ?? 0)
  const values = new Float64Array(hashes.length)
  return (x, at, by, to) => {
    const starts = read(x, at, hashes, values)
    for (let i = 0; i < starts[ends.length]; i++) to[hashes[i] & mask] += by * values[i]
    for (let p = 0; p < pairs.length; p++) {
      const [first, second] = pairs[p]
      const end = starts[second + 1]
      for (let i = starts[first]; i < starts[first + 1]; i++) {
        const hash = Math.imul(hashes[i], PRIME)
        const value = values[i]
        for (let j = first === second ? i + 1 : starts[second]; j < end; j++)
          to[(hash ^ hashes[j]) & mask] += by * (value * values[j])
      }
    }
  }
}
