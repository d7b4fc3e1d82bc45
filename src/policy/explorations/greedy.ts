import type { Ties } from '../../kinds.ts'
import type { Exploration } from '../exploration.ts'
import { addToMaxima, pickMaximum } from './argmax.ts'

/** Always an action of the greatest value. */
export function greedy(ties: Ties): Exploration {
  return {
    usesWidths: false,
    sample: ({ value }, eligible, count, rng) => pickMaximum(value, eligible, count, ties, rng),
    probabilities({ value }, eligible, count, out) {
      out.fill(0)
      addToMaxima(value, eligible, count, ties, 1, out)
    },
  }
}
