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
