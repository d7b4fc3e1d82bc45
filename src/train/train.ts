import { DapError } from '../errors.ts'
import { groupedDigits } from '../grouped.ts'
import { createIdSketch } from '../log/id-sketch.ts'
import { declaredActions, undeclaredActions } from '../log/rows/actions.ts'
import { contextSource } from '../log/rows/context-reader.ts'
import { type DecisionLog, readDecisionLog } from '../log/rows/decision-log.ts'
import { type LogColumns, logLayout, type OpenDataset, openLog, unitColumn, unitKind } from '../log/rows/layout.ts'
import {
  addBadRow,
  badRowCount,
  judgeBadRows,
  type LeftOut,
  noRowsError,
  nothingLeftOut,
  readingNotes,
  requireSameRows,
} from '../log/rows/left-out.ts'
import { observedActions } from '../log/rows/observed-actions.ts'
import { joinNotes } from '../log/rows/reward-join.ts'
import { createRequests, type Requests } from '../log/rows/row-reader.ts'
import { type GroupColumn, groupOfRow, type NumberColumn, type RowPart, type Tables } from '../log/tables.ts'
import { learnerOf } from '../policy/algorithm.ts'
import type { FitReport, LearnerState } from '../policy/learner.ts'
import { createPolicy, type Policy } from '../policy/policy.ts'
import { isSet } from '../policy/pool.ts'
import { packNumbers, type SnapshotData } from '../policy/snapshot-format.ts'
import { mergeStatistics } from '../policy/statistics.ts'
import { type BatchColumn, batches } from './batches.ts'
import { fitInPasses } from './fit.ts'
import { type Fold, type FoldFault, type Folding, type FoldPlan, foldHere, readersOf } from './fold.ts'
import { type HashReport, hashReport } from './hash-report.ts'
import { keptBytes, MOST_KEPT } from './kept.ts'
import { forgetsByTime, memoryOf } from './memory.ts'
import { type ListPlaces, slotRows } from './slot-rows.ts'

export interface TrainingPlan extends Pick<FoldPlan, 'policy' | 'weights'> {
  readonly dataset: OpenDataset
  /** Units of the groups [0, heldOut) are not learnt from. */
  readonly heldOut: number
  /** When a learner that forgets looks back, milliseconds since 1970; by default from the last decision that is learnt on. */
  readonly until?: number
  /** Is whoever folds to have the decisions' ids and times, too? */
  readonly identified?: boolean
  /** And contexts, whether or not the learner looks at them? */
  readonly contexts?: boolean
  /** Where a learner that is fitted in passes starts; from nothing without it. */
  readonly start?: LearnerState
  /** Bytes of rows that may be kept for the passes of such a learner. */
  readonly mostKept?: number
}

export interface Training {
  /** It has learnt. */
  readonly policy: Policy
  /** Rows that were learnt, and rows of held out units. */
  readonly rows: number
  readonly heldOut: number
  /** The rows of held out units. */
  readonly heldOutPart: RowPart
  /** Bad rows, left out. */
  readonly dropped: number
  /** Which decisions those were, so that nobody judges the policy on them. */
  readonly learntFrom: Pick<SnapshotData, 'from' | 'to' | 'heldOut' | 'ids' | 'remembered'>
  /** Of a learner that is fitted in passes: how near the optimum it came. */
  readonly fit?: FitReport
  /** Of hashed features: how crowded the slots are, and what weighs most. */
  readonly hashing?: HashReport
  /** By action of the policy: rows, and how many of equal weight they are worth. */
  readonly learnt: readonly { readonly action: string; readonly rows: number; readonly effectiveRows: number }[]
  /** Decisions that were left out because their wait was not over. */
  readonly waiting: number
  readonly notes: readonly string[]
}

