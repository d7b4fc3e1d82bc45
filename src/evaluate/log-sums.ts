import type { DecisionLog } from '../log/decision-log.ts'
import { addTo } from '../math/sum.ts'

/**
 * Sums over the log alone, by stratum × action (row-major, K actions). A stratum is a combination of slot, the reward
 * model's columns and the fold. Compensated sums take two places, the sum and its compensation.
 */
export interface LogSums {
  readonly actions: number
  rows: number
  /** How many strata the arrays have room for. */
  capacity: number
  /** [Σr, Σr²], compensated. */
  readonly total: Float64Array
  minReward: number
  maxReward: number
  /** Every reward so far is 0 or 1. */
  binary: boolean
  count: Float64Array
  /** Compensated. */
  reward: Float64Array
  /** Compensated. */
  rewardSquared: Float64Array
  /** ∞ where there is no row. */
  minPropensity: Float64Array
}

export function createLogSums(actions: number): LogSums {
  return {
    actions,
    rows: 0,
    capacity: 0,
    total: new Float64Array(4),
    minReward: Infinity,
    maxReward: -Infinity,
    binary: true,
    count: new Float64Array(0),
    reward: new Float64Array(0),
    rewardSquared: new Float64Array(0),
    minPropensity: new Float64Array(0),
  }
}

/** Adds a chunk; `stratum[i] < strata` for every row. */
export function addLog(sums: LogSums, log: DecisionLog, stratum: Int32Array, strata: number): void {
  reserve(sums, strata)
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
    addTo(total, 0, r)
    addTo(total, 2, r * r)
    addTo(rewards, 2 * cell, r)
    addTo(rewardSquared, 2 * cell, r * r)
  }
  sums.rows += rows
  sums.minReward = minReward
  sums.maxReward = maxReward
  sums.binary = binary
}

/** Adds `from` to `into`; both must number strata alike. */
export function mergeLogSums(into: LogSums, from: LogSums): void {
  reserve(into, from.capacity)
  into.rows += from.rows
  into.minReward = Math.min(into.minReward, from.minReward)
  into.maxReward = Math.max(into.maxReward, from.maxReward)
  into.binary &&= from.binary
  mergeCompensated(into.total, from.total)
  mergeCompensated(into.reward, from.reward)
  mergeCompensated(into.rewardSquared, from.rewardSquared)
  for (let i = 0; i < from.count.length; i++) {
    into.count[i] += from.count[i]
    into.minPropensity[i] = Math.min(into.minPropensity[i], from.minPropensity[i])
  }
}

/** Adds compensated sums place by place. */
export function mergeCompensated(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < from.length; i += 2) {
    addTo(into, i, from[i])
    addTo(into, i, from[i + 1])
  }
}

/** The total of the compensated sum at place i. */
export function totalAt(sums: Float64Array, i: number): number {
  return sums[i] + sums[i + 1]
}

/** `array`, or a longer copy of it filled up with `value`. */
export function grown(array: Float64Array, length: number, value = 0): Float64Array {
  if (array.length >= length) return array
  const longer = new Float64Array(length).fill(value, array.length)
  longer.set(array)
  return longer
}

function reserve(sums: LogSums, strata: number): void {
  if (strata <= sums.capacity) return
  sums.capacity = Math.max(strata, 2 * sums.capacity)
  const cells = sums.capacity * sums.actions
  sums.count = grown(sums.count, cells)
  sums.reward = grown(sums.reward, 2 * cells)
  sums.rewardSquared = grown(sums.rewardSquared, 2 * cells)
  sums.minPropensity = grown(sums.minPropensity, cells, Infinity)
}
