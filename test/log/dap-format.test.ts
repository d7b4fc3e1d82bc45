import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb.ts'
import type { ColumnRequest, RewardJoin, TableSource } from '../../src/log/tables.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dap-join-'))
})
afterAll(() => rm(folder, { recursive: true }))

const START = Date.UTC(2026, 10, 22, 12)
const HOUR = 3_600_000
const at = (hours: number) => new Date(START + hours * HOUR).toISOString()

/** A record of a decision that was made `hours` after noon. */
function decision(id: string, hours = 0, more: object = {}): string {
  return JSON.stringify({
    schema: 'dap.decision/v1',
    decisionId: id,
    ts: at(hours),
    context: {},
    eligible: [{ id: 'a' }],
    slots: [{ slot: 0, action: 'a', propensity: 1, propensities: [1] }],
    served: { by: 'policy' },
    logProbability: 1,
    ...more,
  })
}

function reward(rewardId: string, decisionId: string, hours: number, value: unknown, more: object = {}): string {
  return JSON.stringify({ schema: 'dap.reward/v1', rewardId, decisionId, ts: at(hours), value, ...more })
}

let files = 0
async function log(lines: readonly string[], { join: how, tail = '\n' }: { join?: RewardJoin; tail?: string } = {}) {
  const path = join(folder, `${files++}.jsonl`)
  await writeFile(path, lines.join('\n') + tail)
  return { format: 'dap', paths: [path], join: how } satisfies TableSource
}

/** Decision → reward, in the order of the log. */
async function rewards(source: TableSource): Promise<[string | null, number][]> {
  const requests: ColumnRequest[] = [
    { column: 'decisionId', type: 'text' },
    { column: 'reward', type: 'number' },
  ]
  const found: [string | null, number][] = []
  for await (const { start, rows, columns } of openTables().read(source, requests)) {
    expect(start).toBe(found.length)
    const [ids, values] = columns.map(column => column.type !== 'key' && [...column.values]) as [string[], number[]]
    expect(ids).toHaveLength(rows)
    found.push(...ids.map((id, i): [string, number] => [id, values[i]]))
  }
  return found
}

const counts = (source: TableSource) => openTables().joinCounts(source)

const SUM: RewardJoin = { aggregate: 'sum', default: 0 }

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
  ] as const)('come to their %s, and to the default where there are none', async (aggregate, value) => {
    expect(await rewards(await log(three, { join: { aggregate, default: -1 } }))).toEqual([
      ['d', value],
      ['quiet', -1],
    ])
  })

  it('are summed, where nothing is said', async () => {
    expect(await rewards(await log(three))).toEqual([
      ['d', 4.5],
      ['quiet', 0],
    ])
  })

  it('count up to the end of the wait, which is theirs', async () => {
    const lines = [
      decision('d'),
      reward('r1', 'd', 24, 1),
      reward('r2', 'd', 24.001, 10),
      reward('r0', 'd', -0.001, 100),
    ]
    const source = await log(lines, { join: { ...SUM, wait: 24 * HOUR } })
    expect(await rewards(source)).toEqual([['d', 101]])
    expect(await counts(source)).toMatchObject({ rewards: 2, late: 1, orphans: 0 })
  })

  it('have the name that is asked for, or none', async () => {
    const lines = [
      decision('d'),
      reward('r1', 'd', 1, 1, { name: "bu'y" }),
      reward('r2', 'd', 1, 10),
      reward('r3', 'd', 1, 100, { name: 'click' }),
      reward('r4', 'd', 1, 1000, { slot: 1 }),
    ]
    expect(await rewards(await log(lines, { join: { ...SUM, name: "bu'y" } }))).toEqual([['d', 11]])
  })

  it('count once under one id, the earliest', async () => {
    const lines = [decision('d'), reward('r', 'd', 2, 5), reward('r', 'd', 1, 7), reward('r', 'd', 2, 5)]
    expect(await rewards(await log(lines))).toEqual([['d', 7]])
  })

  it('are NaN, a bad row, where a value is no number', async () => {
    for (const aggregate of ['first', 'sum', 'mean', 'max'] as const) {
      const lines = [decision('d'), reward('r1', 'd', 1, 'much'), reward('r2', 'd', 2, 3)]
      expect(await rewards(await log(lines, { join: { aggregate, default: 0 } }))).toEqual([['d', Number.NaN]])
    }
  })
})

