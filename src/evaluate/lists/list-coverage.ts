import type { LogFacts } from '../estimates.ts'
import { type Series, weight } from '../estimators/series.ts'
import type { SeriesOf } from '../influence.ts'
import { type Coverage, type Reach, weightCoverage } from '../verdicts/support.ts'
import { decisionCount } from '../weights/log-sums.ts'
import { additiveWeight, meanWeight, slotWeight, stoppedWeight } from './estimators/list-series.ts'
import type { ListSums } from './list-sums.ts'

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
  const { unsupported, possible } = logging ? { unsupported: 0, possible: 1 } : reachOf(sums, by)
  return {
    ...weightCoverage(
      found,
      { byUnit: totals, mean: of.mean(by), log, units },
      { unsupported: unsupported / decisionCount(log), possible },
    ),
    ineligibleMass: 0,
    idleMass: 0,
    values: [sums.minValue, sums.maxValue],
    predictions: [sums.minPredicted, sums.maxPredicted],
    uncertainRows: 0,
    matched: undefined,
  }
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
  if (key === weight.key || key === stoppedWeight.key) return prefix[prefix.length - 1]
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

/**
 * The largest difference of the weights of two candidates, as one of the weights goes, from those slot by slot: given what stood above, and
 * whatever did. Undefined of a weight that no bound is known of.
 */
export function gapOf({ key }: Series, prefix: readonly number[], placed: readonly number[]): number | undefined {
  const down = prefix.map((_, slot) => Math.max(...prefix.slice(0, slot + 1)))
  const average = (all: readonly number[]) => all.reduce((sum, each) => sum + each, 0) / all.length
  if (key === weight.key || key === stoppedWeight.key) return down[down.length - 1]
  if (key === meanWeight('prefix').key) return average(down)
  return key === meanWeight('placed').key ? average(placed) : undefined
}

function mean(all: readonly Reach[]): Reach {
  const of = (name: keyof Reach) => all.reduce((sum, each) => sum + each[name], 0) / all.length
  return { unsupported: of('unsupported'), possible: of('possible') }
}
