import type { RewardSpec } from '../../kinds.ts'
import { type DecisionRecord, type RewardRecord, rewardTime } from '../../log/records/records.ts'
import { decisionJoin } from '../../log/rows/reward-join.ts'
import { outputsOfOne } from '../../policy/model-outputs.ts'
import { createPolicy, type Policy } from '../../policy/policy.ts'
import { createFeatureCheck, isListed, isOffered, poolOfOne, requirePool } from '../../policy/pool.ts'
import { outsideRange } from '../../policy/reward-range.ts'
import { loadSnapshot, type Snapshot, snapshotDigest, takeSnapshot } from '../../policy/snapshot.ts'
import { type LivePolicySource, type ServedPolicy, sameDecider } from '../deciding/policies.ts'
import { aggregate, type Reward } from './aggregate.ts'

/**
 * Learns from the server's own decisions and rewards (`--learn`), beside the snapshots that decide. It is told of every decision,
 * logged or shed, so that each stands for itself: `logProbability` is for who reads the log.
 */
export interface OnlineLearner {
  decided(record: DecisionRecord): void
  rewarded(record: RewardRecord): void
  /**
   * Learns the decisions whose wait is over at `now`, milliseconds since 1970, in the order in which they were made, and publishes when
   * it is time to. Rejects when a snapshot could not be published; it is tried again the next time.
   */
  tick(now: number): Promise<void>
  /** Publishes what was learnt since the last time, as before the server stops. */
  publish(): Promise<void>
  readonly stats: LearningStats
}

/** How many decisions are waiting, and what became of the others and of the rewards. */
export interface LearningStats {
  readonly pending: number
  readonly learnt: number
  /**
   * Decisions that were not learnt: too many were waiting; never activated; no longer of the policy, refused by its learner, or what came for
   * them is not known.
   */
  readonly overflown: number
  readonly inactive: number
  readonly unusable: number
  /** Rewards that were ignored: of no waiting decision; after the wait. */
  readonly unknown: number
  readonly late: number
  /**
   * Rewards that cannot be used, so that what came for their decisions is not known: outside the range that the policy declares; earlier than
   * the decision by more than clocks may be apart; of the id of another one that says something else.
   */
  readonly outside: number
  readonly tooEarly: number
  readonly conflicts: number
  /** Snapshots that were published, and those that could not be. */
  readonly published: number
  readonly unpublished: number
}

export interface OnlineLearnerParts {
  readonly source: Pick<LivePolicySource, 'policies' | 'replace'>
  /** The version of dap, for the snapshots. */
  readonly dap: string
  readonly publishMs: number
  /** May what was learnt follow its actions where a policy has others now? */
  readonly migrate?: boolean
  /** When the first publishing is counted from, milliseconds since 1970. */
  readonly startedAt: number
  /** Brings a snapshot where whoever starts next will find it. Only then does it decide. */
  publish(policy: string, snapshot: Snapshot): Promise<void>
  /** How many decisions may wait for their rewards; more are not learnt. */
  readonly maxPending?: number
}

interface Pending {
  readonly ts: number
  readonly action: string
  /** Of the action, as they were then. */
  readonly features: object
  readonly context: DecisionRecord['context']
  /** Where it was among the eligible, and what the policy's Model said of these. */
  readonly at: number
  readonly model: DecisionRecord['model']
  active: boolean
  /** Did a reward come that cannot be used? */
  spoilt: boolean
  /** One of each id. */
  readonly rewards: Reward[]
}

/** What is being learnt of one policy. */
interface Course {
  /** What decides meanwhile, and where the learning started. */
  served: ServedPolicy
  /** A copy whose learner learns. */
  policy: Policy
  /** Digest of the snapshot that was published last, which may come back by way of its file. */
  published?: string
  /** Of what a record says of an action. */
  check: ReturnType<typeof createFeatureCheck>
  join: ReturnType<typeof decisionJoin>
  /** Has anything been learnt since the last snapshot? */
  news: boolean
  /** By decision id, in the order in which they were made. */
  readonly pending: Map<string, Pending>
}

