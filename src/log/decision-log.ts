import { DapError } from '../errors.ts'
import {
  type Column,
  type ColumnRequest,
  type KeyColumn,
  type NumberColumn,
  type TableSource,
  type Tables,
  takeRows,
} from './tables.ts'

/**
 * A chunk of logged decisions, as columns. It has been checked: every action is known, propensities are in (0, 1], numbers
 * are finite, and no key is missing. Arrays are valid until the next chunk is asked for.
 */
export interface DecisionLog {
  readonly rows: number
  /** Number of the row in the files, from 0. */
  readonly row: Float64Array
  /** Index of the logged action in the list of actions. */
  readonly action: Int32Array
  readonly propensity: Float64Array
  readonly reward: Float64Array
  /** The other requested columns, in the order of the requests. */
  readonly columns: readonly Column[]
}

/** Which columns of which files are the log. */
export interface LogLayout {
  readonly source: TableSource
  readonly action: string
  readonly propensity: string
  readonly reward: string
  /** Says who decided; rows that were not served by `policy` are left out. */
  readonly servedBy?: string
  /** Whatever else is read: contexts, slots, scores. */
  readonly columns: readonly ColumnRequest[]
}

/** What was met while reading, and not handed on. */
export interface LeftOut {
  /** Who served (`holdout`, `fallback`, …) → rows. */
  readonly served: Map<string, number>
  /** What is wrong → rows. */
  readonly bad: Map<string, number>
  /** The first bad rows: their numbers, counted from 1, and what is wrong. */
  readonly examples: { readonly row: number; readonly reason: string }[]
}

const EXAMPLES = 10

export function nothingLeftOut(): LeftOut {
  return { served: new Map(), bad: new Map(), examples: [] }
}

/** How many bad rows there were. */
export function badRowCount({ bad }: LeftOut): number {
  return [...bad.values()].reduce((sum, count) => sum + count, 0)
}

/** What a reader should know of the rows that the policy did not serve. */
export function servedNotes({ served }: LeftOut): string[] {
  return [...served].map(
    ([server, rows]) => `${rows} ${rows === 1 ? 'row' : 'rows'} served by ${server}, not by the policy, left out`,
  )
}

/** The error that `quality.badRows: fail` asks for. */
export function badRowsError(leftOut: LeftOut): DapError {
  const count = badRowCount(leftOut)
  const reasons = [...leftOut.bad].map(([reason, n]) => `${n} × ${reason}`)
  const rows = leftOut.examples.map(({ row, reason }) => `row ${row}: ${reason}`)
  const more = count > rows.length ? [`and ${count - rows.length} more`] : []
  return new DapError(
    `the log has ${count} bad ${count === 1 ? 'row' : 'rows'} (${reasons.join('; ')})\n  ${[...rows, ...more].join('\n  ')}`,
    { hint: 'mend the rows, or set `quality.badRows: drop` in the Dataset to leave them out' },
  )
}

/**
 * Streams the log. Rows that cannot be used are left out and counted in `leftOut`; the caller decides whether that is an
 * error, so that all of them are counted first.
 */
