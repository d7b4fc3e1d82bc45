import { isUtf8 } from 'node:buffer'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import zlib from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { type Rng, stream } from '../../src/math/rng.ts'
import { decision, reward } from '../log/support.ts'
import { resource } from './repository.ts'
import { dapIn } from './run-dap.ts'

/**
 * Logs with one fault each, at a random place. Every one of them must be an error that names the file and the place, from every command
 * that reads it.
 *
 * What nobody can find, and is not among the faults:
 * - a text that was cut off just behind a line, or in the last value of its last line;
 * - a quote that is opened and then closed by another stray one just before a delimiter: that is a value of several lines;
 * - a byte of a Parquet page that is another one: DuckDB neither writes nor checks the checksums that pages may have. Of flips of one bit
 *   in a column's pages 20 to 45 % are read as other values, whatever the compression (the others are errors, or no difference); of 64
 *   random bytes a third in pages without compression, a tenth in ZSTD, none of 60 in Snappy, gzip and LZ4. Zeros over the beginning of a
 *   page, which is what a lost block leaves, are always an error;
 * - flips in what of a gzip header is not data: its time, its system, its flags' unused bits.
 */
export const FORMATS = ['csv', 'csv.gz', 'jsonl', 'jsonl.gz', 'parquet', 'dap', 'dap.gz'] as const
export type Format = (typeof FORMATS)[number]

/** A whole log, ready to be damaged. */
export interface Whole {
  readonly format: Format
  readonly bytes: Buffer
  /** Rows, or decisions. */
  readonly rows: number
  /** Of text: where each record begins and ends in it, and its line; the header is none. */
  readonly text: Buffer
  readonly records: readonly { readonly from: number; readonly to: number; readonly line: number }[]
  /** Of Parquet: where the pages begin of columns that are read, and the rows of their row groups. */
  readonly chunks: readonly {
    readonly at: number
    readonly column: string
    readonly group: number
    readonly first: number
    readonly rows: number
  }[]
  /** Of Parquet: the same log with a null in one row's number. */
  broken?(row: number): Promise<Buffer>
}

export interface FaultyLog {
  readonly fault: string
  readonly bytes: Buffer
  /** What errors must say of the file: after its name. */
  readonly place: RegExp
  /** How many rows are left by `badRows: drop`; absent where it must not help. */
  readonly dropped?: number
  /** The log is still one: what is read, and what is said of it. */
  readonly tolerated?: { readonly rows: number; readonly note: string }
  /** Who meets the fault; default: everybody. */
  readonly roles?: readonly Role[]
}

/** What a file can be in a repository. */
export type Role = 'evaluate' | 'drop' | 'train' | 'table' | 'rewards' | 'check'

const HEADER = 'id,cell,action,probability,r,note'

/** Every log is a table of probabilities and a file of rewards as well: two rows a cell, one reward a decision. */
function rowOf(i: number, rng: Rng) {
  const notes = ['', 'plain', 'x, y', ',x', 'says ""hi""', 'two\nlines', 'and\r\nmore,\n\n', '"', 'é😀']
  return {
    id: `d${i}`,
    cell: `c${i >> 1}`,
    action: 'ab'[i % 2],
    probability: 0.5,
    r: Math.floor(8 * rng.uniform()) / 8,
    note: notes[Math.floor(rng.uniform() ** 3 * notes.length)],
  }
}

export async function wholeLog(format: Format, rows: number, seed: number): Promise<Whole> {
  const rng = stream(seed, format)
  const none = { format, rows, text: Buffer.alloc(0), records: [], chunks: [] }
  if (format === 'parquet') return { ...none, ...(await parquetLog(rows)) }
  const [kind, compressed] = format.split('.')
  const lines: string[] = []
  for (let i = 0; i < rows; i++) {
    const row = rowOf(i, rng)
    const cells = Object.values(row).map(value =>
      /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : value,
    )
    if (kind === 'csv') lines.push(cells.join(','))
    else if (kind === 'jsonl') lines.push(JSON.stringify(row))
    else {
      if (i > 0 && rng.uniform() < 0.3) lines.push(JSON.stringify(reward(`d${i - 1}`, { value: row.r })))
      lines.push(JSON.stringify(decision(row.id, [0.5, 0.5], { unit: `u${i % 100} é`, context: {} })))
    }
  }
  const records: { from: number; to: number; line: number }[] = []
  const parts: Buffer[] = kind === 'csv' ? [Buffer.from(`${HEADER}\n`)] : []
  let from = parts[0]?.length ?? 0
  let line = parts.length + 1
  for (const each of lines) {
    const bytes = Buffer.from(`${each}\n`)
    parts.push(bytes)
    records.push({ from, to: from + bytes.length - 1, line })
    from += bytes.length
    line += each.split(/\r\n|\r|\n/).length
  }
  const text = Buffer.concat(parts)
  return { ...none, text, records, bytes: compressed === undefined ? text : zlib.gzipSync(text, { level: 1 }) }
}

