import { sha256Words } from '../math/sha256.ts'

/**
 * A set of ids in the order in which they came. An id is kept as 84 bits of its SHA-256, in about 24 bytes, so tens of millions fit where
 * a Map of strings would not, and no two of 100 million are taken for one but with a probability of 10⁻⁹.
 */
export interface IdTable {
  readonly size: number
  /** The place of an id, from 0; that of a new one is the `size` there was before. */
  add(id: string): number
}

const NONE = 0xffff_ffff

export function createIdTable(): IdTable {
  let high = new Uint32Array(1024)
  let low = new Float64Array(1024)
  /** Slot → entry, by linear probing; a power of two of slots, at most two thirds of them taken. */
  let slots = new Uint32Array(2048).fill(NONE)
  let size = 0

  function slotOf(h: number, l: number): number {
    const mask = slots.length - 1
    let slot = h & mask
    for (let entry = slots[slot]; entry !== NONE; entry = slots[slot]) {
      if (high[entry] === h && low[entry] === l) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  return {
    get size() {
      return size
    },
    add(id) {
      const words = sha256Words(id)
      const h = words[0] >>> 0
      const l = (words[1] >>> 0) * 0x100000 + (words[2] >>> 12)
      const slot = slotOf(h, l)
      if (slots[slot] !== NONE) return slots[slot]
      high = withRoom(high, size)
      low = withRoom(low, size)
      high[size] = h
      low[size] = l
      slots[slot] = size++
      if (3 * size > 2 * slots.length) {
        slots = new Uint32Array(2 * slots.length).fill(NONE)
        for (let entry = 0; entry < size; entry++) slots[slotOf(high[entry], low[entry])] = entry
      }
      return size - 1
    },
  }
}

/** The array, or a copy of twice the length where entry `index` would not fit. New entries are 0. */
export function withRoom<T extends Float64Array | Float32Array | BigUint64Array | Uint32Array | Uint8Array>(
  array: T,
  index: number,
): T {
  if (index < array.length) return array
  const larger = new (array.constructor as new (length: number) => T & { set(all: T): void })(2 * array.length)
  larger.set(array)
  return larger
}
