import type { JoinCounts } from '../../log/tables.ts'
import { normalCdf, studentTQuantile } from '../../math/special.ts'
import type { EstimateResult, Verdict } from '../../results.ts'
import type { Estimator } from '../estimators/estimator.ts'
import type { Units } from '../weights/units.ts'
import type { Coverage } from './support.ts'

/** Where a verdict changes; each with what it protects from. Rows are units, where units are known. */
const THRESHOLDS = {
  /** Below, the estimate is a handful of rows: a normal or a t approximation of its error means nothing. */
  refuseEffectiveRows: 50,
  /** Fewer units of unequal weight: a t distribution is not wide enough where many of them got one action for good. */
  cautionEffectiveUnits: 100,
  /** Below this share of the rows, unless the effective rows are many, weights are so heavy that their tail is unseen. */
  refuseEffectiveShare: 0.01,
  /** Ten times fewer effective rows than rows, and not many: errors are three times those of an experiment of the same size. */
  cautionEffectiveShare: 0.1,
  /** The "many" of the lines above. */
  enoughEffectiveRows: 1000,
  /** One row that is a quarter of the estimate is an anecdote. */
  refuseWeightShare: 0.25,
  /** One row that moves the estimate by a twentieth. */
  cautionWeightShare: 0.05,
  /** A share is one row's own doing where it is more than so many times the share of an effective row: else rows are few. */
  outstanding: 1.5,
  /** Fewer rewarded rows cannot tell a rate from twice or half of it. */
  refusePositives: 5,
  /** The relative error of a count of 30 is still 18 %. */
  cautionPositives: 30,
  /**
   * Decisions that were left out for what came for them, in standard errors of a count of rewards: up to here they may take a quarter of such an
   * error from the estimate, and 95 % intervals still cover 94 %.
   */
  cautionLost: 0.25,
  /** Probability on actions that the log never took: the value may be off by this share of the range of rewards. */
  refuseUnsupported: 0.05,
  cautionUnsupported: 0.001,
  /** Standard errors between the mean weight and what it must be: beyond, the logged propensities are wrong. */
  refuseMeanWeightZ: 6,
  cautionMeanWeightZ: 3,
  /** Weights this near to 1 are those of the policy that made the log, but for the rounding of logged propensities. */
  identical: 1e-3,
  /** Propensities of the rows that replay keeps are one, but for this. */
  onePropensity: 1e-6,
} as const

export interface Judgement {
  readonly verdict: Verdict
  readonly reasons: readonly string[]
}

export const OK: Judgement = { verdict: 'ok', reasons: [] }
const RANKS: readonly Verdict[] = ['ok', 'caution', 'refuse']

export const worse = (a: Verdict, b: Verdict): Verdict => (RANKS.indexOf(a) < RANKS.indexOf(b) ? b : a)

export const better = (a: Judgement, b: Judgement): Judgement =>
  RANKS.indexOf(a.verdict) <= RANKS.indexOf(b.verdict) ? a : b

/** Both hold. */
export const both = (a: Judgement, b: Judgement): Judgement => ({
  verdict: worse(a.verdict, b.verdict),
  reasons: [...a.reasons, ...b.reasons],
})

/**
 * May the estimates of a candidate be trusted, as far as weights and rewards go? A direct estimate has no weights and is no less an
 * extrapolation where they fail, so `dm` does not lift a refusal. The policy that made the log is `ok`, unless there is next to
 * nothing, or a few rows stand for most of it.
 */
export const judge = (coverage: Coverage, units: Units): Judgement => judgeSlots([coverage], units)

/**
 * The same by weights that grow from slot to slot: what is wrong is said once, with the numbers of the slot that has it worst, so that what would be
 * enough is enough for all.
 */
