import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb/duckdb.ts'
import type { DecisionRecord, RewardRecord } from '../../src/log/records/records.ts'
import {
  groupOfRow,
  type NumberColumn,
  type RewardJoin,
  type SourceFault,
  type TableSource,
  type TextColumn,
} from '../../src/log/tables.ts'
import { decision as record, reward as rewardRecord } from './support.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dap-join-'))
})
afterAll(() => rm(folder, { recursive: true }))

const START = Date.UTC(2026, 10, 22, 12)
const HOUR = 3_600_000
const at = (hours: number) => new Date(START + hours * HOUR).toISOString()

/** A record of a decision that was made `hours` after noon. */
const decision = (id: string, hours = 0, more: Partial<DecisionRecord> = {}) =>
  JSON.stringify(record(id, [1], { ts: at(hours), ...more }))

const reward = (
  rewardId: string,
  decisionId: string,
  hours: number,
  value: unknown,
  more: Partial<RewardRecord> = {},
) => JSON.stringify(rewardRecord(decisionId, { rewardId, ts: at(hours), value: value as number, ...more }))

const activation = (decisionId: string) =>
  JSON.stringify(
    rewardRecord(decisionId, { rewardId: `${decisionId}-x`, kind: 'activation', value: undefined, ts: at(0) }),
  )

let files = 0
async function log(lines: readonly string[], { join: how, tail = '\n' }: { join?: RewardJoin; tail?: string } = {}) {
  const path = join(folder, `${files++}.jsonl`)
  await writeFile(path, lines.join('\n') + tail)
  return { format: 'dap', paths: [path], root: folder, join: how } satisfies TableSource
}

/** Decision → reward, in the order of the log; NaN where there is none. */
async function rewards(source: TableSource): Promise<[string | null, number][]> {
  const found: [string | null, number][] = []
  const requests = [
    { column: 'decisionId', type: 'text' },
    { column: '', type: 'reward' },
  ] as const
  for await (const { rows, columns } of openTables().read(source, requests)) {
    const [{ values: ids }, { values }] = columns as [TextColumn, NumberColumn]
    for (let i = 0; i < rows; i++) found.push([ids[i], values[i]])
  }
  return found
}

/** What is no row: `line: reason`, how many more it stands for in brackets. */
async function faults(source: TableSource): Promise<string[]> {
  const found: SourceFault[] = []
  const requests = [{ column: 'action', type: 'key' }] as const
  for await (const _ of openTables().read(source, requests, { onFault: fault => found.push(fault) }));
  return found.map(
    ({ place, reason, rows = 1 }) => `${place.replace(/^\d+\.jsonl:/, '')}: ${reason}${rows > 1 ? ` (${rows})` : ''}`,
  )
}

const counts = (source: TableSource) => openTables().joinCounts(source)

const SUM: RewardJoin = { aggregate: 'sum' }
const NONE = Number.NaN

