import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { readableSegments, readSegmentName, segmentName } from '../../../src/log/records/segment-name.ts'
import { stream } from '../../../src/math/rng.ts'
import { fileSink } from '../../../src/serve/log/files.ts'
import { type Compression, createUpkeep, type UpkeepOptions } from '../../../src/serve/log/upkeep.ts'
import { onDisk } from '../../support/disk.ts'

const CHILD = fileURLToPath(new URL('../support/write-and-compress.ts', import.meta.url))
const HOUR = 3_600_000
const NOW = Date.UTC(2026, 10, 22, 18, 30)

let folder: string
let now: number
beforeEach(async () => {
  folder = await onDisk({})
  now = NOW
})

const clock = { now: () => now }
const names = () => readdirSync(folder).sort()
const bytes = (name: string) => readFileSync(join(folder, name))

function setUp(options: Partial<UpkeepOptions> = {}) {
  const failures: string[] = []
  const sink = fileSink(folder, { fsync: 'never', worker: 'w', clock, maxBytes: 10 })
  const onFailure = (...said: readonly string[]) => void failures.push(said.join(' '))
  return { sink, upkeep: createUpkeep(folder, sink, { clock, onFailure, ...options }), failures }
}

/** A file of another process, last written then. */
function left(
  begun: number,
  { pid = 1, n = 0, ending = '', text = 'a\n', written = begun, on = 'decisions' as const } = {},
) {
  const name = segmentName(on, begun, 'elsewhere', pid, n) + ending
  writeFileSync(join(folder, name), text)
  utimesSync(join(folder, name), new Date(written), new Date(written))
  return name
}

const unpacked: Readonly<Record<Compression, (packed: Buffer) => string>> = {
  gzip: packed => zlib.gunzipSync(packed).toString(),
  zstd: packed => zlib.zstdDecompressSync(packed).toString(),
}

describe.each([
  ['gzip', '.gz'],
  ['zstd', '.zst'],
] as const)('--compress %s', (compress, ending) => {
  it('takes what this process has closed, at once, and leaves what it writes into', async () => {
    const { sink, upkeep, failures } = setUp({ compress })
    for (const lines of ['aaaaaaaa\n', 'bbbbbbbb\n', 'cccccccc\n']) await sink.write('decisions', Buffer.from(lines))
    await upkeep.look()
    const [first, second, third] = [0, 1, 2].map(n => segmentName('decisions', NOW, 'w', process.pid, n))
    expect(names()).toEqual([first + ending, second + ending, third].sort())
    expect(unpacked[compress](bytes(first + ending))).toBe('aaaaaaaa\n')
    expect(upkeep.stats).toEqual({ done: { compress: 2, delete: 0 }, failures: { compress: 0, delete: 0 } })
    await sink.write('decisions', Buffer.from('d\n'))
    await sink.close()
    await upkeep.look()
    expect(failures).toEqual([])
    expect(names().filter(name => !name.endsWith(ending))).toEqual([])
    expect(
      names()
        .flatMap(name => unpacked[compress](bytes(name)).split('\n').filter(Boolean))
        .sort(),
    ).toEqual(['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'd'])
  })

  it.each([
    ['a whole compressed file, under no name of its own yet', 'whole'],
    ['half a compressed file', 'half'],
    ['a compressed file beside its original', 'both'],
    ['a file compressed in another way beside its original', 'other'],
  ])('finishes what another process has begun before it died: %s', async (_, state) => {
    const name = left(NOW - 3 * HOUR, { text: 'x\n'.repeat(1000) })
    const packed = zlib.gzipSync('x\n'.repeat(1000))
    const other = ending === '.gz' ? '.zst' : '.gz'
    if (state === 'whole') writeFileSync(join(folder, `.${name}${ending}.dap-tmp`), packed)
    if (state === 'half') writeFileSync(join(folder, `.${name}${ending}.dap-tmp`), packed.subarray(0, 20))
    if (state === 'both') writeFileSync(join(folder, name + ending), packed)
    if (state === 'other') writeFileSync(join(folder, name + other), packed)
    for (const each of names()) utimesSync(join(folder, each), new Date(NOW - 2 * HOUR), new Date(NOW - 2 * HOUR))
    const { upkeep, failures } = setUp({ compress })
    expect(
      readableSegments(
        names().filter(each => !each.startsWith('.')),
        each => each,
      ),
    ).toEqual([name])
    await upkeep.look()
    expect(failures).toEqual([])
    expect(names()).toEqual([name + ending])
    expect(unpacked[compress](bytes(name + ending))).toBe('x\n'.repeat(1000))
  })

  it('leaves what another process may be at: half an hour of silence, or its hour not over', async () => {
    const kept = [
      left(NOW - 3 * HOUR, { n: 0, written: NOW - HOUR / 2 }),
      left(NOW - HOUR / 4, { n: 1, written: NOW - 3 * HOUR }),
    ]
    const { upkeep } = setUp({ compress, keepMs: HOUR, keepBytes: 1 })
    await upkeep.look()
    expect(names()).toEqual(kept.sort())
    now += 2 * HOUR
    await upkeep.look()
    expect(names()).toEqual([])
  })

  it('says once why it cannot, keeps the original, and does it when it can', async () => {
    const name = left(NOW - 3 * HOUR)
    mkdirSync(join(folder, name + ending, 'in-the-way'), { recursive: true })
    const { upkeep, failures } = setUp({ compress })
    await upkeep.look()
    await upkeep.look()
    expect(failures).toEqual([expect.stringMatching(`^compress ${name} E`)])
    expect(upkeep.stats).toMatchObject({ done: { compress: 0 }, failures: { compress: 2 } })
    expect(names()).toEqual([name, name + ending])
    rmSync(join(folder, name + ending), { recursive: true })
    await upkeep.look()
    expect(names()).toEqual([name + ending])
  })

  it('loses no record and doubles none, whenever the process is killed', async () => {
    const rng = stream(3, compress)
    let known = 0
    for (let round = 0; round < 5; round++) {
      known += await killAfter(1 + Math.floor(6 * rng.uniform()), folder, compress)
    }
    const readable = readableSegments(
      names().filter(name => !name.startsWith('.')),
      name => name,
    )
    const seen = new Map<string, number>()
    for (const name of readable) {
      for await (const lines of nodeFiles().readLines(join(folder, name))) {
        for (const line of lines) {
          // A killed process may have left half a line at the end of the file that it wrote into.
          const record = line.endsWith('}') ? (JSON.parse(line) as { process: number; n: number }) : undefined
          if (record !== undefined)
            seen.set(`${record.process} ${record.n}`, (seen.get(`${record.process} ${record.n}`) ?? 0) + 1)
        }
      }
    }
    expect([...seen.values()].filter(count => count !== 1)).toEqual([])
    expect(seen.size).toBeGreaterThanOrEqual(known)
    expect(readable.some(name => name.endsWith(ending))).toBe(true)
    // Hours later somebody else finishes it.
    now = Date.now() + 3 * HOUR
    const { upkeep, failures } = setUp({ compress })
    await upkeep.look()
    expect(failures).toEqual([])
    expect(names().filter(name => !name.endsWith(ending))).toEqual([])
  })
})

/** Kills the process after so many lines, each odd one of which it compresses after; returns how many records it knew to be written. */
function killAfter(lines: number, into: string, compress: Compression): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, into, compress], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', data => {
      out += data
      if (out.split('\n').length > lines) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', () => resolve(Number(out.split('\n').at(-2) ?? 0)))
  })
}