export function judgeSlots(slots: readonly Coverage[], units: Units): Judgement {
  const found = slots.flatMap((coverage, slot) => findings(coverage, units).map(each => ({ ...each, slot })))
  const kinds = [...new Set(found.map(({ kind }) => kind))]
  const told = kinds.map(kind => {
    const all = found.filter(each => each.kind === kind)
    const alike = all.some(({ refuses }) => refuses) ? all.filter(({ refuses }) => refuses) : all
    const worst = alike.reduce((a, b) => (b.badness > a.badness ? b : a))
    const from = alike[0].slot > 0 ? `from slot ${alike[0].slot} on` : ''
    const at = worst.slot > alike[0].slot ? `in slot ${worst.slot} at worst` : ''
    const where = [from, at].filter(Boolean).join(', ')
    return {
      refuses: worst.refuses,
      reason: `${where}${at === '' ? '' : ','}${where === '' ? '' : ' '}${worst.reason}`,
    }
  })
  const reasonsOf = (of: boolean) => told.filter(({ refuses }) => refuses === of).map(({ reason }) => reason)
  return judgement(reasonsOf(true), reasonsOf(false))
}

/** Something that is wrong with weights of one kind, and how badly beside others that are wrong in the same way. */
interface Finding {
  readonly kind: string
  readonly refuses: boolean
  readonly badness: number
  readonly reason: string
}

function findings(coverage: Coverage, units: Units): readonly Finding[] {
  const { support, minWeight, maxWeight, meanWeightError } = coverage
  const { rows, effectiveSampleSize: effective, maxWeightShare, meanWeight, positiveCount, unsupportedMass } = support
  if (support.rowsWithoutSupport === rows) {
    const reason = 'the candidate never takes a logged action: the log says nothing about it'
    return [{ kind: 'nothing', refuses: true, badness: 1, reason }]
  }
  const t = THRESHOLDS
  const identical = minWeight >= 1 - t.identical && maxWeight <= 1 + t.identical
  const found: Finding[] = []
  const at = (kind: string, refuse: boolean, caution: boolean, badness: number, reason: string) => {
    if (refuse || caution) found.push({ kind, refuses: refuse, badness, reason })
  }
  const noun = units.known ? 'unit' : 'row'
  /** So many times more of what there is. */
  const needed = (times: number) =>
    times < MOST_NEEDED ? `; some ${enough(times * units.count)} ${noun}s would be enough` : ''

  const stands = (share: number, among: number, limit: number) => share > limit && share * among > t.outstanding
  at(
    'units',
    stands(units.largestShare, units.effective, t.refuseWeightShare),
    stands(units.largestShare, units.effective, t.cautionWeightShare) ||
      (units.effective < t.cautionEffectiveShare * units.count && units.effective < t.enoughEffectiveRows),
    0,
    `the ${units.count} ${noun}s are worth ${count(units.effective)} of equal ${units.known ? 'activity' : 'weight'}, ` +
      `and the largest has ${percent(units.largestShare)} of the decisions`,
  )
  const share = effective / units.effective
  const few = effective < t.refuseEffectiveRows
  at(
    'effective',
    few || (share < t.refuseEffectiveShare && effective < t.enoughEffectiveRows),
    (share < t.cautionEffectiveShare && effective < t.enoughEffectiveRows) ||
      (units.known && !identical && effective < t.cautionEffectiveUnits),
    -effective,
    `the weights leave ${count(effective)} effective ${noun}s of ${units.count} (${percent(effective / units.count)})` +
      needed(
        (share < t.cautionEffectiveShare
          ? t.enoughEffectiveRows
          : units.known
            ? t.cautionEffectiveUnits
            : t.refuseEffectiveRows) / effective,
      ),
  )
  at(
    'largest',
    stands(maxWeightShare, effective, t.refuseWeightShare),
    stands(maxWeightShare, effective, t.cautionWeightShare),
    maxWeightShare,
    `one ${noun} carries ${percent(maxWeightShare)} of the weight${needed(maxWeightShare / t.cautionWeightShare)}`,
  )
  if (identical) {
    at('rewards', false, positiveCount === 0, 0, `no ${noun} has a reward`)
    return found
  }
  const rewarded =
    positiveCount === 0
      ? `no ${noun} has`
      : positiveCount === 1
        ? `only 1 ${noun} has`
        : `only ${positiveCount} ${noun}s have`
  at(
    'rewards',
    positiveCount < t.refusePositives,
    positiveCount < t.cautionPositives,
    -positiveCount,
    `${rewarded} both a reward and a positive weight${positiveCount === 0 ? '' : needed(t.cautionPositives / positiveCount)}`,
  )
  for (const [i, reason] of unsupportedReasons(coverage).entries()) {
    const [refuse, caution] = [t.refuseUnsupported, t.cautionUnsupported].map(most => unsupportedMass > most)
    at(`unsupported ${i}`, refuse, caution, unsupportedMass, reason)
  }
  const expected = 1 - unsupportedMass
  const distance = Math.abs(meanWeight - expected)
  const z = distance <= t.identical ? 0 : distance / meanWeightError
  at(
    'mean',
    z > deviations(t.refuseMeanWeightZ, units),
    z > deviations(t.cautionMeanWeightZ, units),
    z,
    `the mean weight is ${number(meanWeight)}, ${z < Infinity ? `${z.toFixed(1)} standard errors from` : 'not'} the ` +
      `${number(expected)} that it must have if the logged propensities are right`,
  )
  return found
}