export function createOnlineLearner(parts: OnlineLearnerParts): OnlineLearner {
  const { source, dap, publishMs, migrate, maxPending = 1_000_000 } = parts
  const courses = new Map<string, Course>()
  const stats = {
    ...{ pending: 0, learnt: 0, overflown: 0, inactive: 0, unusable: 0 },
    ...{ unknown: 0, late: 0, outside: 0, tooEarly: 0, conflicts: 0, published: 0, unpublished: 0 },
  }
  let publishedAt = parts.startedAt
  let publishing: Promise<void> | undefined

  /**
   * What was learnt, in the policy that is served now, if that goes on from the same snapshot: undefined where another one came from elsewhere, or
   * where it does not fit.
   */
  function carriedOn(course: Course, { policy: { name, spec, digest }, snapshot }: ServedPolicy): Policy | undefined {
    if (snapshot !== course.served.snapshot && snapshot !== course.published) return undefined
    const policy = createPolicy(name, spec, digest)
    return 'faults' in loadSnapshot(policy, takeSnapshot(course.policy), { migrate }) ? undefined : policy
  }

  /** The policy's course, which goes on in another policy, and is started anew where another snapshot came. What waits for rewards waits on. */
  function courseOf(name: string): Course | undefined {
    const served = source.policies.get(name)
    const course = courses.get(name)
    if (served === undefined || (course !== undefined && sameDecider(course.served, served))) return course
    const carried = course && carriedOn(course, served)
    const policy = carried ?? copyOf(served.policy)
    const { actions, reward } = policy.spec
    const news = carried !== undefined && course?.news === true
    const start = { served, policy, check: createFeatureCheck(actions), join: decisionJoin({}, reward, 0), news }
    if (course !== undefined) return Object.assign(course, start)
    const first: Course = { ...start, pending: new Map() }
    courses.set(name, first)
    return first
  }

  /** Learns a decision whose wait is over, and counts it as what it was. */
  function learn(
    { policy, check, join }: Course,
    { action, features: said, at, model, active, spoilt, context, rewards }: Pending,
  ): 'learnt' | 'inactive' | 'unusable' {
    if (spoilt) return 'unusable'
    if (!active) return 'inactive'
    const { spec, actions, features, learner } = policy
    const a = isOffered(spec.actions) ? 0 : actions.indexOf(action)
    const fields = Object.entries(context).filter(([name]) => Object.hasOwn(spec.context, name))
    const checked = policy.context(Object.fromEntries(fields))
    if (a < 0 || 'faults' in checked) return 'unusable'
    const x = new Float64Array(features.dimension)
    const { scorer } = spec
    const outputsFor = (place: Parameters<typeof outputsOfOne>[3]) =>
      scorer === undefined ? {} : { outputs: outputsOfOne(scorer, model, at, place) }
    try {
      if (isListed(spec.actions)) {
        const own = requirePool(policy.pool)
        features.writeRow(checked.context, a, x, { ...own, ...outputsFor({ action: a, actions: own.ids.length }) })
      } else {
        const known = check(said)
        if ('faults' in known) return 'unusable'
        features.writeRow(checked.context, 0, x, { ...poolOfOne(action, known.context), ...outputsFor({}) })
      }
      learner.learn(policy.kept.length === 0 ? 0 : a, x, aggregate(rewards, join.aggregate, join.default))
      return 'learnt'
    } catch (error) {
      if (error instanceof RangeError) return 'unusable'
      throw error
    }
  }

  async function publishAll(): Promise<void> {
    for (const name of courses.keys()) {
      const course = courseOf(name) as Course
      const { served, policy, news } = course
      if (!news) continue
      const decides = (each: ServedPolicy) => sameDecider(source.policies.get(name), each)
      const snapshot = takeSnapshot(policy, { dap })
      course.news = false
      course.published = snapshotDigest(snapshot)
      try {
        await parts.publish(name, snapshot)
        stats.published++
      } catch (error) {
        course.news = true
        stats.unpublished++
        throw error
      }
      // Somebody else's snapshot may have come meanwhile, and then that one decides; or this one, by way of its file.
      const next = servedFrom(policy, snapshot, served.model)
      await source.replace(served, next)
      if (decides(next)) course.served = next
    }
  }

  function publish(): Promise<void> {
    publishing ??= publishAll().finally(() => {
      publishing = undefined
    })
    return publishing
  }

  return {
    stats,
    decided(record) {
      const { decisionId, ts, policy, context, eligible, slots, served, model } = record
      const [{ action }] = slots
      if (served.by !== 'policy' || action === null) return
      const course = courseOf(policy.name)
      if (course === undefined || course.pending.has(decisionId)) return
      if (stats.pending >= maxPending) {
        stats.overflown++
        return
      }
      const active = served.activation !== 'pending'
      const at = eligible.findIndex(({ id }) => id === action)
      const { features = {} } = eligible.at(at) ?? {}
      const own = { action, features, at, model, context }
      const pending = { ts: Date.parse(ts), ...own, active, spoilt: false, rewards: [] }
      course.pending.set(decisionId, pending)
      stats.pending++
    },

    rewarded(record) {
      for (const { pending, join, served } of courses.values()) {
        const decision = pending.get(record.decisionId)
        if (decision === undefined) continue
        const outcome = take(decision, record, join, served.policy.spec.reward)
        if (outcome !== undefined) stats[outcome]++
        decision.spoilt ||= outcome !== undefined && outcome !== 'late'
        return
      }
      stats.unknown++
    },

    async tick(now) {
      for (const name of courses.keys()) {
        const course = courseOf(name) as Course
        for (const [id, decision] of course.pending) {
          if (decision.ts + (course.join.wait ?? 0) > now) break
          const outcome = learn(course, decision)
          stats[outcome]++
          course.news ||= outcome === 'learnt'
          course.pending.delete(id)
          stats.pending--
        }
      }
      if (now - publishedAt < publishMs || publishing !== undefined) return
      publishedAt = now
      await publish()
    },

    publish,
  }
}

