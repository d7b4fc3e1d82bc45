import { DapError } from '../errors.ts'
import type { DecisionLog } from '../log/decision-log.ts'
import type { TextColumn } from '../log/tables.ts'

/**
 * The logged propensity of every action, row-major rows × actions for one chunk; 0 where an action was not eligible. A row
 * that has only the propensity of its own action has just that. Throws a DapError for a list that is not one number for each
 * eligible action, the logged action's own among them.
 */
export function loggedPropensities(
  { rows, row, action, propensity }: DecisionLog,
  texts: TextColumn,
  eligibleOf: (i: number) => Int32Array,
  actions: number,
): Float64Array {
  const out = new Float64Array(rows * actions)
  for (let i = 0; i < rows; i++) {
    out[i * actions + action[i]] = propensity[i]
    const list: unknown = JSON.parse(texts.values[i] ?? 'null')
    if (list === null) continue
    const eligible = eligibleOf(i)
    if (!Array.isArray(list) || list.length !== eligible.length) {
      throw unsound(row[i], `its propensities are not one for each of its ${eligible.length} eligible actions`)
    }
    for (let j = 0; j < eligible.length; j++) out[i * actions + eligible[j]] = list[j]
    if (!(Math.abs(out[i * actions + action[i]] - propensity[i]) <= 1e-9) || !eligible.includes(action[i])) {
      throw unsound(row[i], 'its propensity is not that of its action among the eligible')
    }
  }
  return out
}

function unsound(row: number, message: string): DapError {
  return new DapError(`row ${row + 1}: ${message}`, {
    hint: "`eligible` and the slot's `propensities` of a decision record go together, one number an action",
  })
}
