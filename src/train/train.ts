import { DapError } from '../errors.ts'
import type { DatasetSpec } from '../kinds.ts'
import { declaredActions, sortedActions } from '../log/actions.ts'
import { contextReader, contextSource } from '../log/context-reader.ts'
import {
  badRowCount,
  badRowsError,
  type DecisionLog,
  nothingLeftOut,
  observedActions,
  readDecisionLog,
  servedNotes,
} from '../log/decision-log.ts'
import { createRequests, logColumns, logLayout, unitColumn } from '../log/layout.ts'
import { joinNotes } from '../log/reward-join.ts'
import {
  type GroupColumn,
  type RewardJoin,
  type Tables,
  type TextColumn,
  UNIT_GROUPS,
  type UnitPart,
} from '../log/tables.ts'
import { createPolicy, type Policy } from '../policy/policy.ts'
import { mergeStatistics } from '../policy/statistics.ts'
import { batches } from './batches.ts'
import { type Fold, type FoldPlan, foldHere } from './fold.ts'

export interface TrainingPlan extends Pick<FoldPlan, 'policy' | 'weights'> {
  readonly dataset: {
    readonly name: string
    readonly spec: DatasetSpec
    /** Absolute. */
    readonly paths: readonly string[]
    /** The actions of the policy that `spec.actions` names. */
    readonly policyActions?: readonly string[]
    readonly join?: RewardJoin
  }
  /** Units of the groups [0, heldOut) are not learnt from. */
  readonly heldOut: number
}

export interface Training {
  /** It has learnt. */
  readonly policy: Policy
  /** Rows that were learnt, and rows of held out units. */
  readonly rows: number
  readonly heldOut: number
  /** The rows of held out units. */
  readonly heldOutPart: UnitPart
  /** Bad rows, left out. */
  readonly dropped: number
  /** Timestamps of the first and the last decision that was learnt, as RFC 3339, where the log has them. */
  readonly from?: string
  readonly to?: string
  /** By action of the policy: rows, and how many of equal weight they are worth. */
  readonly learnt: readonly { readonly action: string; readonly rows: number; readonly effectiveRows: number }[]
  /** Decisions that were left out because their wait was not over. */
  readonly waiting: number
  readonly notes: readonly string[]
}

/**
 * Learns a policy from a log, in one pass (one more, over one column, where the Dataset does not say which actions there are). The
 * same log gives the same learner, bit for bit, whatever folds it. `onProgress` is told how many rows have been folded. Throws a
 * DapError for a log that cannot be used, the abort's reason when `signal` is aborted.
 */
export async function train(
  plan: TrainingPlan,
  tables: Tables,
  fold: Fold = foldHere,
  onProgress: (rows: number) => void = () => {},
  signal?: AbortSignal,
): Promise<Training> {
  const { dataset, weights, heldOut } = plan
  const { name, spec, digest } = plan.policy
  const policy = createPolicy(name, spec, digest)
  const { join, paths } = dataset
  const source = { format: dataset.spec.format, paths, join }
  const columns = logColumns(dataset.spec, await tables.columns(source))

  const context = policy.features.dimension > 0 ? contextSource(policy, columns) : undefined
  const requests = createRequests()
  const wanted = (context ? contextReader(policy, context).requests : []).map(request => ({
    place: requests.add(request),
    type: request.type,
  }))
  const unit = heldOut > 0 ? unitColumn(columns) : undefined
  const unitAt = unit && requests.add({ ...unit, type: 'group' })
  const tsAt = columns.ts === undefined ? undefined : requests.add({ column: columns.ts, type: 'text' })
  const layout = logLayout(source, columns, requests)

  const ofLog =
    declaredActions(dataset.spec, dataset.policyActions) ??
    sortedActions(await observedActions(tables, layout, undefined, signal))
  const { length } = policy.actions
  const actions = [...policy.actions, ...ofLog.filter(id => !policy.actions.includes(id))]
  const strangers = new Map<string, number>()
  const time = timeSpan()
  const leftOut = nothingLeftOut()
  let rows = 0
  let out = 0

  function choose({ rows: count, row, action, columns: chunk }: DecisionLog, chosen: Int32Array): number {
    const groups = unitAt === undefined ? undefined : (chunk[unitAt] as GroupColumn).values
    const times = tsAt === undefined ? undefined : (chunk[tsAt] as TextColumn).values
    let learnt = 0
    for (let i = 0; i < count; i++) {
      const group = groups === undefined ? row[i] % UNIT_GROUPS : groups[i]
      if (group < heldOut) out++
      else if (action[i] >= length) strangers.set(actions[action[i]], (strangers.get(actions[action[i]]) ?? 0) + 1)
      else {
        chosen[learnt++] = i
        if (times !== undefined) time.see(times[i])
      }
    }
    rows += learnt
    return learnt
  }

  const statistics = mergeStatistics(spec.algorithm.learner, length, policy.features.dimension)
  const log = readDecisionLog(tables, layout, actions, leftOut, signal)
  for await (const part of fold({ policy: plan.policy, weights, context }, batches(log, wanted, choose))) {
    statistics.merge(part)
    onProgress(rows)
  }
  if (badRowCount(leftOut) > 0 && dataset.spec.quality.badRows === 'fail') throw badRowsError(leftOut)
  const counts = await tables.joinCounts(source, signal)
  if (rows === 0) {
    const waiting = counts?.waiting ?? 0
    throw new DapError(`the log of Dataset \`${dataset.name}\` has no row to learn from`, {
      hint:
        waiting > 0
          ? `the wait for rewards of ${waiting} decisions is not over: --until TIME takes it as over`
          : '`dap log check` and `dap log stats` say what is in it',
    })
  }
  try {
    policy.learner.restore(statistics.state())
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new DapError(`the log is too large in its numbers to learn from: ${cause.message}`, {
      hint: 'standardize the features',
      cause,
    })
  }

  const learnt = statistics.learnt()
  return {
    policy,
    rows,
    heldOut: out,
    heldOutPart: { unit, from: 0, to: heldOut },
    dropped: badRowCount(leftOut),
    ...time.span(),
    learnt: policy.actions.map((action, a) => ({ action, rows: learnt.rows[a], effectiveRows: learnt.effective[a] })),
    waiting: counts?.waiting ?? 0,
    notes: [
      ...(counts === undefined ? [] : joinNotes(counts)),
      ...servedNotes(leftOut),
      ...[...strangers].map(
        ([id, n]) => `${n} ${n === 1 ? 'row' : 'rows'} of action \`${id}\`, which the policy does not have, left out`,
      ),
    ],
  }
}

/** The first and the last of timestamps of one format, which sort as text does. */
function timeSpan() {
  let first: string | undefined
  let last: string | undefined
  return {
    see(ts: string | null) {
      if (ts === null) return
      if (first === undefined || ts < first) first = ts
      if (last === undefined || ts > last) last = ts
    },
    span() {
      const [from, to] = [first, last].map(rfc3339)
      return from === undefined || to === undefined ? {} : { from, to }
    },
  }
}

/** A UTC timestamp, which a database may have written with a blank and no zone, as RFC 3339; undefined for any other text. */
function rfc3339(ts: string | undefined): string | undefined {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:Z|\+00(?::?00)?)?$/.exec(ts ?? '')
  return found === null ? undefined : `${found[1]}T${found[2]}Z`
}
