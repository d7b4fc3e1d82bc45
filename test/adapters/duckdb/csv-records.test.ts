import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { csvFields, scanCsv } from '../../../src/adapters/duckdb/csv-records.ts'
import { openTables } from '../../../src/adapters/duckdb/duckdb.ts'
import { MAX_LINE } from '../../../src/adapters/node/text.ts'
import type { CsvSpec } from '../../../src/kinds.ts'
import { CSV } from '../../../src/log/csv.ts'
import type { SourceFault, TableSource, TextColumn } from '../../../src/log/tables.ts'
import { stream } from '../../../src/math/rng.ts'

interface Record {
  readonly line: number
  readonly lines: number
  readonly end: string
  readonly fields: readonly string[]
  readonly fault?: string
  readonly swallowed: boolean
}

/** Records as a person would read them: one expression for a field, no chunks. */
function reference(text: string, csv: CsvSpec): Record[] {
  const [comma, quote, sign, hash] = [csv.delimiter, csv.quote, csv.escape || csv.quote, csv.comment ?? ''].map(literal)
  const twice = csv.escape === csv.quote || csv.escape === ''
  const inside = twice ? `[^${quote}]|${quote}${quote}` : `[^${quote}${sign}]|${sign}[^]`
  const closing = twice ? `${quote}(?!${quote})` : quote
  const quoted = csv.quote === '' ? /(?!)/y : new RegExp(`${quote}((?:${inside})*)${closing}([^${comma}\r\n]*)`, 'y')
  const bare = new RegExp(`[^${comma}\r\n]*`, 'y')
  const skip = hash === '' ? /(?:\r\n|\r|\n)/y : new RegExp(`(?:${hash}[^\r\n]*(?:\r\n|\r|\n|$))|(?:\r\n|\r|\n)`, 'y')
  const records: Record[] = []
  let at = 0
  let line = 1
  const take = (expression: RegExp): RegExpExecArray | undefined => {
    expression.lastIndex = at
    const found = expression.exec(text)
    if (found !== null) at += found[0].length
    return found ?? undefined
  }
  while (at < text.length) {
    if (take(skip)) {
      line++
      continue
    }
    const from = at
    const fields: string[] = []
    let fault: string | undefined
    let swallowed = false
    const loose = (bare: string) => {
      if (csv.quote === '' || !bare.includes(csv.quote) || ends(text.slice(from, at)) === 0) return
      fault ??= 'a quote in a field without quotes, after one of several lines'
      swallowed = true
    }
    for (;;) {
      const field = take(quoted)
      if (field !== undefined) {
        fields.push(unescaped(field[1], csv) + field[2])
        if (field[2] !== '') {
          fault ??= 'text after the quote that closes a field'
          swallowed ||= ends(text.slice(from, at)) > 0
        }
        loose(field[2])
      } else if (csv.quote !== '' && text[at] === csv.quote) {
        fields.push('')
        fault = 'a quote that is opened and never closed'
        swallowed = true
        at = text.length
      } else {
        const [field] = take(bare)!
        if (csv.quote !== '' && field.replace(/^ +/, '').startsWith(csv.quote))
          fault ??= 'a blank before the quote that opens a field'
        fields.push(field)
        loose(field)
      }
      if (text[at] !== csv.delimiter) break
      at++
    }
    const lines = 1 + ends(text.slice(from, at))
    const end = take(/\r\n|\r|\n|$/y)![0]
    records.push({ line, lines, end, fields, fault, swallowed })
    line += lines
  }
  return records
}

const literal = (sign: string) => sign.replace(/[\\^$.|?*+()[\]{}]/, '\\$&')
const ends = (text: string) => text.match(/\r\n|\r|\n/g)?.length ?? 0
const unescaped = (text: string, { quote, escape: sign }: CsvSpec) =>
  sign === quote ? text.replaceAll(quote + quote, quote) : text.replace(new RegExp(`${literal(sign)}([^])`, 'g'), '$1')

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function scanned(text: string | Buffer, csv: CsvSpec, size: number): Promise<Record[]> {
  const records: Record[] = []
  await scanCsv(cut(Buffer.from(text as string), size), csv, record => {
    const { line, lines, end, fault, swallowed } = record
    const fields = csvFields(record, csv)
    // What is in a field whose quote is never closed is anybody's guess; how many fields there are is not.
    records.push({
      line,
      lines,
      end,
      fields: fault === undefined ? fields : Array(record.fields).fill(''),
      fault,
      swallowed,
    })
    if (fault === undefined) expect(fields).toHaveLength(record.fields)
  })
  return records
}

