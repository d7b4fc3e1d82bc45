import { type ColumnRequest, type TableSource, UNIT_GROUPS } from '../log/tables.ts'

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** SQL that describes the columns of a source. */
export function describeSql(source: TableSource): string {
  return `DESCRIBE SELECT * FROM ${scan(source)}`
}

/** SQL that gives the requested columns: DOUBLE without nulls for `number` and `group`, VARCHAR for `key` and `text`. */
export function selectSql(source: TableSource, requests: readonly ColumnRequest[]): string {
  const columns = [...new Set(requests.map(request => request.column))]
  const select = requests.map(request => expression(source, request))
  return `SELECT ${select.join(', ')} FROM ${source.format === 'dap' ? decisions(source) : scan(source, columns)}`
}

function expression({ format }: TableSource, { column, type }: ColumnRequest): string {
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
      return `coalesce((md5_number_upper(CAST(${value} AS VARCHAR)) % ${UNIT_GROUPS})::DOUBLE, -1)`
    default:
      return `CAST(${value} AS VARCHAR)`
  }
}

/** Every value of CSV is text and every value of JSON is JSON, so that what is not a number is a bad row, not a crash. */
function scan({ format, paths }: TableSource, columns?: readonly string[]): string {
  const files = `[${paths.map(quoteText).join(', ')}]`
  switch (format) {
    case 'csv':
      return `read_csv(${files}, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', union_by_name = true)`
    case 'parquet':
      return `read_parquet(${files}, union_by_name = true)`
    default: {
      const shape = columns ? `, columns = {${columns.map(name => `${quoteName(name)}: 'JSON'`).join(', ')}}` : ''
      return `read_json(${files}, format = 'newline_delimited'${shape})`
    }
  }
}

/**
 * Decision records with their rewards as a table, a row a decision, in file order: the join streams the decisions past a
 * table of the rewards. A reward record that is sent twice (the same `rewardId`) counts once.
 */
function decisions({ paths }: TableSource): string {
  const files = `[${paths.map(quoteText).join(', ')}]`
  const read = (fields: string) =>
    `read_json(${files}, format = 'newline_delimited', maximum_object_size = 16777216, columns = {${fields}})`
  const decision = read(
    "schema: 'VARCHAR', decisionId: 'VARCHAR', unit: 'JSON', context: 'JSON', eligible: 'JSON', slots: 'JSON', served: 'JSON'",
  )
  const reward = read("schema: 'VARCHAR', rewardId: 'VARCHAR', decisionId: 'VARCHAR', value: 'JSON'")
  return `(
    SELECT
      d.decisionId, d.unit->>'$' AS unit, CAST(d.context AS VARCHAR) AS context,
      d.slots->>'$[0].action' AS action, d.slots->>'$[0].propensity' AS propensity,
      CAST(d.slots->'$[0].propensities' AS VARCHAR) AS propensities,
      CAST(to_json(d.eligible->>'$[*].id') AS VARCHAR) AS eligible,
      coalesce(d.served->>'$.by', 'policy') AS servedBy,
      CASE WHEN r.decisionId IS NULL THEN 0 ELSE r.reward END AS reward
    FROM ${decision} AS d
    LEFT JOIN (
      SELECT decisionId, list_sum(list(value ORDER BY rewardId)) AS reward
      FROM (
        SELECT decisionId, rewardId, coalesce(TRY_CAST(any_value(value)->>'$' AS DOUBLE), 'nan'::DOUBLE) AS value
        FROM ${reward} WHERE schema = 'dap.reward/v1' GROUP BY decisionId, rewardId
      ) GROUP BY decisionId
    ) AS r ON r.decisionId = d.decisionId
    WHERE d.schema = 'dap.decision/v1'
  )`
}

/** The context field that a column of the `dap` format stands for: `context.level` is field `level`. */
export function contextField(column: string): string | undefined {
  return column.startsWith('context.') ? column.slice('context.'.length) : undefined
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
