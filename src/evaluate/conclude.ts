import type { EvaluationSpec } from '../kinds.ts'
import type { CandidateResult, DifferenceEstimate, EstimateResult, EvaluationResult } from '../results.ts'
import {
  type Apart,
  type Candidate,
  candidateSide,
  compare,
  type Direct,
  type LogFacts,
  logSide,
  type Measured,
  NOTHING,
} from './estimates.ts'
import type { Estimator } from './estimators/estimator.ts'
import { MOST_COMPARED } from './estimators/estimators.ts'
import { corrected } from './estimators/series.ts'
import type { SeriesOf } from './influence.ts'
import { better, both, type Judgement, judgeEstimate, judgeNumbers, OK, worse } from './verdicts/verdict.ts'
import { meanReward } from './weights/log-sums.ts'

/** A candidate whose rows have all been summed. */
export interface Summed {
  readonly name: string
  readonly learntFrom: CandidateResult['learntFrom']
  /** It is the policy that made the log. */
  readonly logging: boolean
  readonly of: SeriesOf
  readonly coverage: Candidate['coverage']
  /** Standard errors of the direct estimate and of its lift, by the reward model. */
  readonly direct: Direct | undefined
  /** As far as the log as a whole, and weights and rewards go, where they are the same for all estimators. */
  readonly judgement: Judgement
  /** Where estimators have weights of their own: what holds of one of them. */
  readonly byEstimator?: {
    coverageOf(estimator: Estimator): Candidate['coverage']
    judgementOf(estimator: Estimator): Judgement
  }
  /** Of lists: what it should not be trusted for; the weights slot by slot. */
  readonly lists?: {
    readonly doubt: Judgement
    readonly slots: NonNullable<CandidateResult['slots']>
    readonly metrics: NonNullable<CandidateResult['metrics']>
  }
}

/** How far one candidate can be from another in a row, by their places, as an estimator weighs rows; undefined where nobody knows. */
export type ApartOf = (a: number, b: number, estimator: Estimator) => Apart | undefined

/**
 * Estimates, verdicts and differences. `weighted`: the log has propensities. Where there are three candidates or more, `simultaneous`
 * intervals hold all at once, by Bonferroni's inequality: over the pairs, and of lifts over the candidates. `apart`: how far two of the
 * candidates can be from each other.
 */
export function conclude(
  candidates: readonly Summed[],
  estimators: readonly Estimator[],
  level: EvaluationSpec['interval']['level'],
  facts: LogFacts,
  weighted: boolean,
  apart: ApartOf = () => undefined,
): Pick<EvaluationResult, 'candidates' | 'differences'> {
  const many = candidates.length >= 3
  const levels = (comparisons: number) => (many ? [level, 1 - (1 - level) / comparisons] : [level])
  const ofLifts = levels(candidates.filter(each => !each.logging).length)
  const pairs = candidates.length > MOST_COMPARED ? [] : pairsOf(candidates.length)
  const ofPairs = levels(pairs.length)
  const log = logSide(facts.frame)
  const estimates = candidates.map((): EstimateResult[] => [])
  const differences = pairs.map((): DifferenceEstimate[] => [])
  // The influences of an estimator are large: they are made for one after the other.
  for (const estimator of estimators) {
    const sides = candidates.map(({ logging, of, coverage, direct, byEstimator }) =>
      logging
        ? log
        : candidateSide(estimator, { of, coverage: byEstimator?.coverageOf(estimator) ?? coverage }, direct),
    )
    for (const [i, side] of sides.entries()) {
      const value = compare(side, NOTHING, facts, [level])
      const lift = candidates[i].logging ? unchanged(ofLifts.length) : compare(side, log, facts, ofLifts)
      estimates[i].push(estimateResult(estimator, value, lift, level, facts))
    }
    for (const [k, [i, j]] of pairs.entries()) {
      const known = weighted || estimator.modelled === undefined
      const difference = known ? compare(sides[j], sides[i], facts, ofPairs, apart(j, i, estimator)) : null
      differences[k].push(differenceResult(estimator, difference, level, facts))
    }
  }
  return {
    candidates: candidates.map((candidate, i) => judged(candidate, estimators, estimates[i], weighted)),
    differences: pairs.map(([i, j], k) => ({
      candidate: candidates[j].name,
      baseline: candidates[i].name,
      estimates: differences[k],
    })),
  }
}

function pairsOf(count: number): readonly (readonly [number, number])[] {
  return Array.from({ length: count }, (_, j) => Array.from({ length: j }, (_, i) => [i, j] as const)).flat()
}

