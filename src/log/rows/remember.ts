/** `make`, whose answers are remembered until there are `limit` of them: then all are forgotten. */
export function remember<K, V extends object>(limit: number, make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>()
  return key => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make(key)
    if (known.size >= limit) known.clear()
    known.set(key, made)
    return made
  }
}

/** The same of numbers, told apart by their very bits. */
export function rememberNumbers<V extends object>(
  limit: number,
  make: (numbers: Float64Array) => V,
): (numbers: Float64Array) => V {
  const known = new Map<number, { readonly numbers: Float64Array; readonly made: V }>()
  return numbers => {
    const hash = hashOf(numbers)
    const found = known.get(hash)
    if (found !== undefined && isSame(found.numbers, numbers)) return found.made
    const made = make(numbers)
    if (known.size >= limit) known.clear()
    known.set(hash, { numbers: numbers.slice(), made })
    return made
  }
}

/** Of 32 bits: FNV-1a by words (Fowler, Noll, Vo). */
function hashOf({ buffer, byteOffset, length }: Float64Array): number {
  const words = new Uint32Array(buffer, byteOffset, 2 * length)
  let hash = 0x811c9dc5
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193)
  // The last words would else move the high bits alone.
  return hash ^ (hash >>> 15)
}

function isSame(one: Float64Array, other: Float64Array): boolean {
  if (one.length !== other.length) return false
  for (let i = 0; i < one.length; i++) if (!Object.is(one[i], other[i])) return false
  return true
}
