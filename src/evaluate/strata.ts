import type { RewardModelSpec } from '../kinds.ts'
import type { DecisionLog } from '../log/decision-log.ts'
import { type Column, type ColumnRequest, type GroupColumn, type KeyColumn, UNIT_GROUPS } from '../log/tables.ts'
import { type Cells, createCells } from './cells.ts'

/**
 * Rows are sorted into strata: combinations of the slot, the reward model's columns and the cross-fitting fold. Stratum =
 * cell · folds + fold. Within one, the reward model knows no difference but the action.
 */
export interface Strata {
  readonly cells: Cells
  /** The columns of the cells: the slot's first, if there are slots. */
  readonly keys: readonly string[]
  readonly slotted: boolean
  readonly folds: number
  readonly columns: readonly ColumnRequest[]
  count(): number
  /** Writes the stratum of each row; `columns` are the chunk's, in the order of `Strata.columns`. */
  assign(log: DecisionLog, columns: readonly Column[], out: Int32Array): void
}

/** `modelKeys` are the log's columns that the reward model tells apart, beside the action. */
export function createStrata(
  slot: string | undefined,
  unit: string | undefined,
  modelKeys: readonly string[],
  model: RewardModelSpec | undefined,
): Strata {
  const keys = [...new Set([...(slot === undefined ? [] : [slot]), ...modelKeys])]
  const cells = createCells(keys.length)
  const crossFit = model?.type === 'tabular' ? model.crossFit : undefined
  const folds = crossFit?.folds ?? 1
  const byUnit = crossFit?.by === 'unit' && unit !== undefined
  return {
    cells,
    keys,
    slotted: slot !== undefined,
    folds,
    columns: [
      ...keys.map(column => ({ column, type: 'key' }) as const),
      ...(byUnit ? [{ column: unit, type: 'group' } as const] : []),
    ],
    count: () => cells.count() * folds,
    assign({ rows, row }, columns, out) {
      cells.assign(columns.slice(0, keys.length) as KeyColumn[], rows, out)
      if (folds === 1) return
      const groups = byUnit ? (columns[keys.length] as GroupColumn).values : undefined
      for (let i = 0; i < rows; i++) {
        const fold = groups === undefined ? row[i] % folds : Math.floor((groups[i] * folds) / UNIT_GROUPS)
        out[i] = out[i] * folds + fold
      }
    },
  }
}