describe('the rewards of a dap log', () => {
  const three = [
    decision('d'),
    reward('r2', 'd', 2, 0.5),
    reward('r1', 'd', 1, 3),
    reward('r0', 'd', 1, 1),
    decision('quiet'),
  ]

  it.each([
    ['first', 1],
    ['sum', 4.5],
    ['mean', 1.5],
    ['max', 3],
  ] as const)('come to their %s, and to nothing where there are none', async (aggregate, value) => {
    expect(await rewards(await log(three, { join: { aggregate } }))).toEqual([
      ['d', value],
      ['quiet', NONE],
    ])
  })

  it('are summed, where nothing is said, in the order in which they came', async () => {
    const lines = [decision('d'), reward('r2', 'd', 2, 1), reward('r1', 'd', 1, 1e16), reward('r3', 'd', 3, -1e16)]
    expect(await rewards(await log(lines))).toEqual([['d', 1e16 + 1 - 1e16]])
    expect(await rewards(await log(three))).toEqual([
      ['d', 4.5],
      ['quiet', NONE],
    ])
  })

  it('count up to the end of the wait, which is theirs', async () => {
    const lines = [decision('d'), reward('r1', 'd', 24, 1), reward('r2', 'd', 24 + 0.001 / 3.6, 10)]
    const source = await log(lines, { join: { ...SUM, wait: 24 * HOUR } })
    expect(await rewards(source)).toEqual([['d', 1]])
    expect(await counts(source)).toMatchObject({ rewards: 1, late: 1, orphans: 0 })
  })

  it('came with their decision where clocks are a little apart; what came earlier takes its decision with it', async () => {
    const MS = 1 / HOUR
    const lines = [
      reward('r1', 'd', -5000 * MS, 1),
      reward('r0', 'd', -4000 * MS, 10),
      reward('s', 'd', 0, 100),
      decision('d'),
      reward('t', 'e', -5001 * MS, 1),
      decision('e'),
      reward('u', 'e', 1, 1),
      decision('f'),
    ]
    // Both came when the decision did: the first is the one of the first id.
    const source = await log(lines, { join: { aggregate: 'first', wait: HOUR } })
    expect(await rewards(source)).toEqual([
      ['d', 10],
      ['f', NONE],
    ])
    expect(await counts(source)).toMatchObject({ rewards: 4, early: 2, tooEarly: 1, lost: 1 })
    expect(await faults(source)).toEqual([])
  })

  it('outside the range that the policy declares take their decision with them', async () => {
    const declared = { name: 'purchase', type: 'binary', wait: '1h', default: 0 } as const
    const lines = [
      decision('d'),
      reward('r', 'd', 1, 1000),
      reward('s', 'd', 1, 1),
      decision('e'),
      reward('t', 'e', 1, 1000, { name: 'revenue' }),
      reward('u', 'e', 1, 1, { name: 'purchase' }),
      reward('v', 'nobody', 1, 0.5),
    ]
    const source = await log(lines, { join: { ...SUM, name: 'purchase', declared } })
    expect(await rewards(source)).toEqual([['e', 1]])
    expect(await counts(source)).toMatchObject({ outside: 1, lost: 1, otherNames: 1, orphans: 1 })
    const number = { ...declared, type: 'number' } as const
    expect(await rewards(await log(lines, { join: { ...SUM, declared: number } }))).toEqual([
      ['d', 1001],
      ['e', 1001],
    ])
  })

  it('have the name that is asked for, or none', async () => {
    const lines = [
      decision('d'),
      reward('r1', 'd', 1, 1, { name: "bu'y" }),
      reward('r2', 'd', 1, 10),
      reward('r3', 'd', 1, 100, { name: 'click' }),
    ]
    expect(await rewards(await log(lines, { join: { ...SUM, name: "bu'y" } }))).toEqual([['d', 11]])
  })

  it('count once, whatever often they were sent', async () => {
    const lines = [decision('d'), reward('r', 'd', 2, 5), reward('s', 'd', 2, 5), reward('r', 'd', 2, 5)]
    expect(await rewards(await log(lines))).toEqual([['d', 10]])
  })

  it('are left out where they differ under one id, and so are their decisions', async () => {
    const lines = [
      decision('d'),
      reward('r', 'd', 2, 5),
      reward('r', 'e', 1, 5),
      decision('e'),
      decision('f'),
      reward('r', 'd', 2, 5),
      decision('g'),
      reward('s', 'g', 1, 1),
      // Of another name, and no use by itself: but it shows that nobody knows what `s` was.
      reward('s', 'g', 1, 1, { name: 'click' }),
    ]
    const source = await log(lines, { join: { ...SUM, name: 'purchase' } })
    expect(await rewards(source)).toEqual([['f', NONE]])
    expect(await faults(source)).toEqual([])
    expect(await counts(source)).toMatchObject({ rewardConflicts: 4, lost: 3, rewards: 0, orphans: 0, otherNames: 1 })
  })

  it('that were sent again came when the earliest says', async () => {
    const lines = [decision('d'), reward('r', 'd', 30, 5), reward('r', 'd', 2, 5), reward('r', 'd', 26, 5)]
    const source = await log(lines, { join: { ...SUM, wait: 24 * HOUR } })
    expect(await rewards(source)).toEqual([['d', 5]])
    expect(await counts(source)).toMatchObject({ rewards: 1, rewardsRepeated: 2, late: 0 })
  })

  it('are faults where they are none, or are of a slot that there is not, and what their decision came to is not known', async () => {
    for (const aggregate of ['first', 'sum', 'mean', 'max'] as const) {
      const lines = [
        decision('d'),
        reward('r1', 'd', 1, 'much'),
        reward('r2', 'd', 2, 3),
        decision('e'),
        reward('r3', 'e', 1, 1, { slot: 1 }),
        decision('f'),
        reward('r4', 'f', 1, 1),
        reward('r5', 'g', 1, 1, { ts: '2026-02-30T00:00:00Z' }),
        decision('g'),
      ]
      const source = await log(lines, { join: { aggregate } })
      expect(await rewards(source)).toEqual([['f', 1]])
      expect(await faults(source)).toEqual([
        '2: `value` must be a finite number, not a string',
        '8: `ts` is a day that there is not',
      ])
    }
  })
})

