import { createHash } from 'node:crypto'
import { type Column, type ColumnRequest, type Tables, UNIT_GROUPS, type UnitPart } from '../../../src/log/tables.ts'

export type MemoryColumn = readonly (string | number | null)[] | Float64Array

/** Tables over arrays, by path; for statistical experiments and hand-sized logs. */
export function memoryTables(
  files: Readonly<Record<string, Readonly<Record<string, MemoryColumn>>>>,
  chunkRows = 1000,
): Tables {
  return {
    columns: async ({ paths }) => Object.keys(files[paths[0]]),
    joinCounts: async () => undefined,
    async *read({ paths, part }, requests) {
      const file = part ? rowsOf(files[paths[0]], part) : files[paths[0]]
      const rows = Object.values(file)[0].length
      const decoders = requests.map(request => decoder(request, file[request.column]))
      for (let start = 0; start < rows; start += chunkRows) {
        const end = Math.min(rows, start + chunkRows)
        yield { start, rows: end - start, columns: decoders.map(decode => decode(start, end)) }
      }
    },
  }
}

/** The rows of the part's units. */
function rowsOf(file: Readonly<Record<string, MemoryColumn>>, { unit, from, to }: UnitPart) {
  const kept = Array.from(Object.values(file)[0], (_, i) => i).filter(i => {
    const own = unit && (file[unit.column][i] ?? (unit.otherwise && file[unit.otherwise][i]))
    const at = unit ? group(String(own)) : i % UNIT_GROUPS
    return at >= from && at < to
  })
  return Object.fromEntries(Object.entries(file).map(([name, values]) => [name, kept.map(i => values[i])]))
}

function decoder({ type, column }: ColumnRequest, values: MemoryColumn): (start: number, end: number) => Column {
  if (values === undefined) throw new Error(`no column ${column}`)
  switch (type) {
    case 'number': {
      const numbers =
        values instanceof Float64Array ? values : Float64Array.from(values, v => (v === null ? Number.NaN : Number(v)))
      return (start, end) => ({ type, values: numbers.subarray(start, end) })
    }
    case 'text': {
      const texts = Array.from(values, v => (v === null ? null : String(v)))
      return (start, end) => ({ type, values: texts.slice(start, end) })
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
  const found = Number(createHash('md5').update(unit).digest().readBigUInt64LE(8) % BigInt(UNIT_GROUPS))
  groups.set(unit, found)
  return found
}
