import { DapError } from '../../errors.ts'
import { groupedDigits } from '../../grouped.ts'
import type { DatasetSpec } from '../../kinds.ts'
import type { ServedBy } from '../records/records.ts'
import type { SourceFault, TableSource, Tables } from '../tables.ts'
import { namedColumns } from './log-columns.ts'

/** What one pass met, and did not hand on. */
export interface LeftOut {
  /** Rows that were met, and of these the rows that were handed on. */
  met: number
  kept: number
  /** Rows that were handed on and stand for more than one decision. */
  weighted: number
  /** Rewards above the cap, of rows that were handed on. Sums count what each row stands for. */
  readonly capped: {
    cap: number
    rows: number
    /** What the cap took from them, and what all rewards were before. */
    reward: number
    total: number
  }
  /** Bad rows that want nothing but a reward. */
  unrewarded: number
  /** Who served (`holdout`, `fallback`, …) → rows. */
  readonly served: Map<string, number>
  /** What is wrong → rows. */
  readonly bad: Map<string, number>
  /** The first bad rows: their numbers, counted from 0, ascending, and what is wrong. */
  readonly rows: { readonly row: number; readonly reason: string }[]
  /** The first of what is no row. */
  readonly faults: SourceFault[]
}

const EXAMPLES = 10
const IN_A_NOTE = 3
/** What `served` says of a decision without an action. */
const NOBODY: ServedBy = 'none'
/** Reasons may quote what was read: more than these are counted as one. */
const REASONS = 100
const OTHERS = 'other reasons'

export function nothingLeftOut(): LeftOut {
  return {
    met: 0,
    kept: 0,
    weighted: 0,
    capped: { cap: Infinity, rows: 0, reward: 0, total: 0 },
    unrewarded: 0,
    served: new Map(),
    bad: new Map(),
    rows: [],
    faults: [],
  }
}

export function addBadRow({ bad, rows }: LeftOut, row: number, reason: string): void {
  count(bad, reason, 1)
  if (rows.length === EXAMPLES && row > rows[EXAMPLES - 1].row) return
  rows.splice(rows.findLastIndex(example => example.row < row) + 1, 0, { row, reason })
  if (rows.length > EXAMPLES) rows.pop()
}

export function addFault({ bad, faults }: LeftOut, fault: SourceFault): void {
  count(bad, fault.reason, fault.rows ?? 1)
  if (faults.length < EXAMPLES) faults.push(fault)
}

function count(bad: Map<string, number>, reason: string, rows: number): void {
  const key = bad.has(reason) || bad.size < REASONS ? reason : OTHERS
  bad.set(key, (bad.get(key) ?? 0) + rows)
}

/** How many bad rows there were. */
export function badRowCount({ bad }: LeftOut): number {
  return [...bad.values()].reduce((sum, rows) => sum + rows, 0)
}

/** All passes over one log must meet the same rows. */
export function requireSameRows(first: LeftOut, later: Pick<LeftOut, 'met'> & Partial<Pick<LeftOut, 'kept'>>): void {
  if (first.met === later.met && first.kept === (later.kept ?? first.kept)) return
  throw new DapError(`the log changed while it was read: ${first.met} rows, then ${later.met}`, {
    hint: 'read a copy that nobody writes to',
  })
}

/**
 * The same, with as much of each reason as quotes nothing but names of columns. Where no row could be used, nobody knows that the file is a
 * log, and not, say, one of passwords that a Dataset was made to name.
 */
function withoutQuotes(leftOut: LeftOut, columns: ReadonlySet<string>): LeftOut {
  const cut = (reason: string) => {
    const quote = [...reason.matchAll(/`([^`]*)`/g)].find(([, name]) => !columns.has(name))
    return quote === undefined ? reason : `${reason.slice(0, quote.index)}…`
  }
  const bad = new Map<string, number>()
  for (const [reason, rows] of leftOut.bad) bad.set(cut(reason), (bad.get(cut(reason)) ?? 0) + rows)
  return { ...leftOut, bad, rows: leftOut.rows.map(({ row, reason }) => ({ row, reason: cut(reason) })) }
}

/**
 * What is to be said of the bad rows of a whole pass: nothing where there are none; notes, where they are dropped; else the error
 * that `quality.badRows: fail` asks for, with all of them counted and the first named.
 */
export async function judgeBadRows(
  met: LeftOut,
  tables: Tables,
  source: TableSource,
  { format, mapping, policies, quality: { badRows } }: DatasetSpec,
): Promise<string[]> {
  const bad = badRowCount(met)
  if (bad === 0) return []
  // A record of dap's own says itself what it is.
  const understood = format === 'dap' || met.kept > 0
  const leftOut = understood
    ? met
    : withoutQuotes(met, new Set([...namedColumns(mapping), ...(source.once?.same ?? [])]))
  const examples = await badRowExamples(leftOut, tables, source)
  if (badRows === 'fail') {
    const others = format === 'dap' && policies === undefined && leftOut.unrewarded === 0
    throw badRowsError(
      'log',
      leftOut,
      examples,
      others ? `${MEND}; \`policies\` there says whose decisions are read` : undefined,
    )
  }
  const named = examples.slice(0, IN_A_NOTE)
  const more = bad > named.length ? [`and ${groupedDigits(bad - named.length)} more`] : []
  const { unrewarded } = leftOut
  return [
    `${rowsOf(bad, 'bad ')} dropped: ${[...named, ...more].join('; ')}`,
    ...(unrewarded > 0 ? [`${groupedDigits(unrewarded)} of them for want of a reward: ${ABSENT_REWARD}`] : []),
  ]
}

