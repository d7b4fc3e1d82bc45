import type { DuckDBConnection } from '@duckdb/node-api'
import { DapError } from '../../errors.ts'
import { columnHint, type SourceFault, type TableSource } from '../../log/tables.ts'
import { linesOf } from '../node/text.ts'
import { type Database, openDatabase } from './database.ts'
import { faultsAt, NAMED } from './faults.ts'
import { linesOfRows, nameOf, requireFiles, type TextFile } from './files.ts'
import type { Library } from './library.ts'
import { recordPlaces, stageRecords } from './records.ts'
import { csvScan, jsonScan, parquetColumns, parquetScan, parquetSchemas, type Scan } from './scan.ts'
import { makeSide, mappedDecisions, mappedRewards, type Side } from './side.ts'
import { listOf, pathSteps } from './sql.ts'
import { numbersOf } from './stream.ts'

/** A source that was opened: what it has is known, and all readings of it meet the same rows. */
export interface OpenSource {
  readonly source: TableSource
  readonly database: Database
  /** For short questions; readings have connections of their own. */
  readonly connection: DuckDBConnection
  readonly scan: Scan
  /** Where rows can be said more of than is in them. */
  readonly side: Side | undefined
  /** What is no row and was met on opening. */
  readonly faults: readonly SourceFault[]
  places(rows: readonly number[]): Promise<readonly string[]>
  /** A DapError for files that are not what they were when the source was opened. */
  unchanged(): void
}

export async function openSource(source: TableSource, library: Library, signal?: AbortSignal): Promise<OpenSource> {
  const rewards = source.join?.rewards
  const all = rewards === undefined ? [source] : [source, rewards.source]
  for (const each of all) {
    requireFiles(each)
    library.unchanged(each)
  }
  const unchanged = () => {
    for (const each of all) library.unchanged(each)
  }
  const own = isText(source) ? await library.textFiles(source, signal) : []
  const theirs = rewards !== undefined && isText(rewards.source) ? await library.textFiles(rewards.source, signal) : []
  const paths = [...all.flatMap(each => each.paths), ...[...own, ...theirs].map(file => file.read)]
  const database = await openDatabase(paths, library.spill, library.options)
  const connection = database.watched
  const common = { source, database, connection, unchanged }
  const watch = { signal, onProgress: library.options.onProgress }
  try {
    if (source.format === 'dap') {
      const staged = await stageRecords(source, connection, library.looked, signal)
      const side = await makeSide(connection, staged.decisions, staged.rewards, source.join ?? {}, watch)
      return {
        ...common,
        scan: staged.scan,
        side: { ...side, counts: { ...side.counts, torn: staged.torn, otherNames: staged.otherNames } },
        faults: [
          ...staged.faults,
          ...(await rewardFaults(side, rows => recordPlaces(source, connection, 'records', rows))),
        ],
        places: rows => recordPlaces(source, connection, 'decisions', rows),
      }
    }
    const scan = await scanOf(source, own, connection)
    const { once, join } = source
    if (rewards !== undefined && (once?.slot === undefined) !== (rewards.slot === undefined)) {
      throw new DapError('decisions and rewards must both have a `slot`, or neither', {
        hint: 'name it in `spec.mapping` and in `spec.rewards.mapping` of the Dataset',
      })
    }
    const sided = once !== undefined || join?.wait !== undefined || rewards !== undefined
    const other = rewards && (await scanOf(rewards.source, theirs, connection))
    if (rewards && other) {
      const { decisionId, slot, reward, ts, rewardId } = rewards
      await requireColumns(rewards.source, other, [decisionId, slot, reward, ts, rewardId], connection)
    }
    const side = sided
      ? await makeSide(
          connection,
          mappedDecisions(scan, once, join),
          rewards && other && mappedRewards(other, rewards),
          join ?? {},
          watch,
        )
      : undefined
    const inRewards = (rows: readonly number[]) => placesOf(rewards?.source ?? source, theirs, connection, rows)
    return {
      ...common,
      scan,
      side,
      faults: [
        ...scan.faults,
        ...(other === undefined ? [] : [...other.faults, ...(await brokenRows(other, connection, inRewards))]),
        ...(side === undefined ? [] : await rewardFaults(side, inRewards)),
      ],
      places: rows => placesOf(source, own, connection, rows),
    }
  } catch (error) {
    const blamed = signal?.aborted ? signal.reason : await unreadable(source, error, connection)
    database.close()
    throw blamed
  }
}