const GROUP = 2048

async function parquetLog(rows: number): Promise<Pick<Whole, 'bytes' | 'chunks' | 'broken'>> {
  const folder = mkdtempSync(join(tmpdir(), 'dap-parquet-'))
  const path = join(folder, 'l.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const write = async (r: string) => {
    const columns = `'d' || i AS id, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS action, 0.5::DOUBLE AS probability, ${r} AS r, 'u' || hash(i + 9) AS note`
    await connection.run(
      `COPY (SELECT ${columns} FROM range(${rows}) AS t (i)) TO '${path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${GROUP})`,
    )
    return readFileSync(path)
  }
  const r = '(hash(i) % 8 / 8)::DOUBLE'
  const bytes = await write(r)
  const found = await connection.runAndReadAll(
    `SELECT coalesce(dictionary_page_offset, data_page_offset), path_in_schema, row_group_id, row_group_num_rows FROM parquet_metadata('${path}')`,
  )
  const chunks = found.getRows().map(([at, column, group, count]) => ({
    at: Number(at),
    column: String(column),
    group: Number(group),
    first: Number(group) * GROUP,
    rows: Number(count),
  }))
  rmSync(folder, { recursive: true })
  return {
    bytes,
    chunks: chunks.filter(({ column }) => ['action', 'probability', 'r'].includes(column)),
    async broken(row) {
      mkdirSync(folder)
      const damaged = await write(`CASE WHEN i = ${row} THEN NULL ELSE ${r} END`)
      rmSync(folder, { recursive: true })
      return damaged
    },
  }
}

type Damage = (whole: Whole, rng: Rng) => FaultyLog | Promise<FaultyLog>

/** One record is another text. */
function inRecord(
  fault: string,
  change: (record: string, rng: Rng) => string | Buffer,
  more: Partial<FaultyLog> = {},
  fits: (record: string) => boolean = () => true,
): Damage {
  return (whole, rng) => {
    const { text, records, rows } = whole
    // The last record is for faults of its own.
    const other = (): Whole['records'][number] => records[Math.floor(rng.uniform() * (records.length - 1))]
    let record = other()
    while (!fits(text.toString('utf8', record.from, record.to))) record = other()
    const before = text.toString('utf8', record.from, record.to)
    const changed = change(before, rng)
    const damaged = Buffer.concat([
      text.subarray(0, record.from),
      Buffer.from(changed as string),
      text.subarray(record.to),
    ])
    return {
      fault,
      bytes: packed(whole, damaged),
      place: at(record.line),
      dropped: rows - (lost(before, changed) ? 1 : 0),
      ...more,
    }
  }
}

/** Of a `dap` log: is a decision lost with this record? A reward takes with it the decision that it still names. */
function lost(before: string, after: string | Buffer): boolean {
  if (!before.includes('dap.reward/')) return true
  if (!isUtf8(Buffer.from(after as string))) return false
  try {
    const { schema, decisionId } = JSON.parse(String(after))
    return schema !== undefined && decisionId !== undefined
  } catch {
    return false
  }
}

const at = (line: number) => new RegExp(`^:${line}: `)

const packed = ({ format }: Whole, text: Buffer): Buffer =>
  format.endsWith('.gz') ? zlib.gzipSync(text, { level: 1 }) : text

