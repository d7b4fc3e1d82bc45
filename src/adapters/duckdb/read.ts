import type { DuckDBConnection } from '@duckdb/node-api'
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
import { type ColumnDecoder, columnDecoder, doubles, integerKeyDecoder, marks, pieces } from './vectors.ts'

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
    const { sql, decoders, texts, marked, numbered } = queryOf(scan, opened, part, requests)
    let seen = 0
    let ended = false
    let row = new Float64Array(0)
    for await (const chunk of spansOf(scan, sql, query => chunksOf(connection, query, signal))) {
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
      for (const [from, to] of pieces(chunk, rows, texts)) {
        const columns = decoders.map(decode => decode(chunk, from, to))
        const its = { rows: to - from, row: row.subarray(from, to) }
        const kept = await keep(its, columns, mark?.subarray(from, to))
        if (kept === undefined) yield { ...its, columns }
        else if (kept.length > 0) {
          yield {
            rows: kept.length,
            row: Float64Array.from(kept, i => its.row[i]),
            columns: columns.map(column => takeRows(column, kept)),
          }
        }
      }
    }
    if (part === undefined ? seen !== scan.count : !ended) throw await explain(opened, connection, sql(), seen)
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
    { rows, row }: Pick<TableChunk, 'rows' | 'row'>,
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

/** The rows from one number on, up to another one; `last`: there are none after them. */
interface Span {
  readonly from: number
  readonly to: number
  readonly last: boolean
}

/** The chunks of a query, of one span of rows after the other where rows are long. */
async function* spansOf<T>(
  { span, count }: Scan,
  sql: (span?: Span) => string,
  chunks: (sql: string) => AsyncIterable<T>,
): AsyncGenerator<T> {
  if (span === undefined) return yield* chunks(sql())
  for (let from = 0; from < count; from += span) {
    const to = Math.min(count, from + span)
    yield* chunks(sql({ from, to, last: to === count }))
  }
}

interface Query {
  /** Of all rows, or of some. */
  sql(span?: Span): string
  readonly decoders: readonly ColumnDecoder[]
  /** The places of the columns of texts. */
  readonly texts: readonly number[]
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
    return small ? integerKeyDecoder(index) : columnDecoder(request.type, index)
  })
  const texts = requests.flatMap(({ type }, index) => (type === 'text' ? [index] : []))
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
  const conditions = part === undefined ? [] : conditionsOf(asked, part)
  const of = (span: Span | undefined) => (span === undefined ? [] : [`rn >= ${span.from} AND rn < ${span.to}`])
  const where = (conditions: readonly string[]) => (conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`)
  function sql(span?: Span): string {
    if (part === undefined) return `SELECT ${select.join(', ')} FROM ${asked.rows()}${where(of(span))}`
    const some = `SELECT ${select.join(', ')}, rn::DOUBLE FROM ${asked.numbered()}${where([...of(span), ...conditions])}`
    return span?.last === false ? some : `${some} UNION ALL SELECT ${nothing.join(', ')}, 0`
  }
  return { sql, decoders, texts, ...places }
}

function conditionsOf(asked: Asked, { units, after }: RowPart): string[] {
  return [
    ...(units === undefined ? [] : [isOfUnits(asked, units)]),
    ...(after === undefined ? [] : [`${timeOf(asked.value(after.column))} > ${after.ms}`]),
  ]
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
