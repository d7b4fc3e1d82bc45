import type { RewardModelSpec } from '../../kinds.ts'
import type { DecisionLog } from '../../log/rows/decision-log.ts'
import type { Column, ColumnRequest, KeyColumn } from '../../log/tables.ts'
import { type Cells, createCells } from './cells.ts'
import type { ChunkGroups } from './groups.ts'

/**
 * Rows are sorted into strata: combinations of the slot, the reward model's columns and the cross-fitting fold. Stratum =
 * cell · folds + fold. Within one, the reward model knows no difference but the action.
 */
export interface Strata {
  readonly cells: Cells
  /** The columns of the cells: the slot's first, if there are slots. */
  readonly keys: readonly string[]
  readonly slotted: boolean
  /** Names of the slots; one without a name, where there are none. */
  readonly slots: readonly string[]
  /** The slot of a stratum, an index of `slots`. */
  slotOf(stratum: number): number
  readonly folds: number
  readonly columns: readonly ColumnRequest[]
  count(): number
  /** Writes the stratum of each row; `columns` are the chunk's, in the order of `Strata.columns`. */
  assign(log: DecisionLog, columns: readonly Column[], groups: ChunkGroups, out: Int32Array): void
}

/** Mixed, since rows of a log may come in turns, an action every other row. Fibonacci hashing: Knuth, TAOCP 3, section 6.4. */
const foldOf = (group: number, folds: number): number => (Math.imul(group, 0x9e37_79b1) >>> 16) % folds

/** `modelKeys` are the log's columns that the reward model tells apart, beside the action. */
export function createStrata(
  slot: string | undefined,
  modelKeys: readonly string[],
  model: RewardModelSpec | undefined,
): Strata {
  const keys = [...new Set([...(slot === undefined ? [] : [slot]), ...modelKeys])]
  const cells = createCells(keys.length)
  const { folds, by } = model?.type === 'tabular' ? model.crossFit : { folds: 1, by: undefined }
  const slots: string[] = slot === undefined ? [''] : []
  const slotOfCell: number[] = []

  function slotOf(stratum: number): number {
    const cell = Math.floor(stratum / folds)
    while (slotOfCell.length <= cell) {
      const name = slot === undefined ? '' : cells.keys(slotOfCell.length)[0]
      const known = slots.indexOf(name)
      slotOfCell.push(known >= 0 ? known : slots.push(name) - 1)
    }
    return slotOfCell[cell]
  }

  return {
    cells,
    keys,
    slots,
    slotOf,
    slotted: slot !== undefined,
    folds,
    columns: keys.map(column => ({ column, type: 'key' }) as const),
    count: () => cells.count() * folds,
    assign({ rows, row }, columns, { unit }, out) {
      cells.assign(columns as KeyColumn[], rows, out)
      if (folds === 1) return
      if (by === 'row') for (let i = 0; i < rows; i++) out[i] = out[i] * folds + (row[i] % folds)
      else for (let i = 0; i < rows; i++) out[i] = out[i] * folds + foldOf(unit.of[i], folds)
    },
  }
}

/** Stratum → one of the cells that these of the keys tell apart, whatever the fold and the other keys. */
export function cellsBy(
  strata: Strata,
  keys: readonly string[],
): { readonly cellOf: Int32Array; readonly cells: number } {
  const places = keys.map(key => strata.keys.indexOf(key))
  const numbers = new Map<string, number>()
  const cellOf = Int32Array.from({ length: strata.count() }, (_, stratum) => {
    const values = strata.cells.keys(Math.floor(stratum / strata.folds))
    const name = JSON.stringify(places.map(place => values[place]))
    const cell = numbers.get(name) ?? numbers.size
    numbers.set(name, cell)
    return cell
  })
  return { cellOf, cells: numbers.size }
}