/**
 * Learns a policy from a log, in one pass (one more, over the actions alone, where the Dataset does not say which there are). The
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
  const open: Folding[] = []
  const opening: Fold = (of, rows) => {
    open.push(fold(of, rows))
    return open[open.length - 1]
  }
  try {
    return await learn(plan, tables, opening, onProgress, signal)
  } finally {
    for (const folding of open) await folding.end()
  }
}

async function learn(
  plan: TrainingPlan,
  tables: Tables,
  fold: Fold,
  onProgress: (rows: number) => void,
  signal: AbortSignal | undefined,
): Promise<Training> {
  const { dataset, weights, heldOut, mostKept = MOST_KEPT } = plan
  const { name, spec, digest } = plan.policy
  const policy = createPolicy(name, spec, digest)
  const { source, columns } = await openLog(tables, dataset, [policy])
  if (weights === 'inverse-propensity' && columns.propensity === undefined) {
    throw new DapError(`\`--weights inverse-propensity\` needs propensities, and Dataset \`${dataset.name}\` has none`)
  }

  const forgets = forgetsByTime(plan.policy, dataset.name, columns.ts)

  const requests = createRequests()
  // Contexts are read where rows are folded.
  const said = saidColumns(policy, plan, columns)
  const wanted = readersOf(policy, said)
    .flatMap(each => each?.requests ?? [])
    .map(
      (request): BatchColumn => ({
        place: requests.add({ ...request, optional: true }),
        type: request.type === 'number' ? 'number' : 'text',
      }),
    )
  // Of the log of a server each slot is a row; which of them, and how, is said in two columns more.
  const lists = askForLists(requests, policy, columns, said)
  const unit = heldOut > 0 ? unitColumn(columns) : undefined
  const unitAt = unit && requests.add({ ...unit, type: 'group' })
  const numbers = (column: string | undefined, type: 'time' | 'hash'): BatchColumn[] =>
    column === undefined ? [] : [{ place: requests.add({ column, type, optional: true }), type: 'number' }]
  const times = numbers(columns.ts, 'time')
  const hashes = numbers(columns.decisionId, 'hash')
  const texts = (column: string | undefined): BatchColumn[] =>
    column === undefined || plan.identified !== true
      ? []
      : [{ place: requests.add({ column, type: 'text', optional: true }), type: 'text' }]
  const decisionIds = texts(columns.decisionId)
  const taken = texts(columns.offered === undefined ? undefined : 'action')
  const ofRecord = logLayout(source, columns, requests)
  // The sets of a `dap` log have been checked with its records.
  const layout = columns.decision === undefined ? ofRecord : { ...ofRecord, eligible: undefined }

  const slotColumns = columnsOfSlots(lists, layout.columns.length)
  wanted.push(...slotColumns)

  const declared = declaredActions(dataset, columns.offered !== undefined)
  const observed = declared === undefined ? await observedActions(tables, layout, signal) : undefined
  const ofLog = declared ?? undeclaredActions(policy.actions, observed?.cells ?? [])
  const { length } = policy.actions
  const actions = [...policy.actions, ...ofLog.filter(id => !policy.actions.includes(id))]
  const strangers = new Map<string, number>()
  const unused = new Map<string, number>()
  const span = createTimeSpan()
  const ids = createIdSketch()
  const leftOut = nothingLeftOut()
  let rows = 0
  let out = 0

  function choose({ rows: count, row, action, columns: chunk }: DecisionLog, chosen: Int32Array): number {
    const groups = unitAt === undefined ? undefined : (chunk[unitAt] as GroupColumn).values
    let learnt = 0
    for (let i = 0; i < count; i++) {
      const group = groups === undefined ? groupOfRow(row[i]) : groups[i]
      if (group < heldOut) out++
      else if (columns.offered === undefined && action[i] >= length)
        strangers.set(actions[action[i]], (strangers.get(actions[action[i]]) ?? 0) + 1)
      else chosen[learnt++] = i
    }
    return learnt
  }

  const bySlot = (log: AsyncIterable<DecisionLog>) =>
    lists === undefined
      ? log
      : slotRows(log, policy, lists, layout.reward, actions, async row => (await tables.places(source, [row]))[0])

  /** What was sent to be folded, and is not back. */
  const sent: { readonly rows: number; readonly times?: Float64Array; readonly hashes?: Float64Array }[] = []
  const { learner } = spec.algorithm
  const passes = learnerOf(learner).passes?.(
    learner,
    policy.kept.length,
    policy.features.dimension,
    policy.features.hashing,
  )
  let bytes = 0
  async function* toFold() {
    const columnsOf = [...wanted, ...times, ...hashes, ...decisionIds, ...taken]
    const decisions = readDecisionLog(tables, layout, actions, leftOut, signal)
    const log = bySlot(decisions)
    for await (const { columns: all, ...batch } of batches(log, columnsOf, choose)) {
      const valuesOf = (asked: readonly BatchColumn[]) =>
        asked.length === 0 ? undefined : (all[columnsOf.indexOf(asked[0])] as NumberColumn).values
      if (passes !== undefined) {
        bytes += keptBytes(batch.rows, policy.features.dimension)
        if (bytes > mostKept)
          throw tooMuch(learner.type, Math.floor(mostKept / keptBytes(1, policy.features.dimension)))
      }
      sent.push({ rows: batch.rows, times: valuesOf(times), hashes: valuesOf(hashes) })
      if (plan.identified === true) yield { ...batch, columns: all }
      else {
        // What is yielded may be gone: its memory is handed to a thread. The times are looked at here, too.
        const own = forgets ? times.map(time => copyOf(all[columnsOf.indexOf(time)] as NumberColumn)) : []
        yield { ...batch, columns: [...all.slice(0, wanted.length), ...own] }
      }
    }
  }

  /** Where in a batch is what identifies decisions. */
  function places(): Pick<FoldPlan, 'times' | 'ids' | 'taken'> {
    const ids = wanted.length + times.length + hashes.length
    return {
      ...(times.length > 0 ? { times: wanted.length } : {}),
      ...(decisionIds.length > 0 ? { ids } : {}),
      ...(taken.length > 0 ? { taken: ids + decisionIds.length } : {}),
    }
  }

  const statistics = mergeStatistics(
    spec.algorithm,
    Math.max(1, policy.kept.length),
    policy.features.dimension,
    policy.features.own,
  )
  const foldPlan: FoldPlan = {
    ...{ policy: plan.policy, weights, ...said },
    slots: slotColumns.length === 0 ? undefined : wanted.length - slotColumns.length,
    ...(plan.identified === true ? places() : forgets ? { times: wanted.length } : {}),
  }
  const folding = fold(foldPlan, toFold())
  for await (const { sums, faults, unlearnable } of folding) {
    if (unlearnable !== undefined) {
      const [place] = await tables.places(source, [unlearnable.row])
      throw new DapError(`${place}: ${unlearnable.reason}`)
    }
    statistics.merge(sums)
    const batch = sent.shift()
    if (batch === undefined) throw new RangeError('a batch came back that was not sent')
    leaveOut(faults, leftOut, unused)
    const unusable = new Set(faults.map(({ at }) => at))
    for (let i = 0; i < batch.rows; i++) {
      if (unusable.has(i)) continue
      if (batch.times !== undefined) span.see(batch.times[i])
      if (batch.hashes !== undefined) ids.add(batch.hashes[i])
    }
    rows += batch.rows - faults.length
    onProgress(rows)
  }
  if (observed !== undefined) requireSameRows(leftOut, observed)
  const dropped = await judgeBadRows(leftOut, tables, source, dataset.spec)
  const counts = await tables.joinCounts(source, signal)
  const notes = [
    ...dropped,
    ...(counts === undefined ? [] : joinNotes(counts)),
    ...readingNotes(leftOut),
    ...strangerNotes(strangers),
    ...[...unused].map(([reason, n]) => `${rowsOf(n)} left out: ${reason}`),
  ]
  const waiting = counts?.waiting ?? 0
  if (rows === 0) throw noRowsError(dataset.name, 'to learn from', notes, nothingHint(waiting, unused.size))
  const { remembered, forgotten } = memoryOf(statistics, rows, plan.until)
  const looking = { from: plan.start, asOf: statistics.remembered(plan.until)?.at }
  const fit = passes && (await fitInPasses(passes, folding, statistics.worth(plan.until), looking))
  try {
    policy.learner.restore(fit?.state() ?? statistics.state(plan.until))
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new DapError(`the log is too large in its numbers to learn from: ${cause.message}`, {
      hint: 'what remains are its rewards: mend them, or let `reward.cap` of the Dataset bound them',
      cause,
    })
  }

  const learnt = statistics.learnt(plan.until)

  return {
    policy,
    rows,
    heldOut: out,
    heldOutPart: { units: { unit, from: 0, to: heldOut } },
    learntFrom: {
      ...span.window(),
      heldOut: { groups: heldOut, by: unitKind(columns) },
      ...(ids.hashes().length > 0 ? { ids: packNumbers(ids.hashes()) } : {}),
      ...(remembered === undefined ? {} : { remembered }),
    },
    dropped: badRowCount(leftOut),
    fit: fit?.report,
    hashing: await hashReport(policy, folding),
    learnt: (policy.kept.length > 0 ? policy.kept : [columns.offered === undefined ? OF_THE_SET : ANY_ACTION]).map(
      (action, a) => ({
        action,
        rows: learnt.rows[a],
        effectiveRows: learnt.effective[a],
      }),
    ),
    waiting,
    notes: [...notes, ...forgotten],
  }
}

