import fs from 'node:fs'
import { relative } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { DapError } from '../../errors.ts'
import type { CsvSpec } from '../../kinds.ts'
import { CSV } from '../../log/csv.ts'
import type { SourceFault, TableSource } from '../../log/tables.ts'
import { bytesOf, type Compression, compressionOf, linesOf, MAX_LINE, utf8Of, withoutBom } from '../node/text.ts'
import { type CsvRecord, csvFields, scanCsv } from './csv-records.ts'
import type { Spill } from './database.ts'
import { createFaults } from './faults.ts'

/** A file of a text format, looked through once from its first byte to its last: what a reader must find in it is known. */
export interface TextFile {
  /** As errors name it. */
  readonly name: string
  readonly path: string
  /** What is read in its place: a copy without what is no record, where there is such a thing. */
  readonly read: string
  readonly compression: Compression
  /** The names of the columns of CSV. */
  readonly header: readonly string[]
  /** Records that can be read; of JSON, lines that are not blank. */
  readonly rows: number
  /** Bytes of the longest record of CSV. */
  readonly longest: number
  /** What is no record. */
  readonly faults: readonly SourceFault[]
}

async function* abortable<T>(items: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  for await (const item of items) {
    signal?.throwIfAborted()
    yield item
  }
}

/** A file's name in errors: relative to the source's root where it is below it. */
export function nameOf({ root }: TableSource, path: string): string {
  const inside = root === undefined ? '' : relative(root, path)
  return inside === '' || inside.startsWith('..') ? path : inside
}

/** The paths must be those of files that a database can be told of. */
export function requireFiles(source: TableSource): void {
  for (const path of source.paths) {
    if (/[*?[]/.test(path)) {
      throw new DapError(`\`${path}\` cannot be read: DuckDB takes \`*\`, \`?\` and \`[\` in a path for a pattern`, {
        hint: 'rename the file or its folder',
      })
    }
    if (!fs.statSync(path, { throwIfNoEntry: false })?.isFile())
      throw new DapError(`no file \`${nameOf(source, path)}\``, {
        hint: 'paths are relative to the root of the repository',
      })
  }
}

export async function openJsonLines(
  source: TableSource,
  path: string,
  spill: Spill,
  looked: (lines: number) => void,
  signal?: AbortSignal,
): Promise<TextFile> {
  const name = nameOf(source, path)
  let marked: boolean | undefined
  let rows = 0
  let told = 0
  let line = 1
  let length = 0
  let blank = true
  for await (const chunk of abortable(bytesOf(path, name), signal)) {
    const bytes = marked === undefined ? withoutBom(chunk) : chunk
    if (marked === undefined && (bytes[0] === 0xff || bytes[0] === 0xfe)) {
      throw new DapError(`${name}:1: the file is no UTF-8, as JSON is`, { hint: 'convert it: `iconv -t utf-8`' })
    }
    marked ??= bytes !== chunk
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(10, at)
      const to = end < 0 ? bytes.length : end
      // What C takes for white space, as DuckDB does.
      for (let i = at; blank && i < to; i++) blank = bytes[i] === 32 || (bytes[i] >= 9 && bytes[i] <= 13)
      length += to - at
      if (length > MAX_LINE) throw new DapError(`${name}:${line}: a line of more than ${MAX_LINE} bytes`)
      if (end < 0) break
      if (!blank) rows++
      blank = true
      length = 0
      line++
      at = end + 1
    }
    looked(rows - told)
    told = rows
  }
  if (!blank) rows++
  const read = marked ? await unmarked(path, name, spill) : path
  return { name, path, read, compression: compressionOf(read, name), header: [], rows, longest: 0, faults: [] }
}

/** DuckDB takes the mark of UTF-8 for a part of the first line. */
async function unmarked(path: string, name: string, spill: Spill): Promise<string> {
  const copy = spill.file('jsonl')
  await pipeline(utf8Of(bytesOf(path, name), 'utf-8', name), fs.createWriteStream(copy, { flags: 'wx' }))
  return copy
}

/** Records between two words of progress. */
const TOLD = 50_000

