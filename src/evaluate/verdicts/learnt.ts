import type { CandidateSpec, LearntFromSpec } from '../../kinds.ts'
import { createKinship, type Kinship } from '../../log/id-sketch.ts'
import { type OpenLog, unitColumn, unitKind } from '../../log/rows/layout.ts'
import { createRequests } from '../../log/rows/row-reader.ts'
import {
  type Column,
  type ColumnRequest,
  type GroupColumn,
  groupOfRow,
  type NumberColumn,
  type RowPart,
  type SourceFault,
  type TableSource,
  type Tables,
  UNIT_GROUPS,
} from '../../log/tables.ts'
import { learnerOf } from '../../policy/algorithm.ts'
import type { Policy } from '../../policy/policy.ts'
import { type SnapshotData, type UnitKind, unpackNumbers } from '../../policy/snapshot-format.ts'
import type { CandidateResult, EvaluationResult } from '../../results.ts'
import type { EvaluationPlan } from '../evaluation-plan.ts'
import { both, type Judgement } from './verdict.ts'

/** What a candidate was made from. Of tables and scores whose origin nobody says, `unsaid`, other decisions are assumed. */
export type Learnt =
  | { readonly kind: 'nothing' | 'unsaid' | 'unknown' }
  /** The very log that it is judged on. */
  | { readonly kind: 'log' }
  | LearntDecisions

export interface LearntDecisions {
  readonly kind: 'decisions'
  /** Of the files. */
  readonly digest?: string
  /** Milliseconds since 1970, of the first and the last decision. */
  readonly from?: number
  readonly to?: number
  /** Units of the groups [0, groups) were not learnt; `by` default: as the log has it. Absent: not known. */
  readonly heldOut?: { readonly groups: number; readonly by?: UnitKind }
  /** A sketch of their ids. */
  readonly ids?: readonly number[]
  /** What mends it where no row is left to judge on. */
  readonly mend: string
}

/** A log, as far as it has to do with what a candidate learnt. */
export interface LogFacts {
  readonly digest: string
  readonly by: UnitKind
  /** Milliseconds since 1970, of the first and the last row. */
  readonly first?: number
  readonly last?: number
  /** Every row has a time. */
  readonly timed: boolean
  /** Its ids beside those of the candidate's sketch. */
  readonly ids: Kinship
  /** Learnt decisions are in groups that were held out: units are told apart by something else than they were then. */
  readonly regrouped: boolean
}

/** On which rows of a log a candidate may be judged. */
export type FairRows =
  | { readonly kind: 'all'; readonly from: CandidateResult['learntFrom']; readonly doubtful?: boolean }
  /** Those of the groups [0, groups). */
  | { readonly kind: 'units'; readonly groups: number }
  /** Those later than this, in milliseconds since 1970. */
  | { readonly kind: 'after'; readonly ms: number }
  | { readonly kind: 'none'; readonly reason: string }

/**
 * A candidate is not judged on what it learnt: on the log if it learnt at another time, else on units that were held out, else on what came
 * later, else, with a doubt, on decisions of other ids, which may be new names of the same.
 */
export function fairRows(learnt: Learnt, log: LogFacts): FairRows {
  switch (learnt.kind) {
    case 'nothing':
      return { kind: 'all', from: 'nothing' }
    case 'unsaid':
    case 'unknown':
      return { kind: 'all', from: 'unknown' }
    case 'log':
      return { kind: 'none', reason: 'it was made from the log that it would be judged on, as `learntFrom` says' }
    case 'decisions':
      return fairRowsOfLearner(learnt, log)
  }
}

function fairRowsOfLearner(learnt: LearntDecisions, log: LogFacts): FairRows {
  const { from = Number.NEGATIVE_INFINITY, to = Number.NaN, heldOut } = learnt
  const { first = Number.NaN, last = Number.NaN } = log
  const same = learnt.digest === log.digest || log.ids === 'shared'
  const apart = log.timed && (last < from || first > to)
  if (!same && apart) return { kind: 'all', from: 'other-decisions' }
  const later: FairRows | undefined = last > to ? { kind: 'after', ms: to } : undefined
  if (heldOut === undefined) return later ?? { kind: 'all', from: 'unknown' }

  const { groups, by } = heldOut
  const alike = by === undefined ? log.by !== 'row' : by === log.by && (by !== 'row' || learnt.digest === log.digest)
  if (groups > 0 && alike && !log.regrouped) return { kind: 'units', groups }
  if (later !== undefined) return later
  // Other ids are other decisions, or the same under new names.
  if (!same && log.ids === 'other')
    return { kind: 'all', from: 'other-decisions', doubtful: !log.timed || Number.isNaN(to) || last >= from }
  const why =
    groups === 0
      ? 'none were held out'
      : 'those that were held out cannot be told here, where units are not what they were'
  return {
    kind: 'none',
    reason: `it ${same ? 'learnt' : 'may have learnt'} these decisions, and ${why}: ${learnt.mend}`,
  }
}

