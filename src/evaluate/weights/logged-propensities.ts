import type { DecisionLog } from '../../log/rows/decision-log.ts'

/**
 * The logged propensity of every action, row-major rows × actions for one chunk; 0 where an action was not eligible. `lists` has
 * that of each eligible action, in the order of `sets`.
 */
export function loggedPropensities(
  { rows }: DecisionLog,
  lists: readonly Float64Array[],
  sets: readonly Int32Array[],
  actions: number,
): Float64Array {
  const out = new Float64Array(rows * actions)
  for (let i = 0; i < rows; i++) {
    const eligible = sets[i]
    const list = lists[i]
    for (let j = 0; j < eligible.length; j++) out[i * actions + eligible[j]] = list[j]
  }
  return out
}
