import type { DuckDBConnection } from '@duckdb/node-api'
import { DapError } from '../../errors.ts'
import { CSV } from '../../log/csv.ts'
import { columnHint, type SourceFault, type TableSource } from '../../log/tables.ts'
import { type Compression, MAX_LINE } from '../node/text.ts'
import { nameOf, type TextFile } from './files.ts'
import {
  createInsides,
  type Insides,
  jsonPath,
  listOf,
  pathSteps,
  quoteName,
  quoteText,
  type Step,
  type Value,
} from './sql.ts'

/** The lines of a mapped log as SQL: a row a line, in the order of the files. */
export interface Scan {
  /** A relation of the rows, in order; and the same with the number of each row, from 0, as the column `rn`. */
  readonly rows: string
  readonly numbered: string
  /** How many there must be. */
  readonly count: number
  /** Names of the columns; of JSON lines, those of the first ones. */
  readonly names: readonly string[]
  /** SQL of whether a row is none, and what it then is. */
  readonly broken?: { readonly sql: string; readonly reason: string }
  readonly faults: readonly SourceFault[]
  /** A column, or what a path into one leads to, by whoever looks inside. Throws a DapError where there is none. */
  value(name: string, inside: Insides['of']): Value
  /** So many rows are to be asked for at once, by their numbers in the column `rn`; default: all. */
  readonly span?: number
  /** Does any row have a column that is not among the names? Absent where the names are all. */
  has?(name: string, connection: DuckDBConnection): Promise<boolean>
}

/** The rows of a scan for one query: first what is wanted of them, and then the relation that has it. */
export interface Asked {
  value(name: string): Value
  rows(): string
  numbered(): string
}

export function ask(scan: Scan): Asked {
  const insides = createInsides()
  return {
    value: name => scan.value(name, insides.of),
    rows: () => insides.within(scan.rows),
    numbered: () => insides.within(scan.numbered),
  }
}

/** DuckDB's own limit of a record of CSV, of which it reserves 16 for each thread. */
const USUAL_RECORD = 2_000_000

/** As DuckDB calls them. */
const COMPRESSION: Readonly<Record<Compression, string>> = { none: 'uncompressed', gzip: 'gzip', zstd: 'zstd' }

/** A scan of CSV: each run of files with one header is read by its own columns. */
export function csvScan(source: TableSource, files: readonly TextFile[]): Scan {
  const { nulls, delimiter, quote, escape: escaping, header, decimal, timeZone } = source.csv ?? CSV
  const names = [...new Set(files.flatMap(file => file.header))]
  const repeated = new Map(
    files.flatMap(({ name: file, header }) =>
      header.filter((name, i) => header.indexOf(name) < i).map(name => [name, file] as const),
    ),
  )
  const partitions = partitionsOf(source, names)
  const readable = files.map((file, index) => ({ ...file, index })).filter(({ rows }) => rows > 0)
  const runs = runsOf(readable, ({ header, compression }) => JSON.stringify([header, compression]))
  const relation = (run: readonly (TextFile & { readonly index: number })[]): string => {
    const columns = run[0].header.map((_, i) => `${quoteText(`f${i}`)}: 'VARCHAR'`)
    const fields = names.map((name, i) => {
      const at = run[0].header.indexOf(name)
      return `${at < 0 ? 'NULL' : `f${at}`} AS c${i}`
    })
    const nullTexts = nulls.length === 0 ? "[chr(0) || 'null']" : listOf(nulls)
    return `SELECT ${[...fields, ...partitionFields(partitions, run)].join(', ')} FROM read_csv(${listOf(run.map(file => file.read))},
      auto_detect = false, columns = {${columns.join(', ')}}, header = ${header}, delim = ${quoteText(delimiter)}, quote = ${quoteText(quote)},
      escape = ${quoteText(escaping)}, comment = '', nullstr = ${nullTexts}, strict_mode = true, max_line_size = ${Math.max(USUAL_RECORD, ...run.map(file => file.longest + 2))},
      compression = ${quoteText(COMPRESSION[run[0].compression])}, hive_partitioning = false)`
  }
  const all = [...names.map((_, i) => `c${i}`), ...[...partitions.keys()].map((_, p) => `p${p}`)]
  const at = new Map(names.map((name, i) => [name, `c${i}`]))
  return {
    ...inOrder(runs, relation, noRows(all, 'VARCHAR')),
    count: files.reduce((sum, file) => sum + file.rows, 0),
    names: [...names, ...partitions.keys()],
    faults: files.flatMap(file => file.faults),
    value: lookup(source, [...names, ...partitions.keys()], name => {
      if (repeated.has(name)) throw new DapError(`the header of \`${repeated.get(name)}\` has two columns \`${name}\``)
      const sql = at.get(name) ?? partitionColumn(partitions, name)
      return sql === undefined ? undefined : { sql, type: 'VARCHAR', decimal, timeZone }
    }),
  }
}

