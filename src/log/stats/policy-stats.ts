import type { LogAlarm, PolicyStats } from '../../generated/types.ts'
import { withRoom } from '../id-table.ts'
import { agrees, type DecisionRecord, isOffered, placeName } from '../records/records.ts'
import { createCalibration, NO_SCORE } from './calibration.ts'
import { createJoins } from './joins.ts'
import { createNumbers } from './numbers.ts'
import { createSlotTally, type SlotTally } from './slot-stats.ts'
import { createUniformity } from './uniformity.ts'
import { createUnits } from './units.ts'

export type { ActionStats, LogAlarm, PolicyStats } from '../../generated/types.ts'

/** A p value below this is an alarm. */
const ALARM = 0.0005

/** What a slot was drawn from, by eligible action, and the place of what was; below 0 where nothing was. */
export interface Drawn {
  readonly propensities: readonly number[]
  readonly chosen: number
}

/** What was heard of the slots of a decision, a bit for each. */
export interface HeardOfSlots {
  readonly rewarded: bigint
  readonly seen: bigint
  /** Has an activation named a slot? */
  readonly bySlot: boolean
}

/** Gathers what the statistics of one policy and digest need. */
export interface PolicyTally {
  /** Adds a decision that is whole. Returns the number of its draws; undefined where it was not the policy's. */
  decision(record: DecisionRecord, drawn: readonly Drawn[]): number | undefined
  reward(name: string | null, value: number): void
  /** A decision that counts, and whether a reward came for it. */
  outcome(draw: number | undefined, rewarded: boolean, slots: HeardOfSlots): void
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
  const slotTallies: SlotTally[] = []
  let decisions = 0
  /** By the policy's own decisions: where their draws begin in `joins`, one a slot that has an action, and a bit for each of those. */
  let own = 0
  let drawsFrom = new Uint32Array(256)
  let filled = new BigUint64Array(256)
  let isList = false
  let seenBySlot = false
  const rewards = new Map<string | null, { count: number; sum: number }>()
  let counted = 0
  let joined = 0
  let compared = 0
  let agreed = 0
  /** Reward records of value 0: there are some where a reward comes for every decision, and not for a success alone. */
  let zeros = 0
  /** Σ 1/logProbability */
  let made = 0
  /** Decisions that a Model was asked for; of these the ones that it gave nothing for, by the reason. */
  let asked = 0
  const failures = new Map<string, number>()

  function indexOf(id: string): number {
    const known = actions.get(id)
    if (known !== undefined) return known
    actions.set(id, actions.size)
    return actions.size - 1
  }

  function slotTally(slot: number): SlotTally {
    while (slotTallies.length <= slot) slotTallies.push(createSlotTally())
    return slotTallies[slot]
  }

