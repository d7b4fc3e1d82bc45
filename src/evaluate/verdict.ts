import type { JoinCounts } from '../log/tables.ts'
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
  /** Rows of the logging policy that stand for so many average ones at most are as good as the rows of any log. */
  standsFor: 4,
} as const

export interface Judgement {
  readonly verdict: Verdict
  readonly reasons: readonly string[]
}

/**
 * May the estimates of a candidate be trusted? About the weights: a direct estimate has none and is no less an extrapolation
 * where they fail, so `dm` does not lift a refusal. The policy that made the log is `ok`, unless a few rows stand for most of it.
 */
export function judge(coverage: Coverage): Judgement {
  const { support, minWeight, maxWeight, meanWeightError } = coverage
  const { rows, effectiveSampleSize: effective, maxWeightShare, meanWeight, positiveCount, unsupportedMass } = support
  if (support.rowsWithoutSupport === rows) {
    return { verdict: 'refuse', reasons: ['the candidate never takes a logged action: the log says nothing about it'] }
  }
  const t = THRESHOLDS
  const identical = minWeight >= 1 - t.identical && maxWeight <= 1 + t.identical
  if (identical && support.maxWeight <= t.standsFor) return { verdict: 'ok', reasons: [] }

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
  if (identical) return judgement(refusals, cautions)
  at(
    positiveCount < t.refusePositives,
    positiveCount < t.cautionPositives,
    `${rewarded} both a reward and a positive weight`,
  )
  at(unsupportedMass > t.refuseUnsupported, unsupportedMass > t.cautionUnsupported, unsupportedReason(unsupportedMass))
  const expected = 1 - unsupportedMass
  const distance = Math.abs(meanWeight - expected)
  const z = distance <= t.identical ? 0 : distance / meanWeightError
  at(
    z > t.refuseMeanWeightZ,
    z > t.cautionMeanWeightZ,
    `the mean weight is ${number(meanWeight)}, ${z < Infinity ? `${z.toFixed(1)} standard errors from` : 'not'} the ` +
      `${number(expected)} that it must have if the logged propensities are right`,
  )
  return judgement(refusals, cautions)
}

function judgement(refusals: readonly string[], cautions: readonly string[]): Judgement {
  if (refusals.length > 0) return { verdict: 'refuse', reasons: [...refusals, ...cautions] }
  return { verdict: cautions.length > 0 ? 'caution' : 'ok', reasons: cautions }
}

/** The same where rows were dropped because they had no reward: those that remain were chosen by their outcome. */
export function judgeUnrewarded({ verdict, reasons }: Judgement, unrewarded: number): Judgement {
  if (unrewarded === 0) return { verdict, reasons }
  const what = `${unrewarded} ${unrewarded === 1 ? 'row' : 'rows'} without a reward ${unrewarded === 1 ? 'is' : 'are'} left out`
  return {
    verdict: verdict === 'ok' ? 'caution' : verdict,
    reasons: [...reasons, `${what}: the others were chosen by their outcome`],
  }
}

/** The same where most rewards found no decision: then a decision without one may have one. */
export function judgeOrphans(
  { verdict, reasons }: Judgement,
  { rewards, orphans }: Pick<JoinCounts, 'rewards' | 'orphans'>,
): Judgement {
  if (orphans <= rewards) return { verdict, reasons }
  return {
    verdict: verdict === 'ok' ? 'caution' : verdict,
    reasons: [
      ...reasons,
      `${orphans} of ${orphans + rewards} rewards are for no decision of this log: do the ids fit?`,
    ],
  }
}

/**
 * The same where the log has no propensities, and there is no weight to look at: a direct estimate is never `ok`. On actions that the
 * log never took the reward model has nothing to go by, known propensities or not.
 */
export function judgeModelled({ support: { unsupportedMass } }: Coverage, logging: boolean): Judgement {
  if (logging) return { verdict: 'ok', reasons: [] }
  const unsupported = unsupportedMass > THRESHOLDS.cautionUnsupported ? [unsupportedReason(unsupportedMass)] : []
  return {
    verdict: unsupportedMass > THRESHOLDS.refuseUnsupported ? 'refuse' : 'caution',
    reasons: [
      ...unsupported,
      'the log has no propensities: `dm` is as right as its reward model, and nothing here can tell',
    ],
  }
}

const unsupportedReason = (mass: number) =>
  `${percent(mass)} of the candidate's probability is on actions that the log never took`

const count = (x: number): string => (x < 100 ? x.toFixed(1) : x.toFixed(0))
const percent = (x: number): string => `${Number((100 * x).toPrecision(2))} %`
const number = (x: number): string => String(Number(x.toPrecision(4)))