/** What becomes of a candidate for what it was made from. */
export interface CandidateOrigin {
  readonly from: CandidateResult['learntFrom']
  /** The best verdict that it can have, and why. */
  readonly cap?: Judgement
}

/** The rows of a log on which all candidates of an evaluation are judged, the same for all, so that differences are paired. */
export interface JudgedRows {
  readonly part: RowPart | undefined
  readonly judgedOn: EvaluationResult['dataset']['judgedOn']
  readonly notes: readonly string[]
  /** What is no row, of the whole log, where only some of its rows are read. */
  readonly faults: readonly SourceFault[]
  originOf(candidate: string): CandidateOrigin
}

/**
 * Finds the rows that none of the candidates has learnt. One for which there are none is refused alone, and does not restrict the others.
 * Takes a short pass over the log where a candidate has learnt from decisions.
 */
export async function judgedRows(
  { spec, dataset, policies, learntFrom = new Map() }: EvaluationPlan,
  { source, columns }: OpenLog,
  tables: Tables,
  signal?: AbortSignal,
): Promise<JudgedRows> {
  const learnt = spec.candidates.map(candidate => ({
    candidate,
    learnt: learntBy(candidate, policies.get(candidate.name), learntFrom.get(candidate.name)),
  }))
  const learners = learnt.flatMap(each => (each.learnt.kind === 'decisions' ? [each.learnt] : []))
  const met = learners.length === 0 ? undefined : await meetLog({ source, columns }, learners, tables, signal)
  const by = unitKind(columns)
  const candidates = learnt.map(({ candidate: { name }, learnt: each }) => {
    const { ids = 'unclear', regrouped = false } = (each.kind === 'decisions' && met?.kin.get(each)) || {}
    const facts: LogFacts = { digest: dataset.digest, by, timed: false, ...met?.span, ids, regrouped }
    return { name, learnt: each, rows: fairRows(each, facts) }
  })

  const groups = candidates.flatMap(({ rows }) => (rows.kind === 'units' ? [rows.groups] : []))
  const times = candidates.flatMap(({ rows }) => (rows.kind === 'after' ? [rows.ms] : []))
  const { units } = source.part ?? {}
  const part: RowPart = {
    units:
      groups.length === 0
        ? units
        : { from: 0, ...units, unit: unitColumn(columns), to: Math.min(...groups, units?.to ?? UNIT_GROUPS) },
    after: times.length === 0 || columns.ts === undefined ? undefined : { column: columns.ts, ms: Math.max(...times) },
  }
  const restricted = groups.length + times.length > 0
  const empty = restricted && !(await hasRows(tables, { ...source, part }, columns.action, signal))
  const judgedOn =
    !restricted || empty
      ? null
      : {
          ...(groups.length === 0 ? {} : { heldOut: { groups: Math.min(...groups), by } }),
          ...(times.length === 0 ? {} : { after: new Date(Math.max(...times)).toISOString() }),
        }
  const origins = new Map(
    candidates.map(({ name, learnt: each, rows }) => [name, originOf(each, rows, empty)] as const),
  )
  const unsaid = learnt.filter(each => each.learnt.kind === 'unsaid').map(each => each.candidate)
  return {
    part: judgedOn === null ? source.part : part,
    judgedOn,
    notes: [...(judgedOn === null ? [] : [judgedOnNote(judgedOn)]), ...unsaid.map(unsaidNote)],
    faults: judgedOn === null ? [] : (met?.faults ?? []),
    originOf: name => origins.get(name) ?? { from: 'nothing' },
  }
}

/** The same, but no better than what the candidate was made from allows. */
export function capped(judgement: Judgement, { cap }: CandidateOrigin): Judgement {
  return cap === undefined ? judgement : both(cap, judgement)
}

/** `data` is what its snapshot says: null where that says nothing, undefined where there is none. */
function learntBy(candidate: CandidateSpec, policy: Policy | undefined, data: SnapshotData | null | undefined): Learnt {
  if ('policy' in candidate) {
    const learns = policy === undefined || learnerOf(policy.spec.algorithm.learner).learns
    if (data === undefined || !learns) return { kind: 'nothing' }
    const { learntFrom } = candidate
    if (learntFrom === 'log' || (data?.heldOut === undefined && learntFrom !== undefined)) return learntAs(learntFrom)
    return data === null ? { kind: 'unknown' } : learntBySnapshot(candidate.policy, data)
  }
  if (!('table' in candidate || 'scores' in candidate || 'probabilities' in candidate)) return { kind: 'nothing' }
  return candidate.learntFrom === undefined ? { kind: 'unsaid' } : learntAs(candidate.learntFrom)
}

function learntBySnapshot(policy: string, { dataset, digest, from, to, heldOut, ids }: SnapshotData): Learnt {
  return {
    kind: 'decisions',
    digest,
    from: timeOf(from),
    to: timeOf(to),
    heldOut,
    ids: ids && unpackNumbers(ids, 'data.ids'),
    mend: `\`dap train ${policy} --dataset ${dataset} --holdout 0.2\` mends that`,
  }
}