  return {
    decision(record, drawn) {
      const { unit, eligible, slots, list, served, mode, randomness, latencyUs, logProbability } = record
      const { model } = record
      if (model !== undefined) {
        asked++
        if (model.failure !== undefined) failures.set(model.failure, (failures.get(model.failure) ?? 0) + 1)
      }
      if (mode === 'shadow' || mode === 'apprentice') {
        compared++
        if (agrees(record)) agreed++
      }
      const group = units.groupOf(unit)
      decisions++
      isList ||= list !== undefined
      for (const [k, slot] of slots.entries()) {
        const uOfSlot = k === 0 ? randomness.u : slot.u
        // Of what only the caller had in its list there was no draw.
        if (uOfSlot === undefined) continue
        u.push(uOfSlot)
        uniformity.add(uOfSlot, group)
        if (list !== undefined) slotTally(k).drew(uOfSlot, group)
      }
      latency.push(latencyUs)
      made += 1 / logProbability
      if (served.by !== 'policy') return undefined
      // Requests may bring any number of actions: of those the places are counted.
      const offered = isOffered(record)
      const indices = eligible.map(({ id }, place) => indexOf(offered ? placeName(place) : id))
      drawsFrom = withRoom(drawsFrom, own)
      filled = withRoom(filled, own)
      for (const [k, { propensities, chosen }] of drawn.entries()) {
        if (chosen < 0) continue
        const could = [
          ...(list === undefined
            ? ([indices, propensities, chosen] as const)
            : candidates(indices, propensities, chosen)),
          group,
        ] as const
        calibration.add(...could)
        if (list !== undefined) slotTally(k).calibration.add(...could)
        const draw = joins.add(...could)
        if (filled[own] === 0n) drawsFrom[own] = draw
        filled[own] |= 1n << BigInt(k)
      }
      return own++
    },
    reward(name, value) {
      if (value === 0) zeros++
      const known = rewards.get(name) ?? { count: 0, sum: 0 }
      rewards.set(name, { count: known.count + 1, sum: known.sum + value })
    },
    outcome(draw, rewarded, heard) {
      counted++
      if (rewarded) joined++
      seenBySlot ||= heard.bySlot
      if (draw === undefined) return
      let next = drawsFrom[draw]
      for (let k = 0, left = filled[draw]; left > 0n; k++, left >>= 1n) {
        if ((left & 1n) === 0n) continue
        const [came, seen] = [heard.rewarded, heard.seen].map(bits => ((bits >> BigInt(k)) & 1n) === 1n)
        // What came for a slot that a single decision does not have came for the decision.
        joins.outcome(next++, isList ? came : rewarded)
        if (isList) slotTally(k).outcome(came, seen)
      }
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
        decisions,
        units: ofUnits,
        joinRate: counted === 0 ? null : joined / counted,
        rewards: [...rewards].map(([name, { count, sum }]) => ({ name, count, mean: sum / count })),
        ...(failures.size === 0 ? {} : { failures: failuresOf(failures, asked) }),
        agreement: compared === 0 ? null : { decisions: compared, share: agreed / compared },
        shedShare: 1 - decisions / made,
        latencyUs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
        actions: [...actions].map(([action, index]) => {
          const { joinRate, ...joinScore } = joinScores[index]
          return { action, ...(scores.actions[index] ?? NEVER), joinRate, joins: zeros === 0 ? null : joinScore }
        }),
        inversePropensity: scores.inverse ?? null,
        uniformity: uniformity.finish(uniforms, sizes),
        ...(isList
          ? { slots: slotTallies.map((tally, slot) => tally.finish(slot, [...actions.keys()], sizes, seenBySlot)) }
          : {}),
      }
    },
  }
}

function failuresOf(reasons: ReadonlyMap<string, number>, asked: number): NonNullable<PolicyStats['failures']> {
  const decisions = [...reasons.values()].reduce((sum, n) => sum + n, 0)
  return { decisions, share: decisions / asked, reasons: Object.fromEntries(reasons) }
}

/** Of the actions and propensities of a slot, those that could be drawn, and the place of what was: what stands above, or may not stand there, is none of them. */
function candidates(indices: readonly number[], propensities: readonly number[], chosen: number) {
  const places = Array.from(indices.keys()).filter(i => propensities[i] > 0 || i === chosen)
  return [places.map(i => indices[i]), places.map(i => propensities[i]), places.indexOf(chosen)] as const
}

/** Of an action that could be chosen nowhere. */
const NEVER = { chosen: 0, expected: 0, ...NO_SCORE }

/** The nearest rank. */
const quantile = (sorted: Float64Array, q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]

/** The tests of a policy's log that fail. */
export function alarmsOf({
  policy,
  digest,
  actions,
  inversePropensity,
  uniformity,
  slots = [],
}: PolicyStats): LogAlarm[] {
  const of = { policy, digest }
  const tests: readonly (Omit<LogAlarm, 'p'> & { readonly p: number | null | undefined })[] = [
    ...actions.map(({ action, p }) => ({ check: 'propensity', ...of, action, p }) as const),
    { check: 'inverse-propensity', ...of, p: inversePropensity?.p },
    { check: 'uniformity', ...of, p: uniformity.p },
    ...actions.map(({ action, joins }) => ({ check: 'joins', ...of, action, p: joins?.p }) as const),
    ...slots.flatMap(({ slot, ...own }) => [
      ...own.actions.map(({ action, p }) => ({ check: 'propensity', ...of, action, slot, p }) as const),
      { check: 'inverse-propensity', ...of, slot, p: own.inversePropensity?.p } as const,
      { check: 'uniformity', ...of, slot, p: own.uniformity.p } as const,
    ]),
  ]
  return tests.flatMap(({ p, ...test }) => (typeof p === 'number' && p < ALARM ? [{ ...test, p }] : []))
}
