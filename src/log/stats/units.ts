import { type DrawnSum, designEffect, FEWEST_UNITS } from '../../math/groups.ts'
import { createIdTable, withRoom } from '../id-table.ts'

/** Who a policy decided for. A decision without a unit is one of its own. */
export interface UnitStats {
  readonly count: number
  /** (Σn)²/Σn² over the n decisions of each: as many units with equal parts would say as much. Kish, "Survey Sampling", 1965. */
  readonly effective: number
  /** Share of the decisions that the unit with the most has. */
  readonly largestShare: number
}

/** What scores need of it. */
export interface UnitSizes {
  readonly effective: number
  /** Σn²/Σn: how many decisions the unit of a decision has; 1 where each has one. */
  readonly decisionsPerUnit: number
}

/** The design effect of sums by group of units: 1 where units have one decision each, and of few units what it may be at most. */
export function effectOf(sums: readonly DrawnSum[], { effective, decisionsPerUnit }: UnitSizes): number {
  if (decisionsPerUnit === 1) return 1
  return effective < FEWEST_UNITS ? decisionsPerUnit : designEffect(sums, decisionsPerUnit)
}

export interface Units {
  /** The group of the decision's unit, below `STATS_GROUPS`. */
  groupOf(unit: string | undefined): number
  finish(): UnitStats & UnitSizes
}

/** Sums of groups stay small however many units there are; as long as there are fewer, each is a group. */
export const STATS_GROUPS = 128

/** Memory: some 28 bytes a unit. */
export function createUnits(): Units {
  const table = createIdTable()
  let decisions = new Uint32Array(256)
  /** Decisions without a unit. */
  let alone = 0
  return {
    groupOf(unit) {
      if (unit === undefined) return alone++ % STATS_GROUPS
      const entry = table.add(unit)
      decisions = withRoom(decisions, entry)
      decisions[entry]++
      return entry % STATS_GROUPS
    },
    finish() {
      let [all, squares, most] = [alone, alone, Math.min(1, alone)]
      for (let entry = 0; entry < table.size; entry++) {
        const n = decisions[entry]
        all += n
        squares += n * n
        most = Math.max(most, n)
      }
      return {
        count: table.size + alone,
        effective: (all * all) / squares,
        largestShare: most / all,
        decisionsPerUnit: squares / all,
      }
    },
  }
}
