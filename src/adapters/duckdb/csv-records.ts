import { isUtf8 } from 'node:buffer'
import type { CsvSpec } from '../../kinds.ts'
import { MAX_LINE } from '../node/text.ts'

/** One record of a CSV text. */
export interface CsvRecord {
  /** Number of the line that it begins in, from 1, and how many lines it goes over. */
  line: number
  lines: number
  /** Where its bytes are in `buffer`, without the end of its line. */
  buffer: Buffer
  from: number
  to: number
  fields: number
  /** How its line ends; not at all at the end of the text. */
  end: '\n' | '\r\n' | '\r' | ''
  /** What is wrong with it in itself: a noun phrase. */
  fault: string | undefined
  /** A quote took the lines after it with it: how many records are lost in this one cannot be known. */
  swallowed: boolean
}

const LF = 10
const CR = 13
const BLANK = 32
const TOO_LONG = `more than ${MAX_LINE} bytes in one record`

/**
 * Cuts a UTF-8 text into CSV records as RFC 4180 has them, with the signs that a Dataset says; blank lines and comments are none. This is
 * about where records begin and end, and whether they are whole: their values are for a CSV reader. `visit` gets one object again and
 * again, and stops the reading by `false`. Returns the ends that its lines have, blank ones too.
 */
export async function scanCsv(
  text: AsyncIterable<Buffer>,
  csv: CsvSpec,
  visit: (record: CsvRecord) => unknown,
): Promise<ReadonlySet<CsvRecord['end']>> {
  const cut = createCutter(csv)
  const ends = new Set<CsvRecord['end']>()
  const record: CsvRecord = {
    line: 1,
    lines: 1,
    buffer: Buffer.alloc(0),
    from: 0,
    to: 0,
    fields: 0,
    end: '',
    fault: undefined,
    swallowed: false,
  }
  /** False when `visit` has had enough. */
  function records(buffer: Buffer, last: boolean): boolean {
    // Hardly any text has bytes that are none.
    const clean = isUtf8(buffer)
    record.buffer = buffer
    let at = 0
    for (let next = cut(record, at, last); next >= 0; next = cut(record, at, last)) {
      if (!clean && record.fault === undefined && !isUtf8(buffer.subarray(record.from, record.to))) {
        record.fault = 'bytes that are no UTF-8'
      }
      ends.add(record.end)
      if (record.fields > 0 && visit(record) === false) return false
      record.line += record.lines
      at = next
    }
    rest = buffer.subarray(at)
    return true
  }
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of text) {
    if (!records(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), false)) return ends
  }
  if (rest.length > 0) records(rest, true)
  return ends
}

/**
 * Cuts the record of `record.buffer` that begins at `from` into `record` (0 fields: a blank line or a comment). Returns where the next
 * one begins, −1 where the buffer ends before the record does and more is to come.
 */
function createCutter({ delimiter, quote, escape: escaping, comment }: CsvSpec) {
  const comma = delimiter.charCodeAt(0)
  const mark = quote === '' ? -1 : quote.charCodeAt(0)
  const before = escaping === '' ? mark : escaping.charCodeAt(0)
  const hash = comment === undefined ? -1 : comment.charCodeAt(0)

  // biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one loop over bytes; cut into a function a field it takes twice as long
  return (record: CsvRecord, from: number, last: boolean): number => {
    const { buffer } = record
    const size = buffer.length
    if (from >= size) return -1
    record.from = from
    record.fault = undefined
    record.swallowed = false
    let i = from
    let fields = 1
    let lines = 1
    if (buffer[i] === hash) {
      while (i < size && buffer[i] !== LF && buffer[i] !== CR) i++
      fields = 0
    } else if (buffer[i] === LF || buffer[i] === CR) fields = 0
    else {
      for (;;) {
        if (i < size && buffer[i] === mark) {
          for (i++; i < size; i++) {
            const byte = buffer[i]
            if (byte === mark) {
              if (before !== mark || buffer[i + 1] !== mark) break
              i++
            } else {
              const taken = byte === before ? buffer[++i] : byte
              if (taken === LF || (taken === CR && buffer[i + 1] !== LF)) lines++
            }
          }
          // At the very end of a buffer a quote may be half of two.
          if (i + 1 >= size && !last) return tooLong(record, size - from, lines)
          if (i >= size) {
            record.fault = 'a quote that is opened and never closed'
            record.swallowed = true
            break
          }
          i++
          if (i < size && buffer[i] !== comma && buffer[i] !== LF && buffer[i] !== CR) {
            record.fault ??= 'text after the quote that closes a field'
            record.swallowed ||= lines > 1
          }
        } else if (buffer[i] === BLANK && mark >= 0) {
          while (buffer[i] === BLANK) i++
          // Some readers, DuckDB too, take this for a quoted field; others for one that has quotes in it.
          if (buffer[i] === mark && comma !== BLANK) record.fault ??= 'a blank before the quote that opens a field'
        }
        const bare = i
        while (i < size && buffer[i] !== comma && buffer[i] !== LF && buffer[i] !== CR) i++
        // A quote too many may have opened a field, and this one closed it.
        if (lines > 1 && mark >= 0 && buffer.subarray(bare, Math.min(i, size)).includes(mark)) {
          record.fault ??= 'a quote in a field without quotes, after one of several lines'
          record.swallowed = true
        }
        if (i >= size || buffer[i] !== comma) break
        fields++
        i++
      }
    }
    if (!last && (i >= size || (buffer[i] === CR && i + 1 >= size))) return tooLong(record, size - from, lines)
    record.to = Math.min(i, size)
    record.lines = lines
    record.fields = fields
    record.end = i >= size ? '' : buffer[i] === LF ? '\n' : buffer[i + 1] === LF ? '\r\n' : '\r'
    return record.to + record.end.length
  }
}

/** A record that is not whole yet waits for the rest of it, unless it has grown too long to be one. */
function tooLong(record: CsvRecord, length: number, lines: number): number {
  if (length <= MAX_LINE) return -1
  Object.assign(record, { to: record.from + length, lines, fields: 1, end: '', fault: TOO_LONG, swallowed: true })
  return record.to
}

/** The values of one record. */
export function csvFields({ buffer, from, to }: CsvRecord, { delimiter, quote, escape: escaping }: CsvSpec): string[] {
  const text = buffer.toString('utf8', from, to)
  const fields: string[] = []
  let i = 0
  for (;;) {
    let field = ''
    if (quote !== '' && text[i] === quote) {
      for (i++; i < text.length; i++) {
        if (text[i] === escaping && escaping !== quote && i + 1 < text.length) field += text[++i]
        else if (text[i] !== quote) field += text[i]
        else if (escaping === quote && text[i + 1] === quote) field += text[++i]
        else break
      }
      i++
    }
    const end = text.indexOf(delimiter, i)
    field += text.slice(i, end < 0 ? undefined : end)
    fields.push(field)
    if (end < 0) return fields
    i = end + delimiter.length
  }
}
