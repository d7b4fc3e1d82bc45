import { DapError } from '../../errors.ts'
import type { KeyColumn, NumberColumn, Tables } from '../../log/tables.ts'
import { type ActionSpace, type CellsCandidate, requireAction, SUM_TOLERANCE } from './candidate.ts'

/** A table of probabilities as its file has it: cell (JSON list of the by-values) → action → probability. */
export type ProbabilityTable = ReadonlyMap<string, ReadonlyMap<string, number>>

/**
 * Reads a CSV file with the `by` columns, `action` and `probability`. An action that a cell does not list has probability 0
 * there. Throws a DapError unless every probability is in [0, 1] and those of a cell sum to 1 within 1e-6.
 */
export async function readProbabilityTable(
  tables: Tables,
  path: string,
  by: readonly string[],
  signal?: AbortSignal,
): Promise<ProbabilityTable> {
  const requests = [
    { column: 'action', type: 'key' } as const,
    { column: 'probability', type: 'number' } as const,
    ...by.map(column => ({ column, type: 'key' }) as const),
  ]
  const cells = new Map<string, Map<string, number>>()
  for await (const { start, rows, columns } of tables.read({ format: 'csv', paths: [path] }, requests, signal)) {
    const [actions, probabilities, ...keys] = columns as [KeyColumn, NumberColumn, ...KeyColumn[]]
    for (let i = 0; i < rows; i++) {
      const where = `\`${path}\`, row ${start + i + 1}`
      const missing = requests.find((_, j) => columns[j].type === 'key' && (columns[j] as KeyColumn).codes[i] < 0)
      if (missing) throw new DapError(`${where}: \`${missing.column}\` is missing`)
      const p = probabilities.values[i]
      if (!(p >= 0 && p <= 1)) throw new DapError(`${where}: \`probability\` is not a number in [0, 1]`)
      const cell = JSON.stringify(keys.map(key => key.dictionary[key.codes[i]]))
      const action = actions.dictionary[actions.codes[i]]
      const distribution = cells.get(cell) ?? new Map<string, number>()
      cells.set(cell, distribution)
      if (distribution.has(action)) throw new DapError(`${where}: action \`${action}\` is there twice`)
      distribution.set(action, p)
    }
  }
  for (const [cell, distribution] of cells) {
    const sum = [...distribution.values()].reduce((a, b) => a + b, 0)
    if (Math.abs(sum - 1) <= SUM_TOLERANCE) continue
    throw new DapError(`\`${path}\`: the probabilities of ${cellName(by, JSON.parse(cell))} sum to ${sum}`, {
      hint: 'the probabilities of a cell must sum to 1',
    })
  }
  return cells
}

/** `columns` are the log's columns that the table's `by` columns stand for, in the same order. */
export function tableCandidate(
  space: ActionSpace,
  table: ProbabilityTable,
  by: readonly string[],
  columns: readonly string[],
): CellsCandidate {
  for (const distribution of table.values()) for (const action of distribution.keys()) requireAction(space, action)
  return {
    kind: 'cells',
    keys: columns,
    distribution(keys) {
      const distribution = table.get(JSON.stringify(keys))
      if (!distribution) {
        throw new DapError(`the table says nothing about ${cellName(by, keys)}, which the log has`, {
          hint: 'add its rows to the table',
        })
      }
      return Float64Array.from(space.ids, id => distribution.get(id) ?? 0)
    },
  }
}

function cellName(by: readonly string[], keys: readonly string[]): string {
  return by.length === 0 ? 'the table' : by.map((name, j) => `${name} = ${keys[j]}`).join(', ')
}
