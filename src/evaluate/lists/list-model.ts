import type { RewardModelSpec } from '../../kinds.ts'
import { trainsOn } from '../reward-model.ts'
import { cellsBy, type Strata } from '../weights/strata.ts'

/** A guess of what each slot of a list earns. */
export interface ListModel {
  /** By action, from `first` on: what it earns. */
  readonly q: Float64Array
  /** Where that of a slot begins, of a row of the stratum. */
  first(stratum: number, slot: number): number
  /** What the slots below this one earn in the mean, whatever stands in them. */
  below(stratum: number, slot: number): number
}

/** What the model is made from: by stratum × slot × action, how many decisions, and their rewards. */
export interface ListCells {
  readonly actions: number
  readonly slots: number
  count: Float64Array
  reward: Float64Array
}

export function createListCells(actions: number, slots: number): ListCells {
  return { actions, slots, count: new Float64Array(0), reward: new Float64Array(0) }
}

/** Adds what one slot of a row earned; `strata`: how many there are by now. */
export function addToCells(
  cells: ListCells,
  strata: number,
  stratum: number,
  slot: number,
  action: number,
  h: number,
  reward: number,
): void {
  const size = strata * cells.slots * cells.actions
  if (cells.count.length < size) {
    cells.count = longer(cells.count, 2 * size)
    cells.reward = longer(cells.reward, 2 * size)
  }
  const at = (stratum * cells.slots + slot) * cells.actions + action
  cells.count[at] += h
  cells.reward[at] += h * reward
}

function longer(array: Float64Array, length: number): Float64Array {
  const copy = new Float64Array(length)
  copy.set(array)
  return copy
}

/**
 * Mean rewards by what the specification tells apart, drawn towards the mean of the slot: (Σhr + prior · r̄) / (Σh + prior). With
 * cross-fitting a row meets a table of the rows of all other folds.
 */
export function fitLists(
  cells: ListCells,
  strata: Strata,
  keys: readonly string[],
  { by, prior }: Extract<RewardModelSpec, { type: 'tabular' }>,
): ListModel {
  const { actions, slots } = cells
  const { folds } = strata
  const count = strata.count()
  const byAction = by.includes('action')
  const bySlot = by.includes('slot')
  const { cellOf, cells: groups } = cellsBy(strata, keys)
  const size = groups * slots * actions
  const sums = Array.from({ length: folds }, () => ({
    count: new Float64Array(size),
    reward: new Float64Array(size),
    slotCount: new Float64Array(slots),
    slotReward: new Float64Array(slots),
  }))
  const placeOf = (cell: number, slot: number, action: number) =>
    (cell * slots + (bySlot ? slot : 0)) * actions + (byAction ? action : 0)

  for (let stratum = 0; stratum < count; stratum++) {
    for (let slot = 0; slot < slots; slot++) {
      for (let action = 0; action < actions; action++) {
        const from = (stratum * slots + slot) * actions + action
        const n = cells.count[from] ?? 0
        if (n === 0) continue
        for (const [fold, table] of sums.entries()) {
          if (!trainsOn(folds, fold, stratum % folds)) continue
          const to = placeOf(cellOf[stratum], slot, action)
          table.count[to] += n
          table.reward[to] += cells.reward[from]
          table.slotCount[slot] += n
          table.slotReward[slot] += cells.reward[from]
        }
      }
    }
  }
  const meanOf = (rewards: Float64Array, counts: Float64Array, slot: number) =>
    counts[slot] > 0 ? rewards[slot] / counts[slot] : 0
  const means = sums.map(({ slotReward, slotCount }) =>
    Float64Array.from({ length: slots }, (_, slot) => meanOf(slotReward, slotCount, slot)),
  )
  const below = means.map(each => each.map((_, slot) => each.subarray(slot + 1).reduce((sum, mean) => sum + mean, 0)))
  const q = new Float64Array(folds * size)
  for (const [fold, { count: n, reward }] of sums.entries()) {
    for (let cell = 0; cell < groups; cell++) {
      for (let slot = 0; slot < slots; slot++) {
        const mean = means[fold][slot]
        for (let action = 0; action < actions; action++) {
          const at = placeOf(cell, slot, action)
          const to = ((fold * groups + cell) * slots + slot) * actions + action
          q[to] = n[at] + prior > 0 ? (reward[at] + prior * mean) / (n[at] + prior) : mean
        }
      }
    }
  }
  return {
    q,
    first: (stratum, slot) => (((stratum % folds) * groups + cellOf[stratum]) * slots + slot) * actions,
    below: (stratum, slot) => below[stratum % folds][slot],
  }
}
