import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionSetSpec, SetAction } from '../../src/kinds.ts'
import { csvTable } from '../../src/repo/sets/csv.ts'
import { jsonlTable } from '../../src/repo/sets/jsonl.ts'
import { readSet } from '../../src/repo/sets/read-set.ts'
import { LEVELS } from '../support/action-sets.ts'
import { onDisk, put, writeParquet } from '../support/disk.ts'
import { dapIn } from '../support/run-dap.ts'

const SPEC: ActionSetSpec = {
  file: 'data/levels.csv',
  format: 'csv',
  id: 'levelId',
  features: {
    genre: { type: 'string' },
    difficulty: { type: 'number' },
    stars: { type: 'integer', default: 3 },
    fresh: { type: 'boolean', default: false },
    taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2, default: [0, 0] },
  },
  from: 'validFrom',
  until: 'validUntil',
}

/** Texts with all that CSV and JSON must quote, and letters of two UTF-16 units. */
const text = fc.string({ unit: fc.constantFrom(...'ab ,;"\'\\\n\r\t{}[]:é日🂡'), minLength: 1, maxLength: 8 })
const id = fc
  .string({ unit: fc.constantFrom(...'ab ,;"\'\\{}[]:é日🂡0'), minLength: 1, maxLength: 8 })
  .filter(each => each.trim() !== '')
const number = fc.double({ min: -1e30, max: 1e30, noNaN: true }).map(value => (Object.is(value, -0) ? 0 : value))
const time = fc
  .date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
  .map(date => date.toISOString())

type Row = SetAction & { readonly features: Readonly<Record<string, unknown>> }

const rows: fc.Arbitrary<readonly Row[]> = fc
  .uniqueArray(
    fc.record({
      id,
      genre: text,
      difficulty: number,
      stars: fc.maxSafeInteger(),
      fresh: fc.boolean(),
      taste: fc.tuple(number, number),
      dates: fc.uniqueArray(time, { maxLength: 2 }),
      both: fc.boolean(),
    }),
    { selector: each => each.id, minLength: 1, maxLength: 12 },
  )
  .map(list =>
    list.map(({ id, dates, both, ...features }) => {
      const [from, until] = dates.length === 2 ? dates.toSorted() : both ? [dates[0], undefined] : [undefined, dates[0]]
      return { id, features, ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) } as Row
    }),
  )

const COLUMNS = ['levelId', ...Object.keys(SPEC.features), 'validFrom', 'validUntil']
const cellsOf = ({ id, features, from, until }: Row): readonly unknown[] => [
  id,
  ...Object.values(features),
  from ?? null,
  until ?? null,
]

function csvOf(list: readonly Row[], delimiter: string, decimal: string, end: string): string {
  const field = (value: unknown) => {
    const plain = typeof value === 'string' ? value : JSON.stringify(value)
    const written = typeof value === 'number' ? plain.replace('.', decimal) : value === null ? '' : plain
    return new RegExp(`["\\n\\r${delimiter}]|^ | $`).test(written) ? `"${written.replaceAll('"', '""')}"` : written
  }
  return [COLUMNS, ...list.map(cellsOf)].map(cells => cells.map(field).join(delimiter) + end).join('')
}

const jsonlOf = (list: readonly Row[]): string =>
  list
    .map(row => cellsOf(row))
    .map(cells => `${JSON.stringify(Object.fromEntries(COLUMNS.map((name, i) => [name, cells[i]])))}\n`)
    .join('')

const sql = (value: unknown): string => {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if (Array.isArray(value)) return `[${value.map(each => `${sql(each)}`).join(', ')}]::DOUBLE[]`
  // A whole number that is no safe one would be a HUGEINT on its way, which rounds twice.
  return typeof value === 'number' && !Number.isSafeInteger(value) ? `'${value}'::DOUBLE` : String(value)
}

