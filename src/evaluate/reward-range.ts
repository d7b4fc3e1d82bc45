import { DapError } from '../errors.ts'
import type { DatasetSpec } from '../kinds.ts'
import type { Bounds } from './intervals/gaussian.ts'
import { type LogSums, meanReward } from './weights/log-sums.ts'

/** The range that rewards can have, capped: the declared one, else [0, 1] if every reward is 0 or 1, else what was observed. */
export function rewardRange({ reward }: DatasetSpec, log: LogSums): Bounds & { readonly note?: string } {
  const { minReward, maxReward, binary } = log
  if (!Number.isFinite(meanReward(log))) {
    throw new DapError(`the rewards of the log, from ${minReward} to ${maxReward}, are too large to be added up`, {
      hint: 'give them in a larger unit, or `spec.reward.cap` them',
    })
  }
  const lower = reward.minimum ?? (binary ? 0 : minReward)
  const { cap = Infinity } = reward
  // Where some reward was capped, the cap is the most that can be had.
  const maximum = reward.maximum === undefined && maxReward >= cap ? cap : reward.maximum
  const upper = Math.min(cap, maximum ?? (binary ? 1 : maxReward))
  if (minReward < lower || maxReward > upper) {
    throw new DapError(
      `the log has rewards from ${minReward} to ${maxReward}, outside the declared [${lower}, ${upper}]`,
      {
        hint: 'correct `spec.reward` of the Dataset, or the log',
      },
    )
  }
  const declared = reward.minimum !== undefined && maximum !== undefined
  if (declared || binary) return { lower, upper }
  const note = `the range of rewards was not declared: that of the log, [${lower}, ${upper}], is taken for it`
  return { lower, upper, note }
}