describe('the decisions of a dap log', () => {
  it('wait for their rewards', async () => {
    const lines = [decision('old', 0), decision('due', 1), decision('young', 1.001), reward('r', 'young', 1.002, 1)]
    const source = await log(lines, { join: { ...SUM, wait: 24 * HOUR, until: START + 25 * HOUR } })
    expect(await rewards(source)).toEqual([
      ['old', NONE],
      ['due', NONE],
    ])
    expect(await counts(source)).toMatchObject({ decisions: 3, waiting: 1, rewards: 1 })
    expect(await faults(source)).toEqual([])
  })

  it('count once they were activated, where they had to be', async () => {
    const pending = { served: { by: 'policy', activation: 'pending' } } as const
    const lines = [
      decision('shown', 0, pending),
      decision('unseen', 0, pending),
      decision('plain'),
      reward('r1', 'unseen', 1, 1),
      activation('shown'),
    ]
    const source = await log(lines)
    expect(await rewards(source)).toEqual([
      ['shown', NONE],
      ['plain', NONE],
    ])
    expect(await counts(source)).toMatchObject({ decisions: 3, inactive: 1, rewards: 1 })
  })

  it('count once under one id where they are the same, and where they are not they are left out', async () => {
    const other = { context: { level: 2 } }
    const lines = [
      decision('d'),
      decision('e'),
      decision('f'),
      decision('d', 3, { latencyUs: 7 }),
      decision('e', 0, other),
      reward('r', 'd', 1, 1),
      reward('s', 'e', 1, 1),
      decision('d'),
    ]
    const source = await log(lines)
    expect(await rewards(source)).toEqual([
      ['d', 1],
      ['f', NONE],
    ])
    expect(await counts(source)).toMatchObject({ decisions: 6, repeated: 2, conflicts: 2, rewards: 1, orphans: 0 })
    expect(await faults(source)).toEqual([])
  })

  it('were made when the earliest of their records says', async () => {
    const lines = [decision('d', 5), decision('d', 0), reward('r', 'd', 1, 1), decision('e', 5)]
    const source = await log(lines, { join: { ...SUM, wait: HOUR, until: START + 2 * HOUR } })
    expect(await rewards(source)).toEqual([['d', 1]])
    expect(await counts(source)).toMatchObject({ repeated: 1, waiting: 1, tooEarly: 0 })
  })

  it('come in file order with those that are left out taken away, over many chunks', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => decision(`d${i % 7 === 0 ? 0 : i}`, i / 1000))
    const source = await log(lines, { join: { ...SUM, wait: HOUR, until: START + 11 * HOUR } })
    const expected = Array.from({ length: 10_001 }, (_, i) => i).filter(i => i === 0 || i % 7 !== 0)
    expect((await rewards(source)).map(([id]) => id)).toEqual(expected.map(i => `d${i}`))
  })

  it('have a time', async () => {
    for await (const { columns } of openTables().read(await log([decision('d', 1)]), [{ column: 'ts', type: 'text' }]))
      expect(columns[0]).toMatchObject({ values: [at(1)] })
  })
})

