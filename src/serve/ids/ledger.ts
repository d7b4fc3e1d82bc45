/** What one server knows of the ids that its callers have made, so that what is sent twice is answered, and counts, once. */
import { hash } from 'node:crypto'
import { baselinesOf, type DecisionRecord, isOffered, type RewardRecord, saidBy } from '../../log/records/records.ts'
import { BY_REQUEST } from '../../policy/pool.ts'
import { answerOf } from '../answer.ts'
import { problem } from '../api.ts'
import type { Soon } from '../soon.ts'

/** All workers of a server ask the same one. */
export interface Ledger {
  /** Takes ids that are new, and finds those that were taken before. Where one of them is in conflict, none is taken. */
  claim(claims: readonly Claim[]): Soon<readonly Outcome[]>
  /** What is remembered of the decisions of these ids. */
  decisions(ids: readonly string[]): Soon<readonly (KnownDecision | undefined)[]>
}

/** An id, and a digest of what is said under it. */
export type Claim =
  | { readonly kind: 'decision'; readonly id: string; readonly says: string; readonly decision: KnownDecision }
  | { readonly kind: 'reward'; readonly id: string; readonly says: string }

export interface KnownDecision {
  /** When it was made, milliseconds since 1970. */
  readonly at: number
  /** The policy's name. */
  readonly policy: string
  /** How many slots it has. */
  readonly slots: number
  /** What was answered, as JSON: a third of the memory, of what is rarely asked for. */
  readonly answer: string
}

/**
 * `again`: the same was said under this id before, and of a decision, what was answered then; `written`: its record is in the log, or will be
 * with the next flush of the process that asks.
 */
export type Outcome = 'new' | 'conflict' | { readonly again: KnownDecision | null; readonly written: boolean }

/** What is not in the log yet is not acknowledged with `--ack written`. */
export const unwritten = () => problem('overloaded', 'it is not written yet; send it again under the same id')

/** Was it taken before, by another process that may not have written it? */
export const isUnwritten = (outcome: Outcome): boolean => typeof outcome === 'object' && !outcome.written

export interface LedgerLimits {
  /** How long an id is remembered, in milliseconds. */
  readonly retentionMs: number
  /** How many ids of decisions, and how many of rewards. */
  readonly retained: number
}

/** A ledger in this process. */
export interface LocalLedger extends Ledger {
  /** `by` is the worker that asks. */
  claim(claims: readonly Claim[], by?: number): readonly Outcome[]
  decisions(ids: readonly string[]): readonly (KnownDecision | undefined)[]
  /** What the worker has claimed under these ids is in the log; or never will be, since the answer came too late. */
  settle(ids: readonly ClaimedId[], by: number, how: 'written' | 'dropped'): void
  /** Takes back what a worker that died has claimed and not written. Returns how much of it others were told of as if it were. */
  forget(by: number): number
  /** Takes over what a log says, oldest first; `ageMs`: how long ago each was. Returns how many decisions and rewards it remembers now. */
  restore(claims: Iterable<{ readonly claim: Claim; readonly ageMs: number }>): Restored
}

export interface Restored {
  readonly decisions: number
  readonly rewards: number
}

/** An id of a claim. */
export type ClaimedId = Pick<Claim, 'kind' | 'id'>

interface Entry {
  readonly says: string
  readonly decision: KnownDecision | null
  readonly since: number
  /** The worker that has claimed it, until it is written. */
  by: number | undefined
  /** Has another request been answered by it? */
  repeated: boolean
}

/** `now` is monotonic, in milliseconds. */
export function createLedger(now: () => number, { retentionMs, retained }: LedgerLimits): LocalLedger {
  /** A Map goes through its keys in the order in which they came. */
  const tables = { decision: new Map<string, Entry>(), reward: new Map<string, Entry>() }

  function find({ kind, id }: Pick<Claim, 'kind' | 'id'>): Entry | undefined {
    const found = tables[kind].get(id)
    return found !== undefined && now() - found.since < retentionMs ? found : undefined
  }

  function take(claim: Claim, since: number, by: number | undefined): void {
    const table = tables[claim.kind]
    table.delete(claim.id)
    table.set(claim.id, {
      says: claim.says,
      decision: claim.kind === 'decision' ? claim.decision : null,
      since,
      by,
      repeated: false,
    })
    const before = now() - retentionMs
    for (const [oldest, entry] of table) {
      if (table.size <= retained && entry.since > before) break
      table.delete(oldest)
    }
  }

  return {
    claim(claims, by) {
      const time = now()
      const taken: Claim[] = []
      const outcomes = claims.map((claim): Outcome => {
        const known = find(claim)
        if (known !== undefined) {
          if (known.says !== claim.says) return 'conflict'
          known.repeated = true
          return { again: known.decision, written: known.by === undefined || known.by === by }
        }
        take(claim, time, by)
        taken.push(claim)
        return 'new'
      })
      if (outcomes.includes('conflict')) for (const { kind, id } of taken) tables[kind].delete(id)
      return outcomes
    },
    decisions: ids => ids.map(id => find({ kind: 'decision', id })?.decision ?? undefined),
    settle(ids, by, how) {
      for (const { kind, id } of ids) {
        const entry = tables[kind].get(id)
        if (entry?.by !== by) continue
        if (how === 'written') entry.by = undefined
        else tables[kind].delete(id)
      }
    },
    forget(by) {
      let repeated = 0
      for (const table of Object.values(tables)) {
        for (const [id, entry] of table) {
          if (entry.by !== by) continue
          table.delete(id)
          if (entry.repeated) repeated++
        }
      }
      return repeated
    },
    restore(claims) {
      for (const { claim, ageMs } of claims) if (find(claim) === undefined) take(claim, now() - ageMs, undefined)
      return { decisions: tables.decision.size, rewards: tables.reward.size }
    },
  }
}

/** By what a decision is known again: its policy, the caller's baseline, the context after defaults, and what the request says of actions. */
export function claimOfDecision(record: DecisionRecord, answer = answerOf(record)): Claim {
  const { decisionId, policy, context, slots } = record
  const said = [policy.name, baselinesOf(record), Object.entries(context).sort(byName)]
  const says = digest([...said, ...saidOfActions(record)])
  const known = { at: Date.parse(record.ts), policy: policy.name, slots: slots.length, answer: JSON.stringify(answer) }
  return { kind: 'decision', id: decisionId, says, decision: known }
}

/** Nothing, of a request that says nothing of them. The order of what is excluded does not matter. */
function saidOfActions(record: DecisionRecord): readonly unknown[] {
  const { eligible, excluded } = record
  const barred = excluded.filter(({ by }) => by === BY_REQUEST).map(({ id }) => id)
  if (!isOffered(record)) return barred.length === 0 ? [] : [barred.sort()]
  const all = [...eligible, ...excluded].map(({ id, features = {} }) => [id, Object.entries(features).sort(byName)])
  return [barred.sort(), all.sort()]
}

export function claimOfReward(record: RewardRecord): Claim {
  return { kind: 'reward', id: record.rewardId, says: digest(saidBy(record)) }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)

/** 72 bits, for ids of one server's last minutes; of a longer part of a string V8 would keep the whole. */
const digest = (said: readonly unknown[]) => hash('sha256', JSON.stringify(said), 'base64url').slice(0, 12)
