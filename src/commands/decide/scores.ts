import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import type { DecisionRecord } from '../../log/records/records.ts'
import { poolOf, type ReplayResult } from '../../log/records/replay.ts'
import { differenceOf } from '../../models/parity.ts'
import { createScoreAhead, type ScoreAhead } from '../../models/score-ahead.ts'
import { loggedOutputs } from '../../policy/model-outputs.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import { createRuntimes } from '../opening/model-shelf.ts'
import type { Opened } from '../opening/repository.ts'

/** What is as near as this is the same score on another processor. */
const TOLERANCE = 1e-6

/** Asks Models again what records say that they gave. */
export interface ScoreCheck {
  /** A record that has outputs, and the policy as it was for it. */
  add(policy: Policy, record: DecisionRecord): void
  /** Asks about those that were added since the last time. */
  settle(): Promise<void>
  /** Undefined where no record had any. */
  finish(): ReplayResult['scores']
  close(): Promise<void>
}

export function createScoreCheck(host: Host, opened: Opened): ScoreCheck {
  const runtimes = createRuntimes(host, opened)
  const askers = new Map<Policy, Promise<ScoreAhead | string>>()
  const added = new Map<Policy, DecisionRecord[]>()
  const unavailable = new Map<string, number>()
  let decisions = 0
  let within = 0
  let largest: number | null = null

  async function open(policy: Policy): Promise<ScoreAhead | string> {
    try {
      return createScoreAhead(policy, await runtimes.open(policy))
    } catch (error) {
      return reasonOf(error)
    }
  }

  /** As the repository has it, if it still has this very Model. */
  function toleranceOf({ spec: { scorer } }: Policy): number {
    const now = scorer && opened.repository.scorer(scorer.name)
    if (now?.digest !== scorer?.digest) return TOLERANCE
    return opened.repository.get('Model', scorer?.name ?? '')?.spec.parity?.tolerance ?? TOLERANCE
  }

  function missing(reason: string, count: number): void {
    unavailable.set(reason, (unavailable.get(reason) ?? 0) + count)
  }

  async function check(policy: Policy, records: readonly DecisionRecord[]): Promise<void> {
    const asker = askers.get(policy) ?? open(policy)
    askers.set(policy, asker)
    const ahead = await asker
    if (typeof ahead === 'string') return missing(ahead, records.length)
    const asked = records.flatMap(record => askedOf(policy, record))
    if (asked.length < records.length)
      missing('its actions or its context do not fit the policy', records.length - asked.length)
    try {
      const pools = await ahead(asked, host.signal)
      const tolerance = toleranceOf(policy)
      for (const [i, { logged, indices }] of asked.entries()) {
        const difference = differenceBetween(logged, numbersOf(policy, pools[i], indices))
        decisions++
        if (difference <= tolerance) within++
        largest = Math.max(largest ?? 0, difference)
      }
    } catch (error) {
      missing(reasonOf(error), asked.length)
    }
  }

  return {
    add(policy, record) {
      const records = added.get(policy) ?? []
      records.push(record)
      added.set(policy, records)
    },
    async settle() {
      for (const [policy, records] of added) await check(policy, records)
      added.clear()
    },
    finish() {
      if (decisions === 0 && unavailable.size === 0) return undefined
      return {
        decisions,
        within,
        largestDifference: largest,
        unavailable: [...unavailable].map(([reason, count]) => ({ reason, count })),
      }
    },
    close: runtimes.close,
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof DapError)) throw error
  return error.message
}

/** The decision of a record; nothing where it does not fit the policy, which its replay tells. */
function askedOf(policy: Policy, record: DecisionRecord) {
  const { model, eligible } = record
  const pool = poolOf(policy, record)
  const checked = policy.context(record.context)
  if ('faults' in pool || 'faults' in checked || model?.outputs === undefined) return []
  const indices = Int32Array.from(eligible, ({ id }) => pool.ids.indexOf(id))
  if (indices.includes(-1)) return []
  const context: Context = checked.context
  return [{ context, pool, indices, logged: model.outputs }]
}

function numbersOf(
  { spec: { scorer } }: Policy,
  { outputs }: Awaited<ReturnType<ScoreAhead>>[number],
  indices: Int32Array,
): readonly number[] {
  if (scorer === undefined || outputs === undefined || 'failure' in outputs) return []
  return loggedOutputs(scorer, outputs, indices)
}

/** The largest of two lists of numbers; without end where they are not as long. */
function differenceBetween(logged: readonly number[], now: readonly number[]): number {
  if (logged.length !== now.length) return Number.MAX_VALUE
  return logged.reduce((most, x, i) => Math.max(most, differenceOf(x, now[i])), 0)
}
