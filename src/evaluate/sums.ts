import type { DecisionLog } from '../log/decision-log.ts'
import { addTo } from '../math/sum.ts'
import { grown, mergeCompensated } from './log-sums.ts'

/**
 * A series yᵢ, one number a row, whose mean is what is estimated: four compensated sums, Σhy, Σh²y², Σh²wy and Σ(h² − h)y, for
 * rows that stand for h decisions each. The last is what Σh²y has more than Σhy: nothing, where every decision was kept.
 */
const SERIES_SIZE = 8
const HEAD = 8

/** Places in `CandidateSums.moments`: compensated sums of hw, h²w², h²w·r² and (h² − h)w, then the series. */
export const MOMENT = {
  w: 0,
  ww: 2,
  wrr: 4,
  excess: 6,
  /** w·r, and the same minus r. */
  ips: HEAD,
  ipsLift: HEAD + SERIES_SIZE,
  /** v = Σ π(a) q(a), and the same minus r. */
  dm: HEAD + 2 * SERIES_SIZE,
  dmLift: HEAD + 3 * SERIES_SIZE,
  /** v + w·(r − q), and the same minus r. */
  dr: HEAD + 4 * SERIES_SIZE,
  drLift: HEAD + 5 * SERIES_SIZE,
} as const
const MOMENTS = HEAD + 6 * SERIES_SIZE

/** Everything that is summed for one candidate; a plain object, merged in the order of the chunks. */
export interface CandidateSums {
  readonly moments: Float64Array
  rows: number
  minWeight: number
  maxWeight: number
  /** The largest h·w. */
  maxTotalWeight: number
  /** Rows of weight 0. */
  zeroRows: number
  /** Rows with a reward other than 0 and a positive weight. */
  positives: number
  /** Largest π(a) / logged propensity of a over all actions of all rows, where the log has the propensity of every action. */
  maxRatio: number
  minValue: number
  maxValue: number
  minQ: number
  maxQ: number
  /** By stratum × action: Σ h·π(a), and the largest π(a). */
  mass: Float64Array
  maxProbability: Float64Array
  /** By stratum × logged action: Σ h²v and Σ h²v². */
  value: Float64Array
  valueSquared: Float64Array
}

/** What a candidate and the reward model say of each row of a chunk. */
export interface RowValues {
  /** Candidate's probability of the logged action. */
  readonly probability: Float64Array
  /** v = Σ π(a) q(a); only with a reward model. */
  readonly value: Float64Array
  /** q of the logged action; only with a reward model. */
  readonly q: Float64Array
}

export function createCandidateSums(): CandidateSums {
  return {
    moments: new Float64Array(MOMENTS),
    rows: 0,
    minWeight: Infinity,
    maxWeight: 0,
    maxTotalWeight: 0,
    zeroRows: 0,
    positives: 0,
    maxRatio: 0,
    minValue: Infinity,
    maxValue: -Infinity,
    minQ: Infinity,
    maxQ: -Infinity,
    mass: new Float64Array(0),
    maxProbability: new Float64Array(0),
    value: new Float64Array(0),
    valueSquared: new Float64Array(0),
  }
}

/** Makes room for `cells` strata × actions. */
export function reserveCells(sums: CandidateSums, cells: number): void {
  sums.mass = grown(sums.mass, cells)
  sums.maxProbability = grown(sums.maxProbability, cells)
  sums.value = grown(sums.value, cells)
  sums.valueSquared = grown(sums.valueSquared, cells)
}

/** Adds a chunk's weights w = π/p and the series that they make. */
export function addRows(sums: CandidateSums, log: DecisionLog, values: RowValues, model: boolean): void {
  addThemselves(sums, log, values, model)
  sums.maxTotalWeight = Math.max(sums.maxTotalWeight, sums.maxWeight)
  if (log.standsFor !== undefined) addOthers(sums, log, log.standsFor, values, model)
}

