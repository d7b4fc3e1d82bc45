import type { Exploration } from '../exploration.ts'
import { pick } from './pick.ts'

/** p ∝ value (≥ 0) over the eligible actions; uniform where they are all zero. */
export function proportional(): Exploration {
  function total(value: Float64Array, eligible: Int32Array, count: number): number {
    let sum = 0
    for (let i = 0; i < count; i++) sum += value[eligible[i]]
    return sum
  }

  return {
    luce: true,
    sample({ value }, eligible, count, rng) {
      const sum = total(value, eligible, count)
      if (sum === 0) return eligible[Math.floor(rng.uniform() * count)]
      return pick(value, sum, eligible, count, rng.uniform())
    },
    probabilities({ value }, eligible, count, out) {
      const sum = total(value, eligible, count)
      out.fill(0)
      for (let i = 0; i < count; i++) out[eligible[i]] = sum === 0 ? 1 / count : value[eligible[i]] / sum
    },
  }
}
