import type { DuckDBConnection } from '@duckdb/node-api'
import { CLOCK_TOLERANCE_MS } from '../../log/records/records.ts'
import { type JoinCounts, NO_COUNTS, type OneRow, type RewardJoin } from '../../log/tables.ts'
import { NAMED } from './faults.ts'
import { ask, type Scan } from './scan.ts'
import { numberOf, textOf, timeOf } from './sql.ts'
import { chunksOf, numbersOf, runWatched, type Watch } from './stream.ts'
import { doubles } from './vectors.ts'

/**
 * What is known of a log's rows beyond themselves, by their numbers: which ones are left out, and the rewards that came for the others. It
 * is a table in the order of the rows, so that a reading of the log meets it by merging two streams, and neither needs memory.
 */
export interface Side {
  /** How many notes there are; where there are none, every row is a decision of its own. */
  readonly size: number
  readonly counts: JoinCounts
  /** What a row is a fault for, by `Note.value`. */
  readonly reasons: readonly string[]
  /** Rows of the rewards' own files that are none: reason → how many, and the numbers of the first. */
  readonly rewardFaults: ReadonlyMap<string, { readonly rows: number; readonly first: readonly number[] }>
}

export const NOTE = {
  /** The same as a row before; brought together with one; of a decision whose wait is not over; never activated. */
  repeated: 0,
  merged: 1,
  waiting: 2,
  inactive: 3,
  /** It contradicts another row of its decision, or lacks what it takes to join. */
  fault: 4,
  /** A reward of its decision cannot be used, so that what came for it is not known. */
  broken: 5,
  /** It contradicts another record of its decision, in the log of a server. */
  conflict: 6,
  /** Of a policy that is not asked for. */
  ofOthers: 7,
  /** A reward that counts, for slot 0; for slot k, k more. */
  reward: 8,
} as const

/** What a record beside the decisions is: a reward that may count; one outside its range; the word that a decision was shown; a reward of another name; none. */
export const KIND = { metric: 0, outside: 1, activation: 2, other: 3, broken: 4 } as const

/** SQL of the decisions of a log: the relation `rows` with the columns rn, id, decided (ms), slots (how many) and, of those of servers, pending. */
export interface Decisions {
  readonly rows: string
  /** Expressions over `rows` that must be equal in the rows of one id, and what they are called. */
  readonly same: readonly { readonly sql: string; readonly name: string }[]
  /** The reward beside the decision: its number, and what tells two apart. */
  readonly reward?: { readonly number: string; readonly id?: string; readonly name: string }
  readonly idName: string
  /** Has every row an id? */
  readonly keyed: boolean
  /**
   * Records of servers: some count once they were activated; and what one server alone cannot know of (a conflict, a wrong clock) is no fault,
   * but left out and counted.
   */
  readonly served: boolean
  /** SQL, over `rows`: is it of a policy that is not asked for? */
  readonly ofOthers?: string
  /** The decisions' own name for their time. */
  readonly tsName: string
}

/** SQL of rewards: the relation `rows` with the columns rn, id, slot, value (a number), came (ms), rewardId, kind (of `KIND`). */
export interface Rewards {
  readonly rows: string
  /** Columns of `rows` in which records of one reward agree. */
  readonly same: readonly string[]
  /** SQL of the ids of decisions that a record which is none names. */
  readonly broken?: string
  readonly names: { readonly value: string; readonly id: string; readonly ts?: string; readonly rewardId?: string }
}

