/** The door for rewards and activations: what is taken here can be used, for all that one server can know. */
import type { RewardSpec } from '../../kinds.ts'
import { CLOCK_TOLERANCE_MS, REWARD_SCHEMA, type RewardRecord } from '../../log/records/records.ts'
import type { Policy } from '../../policy/policy.ts'
import { outsideRange } from '../../policy/reward-range.ts'
import type { Accepted, ActivationRequest, Problem, RewardRequest } from '../api.ts'
import type { PolicySource } from '../deciding/policies.ts'
import type { EngineParts } from '../engine-parts.ts'
import { type Fault, invalid, problemOf } from '../faults.ts'
import { readId } from '../ids/ids.ts'
import { claimOfReward, isUnwritten, unwritten } from '../ids/ledger.ts'
import { type Soon, whenDone } from '../soon.ts'

type Parts = Pick<EngineParts, 'source' | 'log' | 'ledger' | 'clock' | 'observer' | 'learner' | 'newId' | 'ack'>

/** A reward or an activation as it was sent, its time in milliseconds since 1970; NaN where it is none. */
type Sent = Pick<RewardRecord, 'decisionId' | 'slot' | 'kind' | 'name' | 'value'> & {
  /** What the caller made up; a record without one is nobody's second. */
  readonly rewardId: string | undefined
  readonly at: number | undefined
}

/** Whose decision a reward is for, and when it was made, in milliseconds since 1970. */
interface Decided {
  readonly policy: string
  readonly at: number
  /** How many slots it has; undefined where its id alone is known. */
  readonly slots?: number
}

export interface RewardDoor {
  /** `trace` is what the request was part of, as records have it. */
  reward(requests: readonly RewardRequest[], trace?: string): Soon<Accepted | Problem>
  activate(requests: readonly ActivationRequest[], trace?: string): Soon<Accepted | Problem>
  /** This policy has made a decision, whose rewards may come when it is no longer served. */
  saw(policy: Policy): void
  /** Whose decisions these are, as far as it is known. */
  policiesOf(decisionIds: readonly string[]): Soon<readonly (string | undefined)[]>
}

