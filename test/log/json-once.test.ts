import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { openTables } from '../../src/adapters/duckdb/duckdb.ts'
import { ask, jsonScan } from '../../src/adapters/duckdb/scan.ts'
import type { SourceFault, TableSource, TextColumn } from '../../src/log/tables.ts'
import { decision, reward } from './support.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dap-json-'))
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => void vi.restoreAllMocks())

let files = 0
async function source(format: 'dap' | 'jsonl', lines: readonly string[]): Promise<TableSource> {
  const path = join(folder, `${files++}.jsonl`)
  await writeFile(path, lines.join('\n'))
  return { format, paths: [path], root: folder }
}

async function texts(
  of: TableSource,
  columns: readonly string[],
  onFault?: (fault: SourceFault) => void,
  tables = openTables(),
) {
  const found: (readonly (string | null)[])[] = columns.map(() => [])
  const requests = columns.map(column => ({ column, type: 'text' }) as const)
  for await (const { columns: chunk } of tables.read(of, requests, { onFault })) {
    for (const [c, column] of chunk.entries()) found[c] = [...found[c], ...(column as TextColumn).values]
  }
  return found
}

describe('a line of a dap log', () => {
  it('is parsed once, whatever is wrong with it, and a context no more until somebody wants all of it', async () => {
    const lines = [
      JSON.stringify(decision('d-1', [0.5, 0.5], { context: { level: 3, ios: { version: 7 } } })),
      JSON.stringify(decision('d-2', [0.5, 0.5], { ts: '2026-02-30T00:00:00Z' })),
      JSON.stringify({ ...decision('d-3', [1]), mode: 'no such' }),
      JSON.stringify(reward('d-1')),
      JSON.stringify(reward('d-2', { ts: '2026-02-30T00:00:00Z' })),
      JSON.stringify({ ...reward('d-3'), value: 'no number' }),
      '{"schema":"dap.reward/v9","decisionId":"d-4"}',
      '{"schema":"dap.reward/v1"} x',
      'null',
      '{"schema":"dap.decision/v1"',
    ]
    const parse = vi.spyOn(JSON, 'parse')
    const faults: SourceFault[] = []
    const found = await texts(await source('dap', lines), ['decisionId', 'context.level'], fault => faults.push(fault))
    const times = lines.map(line => parse.mock.calls.filter(([text]) => text === line).length)
    expect(times).toEqual(lines.map(() => 1))
    expect(parse.mock.calls.filter(([text]) => text.startsWith('{"level"'))).toEqual([])
    expect(found).toEqual([['d-1'], ['3']])
    expect(faults.map(({ place }) => place.replace(/^.*:/, ''))).toEqual(['2', '5', '3', '6', '7', '8', '9'])
  })
})

describe('what is wanted of a line of JSON', () => {
  it('is taken out of it by one function, however much it is', () => {
    const asked = ask(jsonScan({ format: 'jsonl', paths: ['l'] }, [], ['a']))
    const values = ['a', 'b', 'c.d', 'c.e[0]', 'a'].map(name => asked.value(name).sql)
    expect(values[4]).toBe(values[0])
    expect(values.join()).not.toContain('json')
    expect([...asked.rows().matchAll(/json_extract/g)]).toHaveLength(1)
    expect([...asked.numbered().matchAll(/json_extract/g)]).toHaveLength(1)
  })

  it('is the same as if it were asked for alone', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'a.b', 'é', "it's", 'x/y', 'm~n')
    const value = fc.letrec(tie => ({
      any: fc.oneof(
        { maxDepth: 2 },
        fc.constantFrom(null, true, false, 'NaN', '', 'x', '1_000', "'", '漢'),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).any
    const line = fc.dictionary(key, value, { maxKeys: 6, noNullPrototype: true })
    const columns = ['a', 'b', 'c', 'a.b', 'é', "it's", 'x/y', 'm~n', 'a.c', 'b[0]', 'b[1].a', 'c.b.a', 'none']
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 40 }), async rows => {
        const of = await source(
          'jsonl',
          rows.map(row => JSON.stringify(row)),
        )
        const tables = openTables()
        const alone: (readonly (string | null)[])[] = []
        for (const column of columns) alone.push(...(await texts(of, [column], undefined, tables)))
        expect(await texts(of, columns, undefined, tables)).toEqual(alone)
        await tables.close()
        const plain = rows.map(row => row.a).map(a => (typeof a === 'string' && a !== 'NaN' ? a : undefined))
        for (const [i, a] of plain.entries()) if (a !== undefined) expect(alone[0][i]).toBe(a)
      }),
      { numRuns: 10 },
    )
  })
})