/** The log against itself. */
const unchanged = (levels: number): Measured => ({
  value: 0,
  error: 0,
  method: '',
  bounds: Array.from({ length: levels }, () => ({ lower: 0, upper: 0 })),
})

function judged(
  { name, learntFrom, coverage, judgement, logging, byEstimator, lists }: Summed,
  estimators: readonly Estimator[],
  estimates: readonly EstimateResult[],
  weighted: boolean,
): CandidateResult {
  const weights = estimators.map(each => byEstimator?.judgementOf(each) ?? OK)
  const dr = estimates.find((_, i) => isDoublyRobust(estimators[i]) && weights[i].verdict !== 'refuse')
  const own = estimates.map((estimate, i) => {
    const numbers = judgeNumbers(estimate)
    const judges = weighted && !logging && numbers.verdict === 'ok'
    return both(weights[i], judges ? judgeEstimate(estimators[i], estimate, coverage, dr) : numbers)
  })
  const refused = judgement.verdict === 'refuse'
  const unbiased = own.filter((_, i) => estimators[i].bias === undefined && estimators[i].matching !== true)
  // What no unbiased estimator can say, one that takes something for granted may.
  const counted = unbiased.some(({ verdict }) => verdict !== 'refuse') ? unbiased : own
  return {
    name,
    ...(refused ? judgement : withDoubt(both(judgement, counted.reduce(better)), lists?.doubt)),
    learntFrom,
    support: weighted ? coverage.support : null,
    ...(lists === undefined ? {} : { slots: lists.slots, metrics: lists.metrics }),
    estimates: estimates.map((estimate, i) => ({
      ...estimate,
      ...(estimators[i].by === undefined || byEstimator === undefined
        ? {}
        : { support: byEstimator.coverageOf(estimators[i]).support }),
      verdict: worse(judgement.verdict, own[i].verdict),
      reasons: own[i].reasons,
    })),
  }
}

/** A doubt that is not told already. */
function withDoubt(judgement: Judgement, doubt: Judgement | undefined): Judgement {
  if (doubt === undefined) return judgement
  const { verdict, reasons } = both(judgement, doubt)
  return { verdict, reasons: [...new Set(reasons)] }
}

const isDoublyRobust = ({ mean }: Estimator): boolean => mean === corrected

/** What is nothing but rounding beside rewards of this size is 0. */
function cleaner(size: number): (x: number) => number {
  const least = ROUNDING * Math.abs(size)
  return x => (Math.abs(x) <= least ? 0 : x)
}

function estimateResult(
  { name }: Estimator,
  value: Measured | null,
  lift: Measured | null,
  level: number,
  { log }: LogFacts,
): EstimateResult {
  if (value === null || lift === null) {
    return { estimator: name, verdict: 'ok', reasons: [], value: null, standardError: null, interval: null, lift: null }
  }
  const reward = meanReward(log)
  const clean = cleaner(Math.max(Math.abs(value.value), Math.abs(reward)))
  const [bounds, simultaneous] = lift.bounds
    .map(({ lower, upper }) => ({ lower: clean(lower), upper: clean(upper) }))
    .filter(({ lower, upper }) => Number.isFinite(lower) && Number.isFinite(upper))
  const difference = clean(lift.value)
  return {
    estimator: name,
    verdict: 'ok',
    reasons: [],
    value: value.value,
    standardError: Number.isFinite(value.error) ? value.error : null,
    interval: intervalOf(value, level),
    lift:
      bounds === undefined
        ? null
        : {
            value: difference,
            ...bounds,
            simultaneous: simultaneous ?? null,
            relative: reward === 0 ? null : difference / reward,
          },
  }
}

/** A difference of two numbers means nothing below their rounding: there it is 0. */
const ROUNDING = 1e-13

function intervalOf({ method, bounds: [{ lower, upper }] }: Measured, level: number): EstimateResult['interval'] {
  return Number.isFinite(lower) && Number.isFinite(upper) ? { method, level, lower, upper } : null
}

function differenceResult(
  { name }: Estimator,
  measured: Measured | null,
  level: number,
  { log }: LogFacts,
): DifferenceEstimate {
  if (measured === null) {
    return { estimator: name, value: null, standardError: null, interval: null, simultaneous: null }
  }
  const clean = cleaner(meanReward(log))
  const { value, error } = measured
  const bounds = measured.bounds.map(({ lower, upper }) => ({ lower: clean(lower), upper: clean(upper) }))
  return {
    estimator: name,
    value: clean(value),
    standardError: Number.isFinite(error) ? error : null,
    interval: intervalOf({ ...measured, bounds }, level),
    simultaneous: bounds.length > 1 && intervalOf(measured, level) !== null ? bounds[1] : null,
  }
}
