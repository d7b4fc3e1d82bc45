import { createHash } from 'node:crypto'
import {
  BUCKET_MASK,
  type Column,
  type ColumnRequest,
  groupOfRow,
  type OneRow,
  type RowPart,
  type Tables,
  UNIT_GROUPS,
} from '../../../src/log/tables.ts'
import { unitHash } from './unit-hash.ts'

export type MemoryColumn = readonly (string | number | null)[] | Float64Array

/** Tables over arrays, by path; for statistical experiments and hand-sized logs. The rewards of decisions are the column of `once`, or else `reward`, those of a slot `reward 0` and so on. */
export function memoryTables(
  files: Readonly<Record<string, Readonly<Record<string, MemoryColumn>>>>,
  chunkRows = 1000,
): Tables {
  return {
    columns: async ({ paths }) => Object.keys(files[paths[0]]),
    joinCounts: async () => undefined,
    places: async ({ paths }, rows) => rows.map(row => `${paths[0]}:${row + 1}`),
    async *read({ paths, part, once }, requests) {
      const all = files[paths[0]]
      const numbers = Float64Array.from({ length: Object.values(all)[0].length }, (_, i) => i)
      const kept = part && numbers.filter(i => isOf(part, all, i))
      const file = kept ? takeAll(all, kept) : all
      const number = kept ?? numbers
      const rows = number.length
      const decoders = requests.map(request => decoder(request, file[columnOf(request, once)]))
      for (let start = 0; start < rows; start += chunkRows) {
        const end = Math.min(rows, start + chunkRows)
        const columns = decoders.map(decode => decode(start, end))
        yield { rows: end - start, row: number.slice(start, end), columns }
      }
    },
  }
}

const columnOf = ({ type, column, slot }: ColumnRequest, once: OneRow | undefined) =>
  type === 'reward' ? (slot === undefined ? (once?.reward ?? 'reward') : `reward ${slot}`) : column

type MemoryFile = Readonly<Record<string, MemoryColumn>>

/** Is the row of the part? */
function isOf({ units, after }: RowPart, file: MemoryFile, i: number): boolean {
  if (after !== undefined && !(timeOf(file[after.column][i]) > after.ms)) return false
  if (units === undefined) return true
  const { unit, from, to } = units
  const own = unit && (file[unit.column][i] ?? (unit.otherwise && file[unit.otherwise][i]))
  const at = unit ? group(String(own)) : groupOfRow(i)
  return at >= from && at < to
}

function takeAll(file: MemoryFile, rows: Float64Array): MemoryFile {
  return Object.fromEntries(Object.entries(file).map(([name, values]) => [name, Array.from(rows, i => values[i])]))
}

function decoder({ type, column }: ColumnRequest, values: MemoryColumn): (start: number, end: number) => Column {
  if (values === undefined) throw new Error(`no column ${column}`)
  switch (type) {
    case 'number':
    case 'reward': {
      const numbers = values instanceof Float64Array ? values : Float64Array.from(values, toNumber)
      return (start, end) => ({ type: 'number', values: numbers.subarray(start, end) })
    }
    case 'time': {
      const times = Float64Array.from(values, timeOf)
      return (start, end) => ({ type: 'number', values: times.subarray(start, end) })
    }
    case 'hash': {
      const hashes = Float64Array.from(values, v => (v === null ? Number.NaN : Number(md5(String(v)) >> 11n)))
      return (start, end) => ({ type: 'number', values: hashes.subarray(start, end) })
    }
    case 'text': {
      const texts = Array.from(values, v => (v === null ? null : String(v)))
      return (start, end) => ({ type, values: texts.slice(start, end) })
    }
    case 'bucket': {
      const buckets = Int32Array.from(values, v => (v === null ? -1 : bucket(String(v))))
      return (start, end) => ({ type: 'group', values: buckets.subarray(start, end) })
    }
    case 'group': {
      const groups = Int32Array.from(values, v => (v === null ? -1 : group(String(v))))
      return (start, end) => ({ type, values: groups.subarray(start, end) })
    }
    case 'key': {
      const dictionary: string[] = []
      const codes = new Map<string, number>()
      const coded = Int32Array.from(values, v => {
        if (v === null) return -1
        const code = codes.get(String(v)) ?? dictionary.push(String(v)) - 1
        codes.set(String(v), code)
        return code
      })
      return (start, end) => ({ type, codes: coded.subarray(start, end), dictionary })
    }
  }
}

const groups = new Map<string, number>()

function group(unit: string): number {
  const known = groups.get(unit)
  if (known !== undefined) return known
  const found = Number(md5(unit) % BigInt(UNIT_GROUPS))
  groups.set(unit, found)
  return found
}

/** Of its last 8 bytes. */
const md5 = (text: string): bigint => createHash('md5').update(text).digest().readBigUInt64LE(8)

const timeOf = (value: string | number | null): number => Date.parse(String(value))

function toNumber(value: string | number | null): number {
  if (value === null || value === '' || Number.isNaN(value)) return Number.NaN
  return Number.isNaN(Number(value)) ? Infinity : Number(value)
}

const buckets = new Map<string, number>()

function bucket(unit: string): number {
  const known = buckets.get(unit)
  if (known !== undefined) return known
  const found = Number(unitHash(unit) & BigInt(BUCKET_MASK))
  buckets.set(unit, found)
  return found
}
