import { type ActionSpace, type CellsCandidate, eligibleActions, everyAction, requireAction } from './candidate.ts'

/** 1/n for each of the n eligible actions. */
export function uniformCandidate(space: ActionSpace): CellsCandidate {
  return byEligible(space, (eligible, out) => {
    for (const action of eligible) out[action] = 1 / eligible.length
  })
}

/** One action, always; nothing where it is not eligible. */
export function fixedCandidate(space: ActionSpace, action: string): CellsCandidate {
  const index = requireAction(space, action)
  return byEligible(space, (eligible, out) => {
    if (eligible.includes(index)) out[index] = 1
  })
}

/** A candidate whose probabilities depend on the eligible set alone. */
export function byEligible(
  space: ActionSpace,
  write: (eligible: Int32Array, out: Float64Array) => void,
): CellsCandidate {
  return {
    kind: 'cells',
    keys: space.eligible === undefined ? [] : [space.eligible],
    distribution([json]) {
      const out = new Float64Array(space.ids.length)
      write(json === undefined ? everyAction(space) : eligibleActions(space, json), out)
      return out
    },
  }
}
