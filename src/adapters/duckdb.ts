import { stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DapError } from '../errors.ts'
import { type ColumnRequest, columnHint, type TableChunk, type TableSource, type Tables } from '../log/tables.ts'
import {
  type ColumnTypes,
  contextField,
  DAP_COLUMNS,
  describeSql,
  isReward,
  isSmallInteger,
  quoteText,
  rewardsSql,
  selectSql,
} from './duckdb-sql.ts'
import { columnDecoder, integerKeyDecoder, lookupDecoder } from './duckdb-vectors.ts'

/**
 * The database sees the named files and nothing else: no other file, no network, no extensions, no temporary folder. It
 * holds no more than this: a log is streamed; only the rewards of a `dap` log and the distinct values of a key are held.
 */
const OPTIONS = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  temp_directory: '',
  memory_limit: '1GB',
  preserve_insertion_order: 'true',
}

/** Tables read by DuckDB, which is loaded on first use. */
export function openTables(): Tables {
  return { columns, read }
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
  signal?: AbortSignal,
): AsyncGenerator<TableChunk> {
  const { connection, close } = await open(source)
  try {
    const types = await describe(source, connection)
    for (const { column } of requests) {
      if (types.has(column) || (source.format === 'dap' && contextField(column) !== undefined)) continue
      throw new DapError(`no column \`${column}\` in \`${source.paths[0]}\``, {
        hint: columnHint(column, [...types.keys()]),
      })
    }
    // A join would not keep the order of the file.
    const rewards = requests.some(isRewardOf(source)) ? await readRewards(source, connection, signal) : new Map()
    const decoders = requests.map((request, index) => {
      if (isRewardOf(source)(request)) return lookupDecoder(index, rewards)
      const integers = request.type === 'key' && isSmallInteger(types.get(request.column))
      return integers ? integerKeyDecoder(index) : columnDecoder(request, index)
    })
    const result = await connection.stream(selectSql(source, requests, types))
    let start = 0
    let next = result.fetchChunk()
    try {
      for (;;) {
        signal?.throwIfAborted()
        const chunk = await next
        const rows = chunk?.rowCount ?? 0
        if (chunk === null || rows === 0) return
        // The next chunk is decoded by DuckDB's threads while this one is folded here.
        next = result.fetchChunk()
        yield { start, rows, columns: decoders.map(decode => decode(chunk)) }
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

const isRewardOf =
  ({ format }: TableSource) =>
  ({ column }: ColumnRequest) =>
    isReward(format, column)

async function readRewards(
  source: TableSource,
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
): Promise<Map<string, number>> {
  const rewards = new Map<string, number>()
  const result = await connection.stream(rewardsSql(source))
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    signal?.throwIfAborted()
    const ids = chunk.getColumnValues(0) as string[]
    const sums = chunk.getColumnValues(1) as number[]
    for (let i = 0; i < ids.length; i++) rewards.set(ids[i], sums[i])
  }
  return rewards
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
  return new DapError(`\`${paths.join('`, `')}\` cannot be read as ${format}: ${line}`, {
    hint: 'check the file, and `spec.format` of the Dataset',
    cause: error,
  })
}
