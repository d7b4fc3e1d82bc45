import type { Verdict } from '../results.ts'
import type { Coverage } from './support.ts'

/** Where a verdict changes; each with what it protects from. */
export const THRESHOLDS = {
  /** Below, the estimate is a handful of rows: a normal or a t approximation of its error means nothing. */
  refuseEffectiveRows: 50,
  /** Below this share of the rows, unless the effective rows are many, weights are so heavy that their tail is unseen. */
  refuseEffectiveShare: 0.01,
  /** The "many" of the line above. */
  enoughEffectiveRows: 1000,
  /** Ten times fewer effective rows than rows: errors are three times those of an experiment of the same size. */
  cautionEffectiveShare: 0.1,
  /** One row that is a quarter of the estimate is an anecdote. */
  refuseWeightShare: 0.25,
  /** One row that moves the estimate by a twentieth. */
  cautionWeightShare: 0.05,
  /** Fewer rewarded rows cannot tell a rate from twice or half of it. */
  refusePositives: 5,
  /** The relative error of a count of 30 is still 18 %. */
  cautionPositives: 30,
  /** Probability on actions that the log never took: the value may be off by this share of the range of rewards. */
  refuseUnsupported: 0.05,
  cautionUnsupported: 0.001,
  /** Standard errors between the mean weight and what it must be: beyond, the logged propensities are wrong. */
  refuseMeanWeightZ: 6,
  cautionMeanWeightZ: 3,
  /** Weights this near to 1 are those of the policy that made the log, but for the rounding of logged propensities. */
  identical: 1e-3,
} as const

/**
 * May the estimates of a candidate be trusted? About the weights: a direct estimate has none and is no less an extrapolation
 * where they fail, so `dm` does not lift a refusal. The policy that made the log is always `ok`.
 */
export function judge(coverage: Coverage): { readonly verdict: Verdict; readonly reasons: readonly string[] } {
  const { support, minWeight, meanWeightError } = coverage
  const { rows, effectiveSampleSize: effective, maxWeightShare, meanWeight, positiveCount, unsupportedMass } = support
  if (support.rowsWithoutSupport === rows) {
    return { verdict: 'refuse', reasons: ['the candidate never takes a logged action: the log says nothing about it'] }
  }
  const t = THRESHOLDS
  if (minWeight >= 1 - t.identical && support.maxWeight <= 1 + t.identical) return { verdict: 'ok', reasons: [] }

  const refusals: string[] = []
  const cautions: string[] = []
  const at = (refuse: boolean, caution: boolean, reason: string) => {
    if (refuse) refusals.push(reason)
    else if (caution) cautions.push(reason)
  }
  const share = effective / rows
  const rewarded =
    positiveCount === 0 ? 'no row has' : positiveCount === 1 ? 'only 1 row has' : `only ${positiveCount} rows have`
  at(
    effective < t.refuseEffectiveRows || (share < t.refuseEffectiveShare && effective < t.enoughEffectiveRows),
    share < t.cautionEffectiveShare,
    `the weights leave ${count(effective)} effective rows of ${rows} (${percent(share)})`,
  )
  at(
    maxWeightShare > t.refuseWeightShare,
    maxWeightShare > t.cautionWeightShare,
    `one row carries ${percent(maxWeightShare)} of the weight`,
  )
  at(
    positiveCount < t.refusePositives,
    positiveCount < t.cautionPositives,
    `${rewarded} both a reward and a positive weight`,
  )
  at(
    unsupportedMass > t.refuseUnsupported,
    unsupportedMass > t.cautionUnsupported,
    `${percent(unsupportedMass)} of the candidate's probability is on actions that the log never took`,
  )
  const expected = 1 - unsupportedMass
  const distance = Math.abs(meanWeight - expected)
  const z = distance <= t.identical ? 0 : distance / meanWeightError
  at(
    z > t.refuseMeanWeightZ,
    z > t.cautionMeanWeightZ,
    `the mean weight is ${number(meanWeight)}, ${z < Infinity ? `${z.toFixed(1)} standard errors from` : 'not'} the ` +
      `${number(expected)} that it must have if the logged propensities are right`,
  )
  if (refusals.length > 0) return { verdict: 'refuse', reasons: [...refusals, ...cautions] }
  return { verdict: cautions.length > 0 ? 'caution' : 'ok', reasons: cautions }
}

const count = (x: number): string => (x < 100 ? x.toFixed(1) : x.toFixed(0))
const percent = (x: number): string => `${Number((100 * x).toPrecision(2))} %`
const number = (x: number): string => String(Number(x.toPrecision(4)))
