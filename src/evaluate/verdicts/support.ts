import type { Support } from '../../results.ts'
import { type Influenced, type SeriesOf, standardError, weightOf } from '../influence.ts'
import { decisionCount, type LogSums } from '../weights/log-sums.ts'
import type { Strata } from '../weights/strata.ts'
import type { CandidateSums } from '../weights/sums.ts'
import { squaresByUnit, type Units } from '../weights/units.ts'
import type { WeightSums } from '../weights/weight-sums.ts'

/** What the log can say of a candidate, and what the verdict and the intervals need beside. */
export interface Coverage {
  readonly support: Support
  /** The share of the candidate's probability that is on actions which were not eligible; a part of `unsupportedMass`. */
  readonly ineligibleMass: number
  /** The share of the decisions in which nothing that the candidate may take was eligible; a part of `ineligibleMass`. */
  readonly idleMass: number
  /** The largest weight that the two policies can produce, seen or not; at least 1, since weights have mean 1. */
  readonly largestPossibleWeight: number
  /** The least and the largest w that were seen, whatever their rows stand for. */
  readonly minWeight: number
  readonly maxWeight: number
  /** Standard error of the mean weight, by unit. */
  readonly meanWeightError: number
  /** All weights are the same number, but for rounding. */
  readonly equalWeights: boolean
  /** The least and the greatest v, and q of a logged action; 0 without a reward model. */
  readonly values: readonly [number, number]
  readonly predictions: readonly [number, number]
  /** Rows whose action the candidate takes with a probability between 0 and 1. */
  readonly uncertainRows: number
  /** The least and the greatest propensity of rows whose action the candidate takes for certain; undefined where there are none. */
  readonly matched: readonly [number, number] | undefined
}

const ROUNDING = 1e-9

export interface CoverageInput {
  readonly log: LogSums
  readonly sums: CandidateSums
  readonly of: SeriesOf
  readonly units: Units
  readonly strata: Strata
  /** It is the policy that made the log. */
  readonly logging: boolean
  /** The log has the propensity of every action, and `sums.maxRatio` is exact. */
  readonly everyPropensity: boolean
  /** Does chance explain that an action was never taken in a slot? Undefined where nobody knows. */
  readonly emptyByChance: (action: number, slot?: number) => boolean | undefined
}

/**
 * Without every propensity the largest possible weight is, where cells of the candidate are known, the largest of its probability of an
 * action over the least propensity that the action was logged with in the cell; elsewhere, over actions that the log took (by slot, if
 * there are slots), its largest probability of the action over the least propensity: a bound, unless the two meet in one context.
 */
export function measureCoverage(input: CoverageInput): Coverage {
  const { log, sums, of, units, logging, everyPropensity } = input
  const { minWeight: min, maxWeight: max, maxTotalWeight: maxTotal, zeroRows, positives, positiveGroups } = sums
  const [w, ww] = sums.weights
  const cells = logging ? { unsupported: 0, bound: 1 } : judgeCells(input)
  const possible = everyPropensity || logging ? sums.maxRatio : cells.bound
  const decisions = decisionCount(log)
  const [ineligibleMass, idleMass] = logging ? [0, 0] : [sums.ineligible / decisions, sums.idle / decisions]
  return {
    ...weightCoverage(
      { w, ww, min, max, maxTotal, zeroRows, positives, positiveGroups },
      { byUnit: sums.totals[0].unit, mean: weightOf(of), log, units },
      { unsupported: cells.unsupported / decisions + ineligibleMass, possible },
    ),
    ineligibleMass,
    idleMass,
    values: sums.maxValue < sums.minValue ? [0, 0] : [sums.minValue, sums.maxValue],
    predictions: sums.maxPredicted < sums.minPredicted ? [0, 0] : [sums.minPredicted, sums.maxPredicted],
    uncertainRows: sums.uncertainRows,
    matched: sums.maxMatched > 0 ? [sums.minMatched, sums.maxMatched] : undefined,
  }
}

/** What weights of one kind come from: Σ h·w by group of units, and their mean. */
interface WeightFacts {
  readonly byUnit: Float64Array
  readonly mean: Influenced
  readonly log: LogSums
  readonly units: Units
}

/** The share of the mass that is put where the log could not put it, and the largest weight that there can be. */
export interface Reach {
  readonly unsupported: number
  readonly possible: number
}

/** What weights of one kind say of a candidate, its own or those of an estimator. */
export function weightCoverage(
  { w, ww, min, max, maxTotal, zeroRows, positives, positiveGroups }: WeightSums,
  { byUnit, mean, log, units }: WeightFacts,
  { unsupported, possible }: Reach,
): Pick<
  Coverage,
  'support' | 'largestPossibleWeight' | 'minWeight' | 'maxWeight' | 'meanWeightError' | 'equalWeights'
> {
  const { rows } = log
  const decisions = decisionCount(log)
  const squares = units.known ? squaresByUnit(byUnit, w) : ww
  const largest = units.known ? byUnit.reduce((most, x) => Math.max(most, x), 0) : maxTotal
  return {
    support: {
      effectiveSampleSize: squares > 0 ? (w * w) / squares : 0,
      maxWeight: maxTotal * (rows / decisions),
      maxWeightShare: w > 0 ? largest / w : 0,
      meanWeight: w / decisions,
      positiveCount: units.known ? positiveGroups.reduce((count, one) => count + one, 0) : positives,
      rowsWithoutSupport: zeroRows,
      unsupportedMass: unsupported,
      rows,
    },
    largestPossibleWeight: Math.max(1, max, possible),
    minWeight: min,
    maxWeight: max,
    meanWeightError: units.groups > 1 ? standardError(mean.unit, units.groups) : 0,
    equalWeights: max - min <= ROUNDING * max,
  }
}

/** By slot and action: what the candidate gives to actions that the log could not take there, and the largest possible weight. */
function judgeCells({ sums, log, strata, emptyByChance }: CoverageInput): {
  readonly unsupported: number
  readonly bound: number
} {
  const { actions } = log
  const count: number[] = []
  const mass: number[] = []
  const propensity: number[] = []
  const probability: number[] = []
  const anywhere = new Float64Array(actions).fill(Infinity)
  for (let s = 0; s < strata.count(); s++) {
    for (let a = 0; a < actions; a++) {
      const from = s * actions + a
      const to = strata.slotOf(s) * actions + a
      count[to] = (count[to] ?? 0) + log.count[from]
      mass[to] = (mass[to] ?? 0) + (sums.mass[from] ?? 0)
      propensity[to] = Math.min(propensity[to] ?? Infinity, log.minPropensity[from])
      probability[to] = Math.max(probability[to] ?? 0, sums.maxProbability[from] ?? 0)
      anywhere[a] = Math.min(anywhere[a], log.minPropensity[from])
    }
  }
  let unsupported = 0
  let bound = sums.maxRatio
  for (let i = 0; i < count.length; i++) {
    const action = i % actions
    const slot = strata.slotted ? Math.floor(i / actions) : undefined
    if (count[i] > 0) bound = Math.max(bound, probability[i] / propensity[i])
    // What was not seen by chance can still be.
    else if (mass[i] > 0 && emptyByChance(action, slot) === true) {
      if (anywhere[action] < Infinity) bound = Math.max(bound, probability[i] / anywhere[action])
    } else unsupported += mass[i]
  }
  return { unsupported, bound }
}
