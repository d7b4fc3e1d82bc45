import { type ColumnRequest, type TableSource, UNIT_GROUPS, type UnitColumn } from '../log/tables.ts'

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Column → DuckDB's name of its type, for the columns that have one. */
export type ColumnTypes = ReadonlyMap<string, string>

/** Of at most 32 bits: such a key is much faster to read as a number than as text. */
export function isSmallInteger(type: string | undefined): boolean {
  return type !== undefined && /^U?(TINYINT|SMALLINT|INTEGER)$/.test(type)
}

/** SQL that describes the columns of a source. */
export function describeSql(source: TableSource): string {
  return `DESCRIBE SELECT * FROM ${scan(source)}`
}

/**
 * SQL that gives the requested columns: DOUBLE without nulls for `number`, `group` and a `key` of small integers, VARCHAR for
 * any other `key` and `text`; for the reward of a `dap` log, the decision's id.
 */
export function selectSql(source: TableSource, requests: readonly ColumnRequest[], types: ColumnTypes): string {
  const { format, part } = source
  const unit = part?.unit
  const columns = [...requests, ...(unit ? [unit] : [])].flatMap(({ column, otherwise }) => [
    column,
    ...(otherwise === undefined ? [] : [otherwise]),
  ])
  const select = requests.map(request => expression(source, request, types))
  const rows = format === 'dap' ? decisions(source) : scan(source, [...new Set(columns)])
  if (part === undefined) return `SELECT ${select.join(', ')} FROM ${rows}`
  const group = unit ? groupOf(format, unit) : `${ROW_NUMBER} % ${UNIT_GROUPS}`
  // Only a part that goes by number needs the numbers.
  const numbered = unit ? rows : `(SELECT *, row_number() OVER () - 1 AS ${ROW_NUMBER} FROM ${rows})`
  return `SELECT ${select.join(', ')} FROM ${numbered} WHERE ${group} >= ${part.from} AND ${group} < ${part.to}`
}

/** A name that no column has. */
const ROW_NUMBER = quoteName('number of the row, "dap"')

function expression({ format }: TableSource, request: ColumnRequest, types: ColumnTypes): string {
  const { column, type } = request
  if (isReward(format, column)) return 'reward'
  if (type === 'key' && isSmallInteger(types.get(column)))
    return `coalesce(${quoteName(column)}::DOUBLE, 'nan'::DOUBLE)`
  const value = textOf(format, column)
  switch (type) {
    case 'number':
      return `coalesce(TRY_CAST(${value} AS DOUBLE), 'nan'::DOUBLE)`
    case 'group':
      return `coalesce(${groupOf(format, request)}::DOUBLE, -1)`
    default:
      return `CAST(${value} AS VARCHAR)`
  }
}

function textOf(format: TableSource['format'], column: string): string {
  const name = quoteName(column)
  const field = format === 'dap' ? contextField(column) : undefined
  if (field !== undefined) return `(context->>${quoteText(`$.${quoteName(field)}`)})`
  return format === 'jsonl' ? `(${name}->>'$')` : name
}

function groupOf(format: TableSource['format'], { column, otherwise }: UnitColumn): string {
  const [text, instead] = [column, otherwise].map(name => name && `CAST(${textOf(format, name)} AS VARCHAR)`)
  return `(md5_number_lower(${instead ? `coalesce(${text}, ${instead})` : text}) % ${UNIT_GROUPS})`
}

/** Every value of CSV is text and every value of JSON is JSON, so that what is not a number is a bad row, not a crash. */
function scan({ format, paths }: TableSource, columns?: readonly string[]): string {
  const files = `[${paths.map(quoteText).join(', ')}]`
  switch (format) {
    case 'csv':
      return `read_csv(${files}, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', skip = 0, union_by_name = true, hive_partitioning = false)`
    case 'parquet':
      return `read_parquet(${files}, union_by_name = true, hive_partitioning = false)`
    default: {
      const shape = columns ? `, columns = {${columns.map(name => `${quoteName(name)}: 'JSON'`).join(', ')}}` : ''
      return `read_json(${files}, format = 'newline_delimited', maximum_object_size = 16777216, hive_partitioning = false${shape})`
    }
  }
}

/** Decision records as a table, a row a decision, in file order. `reward` is the decision's id, to be looked up. */
function decisions(source: TableSource): string {
  const { wait, until } = source.join ?? {}
  const over = wait === undefined || until === undefined ? '' : ` AND NOT ${isWaiting(MILLISECONDS, wait, until)}`
  const records = scanRecords(
    source,
    "decisionId: 'VARCHAR', ts: 'VARCHAR', unit: 'JSON', context: 'JSON', eligible: 'JSON', slots: 'JSON', served: 'JSON'",
  )
  return `(
    SELECT
      decisionId, decisionId AS reward, ts, unit->>'$' AS unit, CAST(context AS VARCHAR) AS context,
      slots->>'$[0].action' AS action, slots->>'$[0].propensity' AS propensity,
      CAST(slots->'$[0].propensities' AS VARCHAR) AS propensities,
      CAST(to_json(eligible->>'$[*].id') AS VARCHAR) AS eligible,
      coalesce(served->>'$.by', 'policy') AS servedBy, ${PENDING} AS pending
    FROM ${records} WHERE schema = 'dap.decision/v1'${over}
  )`
}

/** Of a record: its `ts` in milliseconds since 1970, NULL where it is no timestamp; whether it waits for an activation. */
export const MILLISECONDS = 'epoch_ms(TRY_CAST(ts AS TIMESTAMPTZ))'
export const PENDING = "coalesce(served->>'$.activation' = 'pending', false)"

/** Is the wait of a decision of that time, SQL for milliseconds, still not over? One without a time waits for nothing. */
export function isWaiting(time: string, wait: number, until: number): string {
  return `coalesce(${time} + ${wait} > ${until}, false)`
}

/** The records of a `dap` log; a line that cannot be read is a row of nulls. */
export function scanRecords({ paths }: TableSource, fields: string): string {
  const files = `[${paths.map(quoteText).join(', ')}]`
  return `read_json(${files}, format = 'newline_delimited', ignore_errors = true, maximum_object_size = 16777216, hive_partitioning = false, columns = {schema: 'VARCHAR', ${fields}})`
}

/** The context field that a column of the `dap` format stands for: `context.level` is field `level`. */
export function contextField(column: string): string | undefined {
  return column.startsWith('context.') ? column.slice('context.'.length) : undefined
}

/** Is this the rewards of a `dap` log? They are in other records than the decisions, and are looked up by decision. */
export function isReward(format: TableSource['format'], column: string): boolean {
  return format === 'dap' && column === 'reward'
}

/** The columns of the table that the `dap` format is seen as. */
export const DAP_COLUMNS: readonly string[] = [
  'decisionId',
  'ts',
  'unit',
  'context',
  'action',
  'propensity',
  'propensities',
  'eligible',
  'servedBy',
  'reward',
]