/** Decisions of a mapped log; without ids every row is one. */
export function mappedDecisions(scan: Scan, once: OneRow | undefined, join: RewardJoin | undefined): Decisions {
  const asked = ask(scan)
  const text = (name: string) => textOf(asked.value(name))
  const id =
    once === undefined
      ? 'NULL::VARCHAR'
      : keyOf(text(once.decisionId), once.slot === undefined ? undefined : text(once.slot))
  const decided = join?.ts === undefined ? 'NULL::BIGINT' : timeOf(asked.value(join.ts))
  const columns = ['rn', `${id} AS id`, `${decided} AS decided`, '1 AS slots']
  const same = (once?.same ?? []).map((name, i) => ({ sql: `s${i}`, name, column: `${text(name)} AS s${i}` }))
  const reward = once?.reward === undefined ? undefined : asked.value(once.reward)
  const own = reward === undefined ? [] : [`${numberOf(reward)} AS reward_number`]
  const rewardId = once?.rewardId === undefined ? [] : [`${text(once.rewardId)} AS reward_id`]
  const where = scan.broken === undefined ? '' : ` WHERE NOT ${scan.broken.sql}`
  const all = [...columns, ...same.map(({ column }) => column), ...own, ...rewardId]
  return {
    rows: `(SELECT ${all.join(', ')} FROM ${asked.numbered()}${where})`,
    same,
    ...(once?.reward === undefined
      ? {}
      : {
          reward: {
            number: 'reward_number',
            name: once.reward,
            ...(once.rewardId === undefined ? {} : { id: 'reward_id' }),
          },
        }),
    idName: once?.decisionId ?? 'decisionId',
    keyed: once !== undefined,
    served: false,
    tsName: join?.ts ?? 'ts',
  }
}

/** Rewards in files of their own. */
export function mappedRewards(scan: Scan, rewards: NonNullable<RewardJoin['rewards']>): Rewards {
  const asked = ask(scan)
  const text = (name: string) => textOf(asked.value(name))
  const slot = rewards.slot === undefined ? undefined : text(rewards.slot)
  const columns = [
    'rn',
    `${keyOf(text(rewards.decisionId), slot)} AS id`,
    `${numberOf(asked.value(rewards.reward))} AS value`,
    `${rewards.ts === undefined ? 'NULL::BIGINT' : timeOf(asked.value(rewards.ts))} AS came`,
    `${rewards.rewardId === undefined ? 'NULL::VARCHAR' : text(rewards.rewardId)} AS rewardId`,
    `${KIND.metric} AS kind`,
    // That of a mapped log is a part of its id.
    '0 AS slot',
  ]
  const where = scan.broken === undefined ? '' : ` WHERE NOT ${scan.broken.sql}`
  const { decisionId: id, reward: value, ts, rewardId } = rewards
  return {
    rows: `(SELECT ${columns.join(', ')} FROM ${asked.numbered()}${where})`,
    same: ['id', 'slot', 'value', 'came', 'rewardId', 'kind'],
    names: { id, value, ts, rewardId },
  }
}

const keyOf = (id: string, slot: string | undefined): string =>
  slot === undefined ? whole(id) : `${whole(id)} || chr(31) || coalesce(${whole(slot)}, '')`

/** An id that pandas wrote with `.0`, because another one was missing, is the whole number's, in every format alike. */
const whole = (text: string): string =>
  `CASE WHEN contains(${text}, '.0') AND regexp_full_match(${text}, '-?(0|[1-9][0-9]*)\\.0+')
    THEN regexp_extract(${text}, '^[^.]+') ELSE ${text} END`

/** Ids meet by their MD5: 16 bytes, whatever they are. */
const key = (id: string): string => `md5_number(${id})`

