import type { RewardAggregate } from '../kinds.ts'

/** What several rewards of one decision come to, one after the other in the order in which they came. */
export interface Aggregate {
  /** Begins with another decision. */
  clear(): void
  add(reward: number): void
  /** How many there were, and what they come to where there was one. */
  count(): number
  value(): number
}

export function createAggregate(how: RewardAggregate): Aggregate {
  let count = 0
  let value = 0
  return {
    clear() {
      count = 0
      value = 0
    },
    add(reward) {
      if (how === 'sum' || how === 'mean') value += reward
      else if (count === 0) value = reward
      else if (how === 'max') value = Math.max(value, reward)
      count++
    },
    count: () => count,
    value: () => (how === 'mean' ? value / count : value),
  }
}
