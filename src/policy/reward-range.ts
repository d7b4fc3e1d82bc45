import type { RewardSpec } from '../kinds.ts'

/** What a reward must be, as a policy declares it, in words; undefined for one that is. Any other name is not the policy's to judge. */
export function outsideRange(
  { type, name }: RewardSpec,
  reward: string | undefined,
  value: number,
): string | undefined {
  if (type !== 'binary' || (reward ?? name) !== name || value === 0 || value === 1) return undefined
  return `\`${name}\` is binary: 0 or 1`
}
