import type { LogFacts } from '../estimates.ts'
import { type Series, weight } from '../estimators/series.ts'
import { type SeriesOf, standardError } from '../influence.ts'
import type { Coverage } from '../verdicts/support.ts'
import { decisionCount } from '../weights/log-sums.ts'
import { squaresByUnit } from '../weights/units.ts'
import { additiveWeight, meanWeight, slotWeight } from './estimators/list-series.ts'
import type { ListSums } from './list-sums.ts'

/** Weights as near as this to each other are one number. */
const ROUNDING = 1e-9

/** What the log can say of a candidate, as far as one of its weights goes. `totals`: those of the weight by the groups of units that have rows. */
export function listCoverage(
  sums: ListSums,
  by: Series,
  totals: Float64Array,
  { log, units }: LogFacts,
  of: SeriesOf,
  logging: boolean,
): Coverage {
  const found = sums.weights.get(by.key)
  if (found === undefined) throw new RangeError(`the weight ${by.key} was not summed`)
  const { w, ww, min, max, maxTotal, zeroRows, positives, positiveGroups } = found
  const decisions = decisionCount(log)
  const squares = units.known ? squaresByUnit(totals, w) : ww
  const largest = units.known ? greatest(totals) : maxTotal
  const reach = logging ? { unsupported: 0, possible: 1 } : reachOf(sums, by)
  return {
    support: {
      effectiveSampleSize: squares > 0 ? (w * w) / squares : 0,
      maxWeight: maxTotal * (sums.rows / decisions),
      maxWeightShare: w > 0 ? largest / w : 0,
      meanWeight: w / decisions,
      positiveCount: units.known ? ones(positiveGroups) : positives,
      rowsWithoutSupport: zeroRows,
      unsupportedMass: reach.unsupported / decisions,
      rows: sums.rows,
    },
    ineligibleMass: 0,
    idleMass: 0,
    largestPossibleWeight: Math.max(1, max, reach.possible),
    minWeight: min,
    maxWeight: max,
    meanWeightError: units.groups > 1 ? standardError(of.mean(by).unit, units.groups) : 0,
    equalWeights: max - min <= ROUNDING * max,
    values: [sums.minValue, sums.maxValue],
    predictions: [sums.minPredicted, sums.maxPredicted],
    uncertainRows: 0,
    matched: undefined,
  }
}

function greatest(values: Float64Array): number {
  let most = 0
  for (let g = 0; g < values.length; g++) if (values[g] > most) most = values[g]
  return most
}

function ones(flags: Uint8Array): number {
  let count = 0
  for (let g = 0; g < flags.length; g++) count += flags[g]
  return count
}

/** The mass that is put where the log could not put it, and the largest weight that there can be. */
interface Reach {
  readonly unsupported: number
  readonly possible: number
}

function reachOf({ unsupported, misplaced, possible, possiblyPlaced }: ListSums, { key }: Series): Reach {
  const slots = [...possible.keys()]
  // What is lost above is lost below.
  const prefix = slots.map(slot => ({
    unsupported: unsupported.subarray(0, slot + 1).reduce((sum, mass) => sum + mass, 0),
    possible: Math.max(...possible.subarray(0, slot + 1)),
  }))
  const placed = slots.map(slot => ({ unsupported: misplaced[slot], possible: possiblyPlaced[slot] }))
  if (key === additiveWeight.key) return { unsupported: 0, possible: 1 }
  if (key === weight.key) return prefix[prefix.length - 1]
  for (const [by, all] of [
    ['prefix', prefix],
    ['placed', placed],
  ] as const) {
    if (key === meanWeight(by).key) return mean(all)
    const slot = slots.find(each => key === slotWeight(by, each).key)
    if (slot !== undefined) return all[slot]
  }
  throw new RangeError(`the weight ${key} is none of lists`)
}

function mean(all: readonly Reach[]): Reach {
  const of = (name: keyof Reach) => all.reduce((sum, each) => sum + each[name], 0) / all.length
  return { unsupported: of('unsupported'), possible: of('possible') }
}
