import type { KeyColumn } from '../../log/tables.ts'

/** Numbers the distinct combinations of some key columns by first appearance. */
export interface Cells {
  /** How many there are so far; combinations of no columns are one. */
  count(): number
  /** The values of a combination, in the order of the columns. */
  keys(cell: number): readonly string[]
  /** Writes the number of each row's combination into `out`. */
  assign(columns: readonly KeyColumn[], rows: number, out: Int32Array): void
}

/** Enough for the ids of one column; a combination's key is `parent · 2²⁴ + id`, exact in a double. */
const ID_LIMIT = 16777216

export function createCells(width: number): Cells {
  /** The distinct values of each column; the first column's ids are the combinations of the first level. */
  const names = Array.from({ length: width }, (): string[] => [])
  const ids = Array.from({ length: width }, () => new Map<string, number>())
  /** Level j numbers the combinations of the first j + 1 columns, from the second on. */
  const levels = Array.from({ length: width }, () => new Map<number, number>())
  const combinations: string[][] = []
  const tables = Array.from({ length: width }, () => ({
    dictionary: undefined as readonly string[] | undefined,
    ids: [0],
  }))

  /** Dictionary code → id of the value: dictionaries differ from one reading to the next, ids do not. */
  function idsOf(j: number, dictionary: readonly string[]): readonly number[] {
    const table = tables[j]
    if (table.dictionary !== dictionary) {
      table.dictionary = dictionary
      table.ids = []
    }
    while (table.ids.length < dictionary.length) {
      const value = dictionary[table.ids.length]
      let id = ids[j].get(value)
      if (id === undefined) {
        id = names[j].length
        if (id >= ID_LIMIT) throw new RangeError('cells: a key column has too many distinct values')
        ids[j].set(value, id)
        names[j].push(value)
      }
      table.ids.push(id)
    }
    return table.ids
  }

  return {
    count: () => (width === 0 ? 1 : width === 1 ? names[0].length : combinations.length),
    keys: cell => (width === 0 ? [] : width === 1 ? [names[0][cell]] : combinations[cell]),
    assign(columns, rows, out) {
      if (width === 0) {
        out.fill(0, 0, rows)
        return
      }
      const first = idsOf(0, columns[0].dictionary)
      const { codes } = columns[0]
      for (let i = 0; i < rows; i++) out[i] = first[codes[i]]
      for (let j = 1; j < width; j++) {
        const { codes, dictionary } = columns[j]
        const table = idsOf(j, dictionary)
        const level = levels[j]
        for (let i = 0; i < rows; i++) {
          const key = out[i] * ID_LIMIT + table[codes[i]]
          let cell = level.get(key)
          if (cell === undefined) {
            cell = level.size
            level.set(key, cell)
            if (j === width - 1) combinations.push(columns.map(column => column.dictionary[column.codes[i]]))
          }
          out[i] = cell
        }
      }
    },
  }
}
