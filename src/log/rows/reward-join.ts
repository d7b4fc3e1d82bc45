import { groupedDigits } from '../../grouped.ts'
import type { DatasetSpec, RewardAggregate, RewardSpec } from '../../kinds.ts'
import { milliseconds } from '../../policy/duration.ts'
import { outsideRange } from '../../policy/reward-range.ts'
import { CLOCK_TOLERANCE_MS, type RewardRecord, saidBy } from '../records/records.ts'
import type { JoinCounts, RewardJoin } from '../tables.ts'

/** How rewards join, and what the reward is of a decision without one. */
export type JoinPlan = Pick<RewardJoin, 'name' | 'declared' | 'wait' | 'aggregate' | 'until'> & {
  readonly default?: number
}

/**
 * How rewards join decisions, as a Dataset says; `policy` is the one that made the log. A mapped log says all by itself: rewards
 * that differ are a fault, and so is one that is not there. `until`, in milliseconds since 1970, is when the log is looked at, and
 * counts where there is a wait.
 */
export function rewardJoin({ format, reward }: DatasetSpec, policy: RewardSpec | undefined, until: number): JoinPlan {
  if (format === 'dap') return decisionJoin(reward, policy, until)
  const { wait, aggregate, default: absent } = reward
  return { ...waitOf(wait, until), ...defined({ aggregate, default: absent }) }
}

/**
 * The same of a `dap` log: what `dataset` does not say is as the policy has it; without one all rewards are summed, however late,
 * and one that is not there is 0.
 */
export function decisionJoin(
  dataset: DatasetSpec['reward'],
  policy: RewardSpec | undefined,
  until: number,
): JoinPlan & { readonly aggregate: RewardAggregate; readonly default: number } {
  return {
    ...defined({ name: dataset.name ?? policy?.name, declared: policy }),
    ...waitOf(dataset.wait ?? policy?.wait, until),
    aggregate: dataset.aggregate ?? policy?.aggregate ?? (policy?.type === 'binary' ? 'max' : 'sum'),
    default: dataset.default ?? policy?.default ?? 0,
  }
}

function defined(plan: JoinPlan): JoinPlan {
  return Object.fromEntries(Object.entries(plan).filter(([, value]) => value !== undefined))
}

function waitOf(wait: string | undefined, until: number): Pick<JoinPlan, 'wait' | 'until'> {
  return wait === undefined ? {} : { wait: milliseconds(wait), until }
}

/** What a record is to a join, as far as it says so itself: a reward that may count, one outside its range, one of another name, or no reward. */
export function roleOf(
  record: RewardRecord,
  { name: wanted, declared }: Pick<RewardJoin, 'name' | 'declared'>,
): 'metric' | 'outside' | 'other' | 'activation' {
  const [, , kind, name, value] = saidBy(record)
  if (kind === 'activation' || value === null) return 'activation'
  if (wanted !== undefined && (name ?? wanted) !== wanted) return 'other'
  return declared !== undefined && outsideRange(declared, name ?? undefined, value) !== undefined ? 'outside' : 'metric'
}

const TOLERANCE = CLOCK_TOLERANCE_MS / 1000

/** What a reader should know of how lines became decisions, a sentence each. */
export function joinNotes(counts: JoinCounts): string[] {
  const say = (count: number, one: string, many: string, rest: string) =>
    count === 0 ? [] : [`${groupedDigits(count)} ${count === 1 ? one : many} ${rest}`]
  return [
    ...say(counts.torn, 'last line', 'last lines', 'cut off, as a killed writer leaves them, left out'),
    ...say(counts.repeated, 'decision', 'decisions', 'logged again under the same id, counted once'),
    ...say(
      counts.conflicts,
      'record of a decision',
      'records of decisions',
      'in conflict with another one of the same id, left out',
    ),
    ...say(counts.waiting, 'decision', 'decisions', 'whose wait for rewards is not over, left out'),
    ...say(counts.ofOthers, 'decision', 'decisions', 'of other policies, left out'),
    ...say(counts.inactive, 'decision', 'decisions', 'never activated, left out'),
    ...say(counts.rewardsRepeated, 'reward', 'rewards', 'logged again, counted once'),
    ...say(counts.rewardConflicts, 'reward', 'rewards', 'in conflict with another one of the same id, left out'),
    ...say(counts.outside, 'reward', 'rewards', 'outside the range that the policy declares, left out'),
    ...say(counts.tooEarly, 'reward', 'rewards', `more than ${TOLERANCE} s earlier than the decision, left out`),
    ...say(counts.noSlot, 'reward', 'rewards', 'of a slot that the decision does not have, left out'),
    ...say(
      counts.early,
      'reward',
      'rewards',
      `up to ${TOLERANCE} s earlier than the decision, taken to have come with it`,
    ),
    ...say(counts.lost, 'decision', 'decisions', 'for which a reward came that cannot be used, left out'),
    ...say(counts.otherNames, 'reward', 'rewards', 'of another name, left out'),
    ...say(counts.late, 'reward', 'rewards', 'later than the wait, left out'),
    ...say(counts.orphans, 'reward', 'rewards', 'for no decision of this log, left out'),
  ]
}
