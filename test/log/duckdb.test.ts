import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb/duckdb.ts'
import { DapError } from '../../src/errors.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import { CSV } from '../../src/log/csv.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import type { Column, ColumnRequest, SourceFault, TableSource } from '../../src/log/tables.ts'
import { stream } from '../../src/math/rng.ts'
import { memoryTables } from '../evaluate/support/memory-tables.ts'
import { plan } from '../evaluate/support/plan.ts'
import { decision as record, reward as rewardRecord } from './support.ts'

type Served = DecisionRecord['served']['by']

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

async function parquetFile(name: string, query: string): Promise<string> {
  const path = join(folder, `${name}.parquet`)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (${query}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  return path
}

function valuesOf(column: Column): unknown[] {
  return column.type === 'key'
    ? Array.from(column.codes, code => (code < 0 ? null : column.dictionary[code]))
    : [...column.values]
}

async function readAll(
  source: TableSource,
  requests: readonly ColumnRequest[],
  onFault?: (fault: SourceFault) => void,
): Promise<unknown[][]> {
  const out: unknown[][] = requests.map(() => [])
  for await (const { columns } of openTables().read(source, requests, { onFault })) {
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

  it('tells a number that is missing from what is none, alike in every format', async () => {
    const cells = ['1', '', 'oops', 'NaN', 'nan', 'inf', '1_000', '0x10', '1e3', ' 2 ', 'True', 'false', '3.10', '1,5']
    const csv = await file('holes.csv', `n,k\n${cells.map(cell => `"${cell}",x`).join('\n')}\n`)
    const json = [1, null, 'oops', 'NaN', 'nan', 'inf', '1_000', '0x10', 1e3, ' 2 ', true, false, '3.10', '1,5']
    const jsonl = await file(
      'holes.jsonl',
      `${json.map(n => JSON.stringify({ n, k: 'x' })).join('\n')}\n{"k": "x"}\n{"n": {"no": 1}}\n`,
    )
    const requests = [{ column: 'n', type: 'number' }] as const
    const [none, wrong] = [Number.NaN, Infinity]
    const expected = [1, none, wrong, none, none, wrong, wrong, wrong, 1000, 2, 1, 0, 3.1, wrong]
    expect(await readAll({ format: 'csv', paths: [csv] }, requests)).toEqual([expected])
    expect(await readAll({ format: 'jsonl', paths: [jsonl] }, requests)).toEqual([[...expected, none, wrong]])
    const parquet = await parquetFile(
      'holes',
      `SELECT unnest([1, NULL, 'nan'::DOUBLE, 'inf'::DOUBLE, 1000]) AS n, unnest([true, NULL, false, true, false]) AS b`,
    )
    expect(
      await readAll({ format: 'parquet', paths: [parquet] }, [...requests, { column: 'b', type: 'number' }]),
    ).toEqual([
      [1, none, none, wrong, 1000],
      [1, none, 0, 1, 0],
    ])
  })

  it('reads a decimal comma, other nulls and no header where they are said', async () => {
    const path = await file('german.csv', "'a;b';1,5;NA\n'it''s';1.5;x\n")
    const csv = {
      ...CSV,
      delimiter: ';',
      quote: "'",
      escape: "'",
      decimal: ',',
      header: false,
      nulls: ['', 'NA'],
    } as const
    const source: TableSource = { format: 'csv', paths: [path], csv }
    expect(await openTables().columns(source)).toEqual(['column1', 'column2', 'column3'])
    expect(
      await readAll(source, [
        { column: 'column1', type: 'key' },
        { column: 'column2', type: 'number' },
        { column: 'column3', type: 'text' },
      ]),
    ).toEqual([
      ['a;b', "it's"],
      [1.5, Infinity],
      [null, 'x'],
    ])
  })

  it('keeps the text of a cell, of every format, and leaves out .0 of numbers alone', async () => {
    const path = await file('texts.csv', 'k,t\na,x\n,\n3.10,y\n3.0,NULL\n007,#z\n')
    const requests = [
      { column: 'k', type: 'key' },
      { column: 't', type: 'text' },
    ] as const
    expect(await readAll({ format: 'csv', paths: [path] }, requests)).toEqual([
      ['a', null, '3.10', '3.0', '007'],
      ['x', null, 'y', 'NULL', '#z'],
    ])
    const json = await file(
      'texts.jsonl',
      '{"k":"3.10","t":null}\n{"k":3,"t":[1, "a"]}\n{"t":{"b": true}}\n{"k":true,"t":"NaN"}\n',
    )
    expect(await readAll({ format: 'jsonl', paths: [json] }, requests)).toEqual([
      ['3.10', '3', null, 'true'],
      // Whether it was written with quotes or not.
      [null, '[1,"a"]', '{"b":true}', null],
    ])
    const parquet = await parquetFile(
      'texts',
      `SELECT unnest([3.0, 3.1, NULL, 'nan'::DOUBLE, 1e20]) AS k, unnest([[1, 2], NULL, [3], [], [4]]) AS t`,
    )
    expect(await readAll({ format: 'parquet', paths: [parquet] }, requests)).toEqual([
      ['3', '3.1', null, null, '1e+20'],
      ['[1,2]', null, '[3]', '[]', '[4]'],
    ])
  })

  it('follows paths into what is nested', async () => {
    const line = { c: { User: { name: 'Ann', 'odd.key': 1 }, list: [{ v: 0.5 }, { v: 2 }] }, 'd.e': 7, d: { e: 8 } }
    const requests = ['c.User.name', 'c.list[1].v', 'd.e', 'c.none', 'c.list[7].v'].map(
      column => ({ column, type: 'text' }) as const,
    )
    const json = await file('nested.jsonl', `${JSON.stringify(line)}\n`)
    const expected = [['Ann'], ['2'], ['7'], [null], [null]]
    expect(await readAll({ format: 'jsonl', paths: [json] }, requests)).toEqual(expected)
    const quoted = (value: unknown) => `"${JSON.stringify(value).replaceAll('"', '""')}"`
    const csv = await file('nested.csv', `c,d.e,d\n${quoted(line.c)},7,${quoted(line.d)}\nno JSON,8,\n`)
    expect(await readAll({ format: 'csv', paths: [csv] }, requests)).toEqual(
      expected.map((values, i) => [...values, i === 2 ? '8' : null]),
    )
    const parquet = await parquetFile(
      'nested',
      'SELECT {User: {name: \'Ann\'}, list: [{v: 0.5}, {v: 2}]} AS c, 7 AS "d.e"',
    )
    expect(await readAll({ format: 'parquet', paths: [parquet] }, requests.slice(0, 3))).toEqual([
      ['Ann'],
      ['2.0'],
      ['7'],
    ])
  })

  it('finds JSON keys whatever they are called, in any line', async () => {
    const keys = [
      '',
      ' ',
      '"',
      "it's",
      'a"b',
      'a.b',
      'a*',
      '*',
      '$',
      '$.a',
      'a/b',
      '/',
      '~',
      '~1',
      '0',
      '[0]',
      'ä',
      '\\',
      'a\\b',
      '#',
      '-',
      'A',
      'a',
    ]
    const line = Object.fromEntries(keys.map((key, i) => [key, i]))
    const path = await file('keys.jsonl', `${JSON.stringify(line)}\n${'{}\n'.repeat(30_000)}{"late\\"": 5}\n`)
    const source: TableSource = { format: 'jsonl', paths: [path] }
    for (const type of ['text', 'key', 'number'] as const) {
      const found = await readAll(
        source,
        keys.map(column => ({ column, type })),
      )
      expect(found.map(values => values[0])).toEqual(keys.map((_, i) => (type === 'number' ? i : String(i))))
    }
    expect(await openTables().columns(source)).toEqual(expect.arrayContaining(keys))
    expect(await openTables().columns(source, ['late"', 'later'])).toHaveLength(keys.length + 1)
    const [late] = await readAll(source, [{ column: 'late"', type: 'number' }])
    expect([late.length, late.at(-1)]).toEqual([30_002, 5])
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
    expect(p).toEqual([0.25, Infinity, 0.001])
    // The same groups as any other reader of the port gives.
    const memory = memoryTables({ memory: { u: ['x', 7, 'y'] } })
    for await (const { columns } of memory.read({ format: 'csv', paths: ['memory'] }, [
      { column: 'u', type: 'group' },
    ])) {
      expect(group).toEqual(valuesOf(columns[0]))
    }
  })

  it('reads CSV files whose columns differ, and files without a row', async () => {
    const paths = [
      await file('a.csv', 'x,y\n1,2\n'),
      await file('b.csv', 'y,z\n3,4\n5,6\n'),
      await file('c.csv', 'x\n'),
      await file('d.csv', ''),
      await file('e.csv', 'z,x,y\n7,8,9\n'),
    ]
    const requests = ['x', 'y', 'z'].map(column => ({ column, type: 'key' }) as const)
    expect(await openTables().columns({ format: 'csv', paths })).toEqual(['x', 'y', 'z'])
    expect(await readAll({ format: 'csv', paths }, requests)).toEqual([
      ['1', null, null, '8'],
      ['2', '3', '5', '9'],
      [null, '4', '6', '7'],
    ])
    expect(await readAll({ format: 'csv', paths: [paths[2]] }, [requests[0]])).toEqual([[]])
    const partitions = new Map([['day', ['mon', 'tue']]])
    expect(
      await readAll({ format: 'csv', paths: paths.slice(2, 4), partitions }, [{ column: 'day', type: 'key' }]),
    ).toEqual([[]])
    const empty = [await file('empty.jsonl', '\n \n'), await file('none.jsonl', '')]
    expect(await readAll({ format: 'jsonl', paths: empty, partitions }, [{ column: 'day', type: 'key' }])).toEqual([[]])
  })

  it.each(['csv', 'jsonl', 'parquet'] as const)(
    'gives each row its own rewards, however its files are written: %s',
    async format => {
      const sizes = [20_000, 10, 15_000, 1, 20_000]
      const paths: string[] = []
      let first = 0
      for (const [f, size] of sizes.entries()) {
        const ids = Array.from({ length: size }, (_, i) => first + i)
        first += size
        // Files of other columns and other compressions are read one by one.
        if (format === 'parquet') {
          const columns = f % 2 === 0 ? 'i AS id, 1 AS more' : "'x' AS text, i AS id"
          paths.push(await parquetFile(`own-${f}`, `SELECT ${columns} FROM range(${ids[0]}, ${first}) t (i)`))
          continue
        }
        const lines =
          format === 'jsonl'
            ? ids.map(id => JSON.stringify({ id }))
            : f % 2 === 0
              ? ['id,text', ...ids.map(id => `${id},x`)]
              : ['text,id', ...ids.map(id => `x,${id}`)]
        const path = join(folder, `own-${f}.${format}`)
        await writeFile(path, f % 2 === 0 ? lines.join('\n') : zlib.gzipSync(lines.join('\n')))
        paths.push(path)
      }
      const ids = Array.from({ length: first }, (_, i) => first - 1 - i)
      const rewards = await file('own-rewards.csv', ['id,value', ...ids.map(id => `${id},${id}`)].join('\n'))
      const source: TableSource = {
        format,
        paths,
        once: { decisionId: 'id', same: [] },
        join: { rewards: { source: { format: 'csv', paths: [rewards] }, decisionId: 'id', reward: 'value' } },
      }
      const [own, values] = await readAll(source, [
        { column: 'id', type: 'number' },
        { column: '', type: 'reward' },
      ])
      expect(own).toHaveLength(first)
      expect(values.filter((value, i) => value !== own[i])).toEqual([])
    },
  )

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
  })

  it('names what is no row by its line, and goes on', async () => {
    const lines = ['a,b', '1,2', '3', '', '"4', '5",6', '7,"8"9', '10,11,12', '13,14']
    const path = await file('ragged.csv', `${lines.join('\n')}\n`)
    const faults: SourceFault[] = []
    const source: TableSource = { format: 'csv', paths: [path], root: folder }
    const requests = ['a', 'b'].map(column => ({ column, type: 'text' }) as const)
    expect(await readAll(source, requests, fault => faults.push(fault))).toEqual([
      ['1', '4\n5', '13'],
      ['2', '6', '14'],
    ])
    expect(faults.map(({ place, reason }) => `${place}: ${reason}`)).toEqual([
      'ragged.csv:3: 1 field, and the header has 2',
      'ragged.csv:7: text after the quote that closes a field',
      'ragged.csv:8: 3 fields, and the header has 2',
    ])
    expect(await openTables().places(source, [2, 0, 1])).toEqual(['ragged.csv:9', 'ragged.csv:2', 'ragged.csv:5'])

    const json = await file('ragged.jsonl', '{"a":1}\n[2]\n\n3\n{"a":\n{"a":4}{"a":5}\n{"a":6} x\n{"a":7}')
    const found: SourceFault[] = []
    const jsonl: TableSource = { format: 'jsonl', paths: [json], root: folder }
    expect(await readAll(jsonl, [requests[0]], fault => found.push(fault))).toEqual([['1', '7']])
    expect(found.map(({ place, reason }) => `${place}: ${reason}`)).toEqual(
      [2, 4, 5, 6, 7].map(line => `ragged.jsonl:${line}: no JSON object`),
    )
    expect(await openTables().places(jsonl, [0, 6])).toEqual(['ragged.jsonl:1', 'ragged.jsonl:8'])
  })

  it('takes no part of a file whose quote is never closed for all of it', async () => {
    const path = await file('quote.csv', `a,b\n${'1,2\n'.repeat(5)}1,"2\n3,4\n`)
    const source: TableSource = { format: 'csv', paths: [path], root: folder }
    const error = await problem(readAll(source, [{ column: 'b', type: 'number' }], () => {}))
    expect(error.message).toBe(
      'quote.csv:7: a quote that is opened and never closed, so that the lines after it are lost in it',
    )
  })

  it('hands on long texts a few rows at a time, all of them and in order', async () => {
    const n = 3000
    const long = 'x'.repeat(20_000)
    const textOf = (i: number) => (i % 7 === 3 ? null : `${i}${long}`)
    const lines = Array.from({ length: n }, (_, i) => JSON.stringify({ t: textOf(i), n: i, k: `k${i % 3}` }))
    const source: TableSource = { format: 'jsonl', paths: [await file('long.jsonl', lines.join('\n'))] }
    const requests = [
      { column: 't', type: 'text' },
      { column: 'n', type: 'number' },
      { column: 'k', type: 'key' },
    ] as const
    let at = 0
    let most = 0
    for await (const { rows, row, columns } of openTables().read(source, requests)) {
      const [texts, numbers, keys] = columns.map(valuesOf)
      expect([texts.length, numbers.length, keys.length]).toEqual([rows, rows, rows])
      most = Math.max(most, (texts as (string | null)[]).join('').length)
      for (let i = 0; i < rows; i++, at++) {
        expect(texts[i] === textOf(at) && row[i] === at && numbers[i] === at && keys[i] === `k${at % 3}`).toBe(true)
      }
    }
    expect(at).toBe(n)
    expect(most).toBeLessThan(5e6)
  })

  it('stops when it is told to', async () => {
    const path = await file('long.csv', `a\n${'1\n'.repeat(20_000)}`)
    const abort = new AbortController()
    const reading = async () => {
      for await (const _ of openTables().read({ format: 'csv', paths: [path] }, [{ column: 'a', type: 'number' }], {
        signal: abort.signal,
      })) {
        abort.abort()
      }
    }
    await expect(reading()).rejects.toThrow('aborted')
  })
})