/** A scan of JSON lines: the column `json` is the line, NULL where it is no JSON. */
export function jsonScan(source: TableSource, files: readonly TextFile[], names: readonly string[]): Scan {
  const partitions = partitionsOf(source, [])
  const readable = files.map((file, index) => ({ ...file, index })).filter(({ rows }) => rows > 0)
  const relation = (run: readonly (TextFile & { readonly index: number })[]) =>
    `SELECT ${['json', ...partitionFields(partitions, run)].join(', ')} FROM read_ndjson_objects(${listOf(run.map(file => file.read))},
      ignore_errors = true, maximum_object_size = ${MAX_LINE + 2}, compression = ${quoteText(COMPRESSION[run[0].compression])}, hive_partitioning = false)`
  const runs = runsOf(readable, ({ compression }) => compression)
  const all = ['json', ...[...partitions.keys()].map((_, p) => `p${p}`)]
  const { rows, numbered } = inOrder(runs, relation, noRows(all, 'JSON'))
  return {
    rows,
    numbered,
    count: files.reduce((sum, file) => sum + file.rows, 0),
    names: [...names, ...partitions.keys()],
    broken: { sql: "NOT coalesce(starts_with(ltrim(json), '{'), false)", reason: 'no JSON object' },
    faults: [],
    value(name, inside) {
      const partition = partitionColumn(partitions, name)
      if (partition !== undefined) return { sql: partition, type: 'VARCHAR' }
      const line: Value = { sql: 'json', type: 'JSON' }
      const own = inside(line, [name])
      const steps = names.includes(name) ? undefined : pathSteps(name)
      if (steps === undefined) return own
      // A key of that very name may come in any line, and goes before.
      return { ...own, sql: `coalesce(${own.sql}, ${inside(line, steps).sql})` }
    },
    async has(name, connection) {
      const found = await connection.runAndReadAll(
        `SELECT 1 FROM ${rows} WHERE json_exists(json, ${quoteText(jsonPath([name]))}) LIMIT 1`,
      )
      return found.currentRowCount > 0
    },
  }
}

/** A column of Parquet files: its name, how DuckDB calls it, and DuckDB's name of its type. */
export interface ParquetColumn {
  readonly name: string
  readonly alias: string
  readonly type: string
  /** Why it cannot be told from another one. */
  readonly fault?: string
}

/** A scan of Parquet: `rows` are how many each file has by its footer. */
export function parquetScan(source: TableSource, columns: readonly ParquetColumn[], rows: readonly number[]): Scan {
  const partitions = partitionsOf(
    source,
    columns.map(({ name }) => name),
  )
  const run = source.paths.map((_, index) => ({ index }))
  const own = [...columns.map(({ alias }, i) => `${quoteName(alias)} AS c${i}`), ...partitionFields(partitions, run)]
  const files = `read_parquet(${listOf(source.paths)}, union_by_name = true, hive_partitioning = false)`
  const virtual = columns.find(({ alias }) => /^file_(row_number|index)$/i.test(alias))
  if (virtual !== undefined) {
    throw new DapError(`\`${source.paths[0]}\` has a column \`${virtual.name}\`, which DuckDB calls one of its own`, {
      hint: 'write the files with another name of the column',
    })
  }
  let before = 0
  const offsets = rows.map(count => {
    const offset = before
    before += count
    return offset
  })
  const number =
    offsets.length === 1 ? 'file_row_number' : `file_row_number + [${offsets.join(', ')}][file_index::BIGINT + 1]`
  const names = [...columns.map(({ name }) => name), ...partitions.keys()]
  return {
    rows: `(SELECT ${own.join(', ')} FROM ${files})`,
    numbered: `(SELECT ${[...own, `${number} AS rn`].join(', ')} FROM ${files})`,
    count: before,
    names: [...new Set(names)],
    faults: [],
    value: lookup(source, names, name => {
      const at = columns.findIndex(column => column.name === name)
      if (at >= 0) {
        const { type, fault } = columns[at]
        if (fault !== undefined) throw new DapError(fault, { hint: 'write the files with other names of the columns' })
        return { sql: `c${at}`, type }
      }
      const sql = partitionColumn(partitions, name)
      return sql === undefined ? undefined : { sql, type: 'VARCHAR' }
    }),
  }
}