const blanked = (records: readonly Record[]) =>
  records.map(record => (record.fault === undefined ? record : { ...record, fields: record.fields.map(() => '') }))

const SPECS: readonly CsvSpec[] = [
  CSV,
  { ...CSV, delimiter: ';', decimal: ',' },
  { ...CSV, delimiter: '\t', quote: '', escape: '' },
  { ...CSV, escape: '\\' },
  { ...CSV, quote: "'", escape: "'", comment: '#' },
]
const spec = fc.constantFrom(...SPECS)

/** Texts full of the signs that matter. */
const hostile = fc
  .array(
    fc.constantFrom(
      '"',
      '"',
      "'",
      ',',
      ',',
      ';',
      '\t',
      '\n',
      '\r',
      '\r\n',
      '#',
      '\\',
      ' ',
      'a',
      'é',
      '😀',
      '"a,b"',
      '""',
    ),
    { maxLength: 60 },
  )
  .map(signs => signs.join(''))

describe('records of a CSV text', () => {
  it('are those of a plain reading, however the text comes in pieces', () =>
    fc.assert(
      fc.asyncProperty(hostile, spec, fc.integer({ min: 1, max: 100 }), async (text, csv, size) => {
        expect(await scanned(text, csv, size)).toEqual(blanked(reference(text, csv)))
      }),
      { numRuns: 2000 },
    ))

  it('have the values that were written', () =>
    fc.assert(
      fc.asyncProperty(table(2), fc.integer({ min: 1, max: 100 }), async ({ rows, text }, size) => {
        const records = await scanned(text, CSV, size)
        expect(records.map(({ fields }) => fields)).toEqual(rows)
        expect(records.every(({ fault }) => fault === undefined)).toBe(true)
      }),
      { numRuns: 500 },
    ))

  it('are faults where their bytes are no UTF-8, and no others are', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a,é\nb,'),
      Buffer.of(0xc3),
      Buffer.from('\nc,é\nd,'),
      Buffer.of(0xff, 0x0a),
    ])
    for (let size = 1; size <= bytes.length; size++) {
      const faults = (await scanned(bytes, CSV, size)).map(({ fault }) => fault)
      expect(faults).toEqual([undefined, 'bytes that are no UTF-8', undefined, 'bytes that are no UTF-8'])
    }
  })

  it('end where the reader has had enough', async () => {
    const lines: number[] = []
    await scanCsv(cut(Buffer.from('a\nb\nc\nd\n'), 3), CSV, ({ line }) => {
      lines.push(line)
      return line < 2
    })
    expect(lines).toEqual([1, 2])
  })

  it('are not longer than any could be', async () => {
    const faults: unknown[] = []
    const bytes = Buffer.concat([Buffer.from('a\n"'), Buffer.alloc(MAX_LINE + 10, 'x'), Buffer.from('\n')])
    await scanCsv(cut(bytes, 1 << 20), CSV, ({ line, fault, swallowed }) => {
      faults.push([line, fault, swallowed])
      return faults.length < 2
    })
    expect(faults).toEqual([
      [1, undefined, false],
      [2, `more than ${MAX_LINE} bytes in one record`, true],
    ])
  })
})

/** A table of texts, and a CSV text of it: quoted where it must be, and where chance has it. */
function table(width: number, value: fc.Arbitrary<string> = awkward) {
  const cell = fc.record({ value, quoted: fc.boolean() })
  const row = fc.array(cell, { minLength: width, maxLength: width })
  return fc
    .record({
      rows: fc.array(row, { maxLength: 12 }),
      end: fc.constantFrom('\n', '\r\n', '\r'),
      tail: fc.boolean(),
    })
    .map(({ rows, end, tail }) => {
      const lines = rows.map(cells => cells.map(({ value: text, quoted }) => written(text, quoted)).join(','))
      const text = lines.join(end) + (tail && rows.length > 0 ? end : '')
      return { rows: rows.map(cells => cells.map(({ value: text }) => text)), text, end }
    })
}

const awkward = fc
  .array(
    fc.constantFrom('"', ',', '\n', '\r', '\r\n', ' ', '#', '\\', 'a', '1', 'é', '😀', '\t', "'", 'NULL', 'nan', '0'),
    { maxLength: 8 },
  )
  .map(signs => signs.join(''))