/** Adds to a decision what a record says of it; or says why it cannot be used. `declared` is the policy's reward. */
function take(
  decision: Pending,
  { rewardId, kind, name, value, ts, slot = 0 }: RewardRecord,
  join: Course['join'],
  declared: RewardSpec,
): 'late' | 'outside' | 'tooEarly' | 'conflicts' | undefined {
  const at = rewardTime(decision.ts, Date.parse(ts))
  if (kind === 'activation') {
    if (at === undefined) return 'tooEarly'
    decision.active = true
    return undefined
  }
  if (value === undefined || slot !== 0 || (name ?? join.name) !== join.name) return undefined
  const { rewards } = decision
  const known = rewards.findIndex(({ id }) => id === rewardId)
  const before = known < 0 ? undefined : rewards[known]
  if (before !== undefined && before.value !== value) return 'conflicts'
  if (outsideRange(declared, name, value) !== undefined) return 'outside'
  if (at === undefined) return 'tooEarly'
  // One that was sent again came when the earliest says.
  if (before !== undefined && before.ts <= at) return undefined
  if (join.wait !== undefined && at - decision.ts > join.wait) return 'late'
  rewards[known < 0 ? rewards.length : known] = { id: rewardId, ts: at, value }
  return undefined
}

/** The same policy with a learner of its own. */
function copyOf({ name, spec, digest, learner }: Policy): Policy {
  const copy = createPolicy(name, spec, digest)
  copy.learner.restore(learner.state())
  return copy
}

function servedFrom({ name, spec, digest }: Policy, snapshot: Snapshot, model: ServedPolicy['model']): ServedPolicy {
  const policy = createPolicy(name, spec, digest)
  const loaded = loadSnapshot(policy, snapshot)
  if ('faults' in loaded) throw new Error(`a snapshot does not fit its own policy: ${loaded.faults.join('; ')}`)
  return { policy, snapshot: loaded.digest, model }
}