/** A relation that is a table already. */
export function tableScan(
  table: string,
  count: number,
  columns: ReadonlyMap<string, Value>,
  other: (name: string, inside: Insides['of']) => Value | undefined,
): Scan {
  return {
    rows: table,
    numbered: table,
    count,
    names: [...columns.keys()],
    faults: [],
    value(name, inside) {
      const found = columns.get(name) ?? other(name, inside)
      if (found === undefined)
        throw new DapError(`no column \`${name}\``, {
          hint: columnHint(name, [...columns.keys()], [...columns.keys()]),
        })
      return found
    },
  }
}

function lookup(source: TableSource, names: readonly string[], column: (name: string) => Value | undefined) {
  return (name: string, inside: Insides['of']): Value => {
    const own = column(name)
    if (own !== undefined) return own
    const steps = pathSteps(name)
    const [first, ...rest] = steps ?? []
    const outer = typeof first === 'string' ? column(first) : undefined
    if (outer !== undefined) return inside(outer, rest as readonly Step[])
    throw new DapError(`no column \`${name}\` in \`${source.paths[0]}\``, {
      hint: columnHint(name, names, source.named ?? []),
    })
  }
}

/**
 * The rows of runs of files, one run after the other, without and with their numbers. Each run is numbered by itself: where the order of
 * a union's rows does not matter to what takes them, DuckDB reads its parts at once, and one window over all would number them as they come.
 */
function inOrder<F extends { readonly rows: number }>(
  runs: readonly (readonly F[])[],
  relation: (run: readonly F[]) => string,
  none: string,
): Pick<Scan, 'rows' | 'numbered'> {
  let before = 0
  const numbered = runs.map(run => {
    const sql = `SELECT *, row_number() OVER () - 1 + ${before} AS rn FROM (${relation(run)})`
    for (const { rows } of run) before += rows
    return sql
  })
  return {
    rows: runs.length === 0 ? none : `(${runs.map(relation).join(' UNION ALL ')})`,
    numbered: `(${runs.length === 0 ? `SELECT *, 0 AS rn FROM ${none}` : numbered.join(' UNION ALL ')})`,
  }
}

/** Files of which not one has a row. */
const noRows = (columns: readonly string[], type: string): string =>
  `(SELECT ${['0 AS none', ...columns.map(name => `NULL::${type} AS ${name}`)].join(', ')} WHERE false)`

/** Neighbours that are alike. */
function runsOf<T>(items: readonly T[], kind: (item: T) => string): T[][] {
  const runs: T[][] = []
  for (const item of items) {
    const last = runs.at(-1)
    if (last !== undefined && kind(last[0]) === kind(item)) last.push(item)
    else runs.push([item])
  }
  return runs
}

type Partitions = ReadonlyMap<string, readonly string[]>

/** A partition of a name that the files have a column of is that column. */
function partitionsOf({ partitions = new Map() }: TableSource, names: readonly string[]): Partitions {
  return new Map([...partitions].filter(([name]) => !names.includes(name)))
}

