import type { DecisionLog } from '../../log/rows/decision-log.ts'
import { addTo } from '../../math/sum.ts'
import { addTotals, type ChunkGroups, createTotals, mergeTotals, type Totals } from './groups.ts'
import { grown } from './grown.ts'

/** Places in `LogSums.total`: compensated sums of hr, h − 1 and h² − h. */
const TOTAL = { r: 0, others: 2, excess: 4 } as const

/**
 * Sums over the log alone, by stratum × action (row-major, K actions). A stratum is a combination of slot, the reward
 * model's columns and the fold. Compensated sums take two places, the sum and its compensation. A row stands for h decisions;
 * sums with h² − h, the excess of h² over h, are nothing where every decision was kept.
 */
export interface LogSums {
  readonly actions: number
  rows: number
  /** How many strata the arrays have room for. */
  capacity: number
  readonly total: Float64Array
  /** Σh and Σhr by group. */
  readonly decisions: Totals
  readonly rewards: Totals
  minReward: number
  maxReward: number
  /** Every reward so far is 0 or 1. */
  binary: boolean
  /** Σh: the decisions. */
  count: Float64Array
  /** Σ(h² − h) */
  countExcess: Float64Array
  /** Σhr, compensated. */
  reward: Float64Array
  /** Σ(h² − h)r, compensated. */
  rewardExcess: Float64Array
  /** Σh²r², compensated. */
  rewardSquared: Float64Array
  /** ∞ where there is no row. */
  minPropensity: Float64Array
}

export function createLogSums(actions: number): LogSums {
  return {
    actions,
    rows: 0,
    capacity: 0,
    total: new Float64Array(6),
    decisions: createTotals(),
    rewards: createTotals(),
    minReward: Infinity,
    maxReward: -Infinity,
    binary: true,
    count: new Float64Array(0),
    countExcess: new Float64Array(0),
    reward: new Float64Array(0),
    rewardExcess: new Float64Array(0),
    rewardSquared: new Float64Array(0),
    minPropensity: new Float64Array(0),
  }
}

/** Adds a chunk; `stratum[i] < strata` for every row. */
export function addLog(
  sums: LogSums,
  log: DecisionLog,
  groups: ChunkGroups,
  stratum: Int32Array,
  strata: number,
): void {
  reserve(sums, strata)
  addTotals(sums.decisions, groups, undefined, log.standsFor, log.rows)
  addTotals(sums.rewards, groups, log.reward, log.standsFor, log.rows)
  const { rows, action, reward, propensity } = log
  const { actions, total, count, reward: rewards, rewardSquared, minPropensity } = sums
  let { minReward, maxReward, binary } = sums
  for (let i = 0; i < rows; i++) {
    const r = reward[i]
    const p = propensity[i]
    const cell = stratum[i] * actions + action[i]
    count[cell]++
    if (p < minPropensity[cell]) minPropensity[cell] = p
    if (r < minReward) minReward = r
    if (r > maxReward) maxReward = r
    if (r === 0) continue
    if (r !== 1) binary = false
    addTo(total, TOTAL.r, r)
    addTo(rewards, 2 * cell, r)
    addTo(rewardSquared, 2 * cell, r * r)
  }
  sums.rows += rows
  sums.minReward = minReward
  sums.maxReward = maxReward
  sums.binary = binary
  if (log.standsFor !== undefined) addOthers(sums, log, log.standsFor, stratum)
}

/** Adds what rows count beyond themselves. */
function addOthers(
  sums: LogSums,
  { rows, action, reward }: DecisionLog,
  standsFor: Float64Array,
  stratum: Int32Array,
): void {
  const { actions, total } = sums
  for (let i = 0; i < rows; i++) {
    const h = standsFor[i]
    if (h === 1) continue
    const r = reward[i]
    const cell = stratum[i] * actions + action[i]
    addTo(total, TOTAL.others, h - 1)
    addTo(total, TOTAL.excess, h * h - h)
    sums.count[cell] += h - 1
    sums.countExcess[cell] += h * h - h
    if (r === 0) continue
    addTo(total, TOTAL.r, (h - 1) * r)
    addTo(sums.reward, 2 * cell, (h - 1) * r)
    addTo(sums.rewardSquared, 2 * cell, (h * h - 1) * r * r)
    addTo(sums.rewardExcess, 2 * cell, (h * h - h) * r)
  }
}

/** H = Σh: how many decisions the rows stand for. */
export function decisionCount({ rows, total }: LogSums): number {
  return rows + totalAt(total, TOTAL.others)
}

/** r̄ = Σhr / H */
export function meanReward(sums: LogSums): number {
  return totalAt(sums.total, TOTAL.r) / decisionCount(sums)
}

/** Kish's number of rows, (Σh)² / Σh²: how many of equal weight they are worth. */
export function effectiveRows(sums: LogSums): number {
  const h = decisionCount(sums)
  return (h * h) / (h + totalAt(sums.total, TOTAL.excess))
}

/** Adds `from` to `into`; both must number strata and groups alike. */
export function mergeLogSums(into: LogSums, from: LogSums): void {
  reserve(into, from.capacity)
  into.rows += from.rows
  mergeTotals(into.decisions, from.decisions)
  mergeTotals(into.rewards, from.rewards)
  into.minReward = Math.min(into.minReward, from.minReward)
  into.maxReward = Math.max(into.maxReward, from.maxReward)
  into.binary &&= from.binary
  mergeCompensated(into.total, from.total)
  mergeCompensated(into.reward, from.reward)
  mergeCompensated(into.rewardExcess, from.rewardExcess)
  mergeCompensated(into.rewardSquared, from.rewardSquared)
  for (let i = 0; i < from.count.length; i++) {
    into.count[i] += from.count[i]
    into.countExcess[i] += from.countExcess[i]
    into.minPropensity[i] = Math.min(into.minPropensity[i], from.minPropensity[i])
  }
}

/** Adds compensated sums place by place. */
function mergeCompensated(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < from.length; i += 2) {
    addTo(into, i, from[i])
    addTo(into, i, from[i + 1])
  }
}

/** The total of the compensated sum at place i. */
export function totalAt(sums: Float64Array, i: number): number {
  return sums[i] + sums[i + 1]
}

function reserve(sums: LogSums, strata: number): void {
  if (strata <= sums.capacity) return
  sums.capacity = Math.max(strata, 2 * sums.capacity)
  const cells = sums.capacity * sums.actions
  sums.count = grown(sums.count, cells)
  sums.countExcess = grown(sums.countExcess, cells)
  sums.reward = grown(sums.reward, 2 * cells)
  sums.rewardExcess = grown(sums.rewardExcess, 2 * cells)
  sums.rewardSquared = grown(sums.rewardSquared, 2 * cells)
  sums.minPropensity = grown(sums.minPropensity, cells, Infinity)
}