/** So many times the log: beyond, more of the same is no advice. */
const MOST_NEEDED = 10_000

/** As far out as so many standard deviations of a normal distribution, where the error is known from few units. */
function deviations(z: number, { known, effective }: Units): number {
  return known ? studentTQuantile(normalCdf(z), Math.max(1, effective - 1)) : z
}

function judgement(refusals: readonly string[], cautions: readonly string[]): Judgement {
  if (refusals.length > 0) return { verdict: 'refuse', reasons: [...refusals, ...cautions] }
  return { verdict: cautions.length > 0 ? 'caution' : 'ok', reasons: cautions }
}

const capped = (reason: string): Judgement => ({ verdict: 'caution', reasons: [reason] })

/** A number that overflowed on its way, or has no error: rewards or weights whose squares cannot be added up. */
export function judgeNumbers({
  estimator,
  value,
  standardError,
  interval,
}: Pick<EstimateResult, 'estimator' | 'value' | 'standardError' | 'interval'>): Judgement {
  if (value === null || (Number.isFinite(value) && standardError !== null && interval !== null)) return OK
  return {
    verdict: 'refuse',
    reasons: [`\`${estimator}\` cannot be computed: the numbers of the log are too large, or too few`],
  }
}

/** What is wrong with one estimate beside what its candidate is judged by; `dr` is the doubly robust estimate of the same candidate. */
export function judgeEstimate(
  estimator: Estimator,
  { value, interval, lift }: Pick<EstimateResult, 'value' | 'interval' | 'lift'>,
  { matched, uncertainRows }: Coverage,
  dr: Pick<EstimateResult, 'value' | 'interval' | 'lift'> | undefined,
): Judgement {
  const name = `\`${estimator.name}\``
  if (estimator.matching) {
    if (uncertainRows > 0) {
      const reason = `${name} is of candidates that take one action for certain, and this one draws in ${uncertainRows} rows`
      return { verdict: 'refuse', reasons: [reason] }
    }
    if (matched === undefined)
      return { verdict: 'refuse', reasons: [`${name} finds no row whose action the candidate takes`] }
    if (matched[1] <= matched[0] * (1 + THRESHOLDS.onePropensity)) return OK
    return capped(
      `${name} weighs rows alike that were logged with propensities from ${number(matched[0])} to ${number(matched[1])}`,
    )
  }
  if (value === null) return OK
  if (estimator.bias !== undefined) return judgeBias(name, estimator.bias, value, lift, dr)
  if (interval !== null && (value < interval.lower || value > interval.upper)) {
    return capped(
      `${name} lies outside of its own interval, which knows that weights have mean 1: a self-normalised estimate is the better number`,
    )
  }
  return OK
}

/** An interval does not have the bias in it: what shows that it is small is an unbiased estimate that agrees, in value and in lift. */
function judgeBias(
  name: string,
  bias: string,
  value: number,
  lift: EstimateResult['lift'],
  dr: Pick<EstimateResult, 'value' | 'interval' | 'lift'> | undefined,
): Judgement {
  const biased = `${name} is off by ${bias}, which its interval does not count`
  if (dr?.interval == null || dr.value === null) return capped(`${biased}: only beside \`dr\` can it be trusted`)
  const apart = (what: string, one: number, other: number, { lower, upper }: { lower: number; upper: number }) => {
    const distance = Math.abs(one - other)
    const half = (upper - lower) / 2
    if (distance <= half) return undefined
    return `${biased}: ${what} is ${number(distance)} from that of \`dr\`, more than the ${number(half)} that chance would explain`
  }
  const ofLift = lift === null || dr.lift === null ? undefined : apart('its lift', lift.value, dr.lift.value, dr.lift)
  const reason = apart('it', value, dr.value, dr.interval) ?? ofLift
  return reason === undefined ? OK : capped(reason)
}

