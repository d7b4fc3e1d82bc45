import { LOG_STATS_RESULT_SCHEMA } from '../../generated/names.ts'
import type { LogStatsResult } from '../../generated/types.ts'
import { createIdTable, withRoom } from '../id-table.ts'
import { readRecord } from '../records/read-record.ts'
import type { DecisionRecord, RewardRecord } from '../records/records.ts'
import { slotVectors } from '../records/slot-vectors.ts'
import { alarmsOf, createPolicyTally, type Drawn, type PolicyTally } from './policy-stats.ts'

export type { LogStatsResult, LogVolume } from '../../generated/types.ts'

/** What each slot was drawn from, and what was; undefined of a record that is not whole. A list may have slots that stay empty, and ones that only the caller had. */
function drawnOf(record: DecisionRecord): readonly Drawn[] | undefined {
  const { eligible, slots, list, served } = record
  const vectors = slotVectors(record)
  const drawn = slots.map(({ action }, k) => ({
    propensities: vectors[k],
    chosen: eligible.findIndex(({ id }) => id === action),
  }))
  const whole = drawn.every(({ propensities, chosen }, k) => {
    const { action, propensity } = slots[k]
    return action === null
      ? (list !== undefined || served.by !== 'policy') && propensity === null && propensities.length === 0
      : chosen >= 0 && propensities.length === eligible.length && propensities[chosen] === propensity
  })
  return whole ? drawn : undefined
}

export interface LogStats {
  line(file: string, row: number, text: string): void
  endOfFile(): void
  decision(record: DecisionRecord): void
  reward(record: RewardRecord): void
  finish(): LogStatsResult
}

/** Bits of what has been heard of a decision. */
const PENDING = 1
const ACTIVATED = 2
const REWARDED = 4
/** Nothing was served, and no reward can come. */
const UNSERVED = 8
/** An activation has named a slot. */
const BY_SLOT = 16

const EVERY_SLOT = (1n << 64n) - 1n

/**
 * Statistics of a decision log that is right, record by record, and may still be wrong as a whole: were actions drawn with the logged
 * probabilities, and do their rewards come back alike? Each record counts once. What is remembered of a million decisions with a reward
 * each, among three actions, takes 120 MB, up to twice as much just after the tables have grown; a million units take 30 MB more.
 */
export function createLogStats(): LogStats {
  const decisions = createIdTable()
  /** By decision: its policy's tally, from 1, 0 while only a reward has named it; the number of its draw, from 1; bits. */
  let tallyAt = new Uint32Array(1024)
  let drawAt = new Uint32Array(1024)
  let heard = new Uint8Array(1024)
  /** By decision: a bit for each slot that a reward came for, and for each that was seen. */
  let rewardedIn = new BigUint64Array(1024)
  let seenIn = new BigUint64Array(1024)
  const rewards = createIdTable()
  let early: { readonly entry: number; readonly name: string | null; readonly value: number }[] = []
  const tallies: PolicyTally[] = []
  const tallyIndex = new Map<string, number>()
  const volume = new Map<string, number>()
  const counts = { files: 0, decisions: 0, rewards: 0, activations: 0, skipped: 0 }

  function entryOf(decisionId: string): number {
    const entry = decisions.add(decisionId)
    tallyAt = withRoom(tallyAt, entry)
    drawAt = withRoom(drawAt, entry)
    heard = withRoom(heard, entry)
    rewardedIn = withRoom(rewardedIn, entry)
    seenIn = withRoom(seenIn, entry)
    return entry
  }

  function tallyOf({ name, digest }: DecisionRecord['policy']): number {
    const key = JSON.stringify([name, digest])
    const known = tallyIndex.get(key)
    if (known !== undefined) return known
    tallyIndex.set(key, tallies.length)
    tallies.push(createPolicyTally(name, digest))
    return tallies.length - 1
  }

  function decision(record: DecisionRecord): void {
    const { policy, served, mode } = record
    const drawn = drawnOf(record)
    if (drawn === undefined) {
      counts.skipped++
      return
    }
    const entry = entryOf(record.decisionId)
    if (tallyAt[entry] > 0) return
    counts.decisions++
    const index = tallyOf(policy)
    tallyAt[entry] = index + 1
    drawAt[entry] = (tallies[index].decision(record, drawn) ?? -1) + 1
    if (served.activation === 'pending') heard[entry] |= PENDING
    if (served.by === 'none') heard[entry] |= UNSERVED
    const kind = JSON.stringify([policy.name, policy.digest, policy.snapshot, served.by, mode])
    volume.set(kind, (volume.get(kind) ?? 0) + 1)
  }

  function reward({ rewardId, decisionId, slot, kind, name, value = 0 }: RewardRecord): void {
    const seen = rewards.size
    if (rewards.add(rewardId) < seen) return
    const entry = entryOf(decisionId)
    if (kind === 'activation') {
      counts.activations++
      heard[entry] |= slot === undefined ? ACTIVATED : ACTIVATED | BY_SLOT
      seenIn[entry] |= slot === undefined ? EVERY_SLOT : 1n << BigInt(slot)
      return
    }
    counts.rewards++
    heard[entry] |= REWARDED
    rewardedIn[entry] |= 1n << BigInt(slot ?? 0)
    if (tallyAt[entry] === 0) early.push({ entry, name: name ?? null, value })
    else tallies[tallyAt[entry] - 1].reward(name ?? null, value)
  }

  /** Tells the policies which of their decisions count, and for which of them a reward came. */
  function join(): void {
    for (const { entry, name, value } of early) {
      if (tallyAt[entry] > 0) tallies[tallyAt[entry] - 1].reward(name, value)
    }
    early = []
    for (let entry = 0; entry < decisions.size; entry++) {
      const bits = heard[entry]
      if (tallyAt[entry] === 0 || (bits & (PENDING | ACTIVATED)) === PENDING || (bits & UNSERVED) !== 0) continue
      const draw = drawAt[entry] === 0 ? undefined : drawAt[entry] - 1
      tallies[tallyAt[entry] - 1].outcome(draw, (bits & REWARDED) !== 0, {
        rewarded: rewardedIn[entry],
        seen: seenIn[entry],
        bySlot: (bits & BY_SLOT) !== 0,
      })
    }
  }

  return {
    line(_file, _row, text) {
      if (text.trim() === '') return
      const read = readRecord(text)
      if ('decision' in read) decision(read.decision)
      else if ('reward' in read) reward(read.reward)
      else counts.skipped++
    },
    endOfFile() {
      counts.files++
    },
    decision,
    reward,
    finish() {
      join()
      const policies = tallies.map(tally => tally.finish())
      const alarms = policies.flatMap(alarmsOf)
      return {
        schema: LOG_STATS_RESULT_SCHEMA,
        ...counts,
        volume: [...volume].map(([kind, decisions]) => {
          const [policy, digest, snapshot, servedBy, mode] = JSON.parse(kind)
          return { policy, digest, snapshot, servedBy, mode, decisions }
        }),
        policies,
        alarms,
        passed: counts.decisions > 0 && alarms.length === 0,
      }
    },
  }
}
