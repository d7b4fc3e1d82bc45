import type { DuckDBAppender, DuckDBConnection, DuckDBDataChunk, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { checkChoice } from '../../log/check/check-decision.ts'
import type { LogFaultCode } from '../../log/records/fault.ts'
import { timestampOf } from '../../log/records/read-record.ts'
import { recordLines } from '../../log/records/record-lines.ts'
import {
  type DecisionRecord,
  decidedBy,
  firstFilled,
  isOffered,
  placeName,
  type RewardRecord,
  saidBy,
} from '../../log/records/records.ts'
import { roleOf } from '../../log/rows/reward-join.ts'
import type { SourceFault, TableSource } from '../../log/tables.ts'
import { linesOf } from '../node/text.ts'
import { loadDuckdb } from './database.ts'
import { createFaults } from './faults.ts'
import { nameOf } from './files.ts'
import { type Scan, tableScan } from './scan.ts'
import { type Decisions, KIND, type Rewards } from './side.ts'
import type { Value } from './sql.ts'

/** A `dap` log as tables: its records were read once, and those that are wrong in themselves are faults. */
export interface RecordTables {
  readonly scan: Scan
  readonly decisions: Decisions
  readonly rewards: Rewards
  readonly faults: readonly SourceFault[]
  /** Last lines that were cut off. */
  readonly torn: number
  /** Rewards of another name than is asked for. */
  readonly otherNames: number
}

/** The columns of the table that a `dap` log is seen as. */
export const DAP_COLUMNS = [
  'decisionId',
  'ts',
  'unit',
  'context',
  'action',
  'propensity',
  'propensities',
  'eligible',
  'place',
  'places',
  'offered',
  'actionFeatures',
  'servedBy',
  'logProbability',
  'list',
  'model',
] as const

/** What records of one decision must agree in to be the same, as columns. */
const SAID = {
  policy: 'INTEGER',
  unit: 'VARCHAR',
  context: 'VARCHAR',
  action: 'VARCHAR',
  propensity: 'DOUBLE',
  propensities: 'VARCHAR',
  baseline: 'VARCHAR',
  eligible: 'VARCHAR',
  offered: 'VARCHAR',
  actionFeatures: 'VARCHAR',
  servedBy: 'VARCHAR',
  list: 'VARCHAR',
  model: 'VARCHAR',
  pending: 'BOOLEAN',
  logProbability: 'DOUBLE',
} as const satisfies Record<keyof ReturnType<typeof decidedBy>, string>

const SAME = Object.keys(SAID)

/**
 * Reads every record of the files, and appends what evaluation and training need of it to the tables `decisions` and `records`. A line is
 * parsed here, and by nobody else. Contexts and lists become text again, as which they can spill, and are read from it by whoever wants
 * them: judging a linear policy on 500,000 decisions with seven fields takes 14 s of CPU, of which 0.35 s are that second reading of
 * contexts, and 0.15 s that of lists, most of which are remembered. A column for each field would cost more: it is text on its way into
 * DuckDB and out that takes time (4 s), and JSON types that would be lost.
 */
export async function stageRecords(
  source: TableSource,
  connection: DuckDBConnection,
  looked: (lines: number) => void,
  signal?: AbortSignal,
): Promise<RecordTables> {
  await connection.run(`CREATE TABLE decisions (rn BIGINT, file INTEGER, line BIGINT, decided BIGINT, decisionId VARCHAR,
    place VARCHAR, places VARCHAR, slots TINYINT, ${Object.entries(SAID)
      .map(([name, type]) => `${name} ${type}`)
      .join(', ')})`)
  await connection.run(`CREATE TABLE records (rn BIGINT, file INTEGER, line BIGINT, came BIGINT, kind TINYINT, name INTEGER,
    decisionId VARCHAR, slot TINYINT, rewardId VARCHAR, value DOUBLE)`)
  const { BIGINT, BOOLEAN, DOUBLE, DuckDBDataChunk, INTEGER, TINYINT, VARCHAR } = await loadDuckdb()
  const types = { BOOLEAN, DOUBLE, INTEGER, VARCHAR }
  const writer = async (table: string, types: DuckDBType[]) =>
    createRows(await connection.createAppender(table), types, rows => DuckDBDataChunk.create(types, rows))
  const place = [BIGINT, INTEGER, BIGINT, BIGINT]
  const decisions = await writer('decisions', [
    ...place,
    ...[VARCHAR, VARCHAR, VARCHAR, TINYINT],
    ...Object.values(SAID).map(type => types[type]),
  ])
  const rewards = await writer('records', [...place, TINYINT, INTEGER, VARCHAR, TINYINT, VARCHAR, DOUBLE])
  const faults = createFaults<string>()
  const policyCode = createCodes()
  const nameCode = createCodes()

  const others = new Set<number>()

  let torn = 0
  let otherNames = 0

  function decision(record: DecisionRecord, file: number, line: number): string | undefined {
    const decided = timestampOf(record.ts)
    if (Number.isNaN(decided)) return NO_DAY
    let fault: string | undefined
    checkChoice(record, (code, message) => {
      fault ??= REASONS[code] ?? message
    })
    if (fault !== undefined) return fault
    const said = decidedBy(record)
    const place = [BigInt(decisions.count()), file, BigInt(line), BigInt(decided)]
    const { action, propensity, baseline, servedBy, pending, logProbability } = said
    const policy = policyCode(JSON.stringify(said.policy))
    if (source.policies?.includes(record.policy.name) === false) others.add(policy)
    const who = [policy, said.unit, JSON.stringify(said.context)]
    const what = [action, propensity, JSON.stringify(said.propensities), baseline, JSON.stringify(said.eligible)]
    const text = (value: unknown) => (value === null ? null : JSON.stringify(value))
    const [offered, features] = [text(said.offered), text(said.actionFeatures)]
    decisions.add([
      ...place,
      record.decisionId,
      ...placesOf(record),
      record.slots.length,
      ...who,
      ...what,
      offered,
      features,
      servedBy,
      text(said.list),
      text(said.model),
      pending,
      logProbability,
    ])
    return undefined
  }

  function reward(record: RewardRecord, file: number, line: number): string | undefined {
    const came = timestampOf(record.ts)
    if (Number.isNaN(came)) return NO_DAY
    const [decisionId, slot, , name, value] = saidBy(record)
    // One of another name is of no use, but may show that another one of its id is of none, either.
    const role = roleOf(record, source.join ?? {})
    if (role === 'other') otherNames++
    const place = [BigInt(rewards.count()), file, BigInt(line), BigInt(came)]
    const named = name === null ? null : nameCode(name)
    rewards.add([...place, KIND[role], named, decisionId, slot, record.rewardId, value])
    return undefined
  }

  for (const [file, path] of source.paths.entries()) {
    const name = nameOf(source, path)
    let line = 0
    const records = recordLines<number>(
      (read, at) => {
        const fault =
          'decision' in read
            ? decision(read.decision, file, at)
            : 'reward' in read
              ? reward(read.reward, file, at)
              : read.fault.code === 'json'
                ? 'no JSON'
                : read.fault.message
        if (fault === undefined) return
        faults.add(fault, `${name}:${at}`)
        const named = 'reward' in read ? read.reward.decisionId : 'fault' in read ? decisionOf(read.value) : undefined
        if (named !== undefined)
          rewards.add([BigInt(rewards.count()), file, BigInt(at), null, KIND.broken, null, named, null, null, null])
      },
      () => torn++,
    )
    for await (const lines of linesOf(path, name)) {
      signal?.throwIfAborted()
      looked(lines.length)
      for (const text of lines) records.line(text, ++line)
    }
    records.endOfFile()
  }
  decisions.close()
  rewards.close()
  return {
    scan: decisionScan(decisions.count(), decisions.bytes()),
    decisions: {
      rows: `(SELECT rn, decisionId AS id, decided, slots, ${SAME.join(', ')} FROM decisions)`,
      same: SAME.map(name => ({ sql: name, name })),
      idName: 'decisionId',
      keyed: true,
      served: true,
      ...(others.size > 0 ? { ofOthers: `policy IN (${[...others].join(', ')})` } : {}),
      tsName: 'ts',
    },
    rewards: REWARDS,
    faults: await faults.list(places => places),
    torn,
    otherNames,
  }
}

/** The decision that a record names which is no reward as it should be: what came for it is not known. */
function decisionOf(record: unknown): string | undefined {
  const { schema, decisionId } = (record ?? {}) as { readonly schema?: unknown; readonly decisionId?: unknown }
  return typeof schema === 'string' && schema.startsWith('dap.reward/') && typeof decisionId === 'string'
    ? decisionId
    : undefined
}

/** DuckDB hands on 2,048 rows at once, of which it has several such lots before it: of long rows it is asked for so many bytes. */
const SPAN_BYTES = 16e6

function decisionScan(count: number, bytes: number): Scan {
  const special: Readonly<Record<string, Value>> = {
    propensity: { sql: 'propensity', type: 'DOUBLE' },
    logProbability: { sql: 'logProbability', type: 'DOUBLE' },
    ts: { sql: "strftime(make_timestamp_ms(decided), '%Y-%m-%dT%H:%M:%S.%gZ')", type: 'VARCHAR' },
  }
  const columns = new Map(
    DAP_COLUMNS.map((name): [string, Value] => [name, special[name] ?? { sql: name, type: 'VARCHAR' }]),
  )
  // It was written here, so that it is known to be JSON.
  const context: Value = { sql: 'context', type: 'JSON' }
  const scan = tableScan('decisions', count, columns, (name, inside) =>
    name.startsWith('context.') ? inside(context, [name.slice('context.'.length)]) : undefined,
  )
  const span = Math.max(1, Math.floor(SPAN_BYTES / (bytes / count)))
  return span < 2048 ? { ...scan, span } : scan
}

const REWARDS: Rewards = {
  rows: `(SELECT rn, decisionId AS id, slot, value, came, rewardId, kind, name FROM records WHERE kind <> ${KIND.broken})`,
  same: ['id', 'slot', 'value', 'rewardId', 'kind', 'name'],
  broken: `SELECT decisionId AS id FROM records WHERE kind = ${KIND.broken}`,
  names: { value: 'value', id: 'decisionId', rewardId: 'rewardId' },
}

/** Texts as numbers: a log has few different ones. */
function createCodes(): (text: string) => number {
  const codes = new Map<string, number>()
  return text => {
    const code = codes.get(text) ?? codes.size
    codes.set(text, code)
    return code
  }
}

/** The places of decisions, or of rewards, by their numbers; in the order of the numbers. */
export async function recordPlaces(
  source: TableSource,
  connection: DuckDBConnection,
  table: 'decisions' | 'records',
  rows: readonly number[],
): Promise<string[]> {
  if (rows.length === 0) return []
  const found = await connection.runAndReadAll(`SELECT rn, file, line FROM ${table} WHERE rn IN (${rows.join(', ')})`)
  const places = new Map(
    found.getRows().map(([rn, file, line]) => [Number(rn), `${nameOf(source, source.paths[Number(file)])}:${line}`]),
  )
  return rows.map(row => places.get(row) ?? '')
}

/** Where the action was among the eligible, and all the places that there were; of a record whose actions were the request's. */
function placesOf(record: DecisionRecord): readonly [place: string | null, places: string | null] {
  if (!isOffered(record)) return [null, null]
  const { eligible, slots } = record
  const { action } = firstFilled(slots)
  const at = eligible.findIndex(({ id }) => id === action)
  return [at < 0 ? null : placeName(at), JSON.stringify(eligible.map((_, i) => placeName(i)))]
}

const NO_DAY = '`ts` is a day that there is not'

/** What `checkChoice` finds, without what is special to one record: faults are counted by their reasons. */
const REASONS: Readonly<Partial<Record<LogFaultCode, string>>> = {
  eligible: 'an action is listed twice',
  ineligible: 'the action is not among the eligible',
  excluded: 'the action is excluded by a rule',
  length: 'not one propensity for each eligible action',
  entry: "the propensity is not the action's entry of the propensities",
  sum: 'the propensities do not sum to 1',
}

/** Rows that are appended at once, and bytes of their texts at most, but for a row alone. */
const BATCH = 2048
const BATCH_BYTES = 4e6

/** What an appender holds beside the memory that DuckDB counts, in bytes of texts, before the table has it. */
const HELD_BYTES = 16e6

/** Appends rows to a table, a chunk of columns at a time. */
function createRows(
  appender: DuckDBAppender,
  types: readonly DuckDBType[],
  chunkOf: (rows: number) => DuckDBDataChunk,
) {
  let columns: DuckDBValue[][] = types.map(() => [])
  let count = 0
  let bytes = 0
  let held = 0
  let all = 0
  function flush(): void {
    const chunk = chunkOf(columns[0].length)
    chunk.setColumns(columns)
    appender.appendDataChunk(chunk)
    columns = types.map(() => [])
    held += bytes
    all += bytes
    bytes = 0
    if (held < HELD_BYTES) return
    appender.flushSync()
    held = 0
  }
  return {
    count: () => count,
    /** Of the texts of all rows, once it is closed. */
    bytes: () => all,
    add(row: readonly DuckDBValue[]): void {
      for (let i = 0; i < row.length; i++) {
        const value = row[i]
        columns[i].push(value)
        if (typeof value === 'string') bytes += value.length
      }
      count++
      if (columns[0].length === BATCH || bytes >= BATCH_BYTES) flush()
    },
    close(): void {
      if (columns[0].length > 0) flush()
      appender.closeSync()
    },
  }
}