/** Of JSON lines any name would do, and be missing in all of them. */
async function requireColumns(
  source: TableSource,
  { names, has }: Scan,
  wanted: readonly (string | undefined)[],
  connection: DuckDBConnection,
): Promise<void> {
  if (has === undefined) return
  for (const name of wanted) {
    if (name === undefined || names.includes(name) || (await has(name, connection))) continue
    const first = pathSteps(name)?.[0]
    if (first !== undefined && (names.includes(String(first)) || (await has(String(first), connection)))) continue
    throw new DapError(`no column \`${name}\` in \`${nameOf(source, source.paths[0])}\``, {
      hint: columnHint(
        name,
        names,
        wanted.flatMap(each => each ?? []),
      ),
    })
  }
}

const isText = ({ format }: TableSource): boolean => format === 'csv' || format === 'jsonl'

/** A file that lacks a named column which others have would be read as one whose values are missing. `files`: name and columns of each. */
function requireNamed({ named = [] }: TableSource, files: readonly (readonly [string, readonly string[]])[]): void {
  const has = (columns: readonly string[], name: string) =>
    columns.includes(name) || columns.includes(String(pathSteps(name)?.[0]))
  for (const name of named.filter(each => files.some(([, columns]) => has(columns, each)))) {
    const lacking = files.find(([, columns]) => !has(columns, name))
    if (lacking === undefined) continue
    const [file, columns] = lacking
    if (columns.length === 0) throw new DapError(`\`${file}\` is empty: it has no header`)
    throw new DapError(`no column \`${name}\` in \`${file}\``, { hint: columnHint(name, columns, named) })
  }
}

async function scanOf(source: TableSource, files: readonly TextFile[], connection: DuckDBConnection): Promise<Scan> {
  switch (source.format) {
    case 'csv':
      requireNamed(
        source,
        files.map(({ name, header }) => [name, header]),
      )
      return csvScan(source, files)
    case 'parquet': {
      const schemas = await parquetSchemas(source, connection)
      requireNamed(
        source,
        schemas.map(({ path, columns }) => [nameOf(source, path), columns]),
      )
      const columns = await parquetColumns(source, schemas, connection)
      return parquetScan(source, columns, await parquetRows(source, connection))
    }
    default:
      return jsonScan(source, files, await firstKeys(files))
  }
}

async function parquetRows({ paths }: TableSource, connection: DuckDBConnection): Promise<number[]> {
  const found = await connection.runAndReadAll(
    `SELECT file_name, num_rows FROM parquet_file_metadata(${listOf(paths)})`,
  )
  const rows = new Map(found.getRows().map(([path, count]) => [String(path), Number(count)]))
  return paths.map(path => rows.get(path) ?? 0)
}

/** How many lines are looked at for the names of columns; what comes later has to be asked for by name. */
const SAMPLE = 20_480

/** The keys of the first JSON lines, in the order of their appearance. */
async function firstKeys(files: readonly TextFile[]): Promise<string[]> {
  const names = new Set<string>()
  let lines = 0
  for (const { path, name } of files) {
    for await (const batch of linesOf(path, name)) {
      for (const line of batch) for (const key of keysOf(line)) names.add(key)
      lines += batch.length
      if (lines >= SAMPLE) return [...names]
    }
  }
  return [...names]
}

function keysOf(line: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
  } catch {
    return []
  }
}

async function placesOf(
  source: TableSource,
  files: readonly TextFile[],
  connection: DuckDBConnection,
  rows: readonly number[],
): Promise<readonly string[]> {
  if (rows.length === 0) return []
  if (isText(source)) return linesOfRows(source, files, rows)
  const counts = await parquetRows(source, connection)
  return rows.map(row => {
    let at = row
    const file = counts.findIndex(count => {
      if (at < count) return true
      at -= count
      return false
    })
    return `${nameOf(source, source.paths[file])}: row ${at + 1}`
  })
}

