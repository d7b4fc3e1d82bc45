import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import type { TablesOptions } from '../../host.ts'

/** The chunks of a query. The next one is decoded by DuckDB's threads while the last is used. A failed query ends like a finished one. */
export async function* chunksOf(
  connection: DuckDBConnection,
  sql: string,
  signal?: AbortSignal,
): AsyncGenerator<DuckDBDataChunk> {
  const result = await connection.stream(sql)
  let next = result.fetchChunk()
  try {
    for (;;) {
      signal?.throwIfAborted()
      const chunk = await next
      if (chunk === null || chunk.rowCount === 0) return
      next = result.fetchChunk()
      yield chunk
    }
  } finally {
    await next.catch(() => {})
  }
}

/** Who waits for a long piece of work, and may want to hear of it or stop it. */
export interface Watch {
  readonly signal?: AbortSignal
  readonly onProgress?: TablesOptions['onProgress']
}

const EVERY_MS = 250

/** Runs a statement that may take long. The abort's reason is thrown at once when the signal is aborted. */
export async function runWatched(
  connection: DuckDBConnection,
  sql: string,
  { signal, onProgress }: Watch,
): Promise<void> {
  signal?.throwIfAborted()
  const stop = () => connection.interrupt()
  const tell = () => {
    const { rows_processed: done, total_rows_to_process: total } = connection.progress
    if (total > 0n) onProgress?.({ unit: 'rows joined', done: Number(done), total: Number(total) })
  }
  const timer = onProgress && setInterval(tell, EVERY_MS)
  signal?.addEventListener('abort', stop)
  try {
    await connection.run(sql)
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', stop)
    signal?.throwIfAborted()
  }
}

/** The one row of a result; what is missing is 0. */
export async function numbersOf(connection: DuckDBConnection, sql: string): Promise<readonly number[]> {
  const [row] = (await connection.runAndReadAll(sql)).getRows()
  return row.map(value => Number(value ?? 0))
}