export async function* readDecisionLog(
  tables: Tables,
  layout: LogLayout,
  actions: readonly string[],
  leftOut: LeftOut,
  signal?: AbortSignal,
): AsyncGenerator<DecisionLog> {
  const requests: ColumnRequest[] = [
    { column: layout.action, type: 'key' },
    { column: layout.propensity, type: 'number' },
    { column: layout.reward, type: 'number' },
    ...(layout.servedBy === undefined ? [] : [{ column: layout.servedBy, type: 'key' } as const]),
    ...layout.columns,
  ]
  const offset = requests.length - layout.columns.length
  const actionIndex = new Map(actions.map((id, index) => [id, index]))
  /** Code of the action column → index, −1 for a stranger; kept as the dictionary grows. */
  const indexOf: number[] = []
  let action = new Int32Array(0)
  let row = new Float64Array(0)

  for await (const { start, rows, columns } of tables.read(layout.source, requests, signal)) {
    const [logged, propensities, rewards] = columns as [KeyColumn, NumberColumn, NumberColumn]
    while (indexOf.length < logged.dictionary.length)
      indexOf.push(actionIndex.get(logged.dictionary[indexOf.length]) ?? -1)
    if (action.length < rows) {
      action = new Int32Array(rows)
      row = new Float64Array(rows)
    }
    const { codes } = logged
    const propensity = propensities.values
    const reward = rewards.values
    let suspects = 0
    for (let i = 0; i < rows; i++) {
      row[i] = start + i
      action[i] = codes[i] < 0 ? -1 : indexOf[codes[i]]
      // False for NaN, so that a bad row is never taken for a good one.
      const good = action[i] >= 0 && propensity[i] > 0 && propensity[i] <= 1 && Number.isFinite(reward[i])
      suspects += good ? 0 : 1
    }
    const servedBy = layout.servedBy === undefined ? undefined : (columns[offset - 1] as KeyColumn)
    const others = columns.slice(offset)
    if (servedBy === undefined && suspects === 0 && others.every(column => isComplete(column, rows))) {
      yield { rows, row, action, propensity, reward, columns: others }
      continue
    }

    const kept: number[] = []
    for (let i = 0; i < rows; i++) {
      const server = servedBy && servedBy.codes[i] >= 0 ? servedBy.dictionary[servedBy.codes[i]] : 'policy'
      if (server !== 'policy') {
        leftOut.served.set(server, (leftOut.served.get(server) ?? 0) + 1)
        continue
      }
      const reason = fault(i)
      if (reason === undefined) {
        kept.push(i)
        continue
      }
      leftOut.bad.set(reason, (leftOut.bad.get(reason) ?? 0) + 1)
      if (leftOut.examples.length < EXAMPLES) leftOut.examples.push({ row: start + i + 1, reason })
    }
    if (kept.length === 0) continue
    const take = Int32Array.from(kept)
    yield {
      rows: take.length,
      row: Float64Array.from(take, i => row[i]),
      action: Int32Array.from(take, i => action[i]),
      propensity: Float64Array.from(take, i => propensity[i]),
      reward: Float64Array.from(take, i => reward[i]),
      columns: others.map(column => takeRows(column, take)),
    }

    function fault(i: number): string | undefined {
      if (codes[i] < 0) return `\`${layout.action}\` is missing`
      if (action[i] < 0) return `unknown action \`${logged.dictionary[codes[i]]}\``
      if (!Number.isFinite(propensity[i])) return `\`${layout.propensity}\` is missing or not a finite number`
      if (!(propensity[i] > 0 && propensity[i] <= 1)) return `\`${layout.propensity}\` is outside (0, 1]`
      if (!Number.isFinite(reward[i])) return `\`${layout.reward}\` is missing or not a finite number`
      for (let c = 0; c < others.length; c++) {
        const column = others[c]
        if (isPresent(column, i)) continue
        const what = column.type === 'number' ? 'missing or not a finite number' : 'missing'
        return `\`${layout.columns[c].column}\` is ${what}`
      }
      return undefined
    }
  }
}

/** The actions that a log took; where it has eligible sets (a column of JSON lists), those that were eligible, too. */
export async function observedActions(
  tables: Tables,
  layout: LogLayout,
  eligible: string | undefined,
  signal?: AbortSignal,
): Promise<Set<string>> {
  const requests: ColumnRequest[] = [layout.action, ...(eligible === undefined ? [] : [eligible])].map(column => ({
    column,
    type: 'key',
  }))
  let found: readonly Column[] = []
  for await (const { columns } of tables.read(layout.source, requests, signal)) found = columns
  const [actions, sets] = found as readonly (KeyColumn | undefined)[]
  const listed = (sets?.dictionary ?? []).flatMap(json => JSON.parse(json) as readonly string[])
  return new Set([...(actions?.dictionary ?? []), ...listed])
}

function isPresent(column: Column, i: number): boolean {
  switch (column.type) {
    case 'number':
      return Number.isFinite(column.values[i])
    case 'key':
      return column.codes[i] >= 0
    case 'group':
      return column.values[i] >= 0
    case 'text':
      // What a missing text means is for its reader to say: a context field may have a default.
      return true
  }
}

function isComplete(column: Column, rows: number): boolean {
  if (column.type === 'text') return true
  for (let i = 0; i < rows; i++) if (!isPresent(column, i)) return false
  return true
}