/** Where it is said what rows are made of, beside their action. */
function saidColumns(
  policy: Policy,
  { dataset, contexts = false }: Pick<TrainingPlan, 'dataset' | 'contexts'>,
  columns: LogColumns,
): Pick<FoldPlan, 'context' | 'offered' | 'actionFeatures' | 'outputs'> {
  const { actions, algorithm, scorer } = policy.spec
  // What a Model gives is nothing to learn from where it is the learner itself.
  const reads = policy.features.dimension > 0 && algorithm.learner.type !== 'model'
  return {
    context: reads || contexts ? contextSource(policy, columns) : undefined,
    offered: columns.offered,
    ...(isSet(actions) ? { actionFeatures: columns.decision?.actionFeatures } : {}),
    ...(reads && !contexts && scorer !== undefined ? { outputs: requireRecords(policy, dataset, columns) } : {}),
  }
}

/** What a Model gave is in dap's own records alone; a DapError of another log. */
function requireRecords({ name }: Policy, dataset: OpenDataset, { decision }: LogColumns): FoldPlan['outputs'] {
  if (decision !== undefined) return decision
  throw new DapError(
    `policy \`${name}\` learns from what its Model gives, and a log of format ${dataset.spec.format} does not say it`,
    {
      hint: 'learn from the decision log of dap itself, `format: dap`: its records have what the Model gave',
    },
  )
}