// A row of one empty text would be a blank line: two columns and more are written here.
const written = (text: string, quoted: boolean) =>
  quoted || /["\r\n,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

describe('what DuckDB reads of a CSV', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dap-csv-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  let files = 0
  async function read(bytes: string | Buffer, names: readonly string[], csv?: CsvSpec) {
    const path = join(folder, `${files++}.csv`)
    await writeFile(path, bytes)
    const source: TableSource = { format: 'csv', paths: [path], root: folder, csv }
    const faults: SourceFault[] = []
    const rows: (string | null)[][] = []
    const numbers: number[] = []
    const requests = names.map(column => ({ column, type: 'text' }) as const)
    const tables = openTables()
    for await (const chunk of tables.read(source, requests, { onFault: fault => faults.push(fault) })) {
      const columns = chunk.columns.map(column => (column as TextColumn).values)
      for (let i = 0; i < chunk.rows; i++) {
        rows.push(columns.map(values => values[i]))
        numbers.push(chunk.row[i])
      }
    }
    return { rows, numbers, faults, places: (which: readonly number[]) => tables.places(source, which) }
  }

  /** An empty text is a missing one. */
  const known = (rows: readonly (readonly string[])[]) => rows.map(row => row.map(text => (text === '' ? null : text)))

  it('is what was written, value by value', () =>
    fc.assert(
      fc.asyncProperty(table(3), async ({ rows, text, end }) => {
        const found = await read(`x,y,z${end}${text}`, ['x', 'y', 'z'])
        expect(found.rows).toEqual(known(rows))
        expect(found.faults).toEqual([])
      }),
      { numRuns: 120 },
    ))

  it('is what the records are, of any text, and all else is named', () =>
    fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom(...SPECS), async (hostileText, csv) => {
        const text = `x${csv.delimiter}y\n${hostileText}`
        const [header, ...records] = reference(text, csv)
        const lost = records.find(({ swallowed }) => swallowed)
        if (header.fault !== undefined) return
        if (lost !== undefined) {
          await expect(read(text, ['x'], csv)).rejects.toThrow(`.csv:${lost.line}: `)
          return
        }
        const good = records.filter(({ fault, fields }) => fault === undefined && fields.length === 2)
        const found = await read(text, ['x', 'y'], csv)
        expect(found.rows).toEqual(known(good.map(({ fields }) => fields)))
        const bad = records.filter(record => !good.includes(record))
        expect(found.faults.reduce((sum, { rows = 1 }) => sum + rows, 0)).toBe(bad.length)
        const named = found.faults.map(({ place }) => Number(place.split(':')[1])).sort((a, b) => a - b)
        if (bad.length < 10) expect(named).toEqual(bad.map(({ line }) => line))
        expect(await found.places(good.map((_, i) => i))).toEqual(good.map(({ line }) => `${files - 1}.csv:${line}`))
      }),
      { numRuns: 200 },
    ))

  it.each([
    ['as it is', '\n', 0],
    ['with ends of two bytes', '\r\n', 0],
    ['with rows that are none', '\n', 40],
  ])('is all of a large file, whatever stands over the borders of its buffers: %s', async (_, end, ragged) => {
    const rng = stream(4, end)
    // Quoted texts that look like rows of the file, of up to 60 kB, and one of more than DuckDB gives a thread to read.
    const rows = Array.from({ length: 600 }, (_, i) => {
      const lines = i === 300 ? 400_000 : Math.floor(3000 * rng.uniform() ** 3)
      return [`d${i}`, `${'r1,"x, y",0.25\n'.repeat(lines)}${end}"${i}"`, String(i / 8)]
    })
    const bad = new Set(Array.from({ length: ragged }, () => Math.floor(rows.length * rng.uniform())))
    const text = rows.map((cells, i) =>
      [...cells, ...(bad.has(i) ? ['one more'] : [])].map(cell => written(cell, i % 7 === 0)).join(','),
    )
    const found = await read(['id,text,number', ...text, ''].join(end), ['id', 'text', 'number'])
    expect(found.rows.length).toBe(rows.length - bad.size)
    let next = 0
    for (const [i, row] of rows.entries())
      if (!bad.has(i)) expect(found.rows[next++].every((cell, c) => cell === row[c])).toBe(true)
    expect(found.faults.reduce((sum, { rows: count = 1 }) => sum + count, 0)).toBe(bad.size)
  })
})