function learntAs(said: LearntFromSpec): Learnt {
  if (typeof said === 'string') return { kind: said }
  const groups = Math.round((said.heldOut ?? 0) * UNIT_GROUPS)
  const mend = 'make it from a part of the units, and say so (`learntFrom.heldOut`), or judge it on later decisions'
  return { kind: 'decisions', from: timeOf(said.from), to: timeOf(said.until), heldOut: { groups }, mend }
}

const timeOf = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text))

function originOf(learnt: Learnt, rows: FairRows, empty: boolean): CandidateOrigin {
  const refused = (reason: string): CandidateOrigin => ({
    from: 'this-log',
    cap: { verdict: 'refuse', reasons: [reason] },
  })
  switch (rows.kind) {
    case 'all': {
      if (rows.doubtful === true) return { from: rows.from, cap: { verdict: 'caution', reasons: [RENAMED] } }
      if (rows.from !== 'unknown' || learnt.kind === 'unsaid') return { from: rows.from }
      const reason =
        'what its snapshot learnt from is not known, and may be these decisions: `dap train` makes one that says it'
      return { from: 'unknown', cap: { verdict: 'caution', reasons: [reason] } }
    }
    case 'none':
      return refused(rows.reason)
    default:
      return empty
        ? refused('no row is left that no candidate learnt: judge it in an Evaluation of its own, or on a longer log')
        : { from: 'this-log' }
  }
}

const RENAMED =
  'none of the ids are those that it learnt, but the times are: if ids were given anew, it may have learnt these decisions'

function judgedOnNote({ heldOut, after }: NonNullable<JudgedRows['judgedOn']>): string {
  const share = heldOut && Number(((100 * heldOut.groups) / UNIT_GROUPS).toPrecision(2))
  const units = heldOut && `${share} % of the ${heldOut.by}s, which were held out`
  const later = after && `decisions after ${after}, of which none was learnt`
  return `judged on ${[units, later].filter(Boolean).join(', and of these on ')}`
}

const unsaidNote = (candidate: CandidateSpec): string =>
  `\`${candidate.name}\`: what its ${'table' in candidate ? 'table was' : 'numbers were'} made from is not said (\`learntFrom\`): taken for other decisions`

interface Kin {
  readonly ids: Kinship
  readonly regrouped: boolean
}

/** Meets every row of a log once, and compares it with what the candidates learnt. */
async function meetLog(
  { source, columns }: OpenLog,
  learners: readonly LearntDecisions[],
  tables: Tables,
  signal: AbortSignal | undefined,
): Promise<{
  readonly span: Pick<LogFacts, 'first' | 'last' | 'timed'>
  readonly kin: ReadonlyMap<LearntDecisions, Kin>
  readonly faults: readonly SourceFault[]
}> {
  const requests = createRequests<ColumnRequest>()
  const ask = (request: ColumnRequest | undefined) => (request === undefined ? -1 : requests.add(request))
  const timeAt = ask(columns.ts === undefined ? undefined : { column: columns.ts, type: 'time' })
  const idAt = ask(columns.decisionId === undefined ? undefined : { column: columns.decisionId, type: 'hash' })
  const unit = unitColumn(columns)
  const groupAt = ask(unit && { ...unit, type: 'group' })
  if (requests.list.length === 0) ask({ column: columns.action, type: 'key' })

  const sketched = learners.flatMap(learner =>
    learner.ids === undefined ? [] : [{ learner, kin: createKinship(learner.ids), regrouped: false }],
  )
  const faults: SourceFault[] = []
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  let timed = timeAt >= 0
  const onFault = (fault: SourceFault) => faults.push(fault)
  for await (const { rows, row, columns: chunk } of tables.read(source, requests.list, { onFault, signal })) {
    const times = numbersOf(chunk[timeAt])
    const hashes = numbersOf(chunk[idAt])
    const groups = groupAt < 0 ? undefined : (chunk[groupAt] as GroupColumn).values
    for (let i = 0; times !== undefined && i < rows; i++) {
      if (times[i] < first) first = times[i]
      if (times[i] > last) last = times[i]
      if (Number.isNaN(times[i])) timed = false
    }
    for (const each of hashes === undefined ? [] : sketched) {
      const heldOut = each.learner.heldOut?.groups ?? 0
      for (let i = 0; i < rows; i++) {
        if (!each.kin.see(hashes![i])) continue
        if ((groups === undefined ? groupOfRow(row[i]) : groups[i]) < heldOut) each.regrouped = true
      }
    }
  }
  return {
    span: first <= last ? { first, last, timed } : { timed },
    kin: new Map(sketched.map(({ learner, kin, regrouped }) => [learner, { ids: kin.kinship(), regrouped }])),
    faults,
  }
}

const numbersOf = (column: Column | undefined) => (column as NumberColumn | undefined)?.values

async function hasRows(
  tables: Tables,
  source: TableSource,
  column: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for await (const { rows } of tables.read(source, [{ column, type: 'key' }], { signal })) if (rows > 0) return true
  return false
}
