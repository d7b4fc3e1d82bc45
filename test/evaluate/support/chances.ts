import type { Rng } from '../../../src/math/rng.ts'

export function normalised(weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map(weight => weight / sum)
}

/** Softmax of normal-like scores, by context and action: the greater the spread, the farther from uniform. */
export function distributions(rng: Rng, spread: number, contexts: number, actions: number): number[][] {
  const score = () => Math.exp(spread * (rng.uniform() + rng.uniform() + rng.uniform() - 1.5))
  return Array.from({ length: contexts }, () => Array.from({ length: actions }, score)).map(normalised)
}

/** The place of one of the probabilities `p`, which sum to 1, drawn by them. */
export function draw(rng: Rng, p: ArrayLike<number>): number {
  let u = rng.uniform()
  for (let i = 0; i < p.length - 1; i++) {
    u -= p[i]
    if (u < 0) return i
  }
  return p.length - 1
}
