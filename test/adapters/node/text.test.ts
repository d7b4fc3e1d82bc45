import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../../src/adapters/duckdb/duckdb.ts'
import { bytesOf, linesOf, MAX_LINE } from '../../../src/adapters/node/text.ts'
import type { DapError } from '../../../src/errors.ts'
import { CSV } from '../../../src/log/csv.ts'
import type { TableSource, TextColumn } from '../../../src/log/tables.ts'
import { stream } from '../../../src/math/rng.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dap-text-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, bytes: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

/** 20,000 lines that do not compress to next to nothing. */
function lines(): string[] {
  const rng = stream(3, 'text')
  return Array.from({ length: 20_000 }, (_, i) => `${i},${rng.uniform()}`)
}
const LINES = lines()
const TEXT = Buffer.from(`n,x\n${LINES.join('\n')}\n`)

async function textOf(bytes: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of bytes) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}

/** The first column of a file, by way of DuckDB. */
async function column(path: string, column: string, more: Partial<TableSource> = {}): Promise<(string | null)[]> {
  const values: (string | null)[] = []
  const source: TableSource = { format: 'csv', paths: [path], root: folder, ...more }
  for await (const chunk of openTables().read(source, [{ column, type: 'text' }])) {
    values.push(...(chunk.columns[0] as TextColumn).values)
  }
  return values
}

async function problem(promise: Promise<unknown>): Promise<DapError> {
  return promise.then(
    () => expect.fail('it was read'),
    (error: DapError) => error,
  )
}

const COMPRESSED = [
  ['gzip', zlib.gzipSync(TEXT)],
  ['zstd', zlib.zstdCompressSync(TEXT)],
] as const

describe('compressed files', () => {
  it.each(COMPRESSED)('are known by their first bytes, whatever they are called: %s', async (kind, bytes) => {
    for (const name of ['csv', 'csv.gz', 'csv.zst', 'txt']) {
      const path = await file(`${kind}.${name}`, bytes)
      expect(await textOf(bytesOf(path, path))).toBe(TEXT.toString())
      expect(await column(path, 'n')).toEqual(LINES.map((_, i) => String(i)))
    }
  })

  it.each(COMPRESSED)('are read up to their end, or not at all: %s', async (kind, bytes) => {
    for (const share of [0.1, 0.5, 0.9, 0.999, 1 - 1 / bytes.length]) {
      const cut = bytes.subarray(0, Math.floor(share * bytes.length))
      const path = await file(`cut-${share}.${kind}`, cut)
      const { message } = await problem(column(path, 'n'))
      const [, line] = /^cut-[\d.e-]+\.\w+:(\d+): the \w+ data ends or is damaged here: /.exec(message) ?? []
      // The line in which the text ends that could be had of it.
      const known = kind === 'gzip' ? (await gunzipped(cut)).split('\n').length : Number(line)
      expect([message, Number(line)]).toEqual([message, known])
      expect(Number(line)).toBeGreaterThan(share > 0.4 ? 1000 : 0)
      expect(Number(line)).toBeLessThanOrEqual(LINES.length + 2)
    }
  })

  it('of gzip have a checksum that must be right', async () => {
    const [[, bytes]] = COMPRESSED
    const damaged = Buffer.from(bytes)
    damaged[damaged.length - 6] ^= 1
    const path = await file('crc.csv', damaged)
    // Where in a member the damage is, its checksum does not say: the line is one before which all is as it was unpacked.
    expect((await problem(column(path, 'n'))).message).toMatch(
      /^crc\.csv:\d+: the gzip data ends or is damaged here: incorrect data check$/,
    )
  })

  it.each([
    ['gzip', (text: string) => zlib.gzipSync(text)],
    ['zstd', (text: string) => zlib.zstdCompressSync(text)],
  ])('may have several parts, and each must be whole: %s', async (kind, compress) => {
    const parts = [compress('n'), compress(`,x\n${LINES.join('\n')}\n3`), compress(',4\n')]
    const whole = Buffer.concat(parts)
    const path = await file(`parts.${kind}`, whole)
    expect(await column(path, 'n')).toEqual([...LINES.map((_, i) => String(i)), '3'])
    expect(await textOf(bytesOf(path, path))).toBe(`n,x\n${LINES.join('\n')}\n3,4\n`)
    for (let cut = 1; cut < parts[2].length; cut++) {
      const path = await file(`last.${kind}`, whole.subarray(0, -cut))
      expect((await problem(textOf(bytesOf(path, 'l')))).message).toMatch(/^l:2000[23]: the \w+ data ends/)
    }
    for (const more of ['and more', '\0\0\0\0and more', '\0'.repeat(1000)]) {
      const path = await file(`more.${kind}`, Buffer.concat([whole, Buffer.from(more)]))
      expect((await problem(textOf(bytesOf(path, 'l')))).message).toContain(`the ${kind} data ends or is damaged here`)
    }
  })

  it.each([
    ['bzip2', [0x42, 0x5a, 0x68, 0x39, 0x31]],
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
    ['zip', [0x50, 0x4b, 0x03, 0x04, 0x14]],
  ])('of kinds that are not read are refused: %s', async (kind, bytes) => {
    const path = await file(`l.${kind}`, Buffer.from([...bytes, 1, 2, 3]))
    for (const format of ['csv', 'jsonl', 'dap'] as const) {
      const { message, hint } = await problem(column(path, format === 'dap' ? 'action' : 'n', { format }))
      expect(message).toBe(`\`l.${kind}\` is compressed by ${kind}, which is not read here`)
      expect(hint).toBe('gzip and zstd are; or decompress the file')
    }
  })
})

