import type { TablesOptions } from '../../host.ts'
import type { TableSource, Tables } from '../../log/tables.ts'
import { createLibrary } from './library.ts'
import { readSource } from './read.ts'
import { DAP_COLUMNS } from './records.ts'
import { type OpenSource, openSource } from './source.ts'
import { pathSteps } from './sql.ts'

export type { TablesOptions } from '../../host.ts'

export interface OpenTables extends Tables {
  /** Lets go of memory and disk; nothing may be read at the time, or afterwards. Else the end of the process does it. */
  close(): Promise<void>
}

/**
 * Tables read by DuckDB, which is loaded on first use. Text files are looked through first, from end to end, so that it is known how
 * many rows must come out of them; the records of a `dap` log are read once, into a table; Parquet says how many rows it has. What a
 * log's rows owe to each other (ids, rewards) is found once and kept beside, on disk where it is much.
 */
export function openTables(options: TablesOptions = {}): OpenTables {
  const library = createLibrary(options)
  const opened = new Map<string, Promise<OpenSource>>()

  function sourceOf({ part, ...source }: TableSource, signal?: AbortSignal): Promise<OpenSource> {
    const key = JSON.stringify(source, (_, value) => (value instanceof Map ? [...value] : value))
    const found = opened.get(key) ?? openSource(source, library, signal)
    opened.set(key, found)
    found.catch(() => opened.delete(key))
    return found
  }

  return {
    async columns(source, needed = []) {
      if (source.format === 'dap') return DAP_COLUMNS
      const { once, join, part, ...files } = source
      const { scan, connection } = await sourceOf(files)
      const { has } = scan
      if (has === undefined) return scan.names
      // A path leads into the column that is its first step.
      const first = needed.flatMap(name => pathSteps(name)?.slice(0, 1).map(String) ?? [])
      const missing = [...new Set([...needed, ...first])].filter(name => !scan.names.includes(name))
      const later: string[] = []
      for (const name of missing) if (await has(name, connection)) later.push(name)
      return [...scan.names, ...later]
    },
    async *read(source, requests, { onFault, signal } = {}) {
      yield* readSource(await sourceOf(source, signal), source.part, requests, onFault, signal)
    },
    joinCounts: async (source, signal) => (await sourceOf(source, signal)).side?.counts,
    places: async (source, rows) => (await sourceOf(source)).places(rows),
    async close() {
      for (const source of await Promise.allSettled(opened.values())) {
        if (source.status === 'fulfilled') source.value.database.close()
      }
      opened.clear()
      library.spill.remove()
    },
  }
}
