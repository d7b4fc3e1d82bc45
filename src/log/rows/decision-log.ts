import {
  type Column,
  type ColumnRequest,
  type KeyColumn,
  type NumberColumn,
  type SourceFault,
  type TableChunk,
  type Tables,
  takeRows,
} from '../tables.ts'
import { addBadRow, addFault, type LeftOut } from './left-out.ts'
import {
  actionCodes,
  type LogLayout,
  type LogRows,
  numberFault,
  type RewardLayout,
  rewardReader,
  standsForReader,
} from './log-columns.ts'
import { createRowJudge, type RowVerdict } from './row-judge.ts'
import { createRequests } from './row-reader.ts'

/**
 * A chunk of logged decisions, as columns. It has been checked: every action is known, propensities are in (0, 1], numbers
 * are finite, no key is missing, and no reader has found a fault. Arrays are valid until the next chunk is asked for.
 */
export interface DecisionLog extends LogRows {
  /** Whatever else is wanted, in the order of `LogLayout.columns`. */
  readonly columns: readonly Column[]
}

/**
 * Streams the log. Rows that cannot be used are left out and counted in `leftOut`, whatever is wrong with them; the caller
 * decides whether that is an error, so that all of them are counted first.
 */
export async function* readDecisionLog(
  tables: Tables,
  layout: LogLayout,
  actions: readonly string[],
  leftOut: LeftOut,
  signal?: AbortSignal,
): AsyncGenerator<DecisionLog> {
  const requests = createRequests<ColumnRequest>()
  const ask = ({ column, type, otherwise, slot }: ColumnRequest) => requests.add({ column, type, otherwise, slot })
  const rowsOf = rowsReader(layout, actions, ask)
  const servedAt = layout.servedBy === undefined ? undefined : ask({ column: layout.servedBy, type: 'key' })
  const placeOf = layout.columns.map(each => ('bind' in each ? undefined : ask(each)))
  const judge = createRowJudge(layout, actions, ask)
  const unrewarded = numberFault(layout.reward.name, Number.NaN)
  const capRewards = rewardCapper(layout.reward, leftOut)

  const onFault = (fault: SourceFault) => addFault(leftOut, fault)
  for await (const chunk of tables.read(layout.source, requests.list, { onFault, signal })) {
    const { rows, columns } = chunk
    const { log, suspects, weighted } = rowsOf(chunk)
    const served = servedAt === undefined ? undefined : (columns[servedAt] as KeyColumn)
    leftOut.met += rows
    if (judge.plain && served === undefined && suspects === 0 && judge.isComplete(columns, rows)) {
      leftOut.kept += rows
      leftOut.weighted += weighted
      yield { ...log, reward: capRewards(log), columns: chosen(placeOf, place => columns[place], []) }
      continue
    }
    const { made, take } = goodRows(log, judge.bind(columns, log), served, unrewarded, leftOut)
    if (take.length === 0) continue
    const good = taken(log, take)
    const left = (place: number) => (take.length === rows ? columns[place] : takeRows(columns[place], take))
    yield { ...good, reward: capRewards(good), columns: chosen(placeOf, left, made) }
  }
}

/** The rows of a chunk, good and bad. */
interface ReadRows {
  readonly log: LogRows
  /** In how many numbers or actions something may be wrong; 0: in none. */
  readonly suspects: number
  /** How many rows stand for more than themselves. */
  readonly weighted: number
}

/** Reads what every log has: actions, propensities, rewards, and what each row stands for. What it gives is valid until the next chunk. */
function rowsReader(
  { action: name, propensity: likely, reward: worth, kept }: LogLayout,
  actions: readonly string[],
  ask: (request: ColumnRequest) => number,
): (chunk: TableChunk) => ReadRows {
  const actionAt = ask({ column: name, type: 'key' })
  const propensityAt = likely === undefined ? undefined : ask({ column: likely, type: 'number' })
  const rewardAt = ask(worth.request)
  const keptAt = kept && ask({ column: kept.column, type: 'number' })
  const indexOfCode = actionCodes(actions)
  const rewardsOf = rewardReader(worth)
  const standsForOf = kept && standsForReader(kept)
  let action = new Int32Array(0)
  let ones = new Float64Array(0)

  return ({ rows, row, columns }) => {
    const numbers = (place: number) => columns[place] as NumberColumn
    if (action.length < rows) action = new Int32Array(rows)
    if (propensityAt === undefined && ones.length < rows) ones = new Float64Array(rows).fill(1)
    const propensity = propensityAt === undefined ? ones : numbers(propensityAt).values
    const reward = rewardsOf(numbers(rewardAt), rows)
    const standsFor = standsForOf?.(numbers(keptAt!), rows)
    const { codes, dictionary } = columns[actionAt] as KeyColumn
    const counts = countWeights(standsFor, rows)
    const suspects = counts.suspects + readActions(action, codes, indexOfCode(dictionary), propensity, reward, rows)
    const { weighted } = counts
    const counted = weighted + suspects > 0 ? standsFor : undefined
    return { log: { rows, row, action, propensity, reward, standsFor: counted }, suspects, weighted }
  }
}

