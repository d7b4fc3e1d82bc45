/**
 * How far candidates can be from each other, any two of them: the largest difference of what they would weigh at any place of any row, be it
 * taken there or not, as the largest weight is that of any place. Places of a slot are a block.
 */
export interface Pairs {
  /** Places `from` to `to` of one row, by candidate: what each of them would weigh there, never below 0. */
  compare(block: number, weights: readonly Float64Array[], from: number, to: number): void
  /** A chunk, by candidate: what the reward model says of each. */
  compareValues(values: readonly Float64Array[], rows: number): void
  /** The largest w_a − w_b of a block, at least 0. */
  gap(block: number, a: number, b: number): number
  /** v_a − v_b, where there is a model. */
  values(a: number, b: number): { readonly lower: number; readonly upper: number }
}

/** So many differences are taken of a row, at most: beyond, candidates are bounded one by one. */
const MOST_DIFFERENCES = 10_000

/** Are so many candidates compared at so many places of a row? */
export const arePaired = (candidates: number, places: number): boolean =>
  candidates > 1 && candidates * (candidates - 1) * places <= MOST_DIFFERENCES

export function createPairs(candidates: number, blocks: number): Pairs {
  const gaps = new Float64Array(blocks * candidates * candidates)
  const valueGaps = new Float64Array(candidates * candidates).fill(-Infinity)
  return {
    compare(block, weights, from, to) {
      for (let a = 0; a < candidates; a++) {
        const own = weights[a]
        let most = 0
        for (let at = from; at < to; at++) if (own[at] > most) most = own[at]
        for (let b = 0; b < candidates; b++) {
          const pair = (block * candidates + a) * candidates + b
          // No difference is larger than a weight.
          if (a === b || most <= gaps[pair]) continue
          const other = weights[b]
          let gap = gaps[pair]
          for (let at = from; at < to; at++) if (own[at] - other[at] > gap) gap = own[at] - other[at]
          gaps[pair] = gap
        }
      }
    },
    compareValues(values, rows) {
      for (let a = 0; a < candidates; a++) {
        for (let b = 0; b < candidates; b++) {
          if (a === b) continue
          const [own, other] = [values[a], values[b]]
          let gap = valueGaps[a * candidates + b]
          for (let i = 0; i < rows; i++) if (own[i] - other[i] > gap) gap = own[i] - other[i]
          valueGaps[a * candidates + b] = gap
        }
      }
    },
    gap: (block, a, b) => gaps[(block * candidates + a) * candidates + b],
    values(a, b) {
      const upper = valueGaps[a * candidates + b]
      return upper === -Infinity ? { lower: 0, upper: 0 } : { lower: 0 - valueGaps[b * candidates + a], upper }
    },
  }
}
