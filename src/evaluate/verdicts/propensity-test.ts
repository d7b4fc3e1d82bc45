import { scoreOf } from '../../log/stats/calibration.ts'
import { exp } from '../../math/elementary.ts'
import { type DrawnSum, designEffect, FEWEST_UNITS, type GroupSpread, spreadOfGroups } from '../../math/groups.ts'
import { twoSidedT } from '../../math/tails.ts'
import type { Verdict } from '../../results.ts'
import { addPlace, createPlaces, type PlaceSums, type PropensitySums, RARE } from '../weights/propensity-sums.ts'
import { bucketAt, bucketText } from '../weights/time-buckets.ts'

export interface PropensityTest {
  readonly verdict: Verdict
  /** Sentences without a full stop, one an action, at most four. */
  readonly reasons: readonly string[]
  /** How many sums were tested; where it is none, why: a sentence without a full stop. */
  readonly tests: number
  readonly untested?: string
}

/** What messages call actions and slots. */
export interface PropensityNames {
  readonly actions: readonly string[]
  readonly slot?: (slot: number) => string
}

/** How improbable the most improbable of all sums must be: one right log in 1,000 is cautioned about; none is refused. */
const CAUTION = 1e-3
const REFUSE = 1e-8
/** Propensities are rounded: by this share of what it should be, a sum may be off. */
const ROUNDING = 1e-3
/** An action that was never taken, where that was less probable, could not be. */
const EMPTY = 1e-3
const NAMED = 3

/**
 * Were actions drawn with the logged propensities? Tests the sums T of `PlaceSums` of every action: over the log, in each slot, in each
 * time bucket. Where it is not known which actions could be taken, only T > 0 is a fault. A sum is accused if two say that it is too far
 * from 0, each of which is right where the other is not:
 *
 * - Student's t of T, by the spread of the sums of groups of units, whatever one unit's decisions have in common: the delete-a-group
 *   jackknife (Kott, J. Off. Stat. 17(4), 2001). Degrees of freedom: Kish's number of groups, (Σn)²/Σn², less 1. Wrong where hardly a group
 *   differs from the others, as where nobody got a rare action.
 * - `scoreOf` T, by the variance and skewness that it has if draws are independent and propensities right, times the design effect (Kish,
 *   "Survey Sampling", 1965): how much more sums of groups spread than that, on average over the sums of a family. Where all units draw
 *   once and keep what they got, it is the number of their decisions.
 *
 * Bonferroni's inequality over all sums: what is accused of one of many was tested as one of many.
 */
export function testPropensities(sums: PropensitySums, names: PropensityNames): PropensityTest {
  const families = familiesOf(sums)
  const tested = families.flatMap(family => testFamily(sums, family, families[0].places.least))
  const tests = tested.length
  if (tests === 0) {
    const untested = `the logged propensities cannot be tested: the decisions count as those of fewer than ${FEWEST_UNITS} units`
    return { verdict: 'ok', reasons: [], tests, untested }
  }
  const accused = tested.map(each => ({ ...each, p: each.p * tests })).filter(({ p }) => p < CAUTION)
  const refused = accused.some(({ p, bounded }) => p < REFUSE && !bounded)
  const worst = new Map<number, Tested>()
  for (const each of accused) {
    if (each.p < (worst.get(each.action)?.p ?? Infinity)) worst.set(each.action, each)
  }
  const named = [...worst.values()].sort((one, other) => one.p - other.p)
  const more = named.length - NAMED
  return {
    verdict: refused ? 'refuse' : accused.length > 0 ? 'caution' : 'ok',
    reasons: [
      ...named.slice(0, NAMED).map(each => reasonOf(each, sums, names)),
      ...(more > 0 ? [`and ${more} more ${more === 1 ? 'action' : 'actions'}`] : []),
    ],
    tests,
  }
}

/**
 * For an action that was never taken in a slot, or without `slot` in the log: does chance explain that, or could it not be taken there? By
 * its propensities there, where they are known, else by the smallest that it was taken with elsewhere. Undefined where slots are not
 * told apart.
 */
export function emptyByChance(sums: PropensitySums): (action: number, slot?: number) => boolean | undefined {
  const [log, slots] = familiesOf(sums)
  const effects = [log, slots].map(({ places }) => effectOf(spreadsOf(sums, places)))
  return (action, slot) => {
    const { places } = slot === undefined ? log : slots
    const place = slot ?? 0
    if (place >= places.places) return undefined
    const of = place * sums.actions
    const least = log.places.least[action]
    const draws =
      sums.known === 'every'
        ? places.chances[of + action]
        : sums.known === 'eligible'
          ? places.chances[of + action] * least
          : places.rows.subarray(of, of + sums.actions).reduce((one, other) => one + other, 0) * least
    // (1 − p)ⁿ, and at most exp(−Σp).
    return draws > 0 && exp(-draws / effects[slot === undefined ? 0 : 1]) > EMPTY
  }
}

interface Family {
  readonly name: 'log' | 'slot' | 'time'
  readonly places: PlaceSums
}

