import type { Support } from '../results.ts'
import { standardErrorOfMean } from './intervals/gaussian.ts'
import { decisionCount, type LogSums, totalAt } from './log-sums.ts'
import { weightSums } from './row-sums.ts'
import type { Strata } from './strata.ts'
import { type CandidateSums, MOMENT } from './sums.ts'

/** What the log can say of a candidate, and what the verdict and the intervals need beside. */
export interface Coverage {
  readonly support: Support
  /** The largest weight that the two policies can produce, seen or not; at least 1, since weights have mean 1. */
  readonly largestPossibleWeight: number
  /** The least and the largest w that were seen, whatever their rows stand for. */
  readonly minWeight: number
  readonly maxWeight: number
  /** Standard error of the mean weight. */
  readonly meanWeightError: number
  /** All weights are the same number, but for rounding. */
  readonly equalWeights: boolean
}

const ROUNDING = 1e-9

/**
 * `everyPropensity`: the log has the propensity of every action, and `sums.maxRatio` is exact. Otherwise the largest possible
 * weight is, over actions that the log took (by slot, if there are slots), the candidate's largest probability of the action
 * over the smallest propensity that the action was logged with: a bound, unless the two meet in one context.
 */
export function measureCoverage(
  sums: CandidateSums,
  log: LogSums,
  strata: Strata,
  logging: boolean,
  everyPropensity: boolean,
): Coverage {
  const { rows, moments, minWeight, maxWeight, maxTotalWeight } = sums
  const decisions = decisionCount(log)
  const w = totalAt(moments, MOMENT.w)
  const ww = totalAt(moments, MOMENT.ww)
  const bySlot = logging ? { unsupported: 0, bound: 1 } : mergeSlots(sums, log, strata)
  const ofRows = weightSums(log, sums)
  const possible = everyPropensity && !logging ? sums.maxRatio : bySlot.bound
  return {
    support: {
      effectiveSampleSize: ww > 0 ? (w * w) / ww : 0,
      maxWeight: maxTotalWeight * (rows / decisions),
      maxWeightShare: w > 0 ? maxTotalWeight / w : 0,
      meanWeight: w / decisions,
      positiveCount: sums.positives,
      rowsWithoutSupport: sums.zeroRows,
      unsupportedMass: bySlot.unsupported / decisions,
      rows,
    },
    largestPossibleWeight: Math.max(1, maxWeight, possible),
    minWeight,
    maxWeight,
    meanWeightError: rows > 1 ? standardErrorOfMean(rows, ofRows.w, ofRows.ww) : 0,
    equalWeights: maxWeight - minWeight <= ROUNDING * maxWeight,
  }
}

function mergeSlots(sums: CandidateSums, log: LogSums, strata: Strata): { unsupported: number; bound: number } {
  const { actions } = log
  const slots = new Map<string, number>()
  const count: number[] = []
  const mass: number[] = []
  const propensity: number[] = []
  const probability: number[] = []
  for (let s = 0; s < strata.count(); s++) {
    const name = strata.slotted ? strata.cells.keys(Math.floor(s / strata.folds))[0] : ''
    const slot = slots.get(name) ?? slots.size
    slots.set(name, slot)
    for (let a = 0; a < actions; a++) {
      const from = s * actions + a
      const to = slot * actions + a
      count[to] = (count[to] ?? 0) + log.count[from]
      mass[to] = (mass[to] ?? 0) + sums.mass[from]
      propensity[to] = Math.min(propensity[to] ?? Infinity, log.minPropensity[from])
      probability[to] = Math.max(probability[to] ?? 0, sums.maxProbability[from])
    }
  }
  let unsupported = 0
  let bound = 0
  for (let i = 0; i < count.length; i++) {
    if (count[i] === 0) unsupported += mass[i]
    else bound = Math.max(bound, probability[i] / propensity[i])
  }
  return { unsupported, bound }
}
