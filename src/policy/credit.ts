import type { RewardSpec } from '../kinds.ts'
import { bySlot } from './lists/by-slot.ts'

/** A slot of a list that is learnt, as a row of its own. */
export interface CreditedSlot {
  readonly slot: number
  readonly reward: number
  /** What the row's features are multiplied by. */
  readonly factor: number
}

/**
 * What the rewards of a list's slots teach, from the first slot on; of a single decision it is that decision. By `credit`:
 * - `examined`: the slots up to the last that was rewarded, or all where none was; who goes through a list from the top has seen no other (the cascade and
 *   dependent click models). A slot is rewarded whose reward is not the default.
 * - `all`: every slot.
 * - `position`: every slot, its features times the probability γ that it is looked at: a click has the probability γ · x·θ where the action's own is x·θ
 *   (the position-based model).
 */
export function creditedSlots(
  { credit = 'examined', default: usual }: Pick<RewardSpec, 'credit' | 'default'>,
  rewards: ArrayLike<number>,
): readonly CreditedSlot[] {
  let taught = rewards.length
  if (credit === 'examined') {
    while (taught > 0 && rewards[taught - 1] === usual) taught--
    if (taught === 0) taught = rewards.length
  }
  const gamma = typeof credit === 'string' ? undefined : credit.position
  return Array.from({ length: taught }, (_, slot) => ({
    slot,
    reward: rewards[slot],
    factor: gamma === undefined ? 1 : bySlot(gamma, slot),
  }))
}
