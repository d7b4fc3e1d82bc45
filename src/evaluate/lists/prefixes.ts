/** As much of a walk over the slots of a decision as it takes to visit its lists. */
export interface Slots {
  /** Writes the vector of the slot that is next; returns how many may stand there. */
  vector(out: Float64Array): number
  /** An index of the pool stands there; −1: nothing. */
  take(action: number): void
  back(): void
}

/** So many vectors are asked for; beyond, lists are too many to be visited one by one. */
export const MOST_PREFIXES = 20_000

/**
 * Visits everything that can stand at a slot under everything that can stand above it: `action` at slot `above.length` with this
 * probability, of the whole prefix. −1: the slot stays empty. Returns false where there are more prefixes than `MOST_PREFIXES`, and
 * not all have been visited.
 */
export function visitPrefixes(
  walk: Slots,
  actions: number,
  slots: number,
  visit: (action: number, probability: number, above: readonly number[]) => void,
): boolean {
  const vectors = Array.from({ length: slots }, () => new Float64Array(actions))
  const above: number[] = []
  let asked = 0

  function descend(probability: number): boolean {
    if (above.length === slots) return true
    if (asked++ === MOST_PREFIXES) return false
    const vector = vectors[above.length]
    if (walk.vector(vector) === 0) return stand(-1, probability)
    for (let a = 0; a < actions; a++) {
      if (vector[a] > 0 && !stand(a, probability * vector[a])) return false
    }
    return true
  }

  function stand(action: number, probability: number): boolean {
    visit(action, probability, above)
    walk.take(action)
    above.push(action)
    const done = descend(probability)
    above.pop()
    walk.back()
    return done
  }

  return descend(1)
}
