import type { World } from '../world.ts'

/** Reward 1 with the action's probability, else 0, whatever the context. */
export function bernoulliWorld(means: Readonly<Record<string, number>>): World {
  const actions = Object.keys(means)
  const probabilities = Float64Array.from(actions, action => means[action])
  return {
    actions,
    contextual: false,
    means: (_, out, offset) => out.set(probabilities, offset),
    chance: rng => rng.uniform(),
    reward: binaryReward,
  }
}

/** 1 when the round's uniform is below the mean, else 0. */
export const binaryReward = (mean: number, chance: number): number => (chance < mean ? 1 : 0)