/** The last record is cut off where it cannot be taken for a whole one. */
const tornEnd =
  (tolerated?: FaultyLog['tolerated']): Damage =>
  (whole, rng) => {
    const { text, records, rows } = whole
    const { from, to, line } = records[records.length - 1]
    const last = whole.format.startsWith('csv') ? text.toString('utf8', from, to).indexOf(',0.5,') + 4 : to - from
    const length = 1 + Math.floor(rng.uniform() * (last - 1))
    return {
      fault: 'a torn last line',
      bytes: packed(whole, text.subarray(0, from + length)),
      place: at(line),
      dropped: rows - 1,
      ...(tolerated === undefined ? {} : { tolerated: { ...tolerated, rows: rows - 1 } }),
    }
  }

/** Bytes that are no UTF-8, within a text of the record. */
const notUtf8 = (record: string, rng: Rng): Buffer => {
  const [bytes] = [
    Buffer.from([0xff]),
    Buffer.from([0xc3]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0xf0, 0x9f]),
  ].slice(Math.floor(4 * rng.uniform()))
  const at = record.startsWith('{') ? record.indexOf(':"d') + 3 : 1
  return Buffer.concat([Buffer.from(record.slice(0, at)), bytes, Buffer.from(record.slice(at))])
}

/** A record of JSON lines ends somewhere, and the next one begins in its own line. */
const tornJson = (record: string, rng: Rng) => record.slice(0, 1 + Math.floor(rng.uniform() * (record.length - 1)))

const cutPack: Damage = (whole, rng) => {
  const bytes = whole.bytes.subarray(0, 18 + Math.floor(rng.uniform() * (whole.bytes.length - 19)))
  return { fault: 'cut off', bytes, place: at(linesIn(bytes)) }
}

/** The line in which the text ends that can be had of a gzip file that was cut off. */
function linesIn(bytes: Buffer): number {
  const text = zlib.gunzipSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH })
  let lines = 1
  for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, at + 1)) lines++
  return lines
}

const flippedPack: Damage = (whole, rng) => {
  const bytes = Buffer.from(whole.bytes)
  bytes[10 + Math.floor(rng.uniform() * (bytes.length - 10))] ^= 1 << Math.floor(8 * rng.uniform())
  // Where a block is unpacked that is none, a checksum says only in the end: no more than a line before it can be named.
  return { fault: 'a flipped bit', bytes, place: /^:\d+: the gzip data ends or is damaged here/ }
}

const COMPRESSED: readonly Damage[] = [cutPack, flippedPack]

const CSV: readonly Damage[] = [
  inRecord('an extra field', record => `${record},more`),
  inRecord('a missing field', record => record.slice(record.indexOf(',') + 1)),
  inRecord(
    'an unclosed quote',
    record => record.replace(/^(\w+,\w+,\w,0\.5,)(.*)/, '$1"$2'),
    { dropped: undefined },
    record => !record.includes('"'),
  ),
  inRecord('text after a quote', record => record.replace(/^(\w+),/, '"$1"x,')),
  tornEnd(),
  inRecord('bytes that are no UTF-8', notUtf8),
  inRecord('a broken value', record => record.replace(/,0\.5,[\d.]+,/, ',half,much,')),
]

const JSONL: readonly Damage[] = [
  inRecord('a missing field', record => record.replace(/"probability":0.5,"r":[\d.]+,/, ''), {
    roles: ['evaluate', 'drop', 'train'],
  }),
  inRecord('a torn line', tornJson),
  tornEnd(),
  inRecord('bytes that are no UTF-8', notUtf8),
  inRecord('two records in one line', record => record + record),
  inRecord('a broken value', record =>
    record.replace(/"probability":0.5,"r":[\d.]+/, '"probability":"half","r":"much"'),
  ),
]