describe('a dap log that is not whole', () => {
  it('is read up to what cannot be, and each of it is named', async () => {
    const lines = [
      decision('d1'),
      '{"schema":"dap.decision/v1","decisionId":"glued{"schema":"dap.decision/v1","decisionId":"x"}',
      'not JSON',
      '[1, 2]',
      '"text"',
      '',
      '\u0000\u0000\u0000',
      JSON.stringify({ schema: 'dap.evaluation/v1', decisionId: 'd1' }),
      JSON.stringify({ decisionId: 'd1', __proto__: 1 }),
      decision('d2', 0, { logProbability: 0.25 }),
      reward('r1', 'd1', 1, 1),
      reward('r2', 'nobody', 1, 1),
      decision('d3', 0, { ts: '2026-02-30T00:00:00Z' }),
      decision('d4', 0, { eligible: [{ id: 'b' }] }),
      decision('d5', 0, { logProbability: 0 }),
    ]
    const source = await log(lines, { tail: '\n{"schema":"dap.decision/v1","decisionId":"d6","ts":"2026-11-' })
    expect(await rewards(source)).toEqual([
      ['d1', 1],
      ['d2', NONE],
    ])
    expect(await counts(source)).toMatchObject({
      decisions: 2,
      repeated: 0,
      waiting: 0,
      inactive: 0,
      rewards: 1,
      rewardsRepeated: 0,
      late: 0,
      orphans: 1,
      torn: 1,
    })
    const unknown = 'known are dap.decision/v1, dap.decision/v2, dap.reward/v1'
    expect(await faults(source)).toEqual([
      '2: no JSON',
      '3: no JSON',
      '7: no JSON',
      `4: has no \`schema\`; ${unknown}`,
      `5: has no \`schema\`; ${unknown}`,
      `9: has no \`schema\`; ${unknown}`,
      `8: has the schema "dap.evaluation/v1"; ${unknown}`,
      '13: `ts` is a day that there is not',
      '14: the action is not among the eligible',
      '15: `logProbability` must be in (0, 1], not 0',
    ])
  })

  it('names the first ten of its faults, and counts them all', async () => {
    const source = await log([decision('d'), ...Array(25).fill('no JSON'), decision('e')])
    const found = await faults(source)
    expect(found.map(text => text.split(':')[0])).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 2)))
    expect(found[0]).toBe('2: no JSON (16)')
  })

  it('may be empty', async () => {
    const source = await log([], { tail: '' })
    expect(await rewards(source)).toEqual([])
    expect(await counts(source)).toMatchObject({ decisions: 0, torn: 0 })
  })
})