describe('the decisions of a dap log', () => {
  it('wait for their rewards', async () => {
    const lines = [decision('old', 0), decision('due', 1), decision('young', 1.001), reward('r', 'young', 1.002, 1)]
    const source = await log(lines, { join: { ...SUM, wait: 24 * HOUR, until: START + 25 * HOUR } })
    expect(await rewards(source)).toEqual([
      ['old', 0],
      ['due', 0],
    ])
    expect(await counts(source)).toMatchObject({ decisions: 3, waiting: 1, rewards: 1 })
  })

  it('count once they were activated, where they had to be', async () => {
    const pending = { served: { by: 'policy', activation: 'pending' } }
    const lines = [
      decision('shown', 0, pending),
      decision('unseen', 0, pending),
      decision('plain'),
      reward('r1', 'unseen', 1, 1),
      JSON.stringify({ schema: 'dap.reward/v1', rewardId: 'x', decisionId: 'shown', kind: 'activation', ts: at(0) }),
    ]
    const source = await log(lines)
    expect(await rewards(source)).toEqual([
      ['shown', 0],
      ['plain', 0],
    ])
    expect(await counts(source)).toMatchObject({ decisions: 3, inactive: 1, rewards: 1 })
  })

  it('count once under one id, the first, whatever else is left out', async () => {
    const action = (id: string) => ({ slots: [{ action: id, propensity: 1 }] })
    const lines = [
      decision('d', 0, action('a')),
      decision('e'),
      decision('d', 0, action('b')),
      decision('d'),
      reward('r', 'd', 1, 1),
    ]
    const source = await log(lines)
    expect(await rewards(source)).toEqual([
      ['d', 1],
      ['e', 0],
    ])
    expect(await counts(source)).toMatchObject({ decisions: 4, repeated: 2 })
    for await (const { columns } of openTables().read(source, [{ column: 'action', type: 'text' }])) {
      expect(columns[0]).toMatchObject({ values: ['a', 'a'] })
    }
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
  it('is read up to what cannot be, which is counted', async () => {
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
    ]
    const source = await log(lines, { tail: '\n{"schema":"dap.decision/v1","decisionId":"d3","ts":"2026-11-' })
    expect(await rewards(source)).toEqual([
      ['d1', 1],
      ['d2', 0],
    ])
    expect(await counts(source)).toEqual({
      decisions: 2,
      repeated: 0,
      waiting: 0,
      inactive: 0,
      shed: 1,
      rewards: 1,
      late: 0,
      orphans: 1,
      otherSchemas: 2,
      unreadable: 6,
    })
  })

  it('may be empty', async () => {
    const source = await log([], { tail: '' })
    expect(await rewards(source)).toEqual([])
    expect(await counts(source)).toMatchObject({ decisions: 0, unreadable: 0 })
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
      const part = { unit: { column: unit, otherwise }, from, to }
      const expected = ids.filter(i => groups[i] >= from && groups[i] < to).map(i => `d${i}`)
      expect(await units({ ...source, part }, otherwise)).toEqual(expected)
    }
  })

  it('goes by the row where there are no units', async () => {
    const path = join(folder, 'rows.csv')
    await writeFile(path, ['id', ...Array.from({ length: 5000 }, (_, i) => i)].join('\n'))
    for (const [from, to] of PARTS) {
      const found = await units({ format: 'csv', paths: [path], part: { from, to } }, 'id')
      expect(found.map(Number)).toEqual(
        Array.from({ length: 5000 }, (_, i) => i).filter(i => i % 1024 >= from && i % 1024 < to),
      )
    }
  })
})