/** Adds rows as if each stood for itself alone. The hot loop of an evaluation. */
function addThemselves(sums: CandidateSums, log: DecisionLog, values: RowValues, model: boolean): void {
  const { rows, reward, propensity } = log
  const { probability, value, q } = values
  const { moments } = sums
  let { minWeight, maxWeight, zeroRows, positives } = sums
  for (let i = 0; i < rows; i++) {
    const w = probability[i] / propensity[i]
    const r = reward[i]
    if (w < minWeight) minWeight = w
    if (w > maxWeight) maxWeight = w
    if (w === 0) zeroRows++
    addTo(moments, MOMENT.w, w)
    addTo(moments, MOMENT.ww, w * w)
    if (r !== 0) {
      if (w > 0) positives++
      addTo(moments, MOMENT.wrr, w * r * r)
      addSeries(moments, MOMENT.ips, w * r, w)
      addSeries(moments, MOMENT.ipsLift, w * r - r, w)
    }
    if (model) {
      const v = value[i]
      const y = v + w * (r - q[i])
      if (v < sums.minValue) sums.minValue = v
      if (v > sums.maxValue) sums.maxValue = v
      if (q[i] < sums.minQ) sums.minQ = q[i]
      if (q[i] > sums.maxQ) sums.maxQ = q[i]
      addSeries(moments, MOMENT.dm, v, w)
      addSeries(moments, MOMENT.dmLift, v - r, w)
      addSeries(moments, MOMENT.dr, y, w)
      addSeries(moments, MOMENT.drLift, y - r, w)
    }
  }
  sums.rows += rows
  sums.minWeight = minWeight
  sums.maxWeight = maxWeight
  sums.zeroRows = zeroRows
  sums.positives = positives
}

function addSeries(moments: Float64Array, at: number, y: number, w: number): void {
  addTo(moments, at, y)
  addTo(moments, at + 2, y * y)
  addTo(moments, at + 4, w * y)
}

/** Adds what rows count beyond themselves: apart, so that a log that was kept whole does not pay for it. */
function addOthers(
  sums: CandidateSums,
  { rows, reward, propensity }: DecisionLog,
  standsFor: Float64Array,
  { probability, value, q }: RowValues,
  model: boolean,
): void {
  const { moments } = sums
  for (let i = 0; i < rows; i++) {
    const h = standsFor[i]
    if (h === 1) continue
    const w = probability[i] / propensity[i]
    const r = reward[i]
    if (h * w > sums.maxTotalWeight) sums.maxTotalWeight = h * w
    addTo(moments, MOMENT.w, (h - 1) * w)
    addTo(moments, MOMENT.ww, (h * h - 1) * w * w)
    addTo(moments, MOMENT.wrr, (h * h - 1) * w * r * r)
    addTo(moments, MOMENT.excess, (h * h - h) * w)
    addOthersTo(moments, MOMENT.ips, h, w * r, w)
    addOthersTo(moments, MOMENT.ipsLift, h, w * r - r, w)
    if (!model) continue
    const v = value[i]
    const y = v + w * (r - q[i])
    addOthersTo(moments, MOMENT.dm, h, v, w)
    addOthersTo(moments, MOMENT.dmLift, h, v - r, w)
    addOthersTo(moments, MOMENT.dr, h, y, w)
    addOthersTo(moments, MOMENT.drLift, h, y - r, w)
  }
}

function addOthersTo(moments: Float64Array, at: number, h: number, y: number, w: number): void {
  addTo(moments, at, (h - 1) * y)
  addTo(moments, at + 2, (h * h - 1) * y * y)
  addTo(moments, at + 4, (h * h - 1) * w * y)
  addTo(moments, at + 6, (h * h - h) * y)
}

/** Adds `from` to `into`; both must number strata alike. */
export function mergeCandidateSums(into: CandidateSums, from: CandidateSums): void {
  reserveCells(into, from.mass.length)
  mergeCompensated(into.moments, from.moments)
  into.rows += from.rows
  into.zeroRows += from.zeroRows
  into.positives += from.positives
  into.minWeight = Math.min(into.minWeight, from.minWeight)
  into.maxWeight = Math.max(into.maxWeight, from.maxWeight)
  into.maxTotalWeight = Math.max(into.maxTotalWeight, from.maxTotalWeight)
  into.maxRatio = Math.max(into.maxRatio, from.maxRatio)
  into.minValue = Math.min(into.minValue, from.minValue)
  into.maxValue = Math.max(into.maxValue, from.maxValue)
  into.minQ = Math.min(into.minQ, from.minQ)
  into.maxQ = Math.max(into.maxQ, from.maxQ)
  for (let i = 0; i < from.mass.length; i++) {
    into.mass[i] += from.mass[i]
    into.maxProbability[i] = Math.max(into.maxProbability[i], from.maxProbability[i])
    into.value[i] += from.value[i]
    into.valueSquared[i] += from.valueSquared[i]
  }
}