describe('evaluate, over files', () => {
  it('names the bad rows of a CSV by their lines, or drops and counts them', async () => {
    const path = await file('bad.csv', 'action,propensity,reward\na,0.5,1\na,zero,1\nb,0.5,0\nb,1.5,\nc,0.5,1\n')
    const dataset = { actions: ['a', 'b'] }
    const error = await problem(evaluate(plan({ paths: [path], dataset }), openTables()))
    expect(error.message).toBe(
      [
        'the log has 3 bad rows (1 × `propensity` is not a finite number; 1 × `propensity` is outside (0, 1]; 1 × unknown action `c`)',
        `  ${path}:3: \`propensity\` is not a finite number`,
        `  ${path}:5: \`propensity\` is outside (0, 1]`,
        `  ${path}:6: unknown action \`c\``,
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
    const decision = (i: number, eligible: string[], action: string, propensities: number[], by: Served = 'policy') =>
      JSON.stringify(
        record(`d${i}`, propensities, {
          unit: `u${i}`,
          context: { level: i },
          eligible: eligible.map(id => ({ id })),
          slots: [{ slot: 0, action, propensity: propensities[eligible.indexOf(action)], propensities, floor: 0 }],
          served: { by },
        }),
      )
    const reward = (rewardId: string, i: number, value: unknown) =>
      JSON.stringify(rewardRecord(`d${i}`, { rewardId, value: value as number, name: 'buy' }))
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
    expect(uniform.support?.meanWeight).toBeCloseTo((4 / 3 + 0.625 + 1) / 3, 12)
    expect(result.candidates[1].estimates[0].value).toBe(result.dataset.meanReward)
    expect(result.candidates[2].support?.rowsWithoutSupport).toBe(3)

    const byLevel = {
      ...dapPlan,
      spec: {
        ...dapPlan.spec,
        estimators: ['dm'] as const,
        rewardModel: { type: 'tabular' as const, by: ['level'], prior: 0, crossFit: { folds: 1 } },
      },
    }
    expect((await evaluate(byLevel, openTables())).candidates[0].estimates[0].value).toBeCloseTo(3.5 / 3, 12)

    const bad = await file('bad.jsonl', `${decision(1, ['a'], 'a', [1])}\n${reward('r1', 1, 'many')}\n`)
    const badPlan = { ...dapPlan, dataset: { ...dapPlan.dataset, paths: [bad] } }
    expect((await problem(evaluate(badPlan, openTables()))).message).toBe(
      `the log has 1 bad row (1 × \`value\` must be a finite number, not a string)\n  ${bad}:2: \`value\` must be a finite number, not a string`,
    )
  })

  it('keeps decisions in file order over many chunks', async () => {
    const n = 30_000
    const lines = Array.from({ length: n }, (_, i) => [
      JSON.stringify(record(`d${i}`, [1], { context: { i } })),
      ...(i % 3 === 0 ? [JSON.stringify(rewardRecord(`d${i}`, { value: i }))] : []),
    ]).flat()
    const path = await file('many.jsonl', `${lines.join('\n')}\n`)
    const [order, rewards] = await readAll({ format: 'dap', paths: [path] }, [
      { column: 'context.i', type: 'number' },
      { column: 'reward', type: 'reward' },
    ])
    expect(order.length).toBe(n)
    expect(order.every((value, i) => value === i)).toBe(true)
    expect(rewards.every((value, i) => Object.is(value, i % 3 === 0 ? i : Number.NaN))).toBe(true)
  })

  it('reads long decisions a few at a time: all, and those of some units or times', async () => {
    const n = 1500
    const long = 'x'.repeat(20_000)
    const at = (i: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString()
    const lines = Array.from({ length: n }, (_, i) => [
      JSON.stringify(record(`d${i}`, [1], { ts: at(i), unit: `u${i % 90}`, context: { i, long } })),
      ...(i % 3 === 0 ? [JSON.stringify(rewardRecord(`d${i}`, { ts: at(i), value: i }))] : []),
    ]).flat()
    const source: TableSource = { format: 'dap', paths: [await file('long-decisions.jsonl', `${lines.join('\n')}\n`)] }
    const read = (part?: TableSource['part']) =>
      readAll({ ...source, ...(part && { part }) }, [
        { column: 'context.i', type: 'number' },
        { column: 'reward', type: 'reward' },
        { column: 'decisionId', type: 'key' },
      ])
    const rows = Array.from({ length: n }, (_, i) => i)
    const expected = (some: readonly number[]) => [
      some,
      some.map(i => (i % 3 === 0 ? i : Number.NaN)),
      some.map(i => `d${i}`),
    ]
    expect(await read()).toEqual(expected(rows))
    const ms = Date.parse(at(700))
    expect(await read({ after: { column: 'ts', ms } })).toEqual(expected(rows.filter(i => i > 700)))
    const half = async (from: number, to: number) => (await read({ units: { unit: { column: 'unit' }, from, to } }))[0]
    const both = [await half(0, 512), await half(512, 1024)]
    expect(both.every(each => each.length > 0)).toBe(true)
    expect(both.flat().toSorted((a, b) => Number(a) - Number(b))).toEqual(rows)
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
