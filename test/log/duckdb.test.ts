import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb.ts'
import { DapError } from '../../src/errors.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { Column, ColumnRequest, TableSource } from '../../src/log/tables.ts'
import { stream } from '../../src/math/rng.ts'
import { memoryTables } from '../evaluate/support/memory-tables.ts'
import { plan } from '../evaluate/support/plan.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dap-it's-"))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

function valuesOf(column: Column): unknown[] {
  return column.type === 'key'
    ? Array.from(column.codes, code => (code < 0 ? null : column.dictionary[code]))
    : [...column.values]
}

async function readAll(source: TableSource, requests: readonly ColumnRequest[]): Promise<unknown[][]> {
  const out: unknown[][] = requests.map(() => [])
  for await (const { columns } of openTables().read(source, requests)) {
    columns.forEach((column, i) => {
      out[i].push(...valuesOf(column))
    })
  }
  return out
}

async function problem(promise: Promise<unknown>): Promise<DapError> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(DapError)
  return error as DapError
}

describe('tables read by DuckDB', () => {
  it('reads CSV with quotes and odd names, and doubles correctly rounded', async () => {
    const numbers = [
      '0.029411764705882353',
      '0.1',
      '5e-324',
      '1.7976931348623157e308',
      '9007199254740993',
      '0.30000000000000004',
    ]
    const lines = numbers.map(
      (n, i) => `"${i % 2 === 0 ? 'a, b' : 'it is ""x""'}",${n},long enough not to be inlined ${i}`,
    )
    const path = await file(`odd 'name'.csv`, `"the ""key""",user-item_affinity_0,text\n${lines.join('\n')}\n`)
    const source: TableSource = { format: 'csv', paths: [path] }
    expect(await openTables().columns(source)).toEqual(['the "key"', 'user-item_affinity_0', 'text'])
    const [keys, values, texts, longKeys] = await readAll(source, [
      { column: 'the "key"', type: 'key' },
      { column: 'user-item_affinity_0', type: 'number' },
      { column: 'text', type: 'text' },
      { column: 'text', type: 'key' },
    ])
    expect(keys).toEqual(numbers.map((_, i) => (i % 2 === 0 ? 'a, b' : 'it is "x"')))
    expect(values).toEqual(numbers.map(Number))
    expect(texts).toEqual(numbers.map((_, i) => `long enough not to be inlined ${i}`))
    expect(longKeys).toEqual(texts)
  })

  it('reads what is no number as NaN and what is missing as missing', async () => {
    const path = await file('holes.csv', 'n,k,t\n1,a,x\noops,,\n,b,y\n')
    const [n, k, t] = await readAll({ format: 'csv', paths: [path] }, [
      { column: 'n', type: 'number' },
      { column: 'k', type: 'key' },
      { column: 't', type: 'text' },
    ])
    expect(n).toEqual([1, Number.NaN, Number.NaN])
    expect(k).toEqual(['a', null, 'b'])
    expect(t).toEqual(['x', null, 'y'])
  })

  it('reads several files as one sequence, and JSON lines of mixed types', async () => {
    const one = await file('1.jsonl', '{"a": 3, "p": "0.25", "u": "x"}\n{"a": "3", "p": {"no": 1}, "u": 7}\n')
    const two = await file('2.jsonl', '{"p": 1e-3, "a": null, "u": "y"}\n')
    const [a, p, group] = await readAll({ format: 'jsonl', paths: [one, two] }, [
      { column: 'a', type: 'key' },
      { column: 'p', type: 'number' },
      { column: 'u', type: 'group' },
    ])
    expect(a).toEqual(['3', '3', null])
    expect(p).toEqual([0.25, Number.NaN, 0.001])
    // The same groups as any other reader of the port gives.
    const memory = memoryTables({ memory: { u: ['x', 7, 'y'] } })
    for await (const { columns } of memory.read({ format: 'csv', paths: ['memory'] }, [
      { column: 'u', type: 'group' },
    ])) {
      expect(group).toEqual(valuesOf(columns[0]))
    }
  })

  it('names the nearest column when one does not exist', async () => {
    const path = await file('columns.csv', 'propensity_score,click\n0.5,1\n')
    const error = await problem(
      readAll({ format: 'csv', paths: [path] }, [{ column: 'propensty_score', type: 'number' }]),
    )
    expect(error.message).toBe(`no column \`propensty_score\` in \`${path}\``)
    expect(error.hint).toBe('did you mean `propensity_score`?')
  })

  it('says which file is missing or broken', async () => {
    const missing = join(folder, 'nowhere.csv')
    expect((await problem(openTables().columns({ format: 'csv', paths: [missing] }))).message).toBe(
      `no file \`${missing}\``,
    )
    const pattern = await file('log[1].csv', 'a\n1\n')
    expect((await problem(openTables().columns({ format: 'csv', paths: [pattern] }))).message).toContain(
      'for a pattern',
    )
    const broken = await file('broken.parquet', 'PAR1 this is no Parquet')
    const error = await problem(openTables().columns({ format: 'parquet', paths: [broken] }))
    expect(error.message).toContain('cannot be read as parquet')
    const ragged = await file('ragged.csv', `a,b\n${'1,2\n'.repeat(5)}1,"2\n`)
    expect(
      (await problem(readAll({ format: 'csv', paths: [ragged] }, [{ column: 'b', type: 'number' }]))).message,
    ).toContain('cannot be read as csv')
  })

  it('stops when it is told to', async () => {
    const path = await file('long.csv', `a\n${'1\n'.repeat(20_000)}`)
    const abort = new AbortController()
    const reading = async () => {
      for await (const _ of openTables().read(
        { format: 'csv', paths: [path] },
        [{ column: 'a', type: 'number' }],
        abort.signal,
      )) {
        abort.abort()
      }
    }
    await expect(reading()).rejects.toThrow('aborted')
  })
})

