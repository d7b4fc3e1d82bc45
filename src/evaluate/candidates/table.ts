import { DapError } from '../../errors.ts'
import { wholeNumber } from '../../log/rows/actions.ts'
import { SUM_TOLERANCE } from '../../log/rows/eligible.ts'
import {
  addBadRow,
  addFault,
  badRowCount,
  badRowExamples,
  badRowsError,
  nothingLeftOut,
} from '../../log/rows/left-out.ts'
import { called } from '../../log/rows/row-reader.ts'
import type { KeyColumn, NumberColumn, TableSource, Tables } from '../../log/tables.ts'
import { type ActionSpace, type CellsCandidate, requireAction } from './candidate.ts'

/** A table of probabilities as its file has it: cell (JSON list of the by-values) → action → probability. */
export type ProbabilityTable = ReadonlyMap<string, ReadonlyMap<string, number>>

/**
 * Reads a CSV file with the `by` columns, `action` and `probability`. An action that a cell does not list has probability 0
 * there. Throws a DapError, with the place of every fault, unless every probability is in [0, 1] and those of a cell sum to 1
 * within 1e-6.
 */
export async function readProbabilityTable(
  tables: Tables,
  file: { readonly path: string; readonly root?: string },
  by: readonly string[],
  signal?: AbortSignal,
): Promise<ProbabilityTable> {
  const named = ['action', 'probability', ...by]
  const source: TableSource = { format: 'csv', paths: [file.path], root: file.root, named }
  const requests = [
    { column: 'action', type: 'key' } as const,
    { column: 'probability', type: 'number' } as const,
    ...by.map(column => ({ column, type: 'key' }) as const),
  ]
  const bad = nothingLeftOut()
  const cells = new Map<string, { readonly firstRow: number; readonly distribution: Map<string, number> }>()
  const onFault = (fault: Parameters<typeof addFault>[1]) => addFault(bad, fault)
  for await (const { rows, row, columns } of tables.read(source, requests, { onFault, signal })) {
    const [actions, probabilities, ...keys] = columns as [KeyColumn, NumberColumn, ...KeyColumn[]]
    for (let i = 0; i < rows; i++) {
      const missing = requests.find((_, j) => columns[j].type === 'key' && (columns[j] as KeyColumn).codes[i] < 0)
      const p = probabilities.values[i]
      if (missing !== undefined || !(p >= 0 && p <= 1)) {
        const reason = missing ? `${called(missing.column)} is missing` : '`probability` is not a number in [0, 1]'
        addBadRow(bad, row[i], reason)
        continue
      }
      const name = JSON.stringify(keys.map(key => key.dictionary[key.codes[i]]))
      const cell = cells.get(name) ?? { firstRow: row[i], distribution: new Map<string, number>() }
      cells.set(name, cell)
      const action = actions.dictionary[actions.codes[i]]
      if (cell.distribution.has(action)) addBadRow(bad, row[i], `action \`${action}\` is there twice`)
      cell.distribution.set(action, p)
    }
  }
  // Of a table with bad rows the sums say nothing.
  if (badRowCount(bad) === 0) {
    for (const [name, { firstRow, distribution }] of cells) {
      const sum = [...distribution.values()].reduce((a, b) => a + b, 0)
      if (Math.abs(sum - 1) <= SUM_TOLERANCE) continue
      addBadRow(bad, firstRow, `the probabilities of ${cellName(by, JSON.parse(name))} sum to ${sum}`)
    }
  }
  if (badRowCount(bad) > 0) {
    const examples = await badRowExamples(bad, tables, source)
    throw badRowsError('table', bad, examples, 'a table has a row for each action of a cell; those of a cell sum to 1')
  }
  return new Map([...cells].map(([name, { distribution }]) => [name, distribution]))
}

/** `columns` are the log's columns that the table's `by` columns stand for, in the same order. */
export function tableCandidate(
  space: ActionSpace,
  table: ProbabilityTable,
  by: readonly string[],
  columns: readonly string[],
): CellsCandidate {
  const cells = new Map([...table].map(([name, distribution]) => [name, vector(space, distribution)]))
  const byNumber = new Map<string, Float64Array>()
  for (const [name, probabilities] of cells) {
    const key = numbered(JSON.parse(name))
    if (key === name || !byNumber.has(key)) byNumber.set(key, probabilities)
  }
  return {
    kind: 'cells',
    keys: columns,
    distribution(keys) {
      const found = cells.get(JSON.stringify(keys)) ?? byNumber.get(numbered(keys))
      if (found !== undefined) return found
      throw new DapError(`the table says nothing about ${cellName(by, keys)}, which the log has`, {
        hint: 'add its rows to the table',
      })
    },
  }
}

/** The probability of every action. */
function vector(space: ActionSpace, distribution: ReadonlyMap<string, number>): Float64Array {
  const out = new Float64Array(space.ids.length)
  const named = new Map<number, string>()
  for (const [action, p] of distribution) {
    const index = requireAction(space, action)
    const other = named.get(index)
    if (other !== undefined) throw new DapError(`the table has one action twice, as \`${other}\` and \`${action}\``)
    named.set(index, action)
    out[index] = p
  }
  return out
}

/** The key of a cell whose whole numbers are written as such. */
function numbered(keys: readonly string[]): string {
  return JSON.stringify(keys.map(wholeNumber))
}

function cellName(by: readonly string[], keys: readonly string[]): string {
  return by.length === 0 ? 'the table' : by.map((name, j) => `${name} = ${keys[j]}`).join(', ')
}
