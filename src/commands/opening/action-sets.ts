import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import type { ActionSetSpec } from '../../kinds.ts'
import type { TextColumn } from '../../log/tables.ts'
import type { SetTable } from '../../repo/sets/table.ts'
import type { ReadSet } from '../../repo/sets/take-sets.ts'
import { type NamedFile, onceFor, unreadable } from './named-files.ts'

/** A file of so many bytes is no set of a few thousand actions. */
const MAX_BYTES = 32 * 1024 * 1024

/** Reads the files of sets, and tells which; each once, however often it is asked. `find` gives the path of a data file, or a DapError; they are named from `root`. */
export function createReadSet(
  host: Host,
  root: string,
  find: (path: string) => Promise<string>,
  onFile: (file: NamedFile) => void,
): ReadSet {
  async function read({ spec }: Parameters<ReadSet>[0]): ReturnType<ReadSet> {
    const { file, format } = spec
    try {
      const path = await find(file)
      if (await host.files.isFolder(path))
        throw new DapError(`\`${file}\` is a folder`, { hint: 'name the file in it' })
      const text = format === 'parquet' ? undefined : await host.files.read(path, MAX_BYTES)
      const table = text === undefined ? await parquetTable(host, root, path, spec) : await textTable(spec, text)
      onFile({ path: file, real: await host.files.real(path), ...(text === undefined ? {} : { text }) })
      const { readSet } = await import('../../repo/sets/read-set.ts')
      return { file, reading: readSet(spec, table) }
    } catch (error) {
      const fault = { code: 'file', ...unreadable(error, file), path: ['spec', 'file'] } as const
      return { file, reading: { faults: [fault], cells: [] } }
    }
  }

  return onceFor(({ spec }) => JSON.stringify(spec), read)
}

async function textTable({ format, csv }: ActionSetSpec, text: string): Promise<SetTable> {
  if (format === 'jsonl') return (await import('../../repo/sets/jsonl.ts')).jsonlTable(text)
  return (await import('../../repo/sets/csv.ts')).csvTable(text, csv?.delimiter ?? ',')
}

/** The columns that the set names, as text; its native reader is loaded for this alone. */
async function parquetTable(
  host: Host,
  root: string,
  path: string,
  { id, features, from, until }: ActionSetSpec,
): Promise<SetTable> {
  const tables = await host.tables()
  const source = { format: 'parquet', paths: [host.files.disk(path)], root: host.files.disk(root) } as const
  const columns = await tables.columns(source)
  const wanted = [...new Set([id, ...Object.keys(features), from, until])].filter(
    name => name !== undefined && columns.includes(name),
  ) as string[]
  const { WHOLE_FILE } = await import('../../repo/sets/table.ts')
  const rows: (readonly (string | null)[])[] = []
  const requests = wanted.map(column => ({ column, type: 'text' }) as const)
  for await (const chunk of tables.read(source, requests, { signal: host.signal })) {
    const texts = chunk.columns.map(column => (column as TextColumn).values)
    for (let i = 0; i < chunk.rows; i++) rows.push(texts.map(values => values[i]))
  }
  return {
    columns,
    faults: [],
    rows: rows.map((cells, i) => ({
      cell: column => cells[wanted.indexOf(column)],
      number: i + 1,
      place: () => WHOLE_FILE,
    })),
  }
}
