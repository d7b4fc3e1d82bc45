import { eligibleSet, REMEMBERED_SETS } from '../../log/rows/eligible.ts'
import { remember } from '../../log/rows/remember.ts'
import type { ValueColumn } from '../../log/tables.ts'
import { type ActionSpace, type CellsCandidate, everyAction, type RowsCandidate, requireAction } from './candidate.ts'

/** 8 MB for a candidate. */
const REMEMBERED_NUMBERS = 1_048_576

/** 1/n for each of the n eligible actions. */
export function uniformCandidate(space: ActionSpace): CellsCandidate | RowsCandidate {
  return byEligible(space, (eligible, out) => {
    for (const action of eligible) out[action] = 1 / eligible.length
  })
}

/** One action, always; nothing where it is not eligible. */
export function fixedCandidate(space: ActionSpace, action: string): CellsCandidate | RowsCandidate {
  const index = requireAction(space, action)
  return byEligible(space, (eligible, out) => {
    if (eligible.includes(index)) out[index] = 1
  })
}

/** A candidate whose probabilities depend on the eligible set alone. `write` is given zeros. */
export function byEligible(
  space: ActionSpace,
  write: (eligible: Int32Array, out: Float64Array) => void,
): CellsCandidate | RowsCandidate {
  function distribution(eligible: Int32Array): Float64Array {
    const out = new Float64Array(space.ids.length)
    write(eligible, out)
    return out
  }
  if (!space.eligible) return { kind: 'cells', keys: [], distribution: () => distribution(everyAction(space)) }
  const remembered = remember(Math.min(REMEMBERED_SETS, Math.ceil(REMEMBERED_NUMBERS / space.ids.length)), distribution)
  return {
    kind: 'rows',
    columns: [eligibleSet],
    bind([sets]) {
      const { values } = sets as ValueColumn
      return (i, out) => out.set(remembered(values[i] as Int32Array))
    },
  }
}
