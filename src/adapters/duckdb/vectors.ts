import type { DuckDBDataChunk, DuckDBVector } from '@duckdb/node-api'
import type { Column, ColumnRequest } from '../../log/tables.ts'

/** What is read of a vector's inside: `@duckdb/node-api` has no public bulk access. Where absent, values are read singly. */
interface VectorData {
  readonly items?: unknown
  readonly dataView?: unknown
  readonly validity?: { readonly data?: unknown; itemValid?(i: number): boolean }
}

/** Turns one column of successive result chunks into columns of the port, of the rows in [from, to): those of a chunk one after the other. */
export type ColumnDecoder = (chunk: DuckDBDataChunk, from: number, to: number) => Column

/** `index` is the column's place in the result. */
export function columnDecoder(type: ColumnRequest['type'], index: number): ColumnDecoder {
  switch (type) {
    case 'number':
    case 'reward':
    case 'time':
    case 'hash':
      return (chunk, from, to) => ({ type: 'number', values: doubles(chunk.getColumnVector(index)).subarray(from, to) })
    case 'group':
    case 'bucket':
      return (chunk, from, to) => ({ type: 'group', values: integers(chunk.getColumnVector(index)).subarray(from, to) })
    case 'text':
      return (chunk, from, to) => ({ type, values: texts(chunk.getColumnVector(index), from, to) })
    case 'key':
      return keyDecoder(index)
  }
}

/** Codes integers by first appearance. Most keys are small enough to index a table. */
export function integerKeyDecoder(index: number): ColumnDecoder {
  const dictionary: string[] = []
  const small = new Int32Array(65_536).fill(-1)
  const others = new Map<number, number>()
  let codes = new Int32Array(0)

  function fresh(value: number): number {
    const known = others.get(value)
    if (known !== undefined) return known
    const code = dictionary.push(String(value)) - 1
    if (value >= 0 && value < small.length) small[value] = code
    else others.set(value, code)
    return code
  }

  return (chunk, from, to) => {
    const vector = chunk.getColumnVector(index)
    const complete = (vector as unknown as VectorData).validity?.data === null
    const rows = to - from
    if (codes.length < rows) codes = new Int32Array(rows)
    if (complete) {
      const values = integers(vector)
      for (let i = 0; i < rows; i++) {
        const value = values[from + i]
        const code = value >= 0 && value < 65_536 ? small[value] : -1
        codes[i] = code >= 0 ? code : fresh(value)
      }
    } else {
      for (let i = 0; i < rows; i++) {
        const value = vector.getItem(from + i) as number | null
        codes[i] = value === null ? -1 : value >= 0 && small[value] >= 0 ? small[value] : fresh(value)
      }
    }
    return { type: 'key', codes: codes.subarray(0, rows), dictionary }
  }
}

/**
 * Texts that are decoded at once, in bytes: what is made of a row's texts, such as the actions that a request brought, takes ten times their
 * room, and a chunk of DuckDB's may have 2,048 rows of megabytes.
 */
const TEXT_BYTES = 4e6

/** Where to cut a chunk's rows so that no piece has more texts than that, but for a row alone; `texts` are its columns of texts. */
export function pieces(chunk: DuckDBDataChunk, rows: number, texts: readonly number[]): (readonly [number, number])[] {
  const lengths = texts.map(index => lengthsOf(chunk.getColumnVector(index)))
  const cuts: (readonly [number, number])[] = []
  let from = 0
  let bytes = 0
  for (let i = 0; i < rows; i++) {
    let own = 0
    for (const lengthOf of lengths) own += lengthOf(i)
    if (i > from && bytes + own > TEXT_BYTES) {
      cuts.push([from, i])
      from = i
      bytes = 0
    }
    bytes += own
  }
  return [...cuts, [from, rows]]
}

