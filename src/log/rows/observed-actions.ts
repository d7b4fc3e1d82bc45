import type { ColumnRequest, KeyColumn, Tables, TextColumn } from '../tables.ts'
import { parseIds, REMEMBERED_SETS } from './eligible.ts'
import type { LogLayout } from './log-columns.ts'
import { remember } from './remember.ts'

/**
 * The cells that name actions in a log: those that it took and, where it has eligible sets, those that were eligible; and how many
 * rows it has. Good rows and bad are not told apart.
 */
export async function observedActions(
  tables: Tables,
  { source, action, eligible }: Pick<LogLayout, 'source' | 'action' | 'eligible'>,
  signal?: AbortSignal,
): Promise<{ readonly cells: ReadonlySet<string>; readonly met: number }> {
  const requests: ColumnRequest[] = [
    { column: action, type: 'key' },
    ...(eligible === undefined ? [] : [{ column: eligible, type: 'text' } as const]),
  ]
  const cells = new Set<string>()
  const see = remember(REMEMBERED_SETS, (json: string) => {
    const ids = parseIds(json) ?? []
    for (const id of ids) cells.add(id)
    return ids
  })
  let taken: readonly string[] = []
  let met = 0
  for await (const { rows, columns } of tables.read(source, requests, { signal })) {
    const [actions, sets] = columns as readonly [KeyColumn, TextColumn | undefined]
    taken = actions.dictionary
    for (let i = 0; sets !== undefined && i < rows; i++) see(sets.values[i] ?? '')
    met += rows
  }
  for (const cell of taken) cells.add(cell)
  return { cells, met }
}
