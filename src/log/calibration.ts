import { bennettTail, normalScore, twoSided } from '../math/tails.ts'

/** A sum of chances that were as likely as logged has mean 0; how far it is from that. */
export interface Score {
  /** Standard deviations from the mean; null where nothing was left to chance. */
  readonly z: number | null
  /** Two-sided, allowing for the skewness of rare chances: not the normal p of z. */
  readonly p: number | null
}

/** Were the actions chosen as often as the log says? */
export interface Calibration {
  /** One draw: the actions (as indices) that could be chosen, their propensities, and the position of the one that was. */
  add(actions: readonly number[], propensities: readonly number[], chosen: number): void
  /** How often an action was chosen, against the sum of its propensities; undefined for one that never could be. Var = Σ p(1 − p). */
  action(index: number): (Score & { readonly chosen: number; readonly expected: number }) | undefined
  /**
   * The mean of 1/p of what was chosen, against the mean number of actions that could be. Var = Σ_a 1/p_a − K². Actions less likely
   * than 0.001 are left out on both sides: one draw of such a one would outweigh all others. Undefined without draws.
   */
  inverse(): (Score & { readonly mean: number; readonly expected: number }) | undefined
}

const RARE = 0.001

/** Beyond this skewness a few chances decide the sum, and only a bound can be trusted. */
const MOST_SKEWED = 2

export function createCalibration(): Calibration {
  /** By action: times chosen, Σp, Σp(1 − p), Σp(1 − p)(1 − 2p). */
  const sums: [chosen: number, expected: number, variance: number, third: number][] = []
  const inverse = { sum: 0, expected: 0, variance: 0, third: 0 }
  let draws = 0
  return {
    add(actions, propensities, chosen) {
      draws++
      let k = 0
      let first = 0
      let second = 0
      for (let i = 0; i < actions.length; i++) {
        const p = propensities[i]
        sums[actions[i]] ??= [0, 0, 0, 0]
        const own = sums[actions[i]]
        const variance = p * (1 - p)
        own[1] += p
        own[2] += variance
        own[3] += variance * (1 - 2 * p)
        if (p < RARE) continue
        k++
        first += 1 / p
        second += 1 / p / p
      }
      sums[actions[chosen]][0]++
      // The moments of Y = 1/p(chosen): E Y = K, E Y² = Σ 1/p, E Y³ = Σ 1/p².
      inverse.sum += propensities[chosen] < RARE ? 0 : 1 / propensities[chosen]
      inverse.expected += k
      inverse.variance += first - k * k
      inverse.third += second - 3 * k * first + 2 * k * k * k
    },
    action(index) {
      if (sums[index] === undefined) return undefined
      const [chosen, expected, variance, third] = sums[index]
      const excess = chosen - expected
      return { chosen, expected, ...scoreOf(excess, variance, third, 1) }
    },
    inverse() {
      if (draws === 0) return undefined
      const { sum, expected, variance, third } = inverse
      return { mean: sum / draws, expected: expected / draws, ...scoreOf(sum - expected, variance, third, 1 / RARE) }
    },
  }
}

export const NO_SCORE: Score = { z: null, p: null }

/**
 * The score of a sum of mean 0, with this variance and third moment.
 *
 * @param step No chance moves the sum by more.
 */
export function scoreOf(excess: number, variance: number, third: number, step: number): Score {
  if (!(variance > 0)) return NO_SCORE
  const sd = Math.sqrt(variance)
  const skewness = third / (variance * sd)
  const p =
    Math.abs(skewness) > MOST_SKEWED
      ? Math.min(1, 2 * bennettTail(Math.abs(excess), variance, step))
      : twoSided(normalScore(excess / sd, skewness))
  return { z: excess / sd, p }
}
