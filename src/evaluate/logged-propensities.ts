import { DapError } from '../errors.ts'
import type { DecisionLog } from '../log/decision-log.ts'
import type { TextColumn } from '../log/tables.ts'

/**
 * The logged propensity of every action, row-major rows × actions for one chunk; 0 where an action was not eligible. A row
 * that has only the propensity of its own action has just that. Throws a DapError for a list of another length than the
 * eligible set's.
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
    const list = JSON.parse(texts.values[i] ?? 'null') as readonly number[] | null
    if (list === null) continue
    const eligible = eligibleOf(i)
    if (list.length !== eligible.length) {
      throw new DapError(`row ${row[i] + 1}: ${list.length} propensities for ${eligible.length} eligible actions`, {
        hint: '`dap log check` says more',
      })
    }
    for (let j = 0; j < eligible.length; j++) out[i * actions + eligible[j]] = list[j]
  }
  return out
}
