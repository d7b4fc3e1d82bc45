import { type ColumnRequest, type TableSource, UNIT_GROUPS } from '../log/tables.ts'

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
  const columns = [...new Set(requests.map(request => request.column))]
  const select = requests.map(request => expression(source, request, types))
  return `SELECT ${select.join(', ')} FROM ${source.format === 'dap' ? decisions(source) : scan(source, columns)}`
}

function expression({ format }: TableSource, { column, type }: ColumnRequest, types: ColumnTypes): string {
  if (isReward(format, column)) return 'reward'
  if (type === 'key' && isSmallInteger(types.get(column)))
    return `coalesce(${quoteName(column)}::DOUBLE, 'nan'::DOUBLE)`
  const name = quoteName(column)
  const field = format === 'dap' ? contextField(column) : undefined
  const value =
    field !== undefined
      ? `(context->>${quoteText(`$.${quoteName(field)}`)})`
      : format === 'jsonl'
        ? `(${name}->>'$')`
        : name
  switch (type) {
    case 'number':
      return `coalesce(TRY_CAST(${value} AS DOUBLE), 'nan'::DOUBLE)`
    case 'group':
      return `coalesce((md5_number_lower(CAST(${value} AS VARCHAR)) % ${UNIT_GROUPS})::DOUBLE, -1)`
    default:
      return `CAST(${value} AS VARCHAR)`
  }
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
  const records = scanRecords(
    source,
    "decisionId: 'VARCHAR', unit: 'JSON', context: 'JSON', eligible: 'JSON', slots: 'JSON', served: 'JSON'",
  )
  return `(
    SELECT
      decisionId, decisionId AS reward, unit->>'$' AS unit, CAST(context AS VARCHAR) AS context,
      slots->>'$[0].action' AS action, slots->>'$[0].propensity' AS propensity,
      CAST(slots->'$[0].propensities' AS VARCHAR) AS propensities,
      CAST(to_json(eligible->>'$[*].id') AS VARCHAR) AS eligible,
      coalesce(served->>'$.by', 'policy') AS servedBy
    FROM ${records} WHERE schema = 'dap.decision/v1'
  )`
}

/**
 * SQL that gives, by decision, the sum of its rewards, NaN where one is no number. A reward record that was sent twice (the
 * same `rewardId`) counts once. Sums are taken in the order of the ids, so that they are the same each time.
 */
export function rewardsSql(source: TableSource): string {
  return `
    SELECT decisionId, list_sum(list(value ORDER BY rewardId))
    FROM (
      SELECT decisionId, rewardId, coalesce(TRY_CAST(any_value(value)->>'$' AS DOUBLE), 'nan'::DOUBLE) AS value
      FROM ${scanRecords(source, "rewardId: 'VARCHAR', decisionId: 'VARCHAR', value: 'JSON'")}
      WHERE schema = 'dap.reward/v1' AND decisionId IS NOT NULL GROUP BY decisionId, rewardId
    ) GROUP BY decisionId`
}

function scanRecords({ paths }: TableSource, fields: string): string {
  const files = `[${paths.map(quoteText).join(', ')}]`
  return `read_json(${files}, format = 'newline_delimited', maximum_object_size = 16777216, hive_partitioning = false, columns = {schema: 'VARCHAR', ${fields}})`
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
  'unit',
  'context',
  'action',
  'propensity',
  'propensities',
  'eligible',
  'servedBy',
  'reward',
]