describe('evaluate, over files', () => {
  it('names the bad rows of a CSV, or drops and counts them', async () => {
    const path = await file('bad.csv', 'action,propensity,reward\na,0.5,1\na,zero,1\nb,0.5,0\nb,1.5,\nc,0.5,1\n')
    const dataset = { actions: ['a', 'b'] }
    const error = await problem(evaluate(plan({ paths: [path], dataset }), openTables()))
    expect(error.message).toBe(
      [
        'the log has 3 bad rows (1 × `propensity` is missing or not a finite number; 1 × `propensity` is outside (0, 1]; 1 × unknown action `c`)',
        '  row 2: `propensity` is missing or not a finite number',
        '  row 4: `propensity` is outside (0, 1]',
        '  row 5: unknown action `c`',
      ].join('\n'),
    )
    const result = await evaluate(
      plan({ paths: [path], dataset: { ...dataset, quality: { badRows: 'drop' } } }),
      openTables(),
    )
    expect(result.dataset).toMatchObject({ rows: 2, dropped: 3, meanReward: 0.5 })
  })

  it('says which column of the mapping does not exist', async () => {
    const path = await file('mapping.csv', 'action,propensity,reward\na,0.5,1\n')
    const error = await problem(evaluate(plan({ paths: [path], mapping: { reward: 'rewards' } }), openTables()))
    expect(error.message).toBe('the log has no column `rewards` (mapping.reward)')
    expect(error.hint).toBe('did you mean `reward`?')
  })

  it('reads a log of decisions: eligible sets, rewards, who served', async () => {
    const decision = (i: number, eligible: string[], action: string, propensities: number[], by = 'policy') =>
      JSON.stringify({
        schema: 'dap.decision/v1',
        decisionId: `d${i}`,
        ts: '2026-11-22T18:15:53.412Z',
        policy: { name: 'shop', digest: 'sha256:0', snapshot: null },
        unit: `u${i}`,
        context: { level: i },
        eligible: eligible.map(id => ({ id })),
        excluded: [],
        slots: [{ slot: '0', action, propensity: propensities[eligible.indexOf(action)], propensities }],
        served: { by },
        logProbability: 1,
        latencyUs: 100,
      })
    const reward = (id: string, i: number, value: unknown) =>
      JSON.stringify({
        schema: 'dap.reward/v1',
        rewardId: id,
        decisionId: `d${i}`,
        name: 'buy',
        value,
        ts: '2026-11-22T19:02:10Z',
      })
    const decisions = await file(
      'decisions.jsonl',
      `${[
        decision(1, ['a', 'b', 'c'], 'a', [0.25, 0.25, 0.5]),
        reward('r1', 1, 1),
        decision(2, ['a', 'b'], 'b', [0.2, 0.8]),
        decision(3, ['a', 'b', 'c'], 'c', [0.25, 0.25, 0.5], 'holdout'),
        decision(4, ['b'], 'b', [1]),
      ].join('\n')}\n`,
    )
    // The same reward sent twice counts once; two rewards of one decision add up; one is for a decision of another log.
    const rewards = await file(
      'rewards.jsonl',
      `${[reward('r1', 1, 1), reward('r2', 1, 0.5), reward('r3', 4, 2), reward('r4', 9, 5)].join('\n')}\n`,
    )
    const dapPlan = plan({
      paths: [decisions, rewards],
      dataset: { format: 'dap', mapping: undefined },
      spec: {
        candidates: [
          { name: 'uniform', uniform: true },
          { name: 'logging', logging: true },
          { name: 'fixed', fixed: 'c' },
        ],
        interval: { method: 'cressie-read', level: 0.95 },
      },
    })
    const result = await evaluate(dapPlan, openTables())
    expect(result.dataset.rows).toBe(3)
    expect(result.dataset.meanReward).toBeCloseTo((1.5 + 0 + 2) / 3, 12)
    expect(result.dataset.notes).toContain('1 row served by holdout, not by the policy, left out')
    // Uniform over the logged eligible set: weights (1/3)/0.25, 0.5/0.8, 1.
    const [uniform] = result.candidates
    expect(uniform.estimates[0].value).toBeCloseTo((1.5 * (4 / 3) + 2) / 3, 12)
    expect(uniform.support.meanWeight).toBeCloseTo((4 / 3 + 0.625 + 1) / 3, 12)
    expect(result.candidates[1].estimates[0].value).toBe(result.dataset.meanReward)
    expect(result.candidates[2].support.rowsWithoutSupport).toBe(3)

    const byLevel = {
      ...dapPlan,
      spec: {
        ...dapPlan.spec,
        estimators: ['dm'] as const,
        rewardModel: { type: 'tabular' as const, by: ['level'], prior: 0 },
      },
    }
    expect((await evaluate(byLevel, openTables())).candidates[0].estimates[0].value).toBeCloseTo(3.5 / 3, 12)

    const bad = await file('bad.jsonl', `${decision(1, ['a'], 'a', [1])}\n${reward('r1', 1, 'many')}\n`)
    const badPlan = { ...dapPlan, dataset: { ...dapPlan.dataset, paths: [bad] } }
    expect((await problem(evaluate(badPlan, openTables()))).message).toContain(
      '`reward` is missing or not a finite number',
    )
  })

  it('keeps decisions in file order over many chunks', async () => {
    const n = 30_000
    const lines = Array.from({ length: n }, (_, i) =>
      [
        JSON.stringify({
          schema: 'dap.decision/v1',
          decisionId: `d${i}`,
          eligible: [{ id: 'a' }],
          slots: [{ action: 'a', propensity: 1 }],
          context: { i },
        }),
        ...(i % 3 === 0
          ? [JSON.stringify({ schema: 'dap.reward/v1', rewardId: `r${i}`, decisionId: `d${i}`, value: i })]
          : []),
      ].join('\n'),
    )
    const path = await file('many.jsonl', `${lines.join('\n')}\n`)
    const [order, rewards] = await readAll({ format: 'dap', paths: [path] }, [
      { column: 'context.i', type: 'number' },
      { column: 'reward', type: 'number' },
    ])
    expect(order.length).toBe(n)
    expect(order.every((value, i) => value === i)).toBe(true)
    expect(rewards.every((value, i) => value === (i % 3 === 0 ? i : 0))).toBe(true)
  })

  it('streams 200,000 rows of Parquet to the numbers of plain arrays', async () => {
    const n = 200_000
    const rng = stream(9, 'parquet')
    const rows = { action: [] as string[], propensity: [] as number[], reward: [] as number[] }
    const path = join(folder, 'big.parquet')
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run('CREATE TABLE log (action INTEGER, propensity DOUBLE, reward DOUBLE)')
    const appender = await connection.createAppender('log')
    for (let i = 0; i < n; i++) {
      const action = Math.floor(5 * rng.uniform())
      const propensity = 0.05 + 0.9 * rng.uniform()
      const reward = rng.uniform() < 0.1 ? rng.uniform() : 0
      rows.action.push(String(action))
      rows.propensity.push(propensity)
      rows.reward.push(reward)
      appender.appendInteger(action)
      appender.appendDouble(propensity)
      appender.appendDouble(reward)
      appender.endRow()
    }
    appender.closeSync()
    await connection.run(`COPY log TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`)
    connection.closeSync()
    instance.closeSync()
    const dataset = { actions: { range: [0, 4] as const }, reward: { minimum: 0, maximum: 1 } }
    const seen: number[] = []
    const fromParquet = await evaluate(
      plan({ paths: [path], dataset: { ...dataset, format: 'parquet' } }),
      openTables(),
      count => seen.push(count),
    )
    const fromArrays = await evaluate(plan({ dataset }), memoryTables({ memory: rows }))
    expect(fromParquet).toEqual(fromArrays)
    expect(seen.at(-1)).toBe(n)
  })
})
