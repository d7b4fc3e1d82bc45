import { type DrawnSum, FEWEST_UNITS, type GroupSpread, spreadOfGroups } from '../../math/groups.ts'
import { bennettTail, normalScore, twoSided, twoSidedT } from '../../math/tails.ts'
import { effectOf, STATS_GROUPS, type UnitSizes } from './units.ts'

/** A sum of chances that were as likely as logged has mean 0; how far it is from that. */
export interface Score {
  /** Standard deviations from the mean; null where nothing was left to chance. */
  readonly z: number | null
  /** Two-sided, allowing for the skewness of rare chances and for what draws of one unit have in common: not the normal p of z. */
  readonly p: number | null
}

/** Were the actions chosen as often as the log says? */
export interface Calibration {
  /**
   * One draw: the actions (as indices) that could be chosen, their propensities, the position of the one that was, and the group of
   * the unit.
   */
  add(actions: readonly number[], propensities: readonly number[], chosen: number, group: number): void
  finish(units: UnitSizes): {
    /** How often each action was chosen, against the sum of its propensities; undefined of one that never could be. Var = Σ p(1 − p). */
    readonly actions: readonly ((Score & { readonly chosen: number; readonly expected: number }) | undefined)[]
    /**
     * The mean of 1/p of what was chosen, against the mean number of actions that could be. Var = Σ_a 1/p_a − K². Actions less likely
     * than 0.001 are left out on both sides: one draw of such a one would outweigh all others. Undefined without draws.
     */
    readonly inverse: (Score & { readonly mean: number; readonly expected: number }) | undefined
  }
}

const RARE = 0.001

/** Beyond this skewness a few chances decide the sum, and only a bound can be trusted. */
const MOST_SKEWED = 2

/** What is counted of an action, or of 1/p: x against its expectation m. */
interface Sums {
  /** By group: Σx and Σm. */
  readonly taken: Float64Array
  readonly expected: Float64Array
  draws: number
  /** Σ Var x, and Σ of the third moments of x. */
  variance: number
  third: number
  /** Σx², Σxm, Σm². */
  square: number
  cross: number
  expectedSquare: number
}

const createSums = (): Sums => ({
  taken: new Float64Array(STATS_GROUPS),
  expected: new Float64Array(STATS_GROUPS),
  draws: 0,
  variance: 0,
  third: 0,
  square: 0,
  cross: 0,
  expectedSquare: 0,
})

function addDraw(sums: Sums, group: number, x: number, m: number, variance: number, third: number): void {
  sums.taken[group] += x
  sums.expected[group] += m
  sums.draws++
  sums.variance += variance
  sums.third += third
  sums.square += x * x
  sums.cross += x * m
  sums.expectedSquare += m * m
}

/** Memory: 2 kB an action. */
export function createCalibration(): Calibration {
  const sums: Sums[] = []
  const inverse = createSums()
  return {
    add(actions, propensities, chosen, group) {
      let k = 0
      let first = 0
      let second = 0
      for (let i = 0; i < actions.length; i++) {
        const p = propensities[i]
        const variance = p * (1 - p)
        sums[actions[i]] ??= createSums()
        addDraw(sums[actions[i]], group, i === chosen ? 1 : 0, p, variance, variance * (1 - 2 * p))
        if (p < RARE) continue
        k++
        first += 1 / p
        second += 1 / p / p
      }
      // The moments of Y = 1/p(chosen): E Y = K, E Y² = Σ 1/p, E Y³ = Σ 1/p².
      const y = propensities[chosen] < RARE ? 0 : 1 / propensities[chosen]
      addDraw(inverse, group, y, k, first - k * k, second - 3 * k * first + 2 * k * k * k)
    },
    finish(units) {
      const spreads = sums.map(spreadOf)
      // Of what no draw was between there is none.
      const effect = effectOf(Object.values(spreads), units)
      const actions = spreads.map((spread, a) => ({
        chosen: spread.taken,
        expected: spread.expected,
        ...scoreByUnit(sums[a], spread, 1, effect),
      }))
      if (inverse.draws === 0) return { actions, inverse: undefined }
      const spread = spreadOf(inverse)
      const mean = spread.taken / inverse.draws
      const expected = spread.expected / inverse.draws
      const score = scoreByUnit(inverse, spread, 1 / RARE, effectOf([spread], units))
      return { actions, inverse: { mean, expected, ...score } }
    },
  }
}

function spreadOf(sums: Sums): GroupSpread & DrawnSum {
  const { taken, expected, draws, square, cross, expectedSquare } = sums
  const spread = spreadOfGroups(
    STATS_GROUPS,
    g => taken[g],
    g => expected[g],
  )
  const { ratio } = spread
  return { ...spread, independent: square - 2 * ratio * cross + ratio * ratio * expectedSquare, square, rows: draws }
}

function scoreByUnit({ variance, third }: Sums, spread: GroupSpread, step: number, effect: number): Score {
  return clusteredScore({ excess: spread.taken - spread.expected, variance, third, step }, spread, effect)
}

export const NO_SCORE: Score = { z: null, p: null }

/** A sum of mean 0; its variance and third moment, if draws are independent. */
export interface ChanceSum {
  readonly excess: number
  readonly variance: number
  readonly third: number
  /** No chance moves the sum by more. */
  readonly step: number
}

/**
 * The score of a sum of draws that come in units, `effect` times as spread as independent ones. That is an average over sums, so where
 * there is an effect, the spread of its own groups must say so, too.
 */
export function clusteredScore(
  { excess, variance, third, step }: ChanceSum,
  groups: Pick<GroupSpread, 'variance' | 'units'>,
  effect: number,
): Score {
  const score = scoreOf(excess, variance * effect, third * effect * effect, step * effect)
  if (score.p === null || effect === 1 || excess === 0 || !(groups.units >= FEWEST_UNITS)) return score
  return { ...score, p: Math.max(score.p, twoSidedT(excess / Math.sqrt(groups.variance), groups.units - 1)) }
}

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
