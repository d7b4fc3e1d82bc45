import type { Ties } from '../../kinds.ts'
import type { Exploration } from '../exploration.ts'
import type { Learner } from '../learner.ts'
import { addToMaxima, argmax, settle } from './argmax.ts'

/** How many widths are added to the value. */
export type Bonus = (learner: Learner) => number

/** UCB1 over `mean`: √(factor · ln t), t = pulls so far. Auer, Cesa-Bianchi, Fischer, Mach. Learn. 47, 2002 (factor 2). */
export function ucb1Bonus(factor: number): Bonus {
  return ({ count }) => (count > 1 ? Math.sqrt(factor * Math.log(count)) : 0)
}

/** LinUCB over `linear`: a constant. Li et al., WWW 2010. */
export function linUcbBonus(alpha: number): Bonus {
  return () => alpha
}

/** Always an action of the greatest value + bonus · width. `actions` is K. */
export function ucb(bonus: Bonus, ties: Ties, actions: number): Exploration {
  const index = new Float64Array(actions)

  /** Writes the indices of the eligible actions; returns the first position of the greatest, or −1 if it has equals. */
  function rank(learner: Learner, eligible: Int32Array, count: number): number {
    const { value, width } = learner
    const b = bonus(learner)
    let best = -Infinity
    let at = -1
    let equal = false
    for (let i = 0; i < count; i++) {
      const a = eligible[i]
      // 0 · ∞ has no value: without a bonus an untried action is still +∞.
      const v = b === 0 ? value[a] : value[a] + b * width[a]
      index[a] = v
      if (v > best) {
        best = v
        at = i
        equal = false
      } else if (v === best) equal = true
    }
    return equal ? -1 : at
  }

  return {
    sample(learner, eligible, count, rng) {
      const at = rank(learner, eligible, count)
      return at >= 0 ? eligible[at] : settle(index, argmax(index, eligible, count), eligible, count, ties, rng)
    },
    probabilities(learner, eligible, count, out) {
      rank(learner, eligible, count)
      out.fill(0)
      addToMaxima(index, eligible, count, ties, 1, out)
    },
  }
}