describe('a part of a log', () => {
  const PARTS = [
    [0, 200],
    [200, 1000],
    [1000, 1024],
  ] as const

  async function units(source: TableSource, column: string): Promise<string[]> {
    const found: string[] = []
    for await (const { columns } of openTables().read(source, [{ column, type: 'text' }])) {
      found.push(...(columns[0] as { values: readonly string[] }).values)
    }
    return found
  }

  it.each(['dap', 'csv', 'jsonl', 'parquet'] as const)('has the units of its groups: %s', async format => {
    const ids = Array.from({ length: 3000 }, (_, i) => i)
    const unitOf = (i: number) => (i % 3 === 0 ? undefined : `u${i % 50}`)
    const path = join(folder, `part.${format}`)
    const text = {
      dap: ids.map(i => decision(`d${i}`, 0, { unit: unitOf(i) })).join('\n'),
      csv: ['unit,id', ...ids.map(i => `${unitOf(i) ?? ''},d${i}`)].join('\n'),
      jsonl: ids.map(i => JSON.stringify({ unit: unitOf(i), id: `d${i}` })).join('\n'),
    }
    if (format === 'parquet') {
      const { DuckDBInstance } = await import('@duckdb/node-api')
      const connection = await (await DuckDBInstance.create(':memory:')).connect()
      await writeFile(`${path}.csv`, text.csv)
      await connection.run(`COPY (FROM read_csv('${path}.csv')) TO '${path}'`)
      connection.closeSync()
    } else await writeFile(path, text[format])
    const [unit, otherwise] = ['unit', format === 'dap' ? 'decisionId' : 'id']
    const source = { format, paths: [path] }
    const groups: number[] = []
    const request = { column: unit, otherwise, type: 'group' } as const
    for await (const { columns } of openTables().read(source, [request])) {
      groups.push(...(columns[0] as { values: Int32Array }).values)
    }
    expect(new Set(groups).size).toBeGreaterThan(500)
    for (const [from, to] of PARTS) {
      const part = { units: { unit: { column: unit, otherwise }, from, to } }
      const expected = ids.filter(i => groups[i] >= from && groups[i] < to).map(i => `d${i}`)
      expect(await units({ ...source, part }, otherwise)).toEqual(expected)
    }
  })

  it.each(['dap', 'csv', 'jsonl', 'parquet'] as const)(
    'has times, hashes of ids, and rows after a time: %s',
    async format => {
      const ids = Array.from({ length: 500 }, (_, i) => i)
      const at = (i: number) => Date.UTC(2026, 0, 1) + 1000 * ((i * 7) % 500)
      const rows = ids.map(i => ({ decisionId: `d${i}`, ts: new Date(at(i)).toISOString() }))
      const path = join(folder, `after.${format}`)
      const text = {
        dap: ids.map(i => JSON.stringify({ ...JSON.parse(decision(`d${i}`, 0)), ts: rows[i].ts })).join('\n'),
        csv: ['decisionId,ts', ...rows.map(row => Object.values(row).join(','))].join('\n'),
        jsonl: rows.map(row => JSON.stringify(row)).join('\n'),
      }
      if (format === 'parquet') {
        const { DuckDBInstance } = await import('@duckdb/node-api')
        const connection = await (await DuckDBInstance.create(':memory:')).connect()
        await writeFile(`${path}.csv`, text.csv)
        await connection.run(`COPY (FROM read_csv('${path}.csv')) TO '${path}'`)
        connection.closeSync()
      } else await writeFile(path, text[format])

      const [times, hashes]: number[][] = [[], []]
      const requests = [
        { column: 'ts', type: 'time' },
        { column: 'decisionId', type: 'hash' },
      ] as const
      for await (const { columns } of openTables().read({ format, paths: [path] }, requests)) {
        times.push(...(columns[0] as { values: Float64Array }).values)
        hashes.push(...(columns[1] as { values: Float64Array }).values)
      }
      const md5 = (i: number) => createHash('md5').update(`d${i}`).digest().readBigUInt64LE(8)
      expect(times).toEqual(ids.map(at))
      expect(hashes).toEqual(ids.map(i => Number(md5(i) >> 11n)))
      const after = { column: 'ts', ms: at(100) }
      const later = ids.filter(i => at(i) > at(100))
      expect(await units({ format, paths: [path], part: { after } }, 'decisionId')).toEqual(later.map(i => `d${i}`))
      const part = { after, units: { unit: { column: 'decisionId' }, from: 0, to: 512 } }
      expect(await units({ format, paths: [path], part }, 'decisionId')).toEqual(
        later.filter(i => md5(i) % 1024n < 512n).map(i => `d${i}`),
      )
    },
  )

  it('goes by the row where there are no units', async () => {
    const path = join(folder, 'rows.csv')
    await writeFile(path, ['id', ...Array.from({ length: 5000 }, (_, i) => i)].join('\n'))
    for (const [from, to] of PARTS) {
      const found = await units({ format: 'csv', paths: [path], part: { units: { from, to } } }, 'id')
      expect(found.map(Number)).toEqual(
        Array.from({ length: 5000 }, (_, i) => i).filter(i => groupOfRow(i) >= from && groupOfRow(i) < to),
      )
    }
  })
})

describe('what a Model said', () => {
  const model = { name: 'net', digest: `sha256:${'3'.repeat(64)}`, outputs: [0.25] }

  it('is part of what records of one decision agree in', async () => {
    const others = [
      { ...model, name: 'other' },
      { ...model, digest: `sha256:${'4'.repeat(64)}` },
      { ...model, outputs: [0.5] },
      { ...model, outputs: undefined },
      undefined,
    ]
    for (const other of others) {
      const source = await log([decision('d', 0, { model }), decision('d', 1, { model: other }), decision('e')])
      expect(await counts(source)).toMatchObject({ decisions: 3, repeated: 0, conflicts: 2 })
    }
    const { name, digest, outputs } = model
    const again = await log([decision('d', 0, { model }), decision('d', 1, { model: { outputs, digest, name } })])
    expect(await counts(again)).toMatchObject({ decisions: 2, repeated: 1, conflicts: 0 })
  })

  it('is a column, of who asks for it', async () => {
    const source = await log([decision('d', 0, { model }), decision('e')])
    for await (const { columns } of openTables().read(source, [{ column: 'model', type: 'text' }]))
      expect(columns[0]).toMatchObject({ values: [JSON.stringify(model), null] })
  })
})
