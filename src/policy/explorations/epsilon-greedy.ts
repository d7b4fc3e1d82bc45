import type { Ties } from '../../kinds.ts'
import type { Exploration } from '../exploration.ts'
import { addToMaxima, argmax, pickMaximum } from './argmax.ts'

/**
 * With probability ε uniform over the eligible actions, else greedy. While an eligible action is untried (its value is +∞)
 * the untried are chosen, with no ε: every action is pulled once before the first draw.
 */
export function epsilonGreedy(epsilon: number, ties: Ties): Exploration {
  return {
    usesWidths: false,
    sample: ({ value }, eligible, count, rng) => pickMaximum(value, eligible, count, ties, rng, epsilon),
    probabilities({ value }, eligible, count, out) {
      const explore = value[eligible[argmax(value, eligible, count)]] < Infinity ? epsilon : 0
      out.fill(0)
      for (let i = 0; i < count; i++) out[eligible[i]] = explore / count
      addToMaxima(value, eligible, count, ties, 1 - explore, out)
    },
  }
}
