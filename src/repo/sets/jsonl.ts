import { isMapping } from '../schema.ts'
import type { CellPlace, SetRow, SetTable, TableFault } from './table.ts'

/** JSON objects, one a line; blank lines are passed over. */
export function jsonlTable(text: string): SetTable {
  const columns = new Set<string>()
  const rows: SetRow[] = []
  const faults: TableFault[] = []
  for (const [i, given] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (given.trim() === '') continue
    const line = i + 1
    const value = objectOf(given)
    if (value === undefined) {
      const hint = 'each line is one object, for example {"id": "level-7", "difficulty": 2.5}'
      faults.push({ message: 'the line is no JSON object', hint, place: wholeLine(line, given) })
      continue
    }
    for (const name of Object.keys(value)) columns.add(name)
    rows.push({
      cell: column => (Object.hasOwn(value, column) ? value[column] : undefined),
      place: column => (column === undefined ? undefined : valuePlace(line, given, column)) ?? wholeLine(line, given),
    })
  }
  return { columns: [...columns], rows, faults }
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isMapping(value) ? value : undefined
  } catch {
    return undefined
  }
}

const wholeLine = (line: number, text: string): CellPlace => ({ line, column: 1, length: Math.max(1, text.length) })

/** The value after a key, as far as that can be seen without a parser that keeps places. */
function valuePlace(line: number, text: string, key: string): CellPlace | undefined {
  const name = JSON.stringify(key)
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const found = /^\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^\s,}]+)/.exec(text.slice(at + name.length))
    if (found === null) continue
    const column = at + name.length + found[0].length - found[1].length + 1
    return { line, column, length: found[1].length }
  }
  return undefined
}
