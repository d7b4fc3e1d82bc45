import type { DecisionLog } from '../log/rows/decision-log.ts'
import type { TableWriter, WrittenColumn, WrittenValues } from '../log/table-writer.ts'
import type { NumberColumn, Tables, TextColumn } from '../log/tables.ts'
import { listed } from '../policy/pool.ts'
import { type Fold, foldHere } from './fold.ts'
import { type Training, type TrainingPlan, train } from './train.ts'

/** More features a row are no table. */
export const MOST_FEATURES = 10_000

/** So many numbers are handed on at once, and at most so many rows. */
const BLOCK_NUMBERS = 1_000_000
const BLOCK_ROWS = 2048

/** The columns of an exported log; `features` is how many a row has, 0 for none. */
export function exportedColumns(features: number): readonly WrittenColumn[] {
  return [
    { name: 'decisionId', type: 'text' },
    { name: 'ts', type: 'time' },
    { name: 'action', type: 'text' },
    { name: 'propensity', type: 'number' },
    { name: 'reward', type: 'number' },
    { name: 'weight', type: 'number' },
    ...(features > 0 ? [{ name: 'features', type: 'floats', width: features } as const] : []),
  ]
}

/**
 * Writes the rows that training learns, in their order, as it sees them: it is training, with somebody who looks on. What training leaves out
 * or stops at, this does, too. The writer's columns are `exportedColumns(features)`.
 */
export async function exportRows(
  plan: Omit<TrainingPlan, 'identified'>,
  tables: Tables,
  writer: TableWriter,
  features: number,
  onProgress?: (rows: number) => void,
  signal?: AbortSignal,
): Promise<Training> {
  const hasPropensity = plan.dataset.spec.propensity !== 'unknown'
  return train({ ...plan, identified: true }, tables, onLooker(writer, features, hasPropensity), onProgress, signal)
}

/** Folds where it is called, and hands on each row that was folded. */
function onLooker(writer: TableWriter, features: number, hasPropensity: boolean): Fold {
  const capacity = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_NUMBERS / Math.max(1, features))))
  const id: (string | null)[] = []
  const action: (string | null)[] = []
  const numbers = () => new Float64Array(capacity)
  const [ts, propensity, reward, weight] = [numbers(), numbers(), numbers(), numbers()]
  const rows = new Float32Array(capacity * features)
  const columns: readonly WrittenValues[] = [id, ts, action, propensity, reward, weight, rows]
  let filled = 0

  function flush(): void {
    writer.add(filled, columns)
    filled = 0
  }

  return (plan, batches) => {
    const own = listed(plan.policy.spec.actions)
    const text = (batch: DecisionLog, column: number, i: number) => (batch.columns[column] as TextColumn).values[i]
    const folding = foldHere(plan, batches, (batch, i, x, counts) => {
      id[filled] = plan.ids === undefined ? null : text(batch, plan.ids, i)
      ts[filled] = plan.times === undefined ? Number.NaN : (batch.columns[plan.times] as NumberColumn).values[i]
      action[filled] = plan.taken === undefined ? own[batch.action[i]].id : text(batch, plan.taken, i)
      propensity[filled] = hasPropensity ? batch.propensity[i] : Number.NaN
      reward[filled] = batch.reward[i]
      weight[filled] = counts
      if (features > 0) rows.set(x, filled * features)
      if (++filled === capacity) flush()
    })
    return {
      ...folding,
      async *[Symbol.asyncIterator]() {
        yield* folding
        flush()
      },
    }
  }
}