/** Finds out all that is to be known of the rows beside, and leaves it in the table `side`. */
export async function makeSide(
  connection: DuckDBConnection,
  decisions: Decisions,
  rewards: Rewards | undefined,
  join: RewardJoin | undefined,
  watch: Watch = {},
): Promise<Side> {
  const reasons: string[] = []
  const counts: { -readonly [K in keyof JoinCounts]: number } = { ...NO_COUNTS }
  const rewardFaults = new Map<string, { rows: number; first: number[] }>()
  const run = (sql: string) => runWatched(connection, sql, watch)
  const count = async (sql: string) => (await numbersOf(connection, sql))[0]
  const { rows } = decisions
  await run('CREATE TABLE notes (rn BIGINT, kind TINYINT, came BIGINT, tie VARCHAR, value DOUBLE)')

  await run(
    `CREATE TABLE doubles AS SELECT CASE WHEN id IS NOT NULL THEN hash(id) END AS h FROM ${rows} GROUP BY h HAVING count(*) > 1 OR h IS NULL`,
  )
  const [found, missing] = await numbersOf(connection, 'SELECT count(h), count(*) - count(h) FROM doubles')
  if (missing > 0 && decisions.keyed) {
    const reason = reasons.push(`\`${decisions.idName}\` is missing`) - 1
    await run(`INSERT INTO notes SELECT rn, ${NOTE.fault}, NULL, NULL, ${reason} FROM ${rows} WHERE id IS NULL`)
  }
  if (found > 0) await twins()
  await run('DROP TABLE doubles')

  if (decisions.ofOthers !== undefined) {
    await run(`INSERT INTO notes SELECT rn, ${NOTE.ofOthers}, NULL, NULL, 0 FROM ${rows} WHERE ${decisions.ofOthers}
      AND rn NOT IN (SELECT rn FROM notes)`)
  }

  const { wait, until } = join ?? {}
  if (wait !== undefined) {
    const reason = reasons.push(`\`${decisions.tsName}\` is missing or no time, and the reward has a wait`) - 1
    await run(`INSERT INTO notes SELECT rn, CASE WHEN decided IS NULL THEN ${NOTE.fault} ELSE ${NOTE.waiting} END, NULL, NULL, ${reason}
      FROM ${rows} WHERE (decided IS NULL${until === undefined ? '' : ` OR decided + ${wait} > ${until}`})
      AND rn NOT IN (SELECT rn FROM notes WHERE kind IN (${NOTE.repeated}, ${NOTE.conflict}, ${NOTE.ofOthers}))`)
  }
  if (rewards !== undefined) await joinRewards(rewards)
  await run(
    'CREATE TABLE side AS SELECT rn::DOUBLE AS rn, kind::DOUBLE AS kind, value FROM notes ORDER BY notes.rn, notes.kind, came, tie, value',
  )
  await run('DROP TABLE notes')

  const [size, repeated, waiting, inactive, conflicts, lost, ofOthers] = await numbersOf(
    connection,
    `SELECT count(*), ${[NOTE.repeated, NOTE.waiting, NOTE.inactive, NOTE.conflict, NOTE.broken, NOTE.ofOthers].map(kind => `count(*) FILTER (kind = ${kind})`).join(', ')}
      FROM side`,
  )
  const all = await count(`SELECT count(*) FROM ${rows}`)
  Object.assign(counts, { repeated, waiting, inactive, conflicts, lost, ofOthers, decisions: all })
  return { size, counts, reasons, rewardFaults }

  /** Rows of one id: the same again, brought together, or contradicting each other. */
  async function twins(): Promise<void> {
    const { same, reward, idName } = decisions
    const rewardColumns = reward === undefined ? [] : [reward.number, ...(reward.id ? [reward.id] : [])]
    await run(`CREATE TABLE twins AS SELECT rn, id, decided, ${[...same.map(({ sql }) => sql), ...rewardColumns].join(', ')}
      FROM ${rows} WHERE hash(id) IN (SELECT h FROM doubles)`)
    const differs = (column: string) =>
      `(min(${column}) IS DISTINCT FROM max(${column}) OR count(${column}) NOT IN (0, count(*)))`
    const compared = [
      ...same,
      ...(reward === undefined || join?.aggregate !== undefined ? [] : [{ sql: reward.number, name: reward.name }]),
    ]
    const cases = compared.map(({ sql, name }) => {
      const reason = reasons.push(`rows of one \`${idName}\` that differ in \`${name}\``) - 1
      return `WHEN ${differs(sql)} THEN ${reason}`
    })
    // The earliest counts, so that the order of files and lines changes nothing.
    await run(`CREATE TABLE verdicts AS SELECT id, arg_min(rn, {'decided': decided, 'rn': rn}) AS first, CASE ${cases.join(' ')} ELSE -1 END AS fault
      FROM twins GROUP BY id HAVING count(*) > 1`)
    await run(
      `INSERT INTO notes SELECT rn, ${decisions.served ? NOTE.conflict : NOTE.fault}, NULL, NULL, fault
        FROM twins JOIN verdicts USING (id) WHERE fault >= 0`,
    )
    if (reward === undefined || join?.aggregate === undefined) {
      await run(
        `INSERT INTO notes SELECT rn, ${NOTE.repeated}, NULL, NULL, 0 FROM twins JOIN verdicts USING (id) WHERE fault < 0 AND rn <> first`,
      )
    } else {
      await run(`CREATE TABLE parts AS SELECT rn, first, ${reward.number} AS value,
        row_number() OVER (PARTITION BY id, ${[reward.number, ...(reward.id ? [reward.id] : [])].join(', ')} ORDER BY rn) AS nth
        FROM twins JOIN verdicts USING (id) WHERE fault < 0`)
      await run(
        `INSERT INTO notes SELECT rn, CASE WHEN nth > 1 THEN ${NOTE.repeated} ELSE ${NOTE.merged} END, NULL, NULL, 0 FROM parts WHERE rn <> first`,
      )
      await run(
        `INSERT INTO notes SELECT first, ${NOTE.reward}, rn, NULL, value FROM parts WHERE nth = 1 AND NOT isnan(value)`,
      )
      await run('DROP TABLE parts')
    }
    await run('DROP TABLE twins')
    await run('DROP TABLE verdicts')
  }

  async function joinRewards({ rows: rewardRows, same, broken, names }: Rewards): Promise<void> {
    const { served } = decisions
    // A reward counts once, whatever often it was sent, from the earliest time.
    const columns = same.filter(name => name !== 'came').join(', ')
    await run(`CREATE TABLE rewards AS SELECT min(rn) AS rn, count(*) AS times, ${columns}, min(came) AS came, ${key('id')} AS k
      FROM ${rewardRows} AS r WHERE kind = ${KIND.activation} OR NOT isnan(value) OR id IS NULL
      GROUP BY ${same.map(name => `r.${name}`).join(', ')}`)
    await run('CREATE TABLE lost (k UHUGEINT)')
    if (broken !== undefined) await run(`INSERT INTO lost SELECT ${key('id')} FROM (${broken}) WHERE id IS NOT NULL`)
    const differ =
      'rewardId IN (SELECT rewardId FROM rewards WHERE rewardId IS NOT NULL GROUP BY rewardId HAVING count(*) > 1)'
    if (served) {
      const conflicting = `kind <> ${KIND.other} AND ${differ}`
      counts.rewardConflicts = await count(`SELECT sum(times) FROM rewards WHERE ${conflicting}`)
      if (counts.rewardConflicts > 0) await lose(conflicting)
      await run(`DELETE FROM rewards WHERE kind = ${KIND.other}`)
    } else {
      counts.rewardsRepeated = await count('SELECT sum(times - 1) FROM rewards')
      const bad: (readonly [sql: string, reason: string])[] = [
        ['id IS NULL', `\`${names.id}\` of a reward is missing`],
        ['isinf(value)', `\`${names.value}\` of a reward is not a finite number`],
        ...(wait === undefined || names.ts === undefined
          ? []
          : [['came IS NULL', `\`${names.ts}\` of a reward is missing or no time`] as const]),
        [differ, `rewards of one \`${names.rewardId ?? 'rewardId'}\` that differ`],
      ]
      for (const [sql, reason] of bad) {
        const found = await count(`SELECT count(*) FROM rewards WHERE ${sql}`)
        if (found === 0) continue
        const first = await connection.runAndReadAll(`SELECT rn FROM rewards WHERE ${sql} ORDER BY rn LIMIT ${NAMED}`)
        rewardFaults.set(reason, { rows: found, first: first.getRows().map(([rn]) => Number(rn)) })
        await lose(sql)
      }
    }
    const noted = (...kinds: readonly number[]) => `rn IN (SELECT rn FROM notes WHERE kind IN (${kinds.join(', ')}))`
    const counted = `(SELECT rn, decided, slots, ${key('id')} AS k FROM ${rows} WHERE NOT ${noted(NOTE.repeated, NOTE.merged, NOTE.conflict)})`
    const standing = `rn NOT IN (SELECT rn FROM notes WHERE kind < ${NOTE.reward})`
    const noteBroken = (which: string) =>
      run(`INSERT INTO notes SELECT DISTINCT rn, ${NOTE.broken}, NULL, NULL, 0 FROM ${which} AND ${standing}`)
    if ((await count('SELECT count(*) FROM lost')) > 0) await noteBroken(`${counted} WHERE k IN (SELECT k FROM lost)`)
    await run('DROP TABLE lost')
    if (served) {
      await run(`DELETE FROM rewards WHERE k IN (SELECT ${key('id')} FROM ${rows} WHERE ${noted(NOTE.conflict)})`)
      counts.rewardsRepeated = await count(`SELECT sum(times - 1) FROM rewards WHERE kind <> ${KIND.activation}`)
    }
    await run(
      `CREATE TABLE joined AS SELECT d.rn, decided, came, rewardId, slot, slots, value, kind
        FROM rewards LEFT JOIN ${counted} AS d USING (k)`,
    )
    await run('DROP TABLE rewards')
    await run(`DELETE FROM joined WHERE ${noted(NOTE.ofOthers)}`)
    if (served) {
      // As `rewardTime` has it.
      const early = `came < decided - ${CLOCK_TOLERANCE_MS}`
      for (const [name, sql] of [
        ['outside', `kind = ${KIND.outside} AND rn IS NOT NULL`],
        ['tooEarly', early],
        ['noSlot', 'slot >= slots'],
      ] as const) {
        counts[name] = await count(`SELECT count(*) FROM joined WHERE ${sql}`)
        if (counts[name] === 0) continue
        await noteBroken(`joined WHERE ${sql}`)
        await run(`DELETE FROM joined WHERE ${sql}`)
      }
      counts.early = await count('SELECT count(*) FROM joined WHERE came < decided')
      await run(`INSERT INTO notes SELECT rn, ${NOTE.inactive}, NULL, NULL, 0 FROM ${rows} WHERE pending AND ${standing}
        AND rn NOT IN (SELECT rn FROM joined WHERE kind = ${KIND.activation} AND rn IS NOT NULL)`)
      await run(`DELETE FROM joined WHERE kind = ${KIND.activation}`)
    }
    const late = wait === undefined ? 'false' : `coalesce(came - decided > ${wait}, false)`
    const [inTime, tooLate, orphans] = await numbersOf(
      connection,
      `SELECT count(rn) FILTER (NOT ${late}), count(rn) FILTER (${late}), count(*) FILTER (rn IS NULL) FROM joined`,
    )
    Object.assign(counts, { rewards: inTime, late: tooLate, orphans })
    const time = served ? 'greatest(came, decided)' : 'came'
    await run(
      `INSERT INTO notes SELECT rn, ${NOTE.reward} + slot, ${time}, rewardId, value FROM joined WHERE rn IS NOT NULL AND NOT ${late}`,
    )
    await run('DROP TABLE joined')
  }

  /** These rewards cannot be used, and what their decisions came to is not known. */
  async function lose(which: string): Promise<void> {
    await run(`INSERT INTO lost SELECT k FROM rewards WHERE (${which}) AND k IS NOT NULL`)
    await run(`DELETE FROM rewards WHERE ${which}`)
  }
}