const DAP: readonly Damage[] = [
  inRecord('an extra field', record => record.replace('{', '{"more":1,')),
  inRecord('a missing field', record => record.replace(/"(schema|decisionId)":"[^"]*",/, '')),
  inRecord('a torn line', tornJson),
  tornEnd({ rows: 0, note: '1 last line cut off' }),
  inRecord('bytes that are no UTF-8', notUtf8),
  inRecord('two records in one line', record => record + record),
  inRecord('a broken value', record => record.replace(/("propensity"|"value"):[\d.]+/, '$1:"half"')),
]

const PARQUET: readonly Damage[] = [
  (whole, rng) => {
    const bytes = whole.bytes.subarray(0, Math.floor(rng.uniform() * whole.bytes.length))
    return { fault: 'cut off', bytes, place: /^` cannot be read as parquet/ }
  },
  (whole, rng) => {
    const { at: from, column, group, first, rows } = whole.chunks[Math.floor(rng.uniform() * whole.chunks.length)]
    const bytes = Buffer.from(whole.bytes)
    bytes.fill(0, from, from + 64)
    const place = new RegExp(`^: row group ${group}, rows ${first + 1} to ${first + rows}: `)
    return { fault: 'a lost page', bytes, place, roles: column === 'r' ? undefined : ['evaluate', 'drop', 'train'] }
  },
  (whole, rng) => {
    const bytes = Buffer.from(whole.bytes)
    const size = bytes.readUInt32LE(bytes.length - 8)
    bytes.fill(0, bytes.length - 8 - Math.floor((0.2 + 0.8 * rng.uniform()) * size), bytes.length - 8)
    return { fault: 'a lost footer', bytes, place: /^` cannot be read as parquet/ }
  },
  async (whole, rng) => {
    const row = Math.floor(rng.uniform() * whole.rows)
    const bytes = await whole.broken!(row)
    return {
      fault: 'a null',
      bytes,
      place: new RegExp(`^: row ${row + 1}: `),
      dropped: whole.rows - 1,
      roles: ['evaluate', 'drop', 'train'],
    }
  },
]

const DAMAGES: Readonly<Record<Format, readonly Damage[]>> = {
  csv: CSV,
  'csv.gz': [...CSV, ...COMPRESSED, ...COMPRESSED],
  jsonl: JSONL,
  'jsonl.gz': [...JSONL, ...COMPRESSED, ...COMPRESSED],
  parquet: PARQUET,
  dap: DAP,
  'dap.gz': [...DAP, ...COMPRESSED, ...COMPRESSED],
}

/** The nth fault of a log: all of its kinds in turn, at places of chance. */
export async function faultyLog(whole: Whole, n: number, seed: number): Promise<FaultyLog> {
  const damages = DAMAGES[whole.format]
  return damages[n % damages.length](whole, stream(seed, `${whole.format}-${n}`))
}

const ROLES: Readonly<Record<Format, readonly Role[]>> = {
  csv: ['evaluate', 'drop', 'train', 'table', 'rewards'],
  'csv.gz': ['evaluate', 'drop', 'train', 'table', 'rewards'],
  jsonl: ['evaluate', 'drop', 'train', 'rewards'],
  'jsonl.gz': ['evaluate', 'drop', 'train', 'rewards'],
  parquet: ['evaluate', 'drop', 'train', 'rewards'],
  dap: ['evaluate', 'drop', 'train', 'check'],
  'dap.gz': ['evaluate', 'drop', 'train', 'check'],
}

const MAPPING = 'mapping: { action: action, propensity: probability, reward: r }'
const JOINED = 'mapping: { decisionId: id, action: action, propensity: probability }'

/** A repository in which a file of this format has every role that it can have. */
export interface Site {
  /** Reads a file as all that it can be read as. `misses`: what was not as it must be. */
  check(log: FaultyLog): Promise<{ readonly readings: number; readonly misses: readonly string[] }>
  /** The log as it was: every command does its work. */
  whole(): Promise<string[]>
  remove(): void
}

export function openSite(whole: Whole): Site {
  const folder = mkdtempSync(join(tmpdir(), 'dap-faults-'))
  const [kind] = whole.format.split('.')
  const name = `data/l.${whole.format.replace('dap', 'jsonl')}`
  const write = (path: string, text: string | Buffer) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const dataset = (id: string, more: string) => write(`datasets/${id}.yaml`, resource('Dataset', id, more))
  const own = `files: [${name}]\nformat: ${kind}\nactions: [a, b]${kind === 'dap' ? '' : `\n${MAPPING}`}`
  write('dap.yaml', resource('Project', 'faults', 'defaults: { seed: 1 }'))
  dataset('log', own)
  dataset('dropping', `${own}\nquality: { badRows: drop }`)
  const good = `files: [data/good.csv]\nformat: csv\nactions: [a, b]`
  dataset('good', `${good}\n${MAPPING}`)
  if (kind !== 'dap')
    dataset(
      'joined',
      `${good}\n${JOINED}\nrewards: { files: [${name}], format: ${kind}, mapping: { decisionId: id, reward: r } }`,
    )
  write(
    'data/good.csv',
    [
      'id,cell,action,probability,r',
      ...Array.from({ length: whole.rows }, (_, i) => `d${i},c${i >> 1},${'ab'[i % 2]},0.5,1`),
    ].join('\n'),
  )
  const evaluation = (id: string, log: string, candidate: string) =>
    write(
      `evaluations/${id}.yaml`,
      resource('Evaluation', id, `dataset: ${log}\nestimators: [ips]\ncandidates: [{ name: c, ${candidate} }]`),
    )
  evaluation('log', 'log', 'logging: true')
  evaluation('dropping', 'dropping', 'logging: true')
  if (kind !== 'dap') evaluation('joined', 'joined', 'logging: true')
  if (kind === 'csv') evaluation('table', 'good', `table: { file: ${name}, by: [cell] }`)
  write(
    'policies/pol.yaml',
    resource(
      'Policy',
      'pol',
      'actions: [{ id: a }, { id: b }]\nalgorithm: { learner: { type: mean }, exploration: { type: greedy } }\nguardrails: { minProbability: 0.02 }',
    ),
  )

  const COMMANDS: Readonly<Record<Role, readonly string[]>> = {
    evaluate: ['evaluate', 'log', '--json'],
    drop: ['evaluate', 'dropping', '--json'],
    train: ['train', 'pol', '--dataset', 'log', '--out', 'out.json', '--json'],
    table: ['evaluate', 'table', '--json'],
    rewards: ['evaluate', 'joined', '--json'],
    check: ['log', 'check', name],
  }

  async function run(role: Role): Promise<{ code: number; stdout: string; stderr: string }> {
    rmSync(join(folder, 'out.json'), { force: true })
    return dapIn(folder, ...COMMANDS[role])
  }

  /** Is the place of this fault told, by its file and where in it it is? */
  const names = (said: string, place: RegExp) =>
    said
      .split(name)
      .slice(1)
      .some(rest => place.test(rest))

  async function verdict(role: Role, log: FaultyLog): Promise<string | undefined> {
    const { code, stdout, stderr } = await run(role)
    if (role === 'check' && log.tolerated === undefined) {
      if (code === 1 && names(stdout + stderr, log.place)) return undefined
      return `exit ${code}: ${(stderr || stdout).slice(0, 400)}`
    }
    const rows = log.tolerated?.rows ?? (role === 'drop' ? log.dropped : undefined)
    if (rows === undefined) {
      if (code !== 1 || JSON.parse(stdout).schema !== 'dap.error/v1' || !names(stderr, log.place))
        return `exit ${code}: ${stderr || stdout.slice(0, 300)}`
      return undefined
    }
    if (role === 'check') return code === 0 && stdout.includes('torn') ? undefined : `exit ${code}: ${stdout}`
    if (code !== 0) return `exit ${code}: ${stderr}`
    const { dataset } = JSON.parse(stdout)
    const notes: readonly string[] = dataset.notes
    if (role === 'train') return undefined
    if (dataset.rows !== rows) return `${dataset.rows} rows, not ${rows}`
    if (log.tolerated !== undefined)
      return notes.some(note => note.includes(log.tolerated!.note)) ? undefined : notes.join('; ')
    if (dataset.dropped !== 1) return `${dataset.dropped} dropped, not 1`
    return notes.some(note => names(note, log.place)) ? undefined : notes.join('; ')
  }

  return {
    async check(log) {
      write(name, log.bytes)
      const misses: string[] = []
      const roles = ROLES[whole.format].filter(role => log.roles?.includes(role) ?? true)
      for (const role of roles) {
        const miss = await verdict(role, log)
        if (miss !== undefined)
          misses.push(`${whole.format}, ${log.fault}, ${role}: not ${name} ${log.place.source} but ${miss}`)
      }
      return { readings: roles.length, misses }
    },
    async whole() {
      write(name, whole.bytes)
      const misses: string[] = []
      for (const role of ROLES[whole.format]) {
        const { code, stdout, stderr } = await run(role)
        const rows =
          role === 'check' || role === 'train' ? undefined : JSON.parse(stdout || '{"dataset":{}}').dataset.rows
        if (code !== 0 || (rows !== undefined && rows !== whole.rows))
          misses.push(`${whole.format}, ${role}: exit ${code}, ${rows} rows: ${stderr || stdout.slice(0, 400)}`)
      }
      return misses
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