const ABSENT_REWARD = 'an absent reward is a choice: `spec.reward.default` says what it counts as'

/** The first bad rows, each as `data/l.csv:202: what is wrong`. */
export async function badRowExamples(
  { rows, faults }: LeftOut,
  tables: Tables,
  source: TableSource,
): Promise<readonly string[]> {
  const places =
    rows.length === 0
      ? []
      : await tables.places(
          source,
          rows.map(({ row }) => row),
        )
  const examples = [...faults, ...rows.map(({ reason }, j) => ({ reason, place: places[j] }))]
  return examples.slice(0, EXAMPLES).map(({ place, reason }) => `${place}: ${reason}`)
}

const MEND = 'mend the rows, or set `quality.badRows: drop` in the Dataset to leave them out'

/** `what` has bad rows: the log, a table. */
export function badRowsError(what: string, leftOut: LeftOut, examples: readonly string[], hint?: string): DapError {
  const bad = badRowCount(leftOut)
  const reasons = [...leftOut.bad]
    .sort(([one, n], [other, m]) => m - n || (one < other ? -1 : 1))
    .map(([reason, n]) => `${groupedDigits(n)} × ${reason}`)
  const shown = reasons.length > EXAMPLES ? [...reasons.slice(0, EXAMPLES), '…'] : reasons
  const more = bad > examples.length ? [`and ${groupedDigits(bad - examples.length)} more`] : []
  return new DapError(
    `the ${what} has ${rowsOf(bad, 'bad ')} (${shown.join('; ')})\n  ${[...examples, ...more].join('\n  ')}`,
    {
      hint: hint ?? (leftOut.unrewarded > 0 ? ABSENT_REWARD : MEND),
    },
  )
}

/** Not one row can be used; `notes` say what became of them. */
export function noRowsError(dataset: string, use: string, notes: readonly string[], hint?: string): DapError {
  return new DapError(
    [`the log of Dataset \`${dataset}\` has no row ${use}`, ...notes.map(note => `  ${note}`)].join('\n'),
    { hint: hint ?? '`dap log check` and `dap log stats` say what is in a log of format dap' },
  )
}

/** What a reader should know of the rows that the policy did not serve, of those that were kept by chance, and of rewards that were capped. */
export function readingNotes({ served, weighted, capped }: LeftOut): string[] {
  return [
    ...[...served].map(([server, rows]) =>
      server === NOBODY
        ? `${rowsOf(rows)} for which nothing could be served left out`
        : `${rowsOf(rows)} served by ${server}, not by the policy, left out`,
    ),
    ...(weighted === 0
      ? []
      : [
          weighted === 1
            ? '1 row was kept with a probability below 1: it weighs 1/probability'
            : `${groupedDigits(weighted)} rows were kept with a probability below 1: each weighs 1/probability`,
        ]),
    ...(capped.rows === 0 ? [] : [cappedNote(capped)]),
  ]
}

function cappedNote({ cap, rows, reward, total }: LeftOut['capped']): string {
  const what =
    rows === 1
      ? `1 reward above ${cap} counts as ${cap}`
      : `${groupedDigits(rows)} rewards above ${cap} count as ${cap}`
  // Of losses and gains that balance, a share says nothing.
  const share =
    total > 0 && reward <= total
      ? `, which takes away ${Number(((100 * reward) / total).toPrecision(2))} % of all reward`
      : ''
  return `reward.cap: ${what}${share}`
}

function rowsOf(rows: number, kind = ''): string {
  return `${groupedDigits(rows)} ${kind}${rows === 1 ? 'row' : 'rows'}`
}
