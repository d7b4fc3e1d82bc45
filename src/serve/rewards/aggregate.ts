import type { RewardAggregate } from '../../kinds.ts'
import { createAggregate } from '../../log/aggregate.ts'

export interface Reward {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly ts: number
  readonly value: number
}

/** What the rewards of one decision come to, in the order of their times and then ids; `none` where there are none. */
export function aggregate(rewards: readonly Reward[], how: RewardAggregate, none: number): number {
  if (rewards.length === 0) return none
  const all = createAggregate(how)
  for (const { value } of rewards.toSorted((a, b) => a.ts - b.ts || (a.id < b.id ? -1 : 1))) all.add(value)
  return all.value()
}
