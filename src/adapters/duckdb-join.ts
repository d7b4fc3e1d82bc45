import type { DuckDBConnection } from '@duckdb/node-api'
import type { JoinCounts, RewardJoin, TableSource } from '../log/tables.ts'
import { isWaiting, MILLISECONDS, PENDING, quoteText, scanRecords } from './duckdb-sql.ts'

/** What the decisions of a `dap` log need to know of its other records; held in memory while they are streamed. */
export interface Join {
  /** Decision → what its rewards come to; those that nothing came back for are not in it. */
  readonly rewards: ReadonlyMap<string, number>
  /** Ids under which more than one decision was logged. */
  readonly repeated: ReadonlySet<string>
  /** The decisions that were activated; undefined where none had to be. */
  readonly activated: ReadonlySet<string> | undefined
  readonly counts: JoinCounts
}

const SUM_OF_ALL: RewardJoin = { aggregate: 'sum', default: 0 }

/** Values are taken by time, then by id, so that they come to the same each time. */
const AGGREGATES: Readonly<Record<RewardJoin['aggregate'], string>> = {
  first: 'list(value ORDER BY came, rewardId)[1]',
  sum: 'list_sum(list(value ORDER BY came, rewardId))',
  mean: 'list_avg(list(value ORDER BY came, rewardId))',
  max: 'max(value)',
}

/**
 * Reads a `dap` log twice, a few of its fields each time: the decisions, some 60 bytes each, and the rewards, each once whatever
 * often it was sent. Ids meet by their MD5. A value that is no number makes the decision's reward NaN.
 */
export async function readJoin(source: TableSource, connection: DuckDBConnection, signal?: AbortSignal): Promise<Join> {
  const { name, wait, until, aggregate } = source.join ?? SUM_OF_ALL
  const waiting = wait === undefined || until === undefined ? 'false' : isWaiting('decided', wait, until)
  const late = wait === undefined ? 'false' : `coalesce(came - decided > ${wait}, false)`
  const named = name === undefined ? 'true' : `coalesce(name = ${quoteText(name)}, true)`

  await connection.run(`CREATE TEMP TABLE decisions AS
    SELECT md5_number(decisionId) AS id, count(*) AS times, min(${MILLISECONDS}) AS decided, bool_or(${PENDING}) AS pending,
      count(*) FILTER (logProbability < 1) AS shed
    FROM ${scanRecords(source, "decisionId: 'VARCHAR', ts: 'VARCHAR', served: 'JSON', logProbability: 'DOUBLE'")}
    WHERE schema = 'dap.decision/v1' GROUP BY id`)
  await connection.run(`CREATE TEMP TABLE others AS
    SELECT kind, decisionId, md5_number(decisionId) AS id, rewardId, count(*) AS times,
      min({'came': came, 'value': value}).came AS came, min({'came': came, 'value': value}).value AS value
    FROM (
      SELECT decisionId, rewardId, ${MILLISECONDS} AS came, coalesce(TRY_CAST(value->>'$' AS DOUBLE), 'nan'::DOUBLE) AS value,
        CASE
          WHEN schema IS NULL AND decisionId IS NULL THEN 'unreadable'
          WHEN schema IS DISTINCT FROM 'dap.reward/v1' THEN 'other'
          WHEN kind = 'activation' THEN kind
          WHEN coalesce(slot, '0') = '0' AND ${named} THEN 'reward'
        END AS kind
      FROM ${scanRecords(source, "decisionId: 'VARCHAR', rewardId: 'VARCHAR', slot: 'VARCHAR', kind: 'VARCHAR', name: 'VARCHAR', value: 'JSON', ts: 'VARCHAR'")}
      WHERE schema IS DISTINCT FROM 'dap.decision/v1'
    ) WHERE kind IS NOT NULL GROUP BY kind, decisionId, rewardId`)
  signal?.throwIfAborted()

  const [decisions, repeated, stillWaiting, pending, inactive, shed] = await numbers(
    connection,
    `SELECT sum(times), sum(times - 1) FILTER (id IS NOT NULL), count(*) FILTER (${waiting}), count(*) FILTER (pending),
      count(*) FILTER (pending AND NOT ${waiting}
        AND coalesce(id NOT IN (SELECT id FROM others WHERE kind = 'activation' AND id IS NOT NULL), true)),
      sum(shed)
    FROM decisions`,
  )
  const [otherSchemas, unreadable] = await numbers(
    connection,
    `SELECT sum(times) FILTER (kind = 'other'), sum(times) FILTER (kind = 'unreadable') FROM others`,
  )
  const [rewards, lateRewards, orphans] = await numbers(
    connection,
    `SELECT count(decisions.id) FILTER (NOT ${late}), count(decisions.id) FILTER (${late}), count(*) FILTER (decisions.id IS NULL)
    FROM others LEFT JOIN decisions USING (id) WHERE kind = 'reward'`,
  )
  const values = new Map<string, number>()
  await eachChunk(
    connection,
    `SELECT decisionId, ${AGGREGATES[aggregate]} FROM others JOIN decisions USING (id)
    WHERE kind = 'reward' AND NOT ${late} GROUP BY decisionId`,
    ([ids, numbers]) => {
      signal?.throwIfAborted()
      for (let i = 0; i < ids.length; i++) values.set(ids[i] as string, numbers[i] as number)
    },
  )
  const activated = "SELECT DISTINCT decisionId FROM others WHERE kind = 'activation' AND decisionId IS NOT NULL"
  const again = `SELECT DISTINCT decisionId FROM ${scanRecords(source, "decisionId: 'VARCHAR'")}
    WHERE schema = 'dap.decision/v1' AND md5_number(decisionId) IN (SELECT id FROM decisions WHERE times > 1 AND id IS NOT NULL)`
  return {
    rewards: values,
    repeated: repeated === 0 ? new Set() : await texts(connection, again),
    activated: pending === 0 ? undefined : await texts(connection, activated),
    counts: {
      decisions,
      repeated,
      waiting: stillWaiting,
      inactive,
      shed,
      rewards,
      late: lateRewards,
      orphans,
      otherSchemas,
      unreadable,
    },
  }
}

async function eachChunk(
  connection: DuckDBConnection,
  sql: string,
  take: (columns: readonly (readonly unknown[])[]) => void,
): Promise<void> {
  const result = await connection.stream(sql)
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    take(chunk.getColumns())
  }
}

/** The one row of a result; what is missing is 0. */
async function numbers(connection: DuckDBConnection, sql: string): Promise<readonly number[]> {
  const [row] = (await connection.runAndReadAll(sql)).getRows()
  return row.map(value => Number(value ?? 0))
}

async function texts(connection: DuckDBConnection, sql: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  await eachChunk(connection, sql, ([column]) => {
    for (const text of column) found.add(text as string)
  })
  return found
}