/** Writes the indices of the actions. How many rows have an action, a propensity or a reward that is none? */
function readActions(
  action: Int32Array,
  codes: Int32Array,
  indexOf: readonly number[],
  propensity: Float64Array,
  reward: Float64Array,
  rows: number,
): number {
  let suspects = 0
  for (let i = 0; i < rows; i++) {
    action[i] = codes[i] < 0 ? -1 : indexOf[codes[i]]
    // False for NaN, so that a bad row is never taken for a good one.
    const good = action[i] >= 0 && propensity[i] > 0 && propensity[i] <= 1 && Number.isFinite(reward[i])
    suspects += good ? 0 : 1
  }
  return suspects
}

function countWeights(standsFor: Float64Array | undefined, rows: number): Pick<ReadRows, 'suspects' | 'weighted'> {
  let suspects = 0
  let weighted = 0
  if (standsFor !== undefined) {
    for (let i = 0; i < rows; i++) {
      suspects += standsFor[i] >= 1 ? 0 : 1
      weighted += standsFor[i] > 1 ? 1 : 0
    }
  }
  return { suspects, weighted }
}

/** The columns at these places; where there is none, what the next reader has made. */
function chosen(
  places: readonly (number | undefined)[],
  columnAt: (place: number) => Column,
  made: readonly (readonly unknown[])[],
): Column[] {
  let k = 0
  return places.map(place => (place === undefined ? { type: 'value', values: made[k++] } : columnAt(place)))
}

/** Rewards as they count, those above the cap as the cap; they are counted. */
function rewardCapper(
  { cap }: RewardLayout,
  { capped }: LeftOut,
): (log: Pick<LogRows, 'rows' | 'reward' | 'standsFor'>) => Float64Array {
  if (cap === undefined) return ({ reward }) => reward
  capped.cap = cap
  let out = new Float64Array(0)
  return ({ rows, reward, standsFor }) => {
    if (out.length < rows) out = new Float64Array(rows)
    for (let i = 0; i < rows; i++) {
      const counted = standsFor === undefined ? reward[i] : standsFor[i] * reward[i]
      capped.total += counted
      out[i] = reward[i]
      if (reward[i] <= cap) continue
      out[i] = cap
      capped.rows++
      capped.reward += counted - (standsFor === undefined ? cap : standsFor[i] * cap)
    }
    return out
  }
}

/** The rows of a chunk that can be used, and what each reader made of them; the others are counted. */
function goodRows(
  { rows, row, standsFor }: LogRows,
  { made, fault }: RowVerdict,
  served: KeyColumn | undefined,
  unrewarded: string,
  leftOut: LeftOut,
): { readonly take: Int32Array; readonly made: readonly (readonly unknown[])[] } {
  const take = new Int32Array(rows)
  const values = made.map((): unknown[] => [])
  let count = 0
  for (let i = 0; i < rows; i++) {
    const server = served === undefined || served.codes[i] < 0 ? 'policy' : served.dictionary[served.codes[i]]
    if (server !== 'policy') {
      leftOut.served.set(server, (leftOut.served.get(server) ?? 0) + 1)
      continue
    }
    const reason = fault(i)
    if (reason !== undefined) {
      addBadRow(leftOut, row[i], reason)
      if (reason === unrewarded) leftOut.unrewarded++
      continue
    }
    for (let k = 0; k < values.length; k++) values[k].push(made[k])
    if (standsFor !== undefined && standsFor[i] > 1) leftOut.weighted++
    take[count++] = i
  }
  leftOut.kept += count
  return { take: take.subarray(0, count), made: values }
}

/** The log at these rows alone. A propensity that is above 1 by the rounding of 32 bits is 1. */
function taken(log: LogRows, take: Int32Array): LogRows {
  const { rows, row, action, propensity, reward, standsFor } = log
  const rounded = take.some(i => propensity[i] > 1)
  if (take.length === rows && !rounded) return log
  return {
    rows: take.length,
    row: Float64Array.from(take, i => row[i]),
    action: Int32Array.from(take, i => action[i]),
    propensity: Float64Array.from(take, i => Math.min(1, propensity[i])),
    reward: Float64Array.from(take, i => reward[i]),
    standsFor: standsFor && Float64Array.from(take, i => standsFor[i]),
  }
}
