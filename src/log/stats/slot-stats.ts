import type { SlotStats } from '../../generated/types.ts'
import { type Calibration, createCalibration } from './calibration.ts'
import { createNumbers } from './numbers.ts'
import { createUniformity } from './uniformity.ts'
import type { UnitSizes } from './units.ts'

export type { SlotStats } from '../../generated/types.ts'

/** Gathers what the statistics of one slot of a policy's lists need. */
export interface SlotTally {
  readonly calibration: Calibration
  /** A draw, whoever served what was drawn. */
  drew(u: number, group: number): void
  /** Of a list that counts, and was the policy's choice: did a reward come for this slot, and was it seen? */
  outcome(rewarded: boolean, seen: boolean): void
  /** `actions`: by the index under which they were added. */
  finish(slot: number, actions: readonly string[], units: UnitSizes, seenBySlot: boolean): SlotStats
}

export function createSlotTally(): SlotTally {
  const calibration = createCalibration()
  const uniformity = createUniformity()
  const u = createNumbers()
  let counted = 0
  let rewarded = 0
  let seen = 0
  let lists = 0
  return {
    calibration: {
      ...calibration,
      add(...draw) {
        lists++
        calibration.add(...draw)
      },
    },
    drew(value, group) {
      u.push(value)
      uniformity.add(value, group)
    },
    outcome(came, wasSeen) {
      counted++
      if (came) rewarded++
      if (wasSeen) seen++
    },
    finish(slot, actions, units, seenBySlot) {
      const { actions: scores, inverse } = calibration.finish(units)
      return {
        slot,
        lists,
        // What was never among those that could stand there has no score.
        actions: [...scores.entries()].flatMap(([at, score]) =>
          score === undefined ? [] : [{ action: actions[at], ...score }],
        ),
        inversePropensity: inverse ?? null,
        uniformity: uniformity.finish(u.sorted(), units),
        examined: counted === 0 || !seenBySlot ? null : seen / counted,
        rewarded: counted === 0 ? null : rewarded / counted,
      }
    },
  }
}