/** Looks through a CSV file; what is no record of its header is left out of the copy that is then read, and told. */
export async function openCsv(
  source: TableSource,
  path: string,
  spill: Spill,
  looked: (lines: number) => void,
  signal?: AbortSignal,
): Promise<TextFile> {
  const csv = source.csv ?? CSV
  const name = nameOf(source, path)
  const faults = createFaults<number>()
  let header: readonly string[] | undefined
  let rows = 0
  let longest = 0
  let lost: DapError | undefined
  let seen = 0
  let begins = true
  const ends = await scan(path, name, csv, signal, record => {
    if (++seen % TOLD === 0) looked(TOLD)
    if (seen === 1) begins = record.line === 1
    longest = Math.max(longest, record.to - record.from)
    if (header === undefined) {
      if (record.fault !== undefined) lost ??= new DapError(`${name}:${record.line}: ${record.fault}`)
      header = csv.header ? csvFields(record, csv) : Array.from({ length: record.fields }, (_, i) => `column${i + 1}`)
      if (csv.header) return
    }
    const reason = faultOf(record, header.length)
    if (reason === undefined) {
      rows++
      return
    }
    if (record.swallowed) {
      // Bytes that are damaged can look like this: their checksum, at the end, says so.
      lost ??= new DapError(`${name}:${record.line}: ${record.fault}, so that the lines after it are lost in it`, {
        hint: 'mend the line: what else would be left out with it cannot be known',
      })
    }
    faults.add(reason, record.line)
  })
  if (lost !== undefined) throw lost
  // DuckDB takes a blank line of a single column for a row and one before the header for it, ends a value at a comment's sign, and
  // wants all lines to end alike.
  const alike = [...ends].filter(end => end !== '').length <= 1
  const listed = await faults.list(lines => lines.map(line => `${name}:${line}`))
  const plain =
    listed.length === 0 &&
    alike &&
    begins &&
    csv.encoding === 'utf-8' &&
    csv.comment === undefined &&
    header?.length !== 1
  return {
    name,
    path,
    read: plain ? path : await copyOf(path, name, csv, header?.length ?? 0, spill),
    compression: plain ? compressionOf(path, name) : 'none',
    header: header ?? [],
    rows,
    longest,
    faults: listed,
  }
}

function faultOf({ fault, fields }: CsvRecord, width: number): string | undefined {
  if (fault !== undefined) return fault
  return fields === width ? undefined : `${fields} ${fields === 1 ? 'field' : 'fields'}, and the header has ${width}`
}

/** Writes the header and the whole records alone, in UTF-8, each line ended alike. */
async function copyOf(path: string, name: string, csv: CsvSpec, width: number, spill: Spill): Promise<string> {
  const copy = spill.file('csv')
  const file = fs.openSync(copy, 'wx')
  let batch: Uint8Array[] = []
  let size = 0
  const flush = () => {
    fs.writeFileSync(file, Buffer.concat(batch))
    batch = []
    size = 0
  }
  const end = Buffer.from('\n')
  try {
    await scan(path, name, csv, undefined, record => {
      if (faultOf(record, width) !== undefined) return
      batch.push(record.buffer.subarray(record.from, record.to), end)
      size += record.to - record.from + 1
      if (size > 1 << 20) flush()
    })
    flush()
  } finally {
    fs.closeSync(file)
  }
  return copy
}

async function scan(
  path: string,
  name: string,
  csv: CsvSpec,
  signal: AbortSignal | undefined,
  visit: (record: CsvRecord) => unknown,
): Promise<ReadonlySet<CsvRecord['end']>> {
  return scanCsv(utf8Of(abortable(bytesOf(path, name), signal), csv.encoding, name), csv, visit)
}

/**
 * The lines of some rows of text files, by their numbers over all files, from 0; in the order of the numbers. Reads the files once
 * more, as far as it must.
 */
export async function linesOfRows(
  source: TableSource,
  files: readonly TextFile[],
  rows: readonly number[],
): Promise<string[]> {
  const wanted = rows.map((row, i) => ({ row, i })).sort((a, b) => a.row - b.row)
  const places: string[] = []
  let next = 0
  let first = 0
  for (const { name, path, header, rows: count } of files) {
    const last = first + count
    if (next < wanted.length && wanted[next].row < last) {
      let row = first
      const take = (line: number): boolean => {
        for (; next < wanted.length && wanted[next].row === row; next++) places[wanted[next].i] = `${name}:${line}`
        row++
        return next < wanted.length && wanted[next].row < last
      }
      if (source.format === 'csv') {
        const csv = source.csv ?? CSV
        let heading = csv.header
        await scan(path, name, csv, undefined, record => {
          if (heading) heading = false
          else if (faultOf(record, header.length) === undefined) return take(record.line)
          return undefined
        })
      } else await eachLine(path, name, take)
    }
    first = last
  }
  return places
}

async function eachLine(path: string, name: string, take: (line: number) => boolean): Promise<void> {
  let line = 0
  for await (const lines of linesOf(path, name)) {
    for (const text of lines) {
      line++
      if (/[^ \t\v\f\r]/.test(text) && !take(line)) return
    }
  }
}