/** Where rows were dropped because they had no reward, those that remain were chosen by their outcome. */
export function judgeUnrewarded(unrewarded: number): Judgement {
  if (unrewarded === 0) return OK
  const what = `${unrewarded} ${unrewarded === 1 ? 'row' : 'rows'} without a reward ${unrewarded === 1 ? 'is' : 'are'} left out`
  return capped(`${what}: the others were chosen by their outcome`)
}

/** Where most rewards found no decision, a decision without one may have one. */
export function judgeOrphans({ rewards, orphans }: Pick<JoinCounts, 'rewards' | 'orphans'>): Judgement {
  if (orphans <= rewards) return OK
  return capped(`${orphans} of ${orphans + rewards} rewards are for no decision of this log: do the ids fit?`)
}

/** Where rewards that cannot be used took many decisions with them, those that remain were chosen by their outcome. */
export function judgeLost({ rewards, lost }: Pick<JoinCounts, 'rewards' | 'lost'>): Judgement {
  if (lost <= THRESHOLDS.cautionLost * Math.sqrt(rewards)) return OK
  const what = `${lost} ${lost === 1 ? 'decision is' : 'decisions are'} left out for a reward that cannot be used`
  return capped(`${what}, beside ${rewards} that can: the others were chosen by their outcome`)
}

/**
 * The same where the log has no propensities, and there is no weight to look at: a direct estimate is never `ok`. On actions that the
 * log never took the reward model has nothing to go by, known propensities or not; and few units know little, whoever is judged.
 */
export function judgeModelled(coverage: Coverage, units: Units, logging: boolean): Judgement {
  const { unsupportedMass, positiveCount } = coverage.support
  const t = THRESHOLDS
  const noun = units.known ? 'unit' : 'row'
  const refusals = [
    ...(units.effective < t.refuseEffectiveRows
      ? [`the log has no more than ${count(units.effective)} ${noun}s of equal ${units.known ? 'activity' : 'weight'}`]
      : []),
    ...(!logging && unsupportedMass > t.refuseUnsupported ? unsupportedReasons(coverage) : []),
  ]
  const cautions = [
    ...(positiveCount === 0 ? [`no ${noun} has a reward`] : []),
    ...(!logging && unsupportedMass > t.cautionUnsupported && unsupportedMass <= t.refuseUnsupported
      ? unsupportedReasons(coverage)
      : []),
    ...(logging
      ? []
      : ['the log has no propensities: `dm` is as right as its reward model, and nothing here can tell']),
  ]
  return judgement(refusals, cautions)
}

function unsupportedReasons({ support, ineligibleMass, idleMass }: Coverage): string[] {
  const said = (mass: number, what: (share: string) => string) => (mass > ROUNDING ? [what(percent(mass))] : [])
  return [
    ...said(idleMass, share => `in ${share} of the decisions nothing was eligible that the candidate may take`),
    ...said(
      ineligibleMass - idleMass,
      share => `${share} of the candidate's probability is on actions that were not eligible`,
    ),
    ...said(
      support.unsupportedMass - ineligibleMass,
      share => `${share} of the candidate's probability is on actions that the log never took`,
    ),
  ]
}

const ROUNDING = 1e-9

const count = (x: number): string => (x < 100 ? x.toFixed(1) : x.toFixed(0))
/** A guess of how many rows or units would do: two digits, and no fewer. */
function enough(x: number): string {
  if (x < 100) return String(Math.ceil(x))
  const [digits, exponent] = x.toExponential(1).split('e')
  const rounded = Number(`${digits}e${exponent}`)
  return String(rounded < x ? rounded + Number(`1e${Number(exponent) - 1}`) : rounded)
}
const percent = (x: number): string => `${Number((100 * x).toPrecision(2))} %`
const number = (x: number): string => String(Number(x.toPrecision(4)))
