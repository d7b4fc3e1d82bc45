import { isUtf8 } from 'node:buffer'
import fs from 'node:fs'
import { pipeline } from 'node:stream'
import zlib from 'node:zlib'
import { DapError } from '../../errors.ts'

/** How a file is compressed, by its first bytes, whatever it is called. */
export type Compression = 'none' | 'gzip' | 'zstd'

const MAGIC: readonly (readonly [bytes: readonly number[], is: Compression | 'bzip2' | 'xz' | 'zip'])[] = [
  [[0x1f, 0x8b], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x42, 0x5a, 0x68], 'bzip2'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'xz'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip'],
]

/** A DapError for a kind that is not read here. */
export function compressionOf(path: string, name: string): Compression {
  const head = Buffer.alloc(5)
  const file = fs.openSync(path, 'r')
  try {
    fs.readSync(file, head, 0, head.length, 0)
  } finally {
    fs.closeSync(file)
  }
  const found = MAGIC.find(([bytes]) => bytes.every((byte, i) => head[i] === byte))?.[1] ?? 'none'
  if (found === 'none' || found === 'gzip' || found === 'zstd') return found
  throw new DapError(`\`${name}\` is compressed by ${found}, which is not read here`, {
    hint: 'gzip and zstd are; or decompress the file',
  })
}

/**
 * The bytes of a file, decompressed, in pieces. The checksums of gzip and zstd are checked, so that a file that was cut off or damaged is
 * a DapError which names the line where its text ends.
 */
export async function* bytesOf(path: string, name: string): AsyncGenerator<Buffer> {
  const compression = compressionOf(path, name)
  if (compression === 'none') {
    yield* fs.createReadStream(path, { highWaterMark: PIECE })
    return
  }
  let lines = 1
  try {
    for await (const bytes of decompressed(path, compression)) {
      for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++
      yield bytes
    }
  } catch (cause) {
    throw new DapError(
      `${name}:${lines}: the ${compression} data ends or is damaged here: ${(cause as Error).message}`,
      {
        hint: 'copy or write the file again: what is left of it would be a part of the log',
        cause,
      },
    )
  }
}

const PIECE = 1 << 18

/** A file may have several compressed texts, one after the other; Node's decompressors stop after the first one, or where zeros follow. */
async function* decompressed(path: string, compression: 'gzip' | 'zstd'): AsyncGenerator<Buffer> {
  for (let start = 0; ; ) {
    const file = fs.createReadStream(path, { highWaterMark: PIECE, start })
    const stream = pipeline(file, decompressor(compression), () => {})
    try {
      yield* stream
    } finally {
      stream.destroy()
      file.destroy()
    }
    start += stream.bytesWritten
    if (start >= fs.statSync(path).size) return
  }
}

function decompressor(compression: 'gzip' | 'zstd') {
  return compression === 'gzip'
    ? zlib.createGunzip({ chunkSize: PIECE })
    : zlib.createZstdDecompress({ chunkSize: PIECE })
}

/** A line longer than this is no record of anything. */
export const MAX_LINE = 16 * 1024 * 1024

/**
 * Lines of a UTF-8 text, decompressed, in batches, without their ends; a last line without an end is a line, too. In a line with bytes
 * that are no UTF-8 these are U+0000, so that it is no JSON.
 */
export async function* linesOf(path: string, name: string): AsyncGenerator<readonly string[]> {
  let rest: Buffer[] = []
  let length = 0
  let line = 1
  let first = true
  for await (const chunk of bytesOf(path, name)) {
    const bytes = first ? withoutBom(chunk) : chunk
    first = false
    const end = bytes.lastIndexOf(LF)
    if (end >= 0) {
      const lines = textLines(Buffer.concat([...rest, bytes.subarray(0, end)]))
      const long = lines.findIndex(text => text.length > MAX_LINE)
      if (long >= 0) throw tooLong(name, line + long)
      yield lines
      line += lines.length
      rest = []
      length = 0
    }
    rest.push(bytes.subarray(end + 1))
    length += bytes.length - end - 1
    if (length > MAX_LINE) throw tooLong(name, line)
  }
  if (length > 0) yield textLines(Buffer.concat(rest))
}

const LF = 10

/** Hardly any text has bytes that are no UTF-8. */
function textLines(bytes: Buffer): string[] {
  const lines = bytes.toString().split('\n')
  if (isUtf8(bytes)) return lines
  let at = 0
  return lines.map(text => {
    const end = bytes.indexOf(LF, at)
    const line = bytes.subarray(at, end < 0 ? undefined : end)
    at = end + 1
    return isUtf8(line) ? text : text.replaceAll('\ufffd', '\0')
  })
}

function tooLong(name: string, line: number): DapError {
  return new DapError(`${name}:${line}: a line of more than ${MAX_LINE} bytes`)
}

/**
 * A text in UTF-8, from the encoding that a Dataset says. A DapError where the file begins as another one does, or is none of its
 * encoding.
 */
export async function* utf8Of(
  bytes: AsyncIterable<Buffer>,
  encoding: 'utf-8' | 'utf-16' | 'latin-1',
  name: string,
): AsyncGenerator<Buffer> {
  let decoder: Decoder | undefined
  let first = true
  for await (const chunk of bytes) {
    if (first) decoder = decoderOf(chunk, encoding, name)
    const text = first && encoding === 'utf-8' ? withoutBom(chunk) : chunk
    first = false
    yield decoder === undefined ? text : decode(decoder, chunk, name, true)
  }
  if (decoder !== undefined) yield decode(decoder, Buffer.alloc(0), name, false)
}

type Decoder = InstanceType<typeof TextDecoder>

/** The mark of UTF-8 at the beginning of a text is no part of it. */
export function withoutBom(chunk: Buffer): Buffer {
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? chunk.subarray(3) : chunk
}

function decoderOf(head: Buffer, encoding: string, name: string): Decoder | undefined {
  const wide =
    head[0] === 0xff && head[1] === 0xfe ? 'utf-16le' : head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : undefined
  if (encoding === 'utf-16') return new TextDecoder(wide ?? 'utf-16le', { fatal: true })
  if (wide !== undefined) {
    throw new DapError(`${name}:1: the file is UTF-16, not ${encoding}`, {
      hint: 'say `encoding: utf-16` in `spec.csv` of the Dataset',
    })
  }
  return encoding === 'latin-1' ? new TextDecoder('latin1') : undefined
}

function decode(decoder: Decoder, chunk: Buffer, name: string, stream: boolean): Buffer {
  try {
    return Buffer.from(decoder.decode(chunk, { stream }))
  } catch (cause) {
    throw new DapError(`\`${name}\` is not the ${decoder.encoding} that \`spec.csv.encoding\` says`, { cause })
  }
}