/** The bytes of each text, by the first of the words that DuckDB keeps of it. */
function lengthsOf(vector: DuckDBVector): (i: number) => number {
  const { dataView, validity } = vector as unknown as VectorData
  if (dataView instanceof DataView) {
    const words = new Int32Array(dataView.buffer, dataView.byteOffset, 4 * vector.itemCount)
    return i => (validity?.itemValid?.(i) === false ? 0 : words[4 * i])
  }
  return i => (vector.getItem(i) as string | null)?.length ?? 0
}

/** A vector keeps the texts that it was asked for; a slice does so for itself. */
const texts = (vector: DuckDBVector, from: number, to: number): (string | null)[] =>
  vector.slice(from, to - from).toArray() as (string | null)[]

/** A vector of UTINYINT without nulls. */
export function marks(vector: DuckDBVector): Uint8Array {
  const { items } = vector as unknown as VectorData
  if (items instanceof Uint8Array) return items
  return Uint8Array.from({ length: vector.itemCount }, (_, i) => Number(vector.getItem(i)))
}

/** A vector of INTEGER without nulls. */
function integers(vector: DuckDBVector): Int32Array {
  const { items } = vector as unknown as VectorData
  if (items instanceof Int32Array) return items
  return Int32Array.from({ length: vector.itemCount }, (_, i) => Number(vector.getItem(i)))
}

/** A vector of DOUBLE without nulls. */
export function doubles(vector: DuckDBVector): Float64Array {
  const { items } = vector as unknown as VectorData
  if (items instanceof Float64Array) return items
  return Float64Array.from({ length: vector.itemCount }, (_, i) => Number(vector.getItem(i)))
}

/**
 * Codes strings by first appearance. DuckDB keeps a string in 16 bytes: its length, then the text itself when that is at
 * most 12 bytes; those are coded by their four words, without making a string of each.
 */
function keyDecoder(index: number): ColumnDecoder {
  const dictionary: string[] = []
  const codeOf = new Map<string, number>()
  let codes = new Int32Array(0)
  let slots = createSlots(1024)
  let used = 0

  function code(text: string): number {
    let found = codeOf.get(text)
    if (found === undefined) {
      found = dictionary.length
      dictionary.push(text)
      codeOf.set(text, found)
    }
    return found
  }

  function short(vector: DuckDBVector, i: number, a: number, b: number, c: number, d: number): number {
    const { words, code: known, mask } = slots
    let h = Math.imul(a ^ Math.imul(b ^ Math.imul(c ^ Math.imul(d, 0x9e3779b1), 0x85ebca6b), 0xc2b2ae35), 0x27d4eb2f)
    h = (h ^ (h >>> 15)) & mask
    for (; known[h] !== 0; h = (h + 1) & mask) {
      const at = 4 * h
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return known[h] - 1
    }
    const fresh = code(vector.getItem(i) as string)
    words.set([a, b, c, d], 4 * h)
    known[h] = fresh + 1
    if (++used * 2 > mask) {
      slots = createSlots(4 * (mask + 1))
      used = 0
    }
    return fresh
  }

  return (chunk, from, to) => {
    const vector = chunk.getColumnVector(index)
    const { dataView, validity } = vector as unknown as VectorData
    const rows = to - from
    if (codes.length < rows) codes = new Int32Array(rows)
    if (dataView instanceof DataView && validity?.data === null) {
      const words = new Int32Array(dataView.buffer, dataView.byteOffset, 4 * to)
      for (let i = 0, at = 4 * from; i < rows; i++, at += 4) {
        codes[i] =
          words[at] <= 12
            ? short(vector, from + i, words[at], words[at + 1], words[at + 2], words[at + 3])
            : code(vector.getItem(from + i) as string)
      }
    } else {
      for (let i = 0; i < rows; i++) {
        const text = vector.getItem(from + i) as string | null
        codes[i] = text === null ? -1 : code(text)
      }
    }
    return { type: 'key', codes: codes.subarray(0, rows), dictionary }
  }
}

/** An open-addressing table from four words to code + 1; it forgets everything when it grows. `size` is a power of two. */
function createSlots(size: number): { words: Int32Array; code: Int32Array; mask: number } {
  return { words: new Int32Array(4 * size), code: new Int32Array(size), mask: size - 1 }
}
