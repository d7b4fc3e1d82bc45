import type { LogAlarm, PolicyStats } from '../../generated/types.ts'
import { withRoom } from '../id-table.ts'
import { agrees, type DecisionRecord, isOffered, placeName } from '../records/records.ts'
import { slotVectors } from '../records/slot-vectors.ts'
import { createCalibration } from './calibration.ts'
import { createJoins } from './joins.ts'
import { createUniformity } from './uniformity.ts'
import { createUnits } from './units.ts'

export type { ActionStats, LogAlarm, PolicyStats } from '../../generated/types.ts'

/** A p value below this is an alarm. */
const ALARM = 0.0005

/** Gathers what the statistics of one policy and digest need. */
export interface PolicyTally {
  /** Adds a decision that is whole. Returns the number of its draw; undefined where it was not the policy's. */
  decision(record: DecisionRecord, chosen: number): number | undefined
  reward(name: string | null, value: number): void
  /** A decision that counts, and whether a reward came for it. */
  outcome(draw: number | undefined, rewarded: boolean): void
  finish(): PolicyStats
}

export function createPolicyTally(policy: string, digest: string): PolicyTally {
  const actions = new Map<string, number>()
  const units = createUnits()
  const calibration = createCalibration()
  const joins = createJoins()
  const uniformity = createUniformity()
  const u = createNumbers()
  const latency = createNumbers()
  const rewards = new Map<string | null, { count: number; sum: number }>()
  let counted = 0
  let joined = 0
  let compared = 0
  let agreed = 0
  /** Reward records of value 0: there are some where a reward comes for every decision, and not for a success alone. */
  let zeros = 0
  /** Σ 1/logProbability */
  let made = 0

  function indexOf(id: string): number {
    const known = actions.get(id)
    if (known !== undefined) return known
    actions.set(id, actions.size)
    return actions.size - 1
  }

  return {
    decision(record, chosen) {
      const { unit, eligible, served, mode, randomness, latencyUs, logProbability } = record
      const [propensities] = slotVectors(record)
      if (mode === 'shadow' || mode === 'apprentice') {
        compared++
        if (agrees(record)) agreed++
      }
      const group = units.groupOf(unit)
      u.push(randomness.u)
      uniformity.add(randomness.u, group)
      latency.push(latencyUs)
      made += 1 / logProbability
      if (served.by !== 'policy') return undefined
      // Requests may bring any number of actions: of those the places are counted.
      const offered = isOffered(record)
      const indices = eligible.map(({ id }, place) => indexOf(offered ? placeName(place) : id))
      calibration.add(indices, propensities, chosen, group)
      return joins.add(indices, propensities, chosen, group)
    },
    reward(name, value) {
      if (value === 0) zeros++
      const known = rewards.get(name) ?? { count: 0, sum: 0 }
      rewards.set(name, { count: known.count + 1, sum: known.sum + value })
    },
    outcome(draw, rewarded) {
      counted++
      if (rewarded) joined++
      if (draw !== undefined) joins.outcome(draw, rewarded)
    },
    finish() {
      const { decisionsPerUnit, ...ofUnits } = units.finish()
      const sizes = { decisionsPerUnit, effective: ofUnits.effective }
      const scores = calibration.finish(sizes)
      const joinScores = joins.finish(actions.size, sizes)
      const uniforms = u.sorted()
      const latencies = latency.sorted()
      return {
        policy,
        digest,
        decisions: uniforms.length,
        units: ofUnits,
        joinRate: counted === 0 ? null : joined / counted,
        rewards: [...rewards].map(([name, { count, sum }]) => ({ name, count, mean: sum / count })),
        agreement: compared === 0 ? null : { decisions: compared, share: agreed / compared },
        shedShare: 1 - uniforms.length / made,
        latencyUs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
        actions: [...actions].map(([action, index]) => {
          const { joinRate, ...joinScore } = joinScores[index]
          return { action, ...scores.actions[index], joinRate, joins: zeros === 0 ? null : joinScore }
        }),
        inversePropensity: scores.inverse ?? null,
        uniformity: uniformity.finish(uniforms, sizes),
      }
    },
  }
}

/** The nearest rank. */
const quantile = (sorted: Float64Array, q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]

/** The tests of a policy's log that fail. */
export function alarmsOf({ policy, digest, actions, inversePropensity, uniformity }: PolicyStats): LogAlarm[] {
  const of = { policy, digest }
  const tests: readonly (Omit<LogAlarm, 'p'> & { readonly p: number | null | undefined })[] = [
    ...actions.map(({ action, p }) => ({ check: 'propensity', ...of, action, p }) as const),
    { check: 'inverse-propensity', ...of, p: inversePropensity?.p },
    { check: 'uniformity', ...of, p: uniformity.p },
    ...actions.map(({ action, joins }) => ({ check: 'joins', ...of, action, p: joins?.p }) as const),
  ]
  return tests.flatMap(({ p, ...test }) => (typeof p === 'number' && p < ALARM ? [{ ...test, p }] : []))
}

/** A list of numbers that grows, 8 bytes each. */
interface Numbers {
  push(value: number): void
  /** Ascending; nothing may be added afterwards. */
  sorted(): Float64Array
}

function createNumbers(): Numbers {
  let values = new Float64Array(256)
  let size = 0
  return {
    push(value) {
      values = withRoom(values, size)
      values[size++] = value
    },
    sorted: () => values.subarray(0, size).sort(),
  }
}
