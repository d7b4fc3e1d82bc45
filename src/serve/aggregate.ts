import type { RewardAggregate } from '../kinds.ts'

export interface Reward {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly ts: number
  readonly value: number
}

/** What the rewards of one decision come to, in the order of their times and then ids; `none` where there are none. */
export function aggregate(rewards: readonly Reward[], how: RewardAggregate, none: number): number {
  if (rewards.length === 0) return none
  const values = rewards.toSorted((a, b) => a.ts - b.ts || (a.id < b.id ? -1 : 1)).map(({ value }) => value)
  if (how === 'first') return values[0]
  if (how === 'max') return values.reduce((most, value) => Math.max(most, value))
  const sum = values.reduce((total, value) => total + value, 0)
  return how === 'sum' ? sum : sum / values.length
}
