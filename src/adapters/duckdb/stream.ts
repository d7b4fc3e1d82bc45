import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'

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

/** The one row of a result; what is missing is 0. */
export async function numbersOf(connection: DuckDBConnection, sql: string): Promise<readonly number[]> {
  const [row] = (await connection.runAndReadAll(sql)).getRows()
  return row.map(value => Number(value ?? 0))
}
