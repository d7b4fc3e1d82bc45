import { stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DapError } from '../errors.ts'
import {
  type Column,
  type ColumnRequest,
  columnHint,
  type NumberColumn,
  type TableChunk,
  type TableSource,
  type Tables,
  type TextColumn,
  takeRows,
} from '../log/tables.ts'
import { type Join, readJoin } from './duckdb-join.ts'
import {
  type ColumnTypes,
  contextField,
  DAP_COLUMNS,
  describeSql,
  isReward,
  isSmallInteger,
  quoteText,
  selectSql,
} from './duckdb-sql.ts'
import { columnDecoder, integerKeyDecoder, lookupDecoder } from './duckdb-vectors.ts'

/**
 * The database sees the named files and nothing else: no other file, no network, no extensions, no temporary folder. It
 * holds no more than this: a log is streamed; only the join of a `dap` log and the distinct values of a key are held.
 */
const OPTIONS = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  temp_directory: '',
  memory_limit: '1GB',
  preserve_insertion_order: 'true',
}

/** Tables read by DuckDB, which is loaded on first use. A log's join is made once, however often the log is read. */
export function openTables(): Tables {
  const joins = new Map<string, Promise<Join>>()

  function joinOf(source: TableSource, signal?: AbortSignal): Promise<Join> | undefined {
    if (source.format !== 'dap') return undefined
    const key = JSON.stringify([source.paths, source.join])
    const found = joins.get(key) ?? makeJoin(source, signal)
    joins.set(key, found)
    return found
  }

  return {
    columns,
    read: async function* (source, requests, signal) {
      yield* read(source, requests, await joinOf(source, signal), signal)
    },
    joinCounts: async (source, signal) => (await joinOf(source, signal))?.counts,
  }
}

async function makeJoin(source: TableSource, signal?: AbortSignal): Promise<Join> {
  const { connection, close } = await open(source)
  try {
    return await readJoin(source, connection, signal)
  } catch (error) {
    throw signal?.aborted ? error : unreadable(source, error)
  } finally {
    close()
  }
}

async function columns(source: TableSource): Promise<readonly string[]> {
  const { connection, close } = await open(source)
  try {
    return [...(await describe(source, connection)).keys()]
  } catch (error) {
    throw unreadable(source, error)
  } finally {
    close()
  }
}

async function describe(source: TableSource, connection: DuckDBConnection): Promise<ColumnTypes> {
  if (source.format === 'dap') return new Map(DAP_COLUMNS.map(name => [name, 'JSON']))
  const described = await connection.runAndReadAll(describeSql(source))
  // What JSON lines look like at first says nothing of the lines to come.
  return new Map(
    described.getRows().map(([name, type]) => [String(name), source.format === 'jsonl' ? 'JSON' : String(type)]),
  )
}

async function* read(
  source: TableSource,
  requests: readonly ColumnRequest[],
  join: Join | undefined,
  signal?: AbortSignal,
): AsyncGenerator<TableChunk> {
  const { connection, close } = await open(source)
  try {
    const types = await describe(source, connection)
    for (const column of requests.flatMap(({ column, otherwise }) => [column, ...(otherwise ? [otherwise] : [])])) {
      if (types.has(column) || (source.format === 'dap' && contextField(column) !== undefined)) continue
      throw new DapError(`no column \`${column}\` in \`${source.paths[0]}\``, {
        hint: columnHint(column, [...types.keys()]),
      })
    }
    const filter = join && rowFilter(join)
    const all = [...requests, ...(filter?.requests ?? [])]
    const decoders = all.map((request, index) => {
      // A join in SQL would not keep the order of the file.
      if (join && isReward(source.format, request.column))
        return lookupDecoder(index, join.rewards, source.join?.default ?? 0)
      const integers = request.type === 'key' && isSmallInteger(types.get(request.column))
      return integers ? integerKeyDecoder(index) : columnDecoder(request, index)
    })
    const result = await connection.stream(selectSql(source, all, types))
    let start = 0
    let next = result.fetchChunk()
    try {
      for (;;) {
        signal?.throwIfAborted()
        const chunk = await next
        const count = chunk?.rowCount ?? 0
        if (chunk === null || count === 0) return
        // The next chunk is decoded by DuckDB's threads while this one is folded here.
        next = result.fetchChunk()
        const columns = decoders.map(decode => decode(chunk))
        const kept = filter?.keep(columns.slice(requests.length))
        const rows = kept?.length ?? count
        if (rows > 0)
          yield { start, rows, columns: kept ? columns.slice(0, requests.length).map(c => takeRows(c, kept)) : columns }
        start += rows
      }
    } finally {
      await next.catch(() => {})
    }
  } catch (error) {
    throw signal?.aborted ? error : unreadable(source, error)
  } finally {
    close()
  }
}

/** Leaves out decisions that were there before and those that were never activated, in logs that have any. */
function rowFilter({ repeated, activated }: Join) {
  if (repeated.size === 0 && activated === undefined) return undefined
  const seen = new Set<string>()
  const requests: readonly ColumnRequest[] = [
    { column: 'decisionId', type: 'text' },
    { column: 'pending', type: 'number' },
  ]
  return {
    requests,
    /** The rows that stay, of a chunk of these columns. */
    keep(columns: readonly Column[]): Int32Array {
      const [ids, pending] = columns as [TextColumn, NumberColumn]
      const kept: number[] = []
      for (const [i, id] of ids.values.entries()) {
        if (id !== null && repeated.has(id)) {
          if (seen.has(id)) continue
          seen.add(id)
        }
        if (pending.values[i] === 0 || (id !== null && activated?.has(id))) kept.push(i)
      }
      return Int32Array.from(kept)
    },
  }
}

async function open(source: TableSource): Promise<{ connection: DuckDBConnection; close: () => void }> {
  for (const path of source.paths) {
    if (/[*?[]/.test(path)) {
      throw new DapError(`\`${path}\` cannot be read: DuckDB takes \`*\`, \`?\` and \`[\` in a path for a pattern`, {
        hint: 'rename the file or its folder',
      })
    }
    const found = await stat(path).catch(() => undefined)
    if (!found?.isFile())
      throw new DapError(`no file \`${path}\``, { hint: 'paths are relative to the root of the repository' })
  }
  const { DuckDBInstance } = await loadDuckdb()
  const instance = await DuckDBInstance.create(':memory:', OPTIONS)
  const connection = await instance.connect()
  await connection.run(`SET allowed_paths = [${source.paths.map(quoteText).join(', ')}]`)
  await connection.run('SET enable_external_access = false')
  await connection.run('SET lock_configuration = true')
  return {
    connection,
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function loadDuckdb(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api')
  } catch (cause) {
    throw new DapError('reading logs needs the package `@duckdb/node-api`', {
      hint: 'npm install @duckdb/node-api',
      cause,
    })
  }
}

/** DuckDB's own first line says which file and row; what follows is advice on its SQL, which the user never wrote. */
function unreadable({ paths, format }: TableSource, error: unknown): unknown {
  if (error instanceof DapError) return error
  const [line] = String(error instanceof Error ? error.message : error).split('\n')
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : ''
  return new DapError(`\`${paths[0]}\`${more} cannot be read as ${format}: ${line}`, {
    hint: line.startsWith('Out of Memory')
      ? 'the log is too large to be read at once: name fewer of its files'
      : 'check the file, and `spec.format` of the Dataset',
    cause: error,
  })
}