/** The value of each partition, by the place of a row's file in the run; an empty one is missing. */
function partitionFields(partitions: Partitions, run: readonly { readonly index: number }[]): string[] {
  return [...partitions.values()].map(
    (values, p) => `nullif(${listOf(run.map(({ index }) => values[index]))}[file_index::BIGINT + 1], '') AS p${p}`,
  )
}

function partitionColumn(partitions: Partitions, name: string): string | undefined {
  const at = [...partitions.keys()].indexOf(name)
  return at < 0 ? undefined : `p${at}`
}

/**
 * The columns of Parquet files. DuckDB tells names apart that differ in case alone by a number, and gives one to a column without: files
 * of the same columns are known by their places, those of others by their names, where case is nothing.
 */
export async function parquetColumns(
  source: TableSource,
  schemas: ParquetSchemas,
  connection: DuckDBConnection,
): Promise<ParquetColumn[]> {
  const described = await connection.runAndReadAll(
    `DESCRIBE SELECT * FROM read_parquet(${listOf(source.paths)}, union_by_name = true, hive_partitioning = false)`,
  )
  const columns = described.getRows().map(([alias, type]) => ({ alias: String(alias), type: String(type) }))
  const wide = new Set(schemas.flatMap(({ wide: names }) => names))
  const [first, ...others] = schemas.map(({ columns: names }) => names)
  if (others.every(names => names.length === first.length && names.every((name, i) => name === first[i]))) {
    return columns.map(({ alias, type }, i) => {
      const twice = first.indexOf(first[i]) !== first.lastIndexOf(first[i])
      const fault = twice ? `\`${nameOf(source, source.paths[0])}\` has two columns \`${first[i]}\`` : tooWide(first[i])
      return { name: first[i], alias, type, fault }
    })
  }
  const names = [...new Set([first, ...others].flat())]
  return names.map(name => {
    const lower = name.toLowerCase()
    const alike = names.filter(other => other.toLowerCase() === lower)
    const found = columns.find(({ alias }) => alias.toLowerCase() === lower)
    const fault =
      alike.length > 1
        ? `the columns ${alike.map(other => `\`${other}\``).join(', ')} of files whose columns differ cannot be told apart by case`
        : found === undefined || [first, ...others].some(each => each.indexOf(name) !== each.lastIndexOf(name))
          ? `the column \`${name}\` of files whose columns differ cannot be told from others`
          : tooWide(name)
    return { name, alias: found?.alias ?? columns[0].alias, type: found?.type ?? 'VARCHAR', fault }
  })

  function tooWide(name: string): string | undefined {
    return wide.has(name) ? `\`${name}\` has decimals of more than ${DIGITS} digits, which cannot be read` : undefined
  }
}

/** What DuckDB holds of a decimal. */
const DIGITS = 38

/** Of each file, in order: the names of its columns, and of those whose numbers have too many digits. */
export type ParquetSchemas = readonly {
  readonly path: string
  readonly columns: readonly string[]
  readonly wide: readonly string[]
}[]

export async function parquetSchemas({ paths }: TableSource, connection: DuckDBConnection): Promise<ParquetSchemas> {
  const rows = await connection.runAndReadAll(
    `SELECT file_name, name, num_children, precision FROM parquet_schema(${listOf(paths)})`,
  )
  const nodes = new Map<string, Node[]>()
  for (const [file, name, children, precision] of rows.getRows()) {
    const known = nodes.get(String(file)) ?? []
    known.push({ name: String(name), children: Number(children ?? 0), digits: Number(precision ?? 0) })
    nodes.set(String(file), known)
  }
  return [...nodes].map(([path, all]) => {
    const columns = outermost(all)
    const wide = columns.filter(({ digits }) => digits > DIGITS).map(({ name }) => name)
    return { path, columns: columns.map(({ name }) => name), wide }
  })
}

interface Node {
  readonly name: string
  readonly children: number
  readonly digits: number
}

/** The columns themselves, of a schema whose first node is the root and whose others follow depth first. */
function outermost(nodes: readonly Node[]): Node[] {
  const columns: Node[] = []
  for (let i = 1; i < nodes.length; ) {
    columns.push(nodes[i])
    for (let open = 1; open > 0; i++) open += nodes[i].children - 1
  }
  return columns
}