/** All of the log, its slots, its time buckets; the latter two have no places if they tell nothing apart. */
function familiesOf(sums: PropensitySums): readonly [log: Family, slots: Family, times: Family] {
  const { buckets, times, slots } = sums
  const used = buckets.low > buckets.high ? 0 : bucketAt(buckets, buckets.high) + 1
  const log = createPlaces(sums, 1)
  for (let place = 0; place < used; place++) addPlace(log, 0, times, place)
  return [
    { name: 'log', places: log },
    { name: 'slot', places: slots },
    { name: 'time', places: used > 1 ? times : createPlaces(sums, 0) },
  ]
}

/** One sum T, by the sums of groups: Σ h·g·1{taken} against Σ h·g·p. */
interface Spread extends GroupSpread, DrawnSum {
  readonly place: number
  readonly action: number
}

/** Of all sums that enough units have a part in. */
function spreadsOf({ actions, groups, known }: PropensitySums, places: PlaceSums): Spread[] {
  const { taken, offered, rows, square, linear } = places
  const spreads: Spread[] = []
  for (let place = 0; place < places.places; place++) {
    for (let action = 0; action < actions; action++) {
      const at = (g: number) => (place * groups + g) * actions + action
      const spread = spreadOfGroups(
        groups,
        g => taken[at(g)],
        g => offered[known === 'taken' ? place * groups + g : at(g)],
      )
      if (!(spread.units >= FEWEST_UNITS)) continue
      const cell = place * actions + action
      const independent = square[cell] - spread.ratio * linear[cell]
      spreads.push({ place, action, ...spread, independent, square: square[cell], rows: rows[cell] })
    }
  }
  return spreads
}

function effectOf(spreads: readonly Spread[]): number {
  const most = spreads.reduce((one, { rows, units }) => Math.max(one, rows / units), 1)
  return designEffect(spreads, most)
}

interface Tested extends Pick<Family, 'name'>, Pick<Spread, 'place' | 'action' | 'ratio'> {
  /** Probability of a sum that is as far from 0, or farther. */
  readonly p: number
  /** By what is no more than a likely bound of the variance. */
  readonly bounded: boolean
}

/** `leastOf`: the smallest propensity that each action was taken with in the log; ∞ if it never was. */
function testFamily(sums: PropensitySums, { name, places }: Family, leastOf: Float64Array): Tested[] {
  const spreads = spreadsOf(sums, places)
  const effect = effectOf(spreads)
  const least = leastOf.reduce((one, other) => Math.min(one, other), 1)
  return spreads.map(spread => {
    const { place, action, taken, expected, ratio, variance, units } = spread
    const excess = taken - expected
    const { bounded, ...chance } = rightMoments(sums, places, spread, least)
    const off = Math.sign(excess) * Math.max(0, Math.abs(excess) - ROUNDING * expected)
    // Of the chances of an action that was not taken, only a log that has all propensities knows.
    const known = sums.known === 'every' || (sums.known === 'eligible' && leastOf[action] <= 1)
    if (off === 0 || (off < 0 && !known)) return { name, place, action, ratio, p: 1, bounded }
    const ofGroups = twoSidedT(off / Math.sqrt(variance), units - 1)
    // A few large terms skew a sum, and make a tail heavier; they do not make the other one as much lighter.
    const third = off > 0 ? Math.max(0, chance.third) : Math.min(0, chance.third)
    // What no draw can move is not off by chance.
    const ofDraws = scoreOf(off, chance.variance * effect, third * effect * effect, chance.step * effect).p ?? 0
    return { name, place, action, ratio, p: Math.max(ofGroups, ofDraws), bounded }
  })
}

/** The variance and the third moment, or a bound of it, of T if draws are independent and the propensities right; what no term exceeds. */
function rightMoments(
  { actions, known, maxStandsFor }: PropensitySums,
  { variance, third, square, linear, step }: PlaceSums,
  { place, action, taken, expected, ratio }: Spread,
  least: number,
): { readonly variance: number; readonly third: number; readonly step: number; readonly bounded: boolean } {
  const cell = place * actions + action
  if (known === 'every') {
    return { variance: variance[cell], third: third[cell], step: maxStandsFor / RARE, bounded: false }
  }
  if (taken > expected) {
    // Where the action was drawn too often by this ratio, so were the terms that tell its variance.
    const spread = (square[cell] - linear[cell]) / ratio
    return { variance: spread, third: step[cell] * spread, step: step[cell], bounded: false }
  }
  // How small the chance was where the action was not taken, nobody knows: hardly smaller than the smallest that was met.
  const spread = maxStandsFor * expected * (1 / least - 1)
  return { variance: Math.max(variance[cell], spread), third: 0, step: maxStandsFor, bounded: true }
}

function reasonOf(
  { name, place, action, ratio, p, bounded }: Tested,
  sums: PropensitySums,
  names: PropensityNames,
): string {
  const where =
    name === 'log'
      ? ''
      : name === 'slot'
        ? ` in slot \`${names.slot?.(place) ?? place}\``
        : ` ${bucketText(sums.clock, sums.buckets, place)}`
  const what = bounded
    ? 'they are wrong, or it could not be taken wherever the log says so'
    : 'the logged propensities are wrong'
  const times = Number(ratio.toPrecision(3))
  const chance = p < 1e-300 ? 'p < 1e-300' : `p = ${p.toPrecision(1)}`
  return `action \`${names.actions[action]}\` was taken as if with ${times} times its logged propensities${where} (${chance}): ${what}`
}
