import type { Slots } from '../../../src/evaluate/lists/prefixes.ts'

/** The lists of (1 − uniform) · Plackett–Luce + uniform · an even draw, slot by slot, by the ratio of the prefixes' probabilities. */
export function mixtureSlots(weights: readonly number[], uniform: number): Slots {
  const above: number[] = []

  /** P(prefix) of both. */
  function prefix(stands: readonly number[]): number {
    let luce = 1
    let even = 1
    let left = weights.reduce((sum, w) => sum + w, 0)
    for (const [k, a] of stands.entries()) {
      luce *= weights[a] / left
      even /= weights.length - k
      left -= weights[a]
    }
    return (1 - uniform) * luce + uniform * even
  }

  return {
    vector(out) {
      const before = prefix(above)
      out.fill(0)
      for (let a = 0; a < weights.length; a++) {
        if (!above.includes(a)) out[a] = prefix([...above, a]) / before
      }
      return weights.length - above.length
    },
    take: action => above.push(action),
    back: () => above.pop(),
  }
}

/** P(action) at each slot of a list, given those above. */
export function conditionals(walk: Slots, list: readonly number[], actions: number): number[] {
  const vector = new Float64Array(actions)
  const found = list.map(action => {
    walk.vector(vector)
    walk.take(action)
    return vector[action]
  })
  for (const _ of list) walk.back()
  return found
}