export function createRewardDoor({ source, log, ledger, clock, observer, learner, newId, ack }: Parts): RewardDoor {
  const started = clock.now() - clock.monotonic()

  /** By whichever of the server's clocks is ahead: one that was set back makes no caller's time wrong. */
  const latest = () => Math.max(clock.now(), started + clock.monotonic())

  /** Of every policy that is served, or has decided something since the start. */
  const specs = new Map<string, RewardSpec>()
  /** The most slots that a decision of theirs has had. */
  const slotCounts = new Map<string, number>()
  let seen: PolicySource['policies'] | undefined

  function see({ name, spec, slots }: Policy): void {
    specs.set(name, spec.reward)
    slotCounts.set(name, Math.max(slots.count, slotCounts.get(name) ?? 0))
  }

  function known(): ReadonlyMap<string, RewardSpec> {
    if (seen !== source.policies) {
      seen = source.policies
      for (const { policy } of seen.values()) see(policy)
    }
    return specs
  }

  /** What an id says that a server like this one has made; one of the future says nothing. */
  function made(id: string): Decided | undefined {
    const read = readId(id, known().keys())
    return read === undefined || read.ms > latest() + CLOCK_TOLERANCE_MS ? undefined : { policy: read.of, at: read.ms }
  }

  /** Ids that this server's kind makes say it themselves; of others, it is remembered for a while. */
  function decided(ids: readonly string[]): Soon<readonly (Decided | undefined)[]> {
    const own = ids.map(made)
    const others = ids.filter((_, i) => own[i] === undefined)
    if (others.length === 0) return own
    return whenDone(ledger.decisions(others), found => {
      const rest = found.values()
      return own.map(each => {
        if (each !== undefined) return each
        const { value } = rest.next()
        return value
      })
    })
  }

  function idFault({ kind, rewardId }: Sent): Fault | undefined {
    const begins = kind === 'activation' ? undefined : ACTIVATION.exec(rewardId ?? '')?.[0]
    if (begins === undefined) return undefined
    return invalid('/rewardId', `must not begin with \`${begins}\`: those are the ids of activations`)
  }

  function valueFault({ kind, value, name }: Sent, decision: Decided | undefined): Fault | undefined {
    if (kind === 'activation' || value === undefined) return undefined
    if (!Number.isFinite(value)) return refused('value', '/value', 'must be a finite number')
    const own = decision === undefined ? undefined : known().get(decision.policy)
    // Where nobody knows which of them it is for, none of them takes it.
    const all = decision === undefined ? [...known().values()] : own === undefined ? [] : [own]
    const why = all.map(reward => outsideRange(reward, name, value))
    return why.length > 0 && why.every(each => each !== undefined)
      ? refused('value', '/value', `is outside the range: ${why[0]}`)
      : undefined
  }

  function slotFault({ slot = 0 }: Sent, decision: Decided | undefined): Fault | undefined {
    if (slot === 0) return undefined
    known()
    const own = decision && slotCounts.get(decision.policy)
    // Where nobody knows how many there were, none of the policies may have had so many.
    const count = decision?.slots ?? own ?? Math.max(...slotCounts.values())
    if (slot < count) return undefined
    return refused(
      'slot',
      '/slot',
      `is none of the decision's: ${count === 1 ? 'there is but slot 0' : `the last is ${count - 1}`}`,
    )
  }

  function timeFault({ at }: Sent, decision: Decided | undefined): Fault | undefined {
    if (at === undefined) return undefined
    if (Number.isNaN(at)) return refused('time', '/ts', 'must be a time like 2026-11-22T18:15:53.412Z')
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
    const ahead = at - latest()
    if (ahead > CLOCK_TOLERANCE_MS) {
      return refused(
        'time',
        '/ts',
        `is ${seconds(ahead)} in the future, by the server's clock; without it, now is taken`,
      )
    }
    const before = decision === undefined ? 0 : decision.at - at
    if (before <= CLOCK_TOLERANCE_MS) return undefined
    return refused('time', '/ts', `is ${seconds(before)} before the decision; without it, now is taken`)
  }

  function refused(reason: 'value' | 'time' | 'slot', pointer: string, detail: string): Fault {
    observer.refused(reason)
    return invalid(pointer, detail)
  }

  /** The record of what was sent. No reward is earlier than its decision: by so little, it is a clock that is wrong. */
  function recordOf(
    { at, rewardId, ...said }: Sent,
    now: number,
    decision: Decided | undefined,
    traceparent: string | undefined,
  ): RewardRecord {
    return {
      schema: REWARD_SCHEMA,
      rewardId: rewardId ?? newId(now),
      ...said,
      ts: new Date(Math.max(at ?? now, decision?.at ?? 0)).toISOString(),
      receivedTs: new Date(now).toISOString(),
      ...(traceparent === undefined ? {} : { traceparent }),
    }
  }

  function take(record: RewardRecord, decision: Decided | undefined): void {
    const { kind = 'metric', name } = record
    log.push('rewards', JSON.stringify(record))
    observer.rewarded(kind)
    learner?.rewarded(record)
    if (decision === undefined) observer.unmatched('unknown-decision')
    else if (kind === 'metric' && name !== undefined) {
      const own = known().get(decision.policy)?.name
      if (own !== undefined && own !== name) observer.unmatched('other-name')
    }
  }

  /** All or none. */
  function takeAll(sent: readonly Sent[], trace: string | undefined): Soon<Accepted | Problem> {
    return whenDone(decided(sent.map(({ decisionId }) => decisionId)), decisions => {
      const faults = sent.flatMap((each, i) =>
        [idFault(each), slotFault(each, decisions[i]), valueFault(each, decisions[i]), timeFault(each, decisions[i])]
          .filter(fault => fault !== undefined)
          .map(fault => ({ ...fault, pointer: `/${i}${fault.pointer}` })),
      )
      if (faults.length > 0) return problemOf(faults)
      const now = clock.now()
      const records = sent.map((each, i) => recordOf(each, now, decisions[i], trace))
      const named = records.filter((_, i) => sent[i].rewardId !== undefined)
      return whenDone(named.length === 0 ? [] : ledger.claim(named.map(claimOfReward)), outcomes => {
        const rest = outcomes.values()
        const all = sent.map(({ rewardId }) => (rewardId === undefined ? 'new' : (rest.next().value ?? 'new')))
        for (const outcome of outcomes) if (outcome !== 'new') observer.repeated('reward', outcome === 'conflict')
        const conflicts = all.flatMap((outcome, i): Fault[] => (outcome === 'conflict' ? [conflictAt(i)] : []))
        for (const _ of conflicts) observer.refused('conflict')
        if (conflicts.length > 0) return problemOf(conflicts)
        for (const [i, outcome] of all.entries()) if (outcome === 'new') take(records[i], decisions[i])
        return ack === 'written' && outcomes.some(isUnwritten) ? unwritten() : { accepted: sent.length }
      })
    })
  }

  return {
    saw(policy) {
      if (specs.get(policy.name) !== policy.spec.reward) see(policy)
    },
    policiesOf: ids => whenDone(decided(ids), all => all.map(each => each?.policy)),
    reward: (requests, trace) =>
      takeAll(
        requests.map(({ rewardId, decisionId, slot, name, value, ts }) => ({
          rewardId,
          decisionId,
          ...(slot === undefined ? {} : { slot }),
          ...(name === undefined ? {} : { name }),
          value,
          at: timeOf(ts),
        })),
        trace,
      ),
    activate: (requests, trace) =>
      takeAll(
        requests.map(({ decisionId, slot, ts }) => ({
          rewardId: activationId(decisionId, slot),
          decisionId,
          ...(slot === undefined ? {} : { slot }),
          kind: 'activation',
          at: timeOf(ts),
        })),
        trace,
      ),
  }
}

const conflictAt = (i: number): Fault => ({
  name: 'conflict',
  pointer: `/${i}/rewardId`,
  detail: 'was used for another reward',
})

/** An activation is one record, however often it is sent, and that of each slot another. What stands before the id tells which, since an id may be anything. */
const activationId = (decisionId: string, slot: number | undefined) =>
  `activation${slot === undefined ? '' : `#${slot}`}/${decisionId}`

const ACTIVATION = /^activation(#\d+)?\//

/** RFC 3339 with a time zone, which `Date` alone would not insist on. */
const TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/

/** Milliseconds since 1970; NaN for what is no time, or none of a year of four digits in UTC. */
function timeOf(ts: string | undefined): number | undefined {
  if (ts === undefined) return undefined
  const ms = TIME.test(ts) ? Date.parse(ts) : Number.NaN
  return ms >= FIRST && ms <= LAST ? ms : Number.NaN
}

const FIRST = Date.parse('0000-01-01T00:00:00.000Z')
const LAST = Date.parse('9999-12-31T23:59:59.999Z')