/** The notes of rows, for whoever goes through the rows in their order. */
export interface Notes {
  /** Tells of each note of this row, in order; rows must be asked for in ascending order. */
  of(row: number, note: (kind: number, value: number) => void): Promise<void> | undefined
  close(): Promise<void>
}

/** The table `side` from its beginning. */
export function readNotes(connection: DuckDBConnection, { size }: Side, signal?: AbortSignal): Notes {
  const chunks = chunksOf(connection, 'SELECT rn, kind, value FROM side', signal)
  let rn: Float64Array = new Float64Array(0)
  let kind = rn
  let value = rn
  let at = 0
  let done = false
  let read = 0

  async function more(): Promise<void> {
    const next = await chunks.next()
    at = 0
    done = next.done === true
    if (done && read < size) throw new RangeError(`only ${read} of ${size} notes could be read`)
    // Copies: the next chunk is being read while these are used.
    const column = (index: number) =>
      next.done ? new Float64Array(0) : doubles(next.value.getColumnVector(index)).slice()
    rn = column(0)
    kind = column(1)
    value = column(2)
    read += rn.length
  }

  /** False where the chunk ended before the row did. */
  function here(row: number, note: (kind: number, value: number) => void): boolean {
    while (at < rn.length && rn[at] < row) at++
    for (; at < rn.length && rn[at] === row; at++) note(kind[at], value[at])
    return at < rn.length || done
  }

  return {
    of(row, note) {
      if (here(row, note)) return undefined
      return (async () => {
        do await more()
        while (!here(row, note))
      })()
    },
    close: async () => void (await chunks.return(undefined)),
  }
}