describe('--keep', () => {
  it('deletes segments once their last record may be older, compressed or not, and nothing else', async () => {
    const day = 24 * HOUR
    const hour = Math.floor(NOW / HOUR) * HOUR
    const old = left(hour - 7 * day - HOUR, { n: 1 })
    const packed = left(hour - 7 * day - 2 * HOUR, { n: 2, ending: '.gz' })
    const young = left(hour - 7 * day, { n: 3, written: hour - 7 * day })
    const others = [
      'notes.txt',
      'decisions-2020.jsonl',
      'decisions.jsonl.gz',
      `.${old}`,
      `copy-of-${old}`,
      `${old}.bak`,
    ]
    for (const name of others) writeFileSync(join(folder, name), '')
    const { upkeep, failures } = setUp({ keepMs: 7 * day })
    now = hour
    await upkeep.look()
    expect(names()).toEqual([young, ...others].sort())
    expect(names()).not.toContain(packed)
    expect(upkeep.stats.done).toEqual({ compress: 0, delete: 2 })
    expect(failures).toEqual([])
  })

  it('never deletes what this process writes into, however old', async () => {
    const { sink, upkeep } = setUp({ keepMs: HOUR, keepBytes: 1 })
    await sink.write('decisions', Buffer.from('a\n'))
    now += 1000 * HOUR
    await upkeep.look()
    expect(names()).toHaveLength(1)
    await sink.close()
    await upkeep.look()
    expect(names()).toEqual([])
  })
})

describe('--keep-bytes', () => {
  it('deletes the oldest until what is left fits, of both streams and of all processes', async () => {
    const text = 'x'.repeat(100)
    const all = [9, 3, 7, 5].map((hours, n) => left(NOW - hours * HOUR, { n, text, pid: n }))
    const { upkeep } = setUp({ keepBytes: 200 })
    await upkeep.look()
    expect(names()).toEqual([all[1], all[3]].sort())
    await upkeep.look()
    expect(names()).toHaveLength(2)
    expect(upkeep.stats.done.delete).toBe(2)
  })
})

describe('the names of segments', () => {
  it('are read back, whatever the host is called, and no other name is one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('decisions', 'rewards'),
        fc.date({ min: new Date(0), max: new Date('2999-12-31'), noInvalidDate: true }),
        fc.string(),
        fc.nat(),
        fc.nat(),
        fc.constantFrom('', '.gz', '.zst'),
        (on, date, host, pid, n, ending) => {
          const plain = segmentName(on as 'decisions', +date, `h${host}`, pid, n)
          const begun = Math.floor(+date / 1000) * 1000
          expect(readSegmentName(plain + ending)).toMatchObject({
            ...{ stream: on, begun, plain, compressed: ending !== '', number: n },
            writer: expect.stringMatching(new RegExp(`-${pid}$`)),
          })
          for (const other of [
            `.${plain}`,
            `x${plain}`,
            `${plain}.tmp`,
            `${plain}.gz.gz`,
            plain.replace('jsonl', 'json'),
          ])
            expect(readSegmentName(other)).toBeUndefined()
        },
      ),
    )
  })

  it('are never given again while the compressed file of one is there', async () => {
    const taken = `${segmentName('decisions', NOW, 'w', process.pid, 0)}.gz`
    writeFileSync(join(folder, taken), zlib.gzipSync('old\n'))
    const { sink } = setUp()
    await sink.write('decisions', Buffer.from('new\n'))
    await sink.close()
    expect(names()).toEqual([taken, segmentName('decisions', NOW, 'w', process.pid, 1)])
  })
})
