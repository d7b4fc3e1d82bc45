import type { DatasetSpec, RewardSpec } from '../kinds.ts'
import { milliseconds } from '../policy/duration.ts'
import type { JoinCounts, RewardJoin } from './tables.ts'

/**
 * How the rewards of a `dap` log join its decisions: as the Dataset says; what it does not say, as the policy does that made
 * the log; without a policy all rewards are summed, however late. `until`, in milliseconds since 1970, is when the log is
 * looked at, and counts where there is a wait.
 */
export function rewardJoin(dataset: DatasetSpec['reward'], policy: RewardSpec | undefined, until: number): RewardJoin {
  const name = dataset.name ?? policy?.name
  const wait = dataset.wait ?? policy?.wait
  const aggregate = policy?.aggregate ?? (policy?.type === 'binary' ? 'max' : 'sum')
  return {
    ...(name === undefined ? {} : { name }),
    ...(wait === undefined ? {} : { wait: milliseconds(wait), until }),
    aggregate: dataset.aggregate ?? aggregate,
    default: dataset.default ?? policy?.default ?? 0,
  }
}

/** What a reader should know of a join, a sentence each. */
export function joinNotes(counts: JoinCounts): string[] {
  const say = (count: number, one: string, many: string, rest: string) =>
    count === 0 ? [] : [`${count} ${count === 1 ? one : many} ${rest}`]
  return [
    ...say(counts.unreadable, 'line', 'lines', 'that cannot be read as a record, left out'),
    ...say(counts.otherSchemas, 'record', 'records', 'of another schema, left out'),
    ...say(counts.repeated, 'decision', 'decisions', 'logged again under the same id, left out'),
    ...say(counts.waiting, 'decision', 'decisions', 'whose wait for rewards is not over, left out'),
    ...say(counts.inactive, 'decision', 'decisions', 'never activated, left out'),
    ...say(counts.late, 'reward', 'rewards', 'later than the wait, left out'),
    ...say(counts.orphans, 'reward', 'rewards', 'for no decision of this log, left out'),
    ...say(counts.shed, 'decision', 'decisions', 'logged with a probability below 1, weighted like the others'),
  ]
}
