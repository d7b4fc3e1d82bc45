import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { DapError } from '../../errors.ts'
import type { TablesOptions } from '../../host.ts'
import type { TableWriter, WrittenColumn, WrittenValues } from '../../log/table-writer.ts'
import { attempt } from '../node/files.ts'
import { createSpill, loadDuckdb, openDatabase } from './database.ts'
import { quoteText } from './sql.ts'
import { runWatched } from './stream.ts'

/** DuckDB takes no more rows at once. */
const MOST_ROWS = 2048

/**
 * Writes Parquet at `path`, an absolute path, with `about` among what the file says of itself. Rows are kept by DuckDB, on disk where they are
 * many, and written beside the place where the file goes, which is found out first: it may not be for us to write there.
 */
export async function writeTable(
  path: string,
  columns: readonly WrittenColumn[],
  about: Readonly<Record<string, string>>,
  options: TablesOptions = {},
): Promise<TableWriter> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.dap-tmp`)
  await attempt('write', path, () => {
    fs.mkdirSync(dirname(path), { recursive: true })
    fs.closeSync(fs.openSync(temporary, 'wx'))
    fs.rmSync(temporary)
  })
  const spill = createSpill(options)
  const duckdb = await loadDuckdb()
  const database = await openDatabase([temporary], spill, options)
  const connection = await database.connect()
  const { FLOAT, DOUBLE, INTEGER, BIGINT, BOOLEAN } = duckdb
  const elements = { float32: FLOAT, float64: DOUBLE, int32: INTEGER, int64: BIGINT, bool: BOOLEAN }
  const typeOf = ({ type }: WrittenColumn): { readonly type: DuckDBType; readonly sql: string } => {
    if (typeof type === 'object') {
      const element = elements[type.list]
      return { type: duckdb.ARRAY(element, type.width), sql: `${element}[${type.width}]` }
    }
    switch (type) {
      case 'text':
        return { type: duckdb.VARCHAR, sql: 'VARCHAR' }
      case 'number':
        return { type: duckdb.DOUBLE, sql: 'DOUBLE' }
      case 'time':
        return { type: duckdb.TIMESTAMPTZ, sql: 'TIMESTAMPTZ' }
    }
  }
  const types = columns.map(typeOf)
  await connection.run(`CREATE TABLE written (${columns.map((_, c) => `c${c} ${types[c].sql}`).join(', ')})`)
  const appender = await connection.createAppender('written')
  let open = true

  function valuesOf({ type }: WrittenColumn, values: WrittenValues, from: number, count: number) {
    const { arrayValue, DuckDBTimestampTZValue } = duckdb
    const each = (value: (i: number) => DuckDBValue) => Array.from({ length: count }, (_, i) => value(from + i))
    const known = (i: number) => values[i] !== null && !Number.isNaN(values[i])
    if (typeof type === 'object') {
      const { list, width } = type
      const element = (at: number): DuckDBValue => (list === 'bool' ? values[at] === 1 : values[at])
      return each(i => arrayValue(Array.from({ length: width }, (_, j) => element(i * width + j))))
    }
    switch (type) {
      case 'text':
      case 'number':
        return each(i => (known(i) ? values[i] : null))
      case 'time':
        return each(i => (known(i) ? new DuckDBTimestampTZValue(BigInt(Math.round(1000 * Number(values[i])))) : null))
    }
  }

  function discard(): void {
    if (!open) return
    open = false
    appender.closeSync()
    connection.closeSync()
    database.close()
    spill.remove()
    fs.rmSync(temporary, { force: true })
  }

  return {
    add(rows, given) {
      for (let from = 0; from < rows; from += MOST_ROWS) {
        const count = Math.min(MOST_ROWS, rows - from)
        const chunk = duckdb.DuckDBDataChunk.create(
          types.map(({ type }) => type),
          count,
        )
        for (const [c, column] of columns.entries()) {
          chunk.setColumnValues(c, valuesOf(column, given[c], from, count))
        }
        appender.appendDataChunk(chunk)
      }
    },
    async finish(signal) {
      try {
        appender.flushSync()
        const names = columns.map(({ name }, c) => `c${c} AS "${name.replaceAll('"', '""')}"`)
        const metadata = Object.entries(about).map(([key, value]) => `${quoteText(key)}: ${quoteText(value)}`)
        const how = `FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, KV_METADATA {${metadata.join(', ')}}`
        await runWatched(
          connection,
          `COPY (SELECT ${names.join(', ')} FROM written) TO ${quoteText(temporary)} (${how})`,
          { signal },
        )
        return await attempt('write', path, () => {
          fs.renameSync(temporary, path)
          return fs.statSync(path).size
        })
      } catch (cause) {
        signal?.throwIfAborted()
        if (cause instanceof DapError) throw cause
        throw new DapError(`cannot write \`${path}\`: ${cause instanceof Error ? cause.message : String(cause)}`, {
          cause,
        })
      } finally {
        discard()
      }
    },
    discard,
  }
}
