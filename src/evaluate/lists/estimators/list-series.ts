import type { Ratio } from '../../estimators/estimator.ts'
import { type RowColumns, type Series, type SlotColumns, weightedReward } from '../../estimators/series.ts'

/** By what the reward of a slot is weighted. */
export type SlotWeight = Extract<keyof SlotColumns, 'prefix' | 'placed'>

/** The weight of one slot. */
export const slotWeight = (by: SlotWeight, slot: number): Series => ({
  key: `${by}[${slot}]`,
  of: columns => slotsOf(columns)[slot][by],
})

/** w_k · r_k of one slot. */
function slotReward(by: SlotWeight, slot: number): Series {
  return {
    key: `${by}[${slot}]r`,
    of(columns, out) {
      const { [by]: weight, reward } = slotsOf(columns)[slot]
      for (let i = 0; i < columns.rows; i++) out[i] = weight[i] * reward[i]
      return out
    },
  }
}

/** Σ_k w_k · r_k */
export const rewardBySlot = (by: SlotWeight): Series => ({
  key: `sum ${by}r`,
  of(columns, out) {
    out.fill(0, 0, columns.rows)
    for (const { [by]: weight, reward } of slotsOf(columns)) {
      for (let i = 0; i < columns.rows; i++) out[i] += weight[i] * reward[i]
    }
    return out
  },
})

/** The mean of w_k over the slots: no weighted sum of rewards is beyond it times what a whole list can earn. */
export const meanWeight = (by: SlotWeight): Series => ({
  key: `mean ${by}`,
  of(columns, out) {
    const slots = slotsOf(columns)
    out.fill(0, 0, columns.rows)
    for (const { [by]: weight } of slots) for (let i = 0; i < columns.rows; i++) out[i] += weight[i] / slots.length
    return out
  },
})

/**
 * The weight of the list down to its first reward, or of all of it, where there is none. Prefixes' weights are a martingale, and where a reward
 * depends on its slot and those above, that is a stopping time: its mean is 1, as theirs is. With one reward at most, this times the reward is
 * what `rips` adds up.
 */
export const stoppedWeight: Series = {
  key: 'stopped',
  of(columns, out) {
    const slots = slotsOf(columns)
    for (let i = 0; i < columns.rows; i++) {
      let k = 0
      while (k < slots.length - 1 && slots[k].reward[i] === 0) k++
      out[i] = slots[k].prefix[i]
    }
    return out
  },
}

/** What an estimator whose slots have weights of their own is judged by, and where its interval comes from. */
export const weighted = (by: SlotWeight, slots: number) => ({
  constrained: rewardBySlot(by),
  weight: meanWeight(by),
  extreme: weightedReward,
  // Of one reward all of the weight may be that of its slot, as many times their mean as there are slots.
  alone: by === 'prefix' ? { weight: stoppedWeight } : { times: slots },
  weights: Array.from({ length: slots }, (_, slot) => slotWeight(by, slot)),
})

/** Σ w_k · r_k / Σ w_k of each slot. */
export const ratioBySlot = (by: SlotWeight, slots: number): Ratio[] =>
  Array.from({ length: slots }, (_, slot) => ({ over: slotReward(by, slot), under: slotWeight(by, slot) }))

/** Σ_k w_{k−1} V_k + w_k (r_k − Q_k), w the weights of prefixes, V and Q what the reward model says of a slot and those below. */
export const correctedBySlot: Series = {
  key: 'sum prefix(r-Q) + V',
  of(columns, out) {
    out.fill(0, 0, columns.rows)
    let above: Float64Array | undefined
    for (const { prefix, reward, value, predicted } of slotsOf(columns)) {
      for (let i = 0; i < columns.rows; i++) {
        const before = above === undefined ? 1 : above[i]
        out[i] += before * value[i] + prefix[i] * (reward[i] - predicted[i])
      }
      above = prefix
    }
    return out
  },
}

/** What the actions of a list add up to, in place of a weight; its mean is 1. */
export const additiveWeight: Series = {
  key: 'additive',
  of({ additive }) {
    if (additive === undefined) throw new RangeError('these are no lists')
    return additive
  },
}

/** That, times what the list earned. */
export const additiveReward: Series = {
  key: 'additive r',
  of(columns, out) {
    const weight = additiveWeight.of(columns, out)
    for (let i = 0; i < columns.rows; i++) out[i] = weight[i] * columns.reward[i]
    return out
  },
}

function slotsOf({ slots }: RowColumns): readonly SlotColumns[] {
  if (slots === undefined) throw new RangeError('these are no lists')
  return slots
}