/** Asks for what lists are made of, of as many slots as the policy has; undefined where the log is none of a server. */
function askForLists(
  requests: Requests,
  { slots }: Policy,
  { decision }: LogColumns,
  { offered, actionFeatures }: Pick<FoldPlan, 'offered' | 'actionFeatures'>,
): ListPlaces | undefined {
  if (decision === undefined) return undefined
  const text = (column: string | undefined) =>
    column === undefined ? undefined : requests.add({ column, type: 'text', optional: true })
  return {
    list: requests.add({ column: 'list', type: 'text', optional: true }),
    rewards: Array.from({ length: slots.count }, (_, slot) =>
      requests.add({ column: '', type: 'reward', slot, optional: true }),
    ),
    offered: text(offered),
    actionFeatures: text(actionFeatures),
  }
}

/** What `slotRows` adds to the columns of a log that has so many. */
const columnsOfSlots = (lists: ListPlaces | undefined, count: number): readonly BatchColumn[] =>
  lists === undefined ? [] : [count, count + 1].map(place => ({ place, type: 'number' }))

/** Bad rows are counted with the others that are bad, those that are of no use by the reason. */
function leaveOut(faults: readonly FoldFault[], leftOut: LeftOut, unused: Map<string, number>): void {
  for (const { row, reason, unused: right } of faults) {
    if (right) unused.set(reason, (unused.get(reason) ?? 0) + 1)
    else addBadRow(leftOut, row, reason)
  }
}

/** What to do about a log without a row to learn from. */
function nothingHint(waiting: number, unused: number): string | undefined {
  if (waiting > 0) {
    return `the wait for rewards of ${groupedDigits(waiting)} decisions is not over: --until TIME takes it as over`
  }
  return unused > 0
    ? 'what a Model gives is learnt from decisions that this very Model was asked for, and that have it in their records'
    : undefined
}

/** Of more actions than these, as the set of last month may have had, they are told together. */
const MOST_STRANGERS = 10

const rowsOf = (n: number): string => `${groupedDigits(n)} ${n === 1 ? 'row' : 'rows'}`

function strangerNotes(strangers: ReadonlyMap<string, number>): string[] {
  if (strangers.size <= MOST_STRANGERS) {
    return [...strangers].map(([id, n]) => `${rowsOf(n)} of action \`${id}\`, which the policy does not have, left out`)
  }
  const all = [...strangers.values()].reduce((sum, n) => sum + n, 0)
  const first = [...strangers.keys()].slice(0, 3).map(id => `\`${id}\``)
  return [
    `${rowsOf(all)} of ${groupedDigits(strangers.size)} actions that the policy does not have (${first.join(', ')}, …), left out`,
  ]
}

/** What stands for all the actions that requests brought. */
const ANY_ACTION = "the requests' own"

/** The same of a set, for a model that its actions share. */
const OF_THE_SET = 'those of the set'

const copyOf = (column: NumberColumn): NumberColumn => ({ ...column, values: column.values.slice() })
function tooMuch(learner: string, most: number): DapError {
  const message = `the learner \`${learner}\` passes over all rows again and again, and can keep ${groupedDigits(most)} of these: the log has more`
  return new DapError(message, { hint: 'learn from fewer files of the log, a sample of it, or fewer features' })
}

/** The first and the last of times in milliseconds since 1970; those that are missing are NaN. */
function createTimeSpan() {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  return {
    see(time: number) {
      if (time < first) first = time
      if (time > last) last = time
    },
    window(): Pick<SnapshotData, 'from' | 'to'> {
      return first <= last ? { from: new Date(first).toISOString(), to: new Date(last).toISOString() } : {}
    },
  }
}
