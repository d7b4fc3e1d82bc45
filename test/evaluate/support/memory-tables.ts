import { createHash } from 'node:crypto'
import { type Column, type ColumnRequest, type Tables, UNIT_GROUPS } from '../../../src/log/tables.ts'

export type MemoryColumn = readonly (string | number | null)[] | Float64Array

/** Tables over arrays, by path; for statistical experiments and hand-sized logs. */
export function memoryTables(
  files: Readonly<Record<string, Readonly<Record<string, MemoryColumn>>>>,
  chunkRows = 1000,
): Tables {
  return {
    columns: async ({ paths }) => Object.keys(files[paths[0]]),
    async *read({ paths }, requests) {
      const file = files[paths[0]]
      const rows = Object.values(file)[0].length
      const decoders = requests.map(request => decoder(request, file[request.column]))
      for (let start = 0; start < rows; start += chunkRows) {
        const end = Math.min(rows, start + chunkRows)
        yield { start, rows: end - start, columns: decoders.map(decode => decode(start, end)) }
      }
    },
  }
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

function group(unit: string): number {
  return Number(createHash('md5').update(unit).digest().readBigUInt64LE(8) % BigInt(UNIT_GROUPS))
}