/** All of the text that there is. */
function gunzipped(bytes: Buffer): Promise<string> {
  return new Promise(done => {
    const pieces: Buffer[] = []
    const stream = zlib.createGunzip()
    stream.on('data', piece => pieces.push(piece))
    stream.on('error', () => done(Buffer.concat(pieces).toString()))
    stream.on('end', () => done(Buffer.concat(pieces).toString()))
    stream.end(bytes)
  })
}

describe('encodings', () => {
  const text = 'n,ü\n1,é😀\n2,"x\ny"\n'
  const swapped = (value: string) => Buffer.from(value, 'utf16le').swap16()

  it.each([
    ['little-endian', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['big-endian', swapped(`\ufeff${text}`)],
    ['without a mark, little-endian', Buffer.from(text, 'utf16le')],
  ])('UTF-16, %s, is read where it is said', async (name, bytes) => {
    const path = await file(`${name}.csv`, bytes)
    expect(await column(path, 'ü', { csv: { ...CSV, encoding: 'utf-16' } })).toEqual(['é😀', 'x\ny'])
  })

  it('UTF-16 that nobody said is an error that says so', async () => {
    const path = await file('utf16.csv', Buffer.from(`\ufeff${text}`, 'utf16le'))
    for (const encoding of ['utf-8', 'latin-1'] as const) {
      const { message, hint } = await problem(column(path, 'n', { csv: { ...CSV, encoding } }))
      expect([message, hint]).toEqual([
        `utf16.csv:1: the file is UTF-16, not ${encoding}`,
        'say `encoding: utf-16` in `spec.csv` of the Dataset',
      ])
    }
  })

  it('half a character at the end is an error', async () => {
    const path = await file('half.csv', Buffer.from(text, 'utf16le').subarray(0, -1))
    const { message } = await problem(column(path, 'n', { csv: { ...CSV, encoding: 'utf-16' } }))
    expect(message).toContain('`half.csv` is not the utf-16le that `spec.csv.encoding` says')
  })

  it('Latin-1 is read where it is said, and has bytes that are no UTF-8 where it is not', async () => {
    const path = await file('latin.csv', Buffer.from('n,x\n1,\xe9\n2,e\n', 'latin1'))
    expect(await column(path, 'x', { csv: { ...CSV, encoding: 'latin-1' } })).toEqual(['é', 'e'])
    expect(await column(path, 'x')).toEqual(['e'])
  })

  it('a mark of UTF-8 is no part of the first value, whatever it comes in', async () => {
    const marked = Buffer.from('\ufeff"n, m",x\n1,2\n')
    const small = [1, 2, 3].map(at =>
      Buffer.concat([zlib.gzipSync(marked.subarray(0, at)), zlib.gzipSync(marked.subarray(at))]),
    )
    for (const [i, bytes] of [marked, zlib.gzipSync(marked), ...small].entries()) {
      const path = await file(`mark${i}.csv`, bytes)
      expect(await column(path, 'n, m')).toEqual(['1'])
    }
    const bare = await file('bare.csv', '\ufeff"1",2\n3,4\n')
    expect(await column(bare, 'column1', { csv: { ...CSV, header: false } })).toEqual(['1', '3'])
    const json = await file('mark.jsonl', '\ufeff{"n": 1}\n{"n": 2}\n')
    expect(await column(json, 'n', { format: 'jsonl' })).toEqual(['1', '2'])
  })
})

describe('lines of a text', () => {
  const all = async (path: string) => {
    const found: string[] = []
    for await (const batch of linesOf(path, 'l')) found.push(...batch)
    return found
  }

  it('are as they were, the last one too, if it has no end', async () => {
    for (const [text, expected] of [
      ['', []],
      ['a', ['a']],
      ['a\n', ['a']],
      ['a\n\nb', ['a', '', 'b']],
      ['\n', ['']],
      ['é\r\n😀', ['é\r', '😀']],
      ['\ufeffa\n\ufeffb\n', ['a', '\ufeffb']],
    ] as const) {
      expect(await all(await file('lines', text))).toEqual(expected)
    }
    expect(await all(await file('lines.gz', zlib.gzipSync(LINES.join('\n'))))).toEqual(LINES)
  })

  it('have zeros for bytes that are no UTF-8, which is in no JSON', async () => {
    const bytes = Buffer.concat([
      Buffer.from('"é\ufffd"\n"'),
      Buffer.of(0xe9),
      Buffer.from('x"\n\n"ü"\n"'),
      Buffer.of(0xc3),
    ])
    expect(await all(await file('latin', bytes))).toEqual(['"é\ufffd"', '"\0x"', '', '"ü"', '"\0'])
  })

  it('are not longer than any record could be', async () => {
    const path = await file('long', `a\nb\n${'x'.repeat(MAX_LINE + 1)}\nc\n`)
    await expect(all(path)).rejects.toThrow(`l:3: a line of more than ${MAX_LINE} bytes`)
  })
})