/** The rows of a file of rewards that are none; those of the log itself are met in reading it. */
async function brokenRows(
  { broken, numbered }: Scan,
  connection: DuckDBConnection,
  places: (rows: readonly number[]) => Promise<readonly string[]>,
): Promise<SourceFault[]> {
  if (broken === undefined) return []
  const [count] = await numbersOf(connection, `SELECT count(*) FROM ${numbered} WHERE ${broken.sql}`)
  if (count === 0) return []
  const first = await connection.runAndReadAll(
    `SELECT rn FROM ${numbered} WHERE ${broken.sql} ORDER BY rn LIMIT ${NAMED}`,
  )
  return faultsAt(broken.reason, count, await places(first.getRows().map(([rn]) => Number(rn))))
}

async function rewardFaults(
  { rewardFaults: found }: Side,
  places: (rows: readonly number[]) => Promise<readonly string[]>,
): Promise<SourceFault[]> {
  const faults: SourceFault[] = []
  for (const [reason, { rows, first }] of found) faults.push(...faultsAt(reason, rows, await places(first)))
  return faults
}

/** Whoever names the file, a Dataset or a set of actions. */
const WRONG_FORMAT = 'check the file, and the `spec.format` that it is declared with'

/** DuckDB's own first line says what it could not do; what follows is advice on its SQL, which the user never wrote. */
export async function unreadable(source: TableSource, error: unknown, connection: DuckDBConnection): Promise<unknown> {
  if (error instanceof DapError) return error
  const [line] = String(error instanceof Error ? error.message : error).split('\n')
  const hungry = line.startsWith('Out of Memory')
  const rewards = source.join?.rewards?.source
  for (const each of rewards === undefined ? [source] : [source, rewards]) {
    const damaged = hungry || each.format !== 'parquet' ? undefined : await parquetFault(each, connection, error)
    if (damaged !== undefined) return damaged
  }
  const more = source.paths.length > 1 ? ` and ${source.paths.length - 1} more` : ''
  return new DapError(
    `\`${nameOf(source, source.paths[0])}\`${more} cannot be read as ${source.format}: ${withNames(source, line)}`,
    {
      hint: hungry ? 'give it more memory by --memory, or room to spill by --spill' : WRONG_FORMAT,
      cause: error,
    },
  )
}

/** What DuckDB says, its files called as they are elsewhere. */
const withNames = (source: TableSource, text: string): string =>
  source.paths.reduce((said, path) => said.replaceAll(path, nameOf(source, path)), text)

/** The first file, and the row group of it, that cannot be read. */
async function parquetFault(
  source: TableSource,
  connection: DuckDBConnection,
  cause: unknown,
): Promise<DapError | undefined> {
  const failureOf = async (sql: string) => {
    try {
      await numbersOf(connection, sql)
      return undefined
    } catch (error) {
      return String(error instanceof Error ? error.message : error).split('\n')[0]
    }
  }
  for (const path of source.paths) {
    const file = listOf([path])
    const name = nameOf(source, path)
    const unopened = await failureOf(`SELECT count(*) FROM parquet_metadata(${file})`)
    if (unopened !== undefined) {
      return new DapError(`\`${name}\` cannot be read as parquet: ${withNames(source, unopened)}`, {
        hint: WRONG_FORMAT,
        cause,
      })
    }
    const groups = await connection.runAndReadAll(
      `SELECT row_group_id, any_value(row_group_num_rows) FROM parquet_metadata(${file}) GROUP BY 1 ORDER BY 1`,
    )
    let from = 0
    for (const [group, rows] of groups.getRows()) {
      const to = from + Number(rows)
      const failure = await failureOf(
        `SELECT count(*), sum(hash(COLUMNS(*))) FROM read_parquet(${file}) WHERE file_row_number >= ${from} AND file_row_number < ${to}`,
      )
      if (failure !== undefined) {
        return new DapError(`${name}: row group ${group}, rows ${from + 1} to ${to}: ${withNames(source, failure)}`, {
          hint: 'the file is damaged: write or copy it again',
          cause,
        })
      }
      from = to
    }
  }
  return undefined
}