describe('a set of actions', () => {
  it('is the same in CSV, however that is written, and in JSON lines', () => {
    fc.assert(
      fc.property(
        rows,
        fc.constantFrom([',', '.'], [';', ','], ['\t', '.']),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        (list, [delimiter, decimal], end, marked) => {
          const csv = { delimiter, decimal: decimal as '.' | ',' }
          const mark = marked ? '\ufeff' : ''
          const table = csvTable(mark + csvOf(list, delimiter, decimal, end), delimiter)
          expect(readSet({ ...SPEC, csv }, table)).toEqual({ list })
          expect(readSet({ ...SPEC, format: 'jsonl' }, jsonlTable(mark + jsonlOf(list)))).toEqual({ list })
        },
      ),
      { numRuns: 500 },
    )
  })

  it('gives the same policy, to its digest, in CSV, JSON lines and Parquet', async () => {
    const folder = await onDisk({})
    const set = Object.entries(SPEC.features).map(([name, field]) => `${name}: ${JSON.stringify(field)}`)
    const write = (path: string, content: string) => put(folder, path, content)
    await write('dap.yaml', LEVELS['dap.yaml'])
    await write(
      'policies/next-level.yaml',
      LEVELS['policies/next-level.yaml']
        .replace('- { action: genre }', '- { action: stars }')
        .replace('action.genre', 'action.fresh'),
    )
    const digest = async (format: string) => {
      await write(
        'action-sets/levels.yaml',
        LEVELS['action-sets/levels.yaml']
          .replace('data/levels.csv\n  format: csv', `data/levels.${format}\n  format: ${format}`)
          .replace(/ {4}genre: .*\n {4}difficulty: .*\n/, set.map(line => `    ${line}\n`).join('')),
      )
      const { stdout, stderr } = await dapIn(folder, 'bundle', 'next-level', '--json')
      expect(stderr).toBe('')
      return JSON.parse(stdout).policy.digest
    }
    await fc.assert(
      fc.asyncProperty(rows, async list => {
        await write('data/levels.csv', csvOf(list, ',', '.', '\n'))
        await write('data/levels.jsonl', jsonlOf(list))
        await rm(join(folder, 'data/levels.parquet'), { force: true })
        const columns = COLUMNS.map((name, i) =>
          i < COLUMNS.length - 2 ? `c${i} AS "${name}"` : `c${i}::TIMESTAMPTZ AS "${name}"`,
        )
        const values = list.map(row => `(${cellsOf(row).map(sql).join(', ')})`)
        await writeParquet(
          join(folder, 'data/levels.parquet'),
          `SELECT ${columns.join(', ')} FROM (VALUES ${values.join(', ')}) t(${COLUMNS.map((_, i) => `c${i}`).join(', ')})`,
        )
        const first = await digest('csv')
        expect(await digest('jsonl')).toBe(first)
        expect(await digest('parquet')).toBe(first)
      }),
      { numRuns: 8 },
    )
  })

  it('may lack, in JSON lines, a column that any row may lack', () => {
    const lines = '{"levelId": "a", "genre": "x", "difficulty": 1}'
    expect(readSet({ ...SPEC, format: 'jsonl' }, jsonlTable(lines))).toMatchObject({ list: [{ id: 'a' }] })
    const read = readSet({ ...SPEC, format: 'jsonl' }, jsonlTable('{"levelId": "a", "genre": "x"}'))
    expect(read).toMatchObject({ faults: [{ message: '`data/levels.csv` has no column `difficulty`' }] })
    expect(readSet(SPEC, csvTable('levelId,genre,difficulty\na,x,1', ','))).toMatchObject({ faults: { length: 5 } })
  })

  it('says which delimiter a header of one field has', () => {
    for (const delimiter of [';', '\t', '|'])
      expect(readSet(SPEC, csvTable(COLUMNS.join(delimiter), ','))).toMatchObject({
        faults: COLUMNS.map(() => ({
          hint: `its header is one field: say \`csv: { delimiter: ${JSON.stringify(delimiter)} }\` in \`spec\``,
        })),
      })
  })

  it('that is damaged, or has numbers without end, is told of as the file that it is', async () => {
    const folder = await onDisk(LEVELS)
    await put(
      folder,
      'action-sets/levels.yaml',
      LEVELS['action-sets/levels.yaml']
        .replace('levels.csv\n  format: csv', 'levels.parquet\n  format: parquet')
        .replace(/ {2}from:.*\n.*/, ''),
    )
    const path = join(folder, 'data/levels.parquet')
    await writeParquet(path, "SELECT 'a' AS \"levelId\", 'puzle' AS genre, 'inf'::DOUBLE AS difficulty")
    const { stdout } = await dapIn(folder, 'validate')
    expect(stdout).toContain('hint: did you mean `puzzle`?')
    expect(stdout).toContain('`difficulty` must be a number, got `inf`, in row 1')
    expect(stdout).toContain('hint: leave it empty where there is none')
    await put(folder, 'data/levels.parquet', 'PAR1 and no more')
    const damaged = (await dapIn(folder, 'validate')).stdout
    expect(damaged).toContain('`data/levels.parquet` cannot be read as parquet')
    expect(damaged).toContain('hint: check the file, and the `spec.format` that it is declared with')
    expect(damaged).not.toContain(folder)
    expect(damaged).not.toContain('Dataset')
  })
})
