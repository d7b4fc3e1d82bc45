import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { DapError } from '../../errors.ts'
import { createAggregate } from '../../log/aggregate.ts'
import type {
  Column,
  ColumnRequest,
  NumberColumn,
  RowPart,
  SourceFault,
  TableChunk,
  UnitPart,
} from '../../log/tables.ts'
import { ROW_STEP, takeRows, UNIT_GROUPS } from '../../log/tables.ts'
import { createFaults } from './faults.ts'
import { nameOf } from './files.ts'
import { type Asked, ask, type Scan } from './scan.ts'
import { NOTE, readNotes } from './side.ts'
import { type OpenSource, unreadable } from './source.ts'
import { bucketOf, groupOf, hashOf, isSmallInteger, numberOf, textOf, timeOf } from './sql.ts'
import { chunksOf, numbersOf } from './stream.ts'
import { type ColumnDecoder, columnDecoder, doubles, integerKeyDecoder, marks } from './vectors.ts'

/** In the column of marks: an ordinary row, one that is none, and the row after the last. */
const BROKEN = 1
const LAST = 2

/**
 * Reads the requested columns of a source. A stream that fails ends like one that is finished, so the end is proven: the rows of a whole
 * source are as many as there must be, those of a part are followed by a row that says so.
 */
export async function* readSource(
  opened: OpenSource,
  part: RowPart | undefined,
  requests: readonly ColumnRequest[],
  onFault: ((fault: SourceFault) => void) | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<TableChunk> {
  const { scan, side, source } = opened
  const { connection, release } = await opened.database.reader()
  const notes =
    side !== undefined && side.size > 0 ? readNotes(await opened.database.connect(), side, signal) : undefined
  const faulty = createFaults<number>()
  try {
    opened.unchanged()
    const { sql, decoders, marked, numbered } = queryOf(scan, opened, part, requests)
    let seen = 0
    let ended = false
    let row = new Float64Array(0)
    for await (const chunk of chunksOf(connection, sql, signal)) {
      if (ended) throw new RangeError('rows after the last one')
      let rows = chunk.rowCount
      const mark = marked === undefined ? undefined : marks(chunk.getColumnVector(marked))
      if (part !== undefined && mark?.[rows - 1] === LAST) {
        ended = true
        rows--
        if (rows === 0) break
      }
      if (row.length < rows) row = new Float64Array(rows)
      if (numbered === undefined) for (let i = 0; i < rows; i++) row[i] = seen + i
      else row.set(doubles(chunk.getColumnVector(numbered)).subarray(0, rows))
      seen += rows
      const columns = decoders.map(decode => decode(chunk, rows))
      const kept = await keep(rows, row, columns, mark)
      if (kept === undefined) yield { rows, row, columns }
      else if (kept.length > 0) {
        yield {
          rows: kept.length,
          row: Float64Array.from(kept, i => row[i]),
          columns: columns.map(column => takeRows(column, kept)),
        }
      }
    }
    if (part === undefined ? seen !== scan.count : !ended) throw await explain(opened, connection, sql, seen)
    opened.unchanged()
    if (part === undefined && onFault !== undefined) {
      for (const fault of opened.faults) onFault(fault)
      for (const fault of await faulty.list(opened.places)) onFault(fault)
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw await unreadable(source, error, opened.connection)
  } finally {
    await notes?.close()
    release()
  }

  /** The places of the rows that stay; undefined where all do. Rewards are written into their columns. */
  async function keep(
    rows: number,
    row: Float64Array,
    columns: Column[],
    mark: Uint8Array | undefined,
  ): Promise<Int32Array | undefined> {
    const broken = scan.broken
    const places = broken === undefined ? undefined : mark
    if (notes === undefined && !places?.some((value, i) => i < rows && value === BROKEN)) return undefined
    const rewards = requests.flatMap(({ type, slot }, c) => {
      if (type !== 'reward') return []
      const values = (columns[c] as NumberColumn).values.slice()
      columns[c] = { type: 'number', values }
      return [{ slot, values, combine: createAggregate(source.join?.aggregate ?? 'sum') }]
    })
    const kept: number[] = []
    let stays = true
    const note = (kind: number, value: number) => {
      if (kind >= NOTE.reward) {
        for (const { slot, combine } of rewards)
          if (slot === undefined || slot === kind - NOTE.reward) combine.add(value)
        return
      }
      if (kind === NOTE.fault && stays) faulty.add(side?.reasons[value] ?? '', row[at])
      stays = false
    }
    let at = 0
    for (; at < rows; at++) {
      if (broken !== undefined && places?.[at] === BROKEN) {
        faulty.add(broken.reason, row[at])
        continue
      }
      stays = true
      for (const { combine } of rewards) combine.clear()
      const later = notes?.of(row[at], note)
      if (later !== undefined) await later
      if (!stays) continue
      kept.push(at)
      for (const { values, combine } of rewards) if (combine.count() > 0) values[at] = combine.value()
    }
    return kept.length === rows ? undefined : Int32Array.from(kept)
  }
}

interface Query {
  readonly sql: string
  readonly decoders: readonly ((chunk: DuckDBDataChunk, rows: number) => Column)[]
  /** The places of the columns of marks and of row numbers. */
  readonly marked: number | undefined
  readonly numbered: number | undefined
}

function queryOf(
  scan: Scan,
  { source }: OpenSource,
  part: RowPart | undefined,
  requests: readonly ColumnRequest[],
): Query {
  const asked = ask(scan)
  const select: string[] = []
  const nothing: string[] = []
  const decoders = requests.map((request, index) => {
    const value = request.type === 'reward' ? undefined : asked.value(request.column)
    const small = request.type === 'key' && value !== undefined && isSmallInteger(value)
    select.push(expressionOf(asked, source.once?.reward, request, small))
    nothing.push(request.type === 'text' || (request.type === 'key' && !small) ? 'NULL' : '0')
    const decode: ColumnDecoder = small ? integerKeyDecoder(index) : columnDecoder(request.type, index)
    return (chunk: DuckDBDataChunk, rows: number) => cutTo(decode(chunk), rows)
  })
  const { broken } = scan
  const marking = broken !== undefined || part !== undefined
  if (marking) {
    select.push(broken === undefined ? '0::UTINYINT' : `CASE WHEN ${broken.sql} THEN ${BROKEN} ELSE 0 END::UTINYINT`)
    nothing.push(`${LAST}::UTINYINT`)
  }
  const places = {
    marked: marking ? requests.length : undefined,
    numbered: part === undefined ? undefined : requests.length + 1,
  }
  if (part === undefined) return { sql: `SELECT ${select.join(', ')} FROM ${asked.rows()}`, decoders, ...places }
  const condition = conditionOf(asked, part)
  const sql = `SELECT ${select.join(', ')}, rn::DOUBLE FROM ${asked.numbered()} WHERE ${condition}
    UNION ALL SELECT ${nothing.join(', ')}, 0`
  return { sql, decoders, ...places }
}

function conditionOf(asked: Asked, { units, after }: RowPart): string {
  const conditions = [
    ...(units === undefined ? [] : [isOfUnits(asked, units)]),
    ...(after === undefined ? [] : [`${timeOf(asked.value(after.column))} > ${after.ms}`]),
  ]
  return conditions.join(' AND ') || 'true'
}

function isOfUnits(asked: Asked, { unit, from, to }: UnitPart): string {
  const group =
    unit === undefined
      ? `(rn * ${ROW_STEP}) % ${UNIT_GROUPS}`
      : groupOf(asked.value(unit.column), unit.otherwise === undefined ? undefined : asked.value(unit.otherwise))
  return `${group} >= ${from} AND ${group} < ${to}`
}

function expressionOf(asked: Asked, reward: string | undefined, request: ColumnRequest, small: boolean): string {
  const { column, type, otherwise } = request
  switch (type) {
    case 'reward':
      return reward === undefined ? "'nan'::DOUBLE" : numberOf(asked.value(reward))
    case 'number':
      return numberOf(asked.value(column))
    case 'bucket':
      return `(${bucketOf(asked.value(column))})::INTEGER`
    case 'time':
      return `coalesce(${timeOf(asked.value(column))}::DOUBLE, 'nan'::DOUBLE)`
    case 'hash':
      return `coalesce(${hashOf(asked.value(column))}::DOUBLE, 'nan'::DOUBLE)`
    case 'group':
      return `coalesce(${groupOf(asked.value(column), otherwise === undefined ? undefined : asked.value(otherwise))}, -1)::INTEGER`
    default:
      return small ? `${asked.value(column).sql}::INTEGER` : textOf(asked.value(column))
  }
}

/** The row after the last is none. */
function cutTo(column: Column, rows: number): Column {
  switch (column.type) {
    case 'number':
      return column.values.length === rows ? column : { ...column, values: column.values.subarray(0, rows) }
    case 'group':
      return column.values.length === rows ? column : { ...column, values: column.values.subarray(0, rows) }
    case 'key':
      return column.codes.length === rows ? column : { ...column, codes: column.codes.subarray(0, rows) }
    case 'text':
      return column.values.length === rows ? column : { ...column, values: column.values.slice(0, rows) }
    case 'value':
      return column
  }
}

/** Why a stream ended before all rows had come: what failed says so when it is not streamed. */
async function explain(opened: OpenSource, connection: DuckDBConnection, sql: string, seen: number): Promise<unknown> {
  const { source, scan } = opened
  try {
    await numbersOf(connection, `SELECT count(*), sum(hash(COLUMNS(*))) FROM (${sql})`)
  } catch (error) {
    return error
  }
  return new DapError(
    `only ${seen} of ${scan.count} rows of \`${nameOf(source, source.paths[0])}\` could be read at first, and all of them later`,
    {
      hint: 'memory or disk ran out, or the files are being written: try again',
    },
  )
}
