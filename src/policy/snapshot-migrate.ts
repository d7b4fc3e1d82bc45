import type { LearnerSpec } from '../kinds.ts'
import type { LearnerState } from './learner.ts'

/** Is every list of a learner's state a block of equal length an action, about that action alone? */
const BY_ACTION: Readonly<Record<LearnerSpec['type'], boolean>> = {
  mean: true,
  beta: true,
  linear: true,
  fixed: false,
  uniform: false,
}

/**
 * The state of a learner whose actions have changed: blocks follow their actions, those of new actions are as in `fresh`, the state of a
 * learner that knows nothing; what is about no action in particular stays as it was.
 */
export function carryOver(
  type: LearnerSpec['type'],
  then: { readonly actions: readonly string[]; readonly state: LearnerState },
  now: { readonly actions: readonly string[]; readonly fresh: LearnerState },
): LearnerState {
  if (!BY_ACTION[type]) return then.state
  const moved = Object.entries(now.fresh).map(([key, fresh]) => {
    if (typeof fresh === 'number') return [key, then.state[key]]
    const old = then.state[key] as readonly number[]
    const size = fresh.length / now.actions.length
    const block = (id: string, a: number) => {
      const at = then.actions.indexOf(id)
      return at < 0 ? fresh.slice(a * size, (a + 1) * size) : old.slice(at * size, (at + 1) * size)
    }
    return [key, now.actions.flatMap(block)]
  })
  const state: LearnerState = Object.fromEntries(moved)
  return type === 'beta' ? { ...state, count: rewardsIn(state) } : state
}

/** Each reward that beta learns is a success and a failure in parts that sum to 1. */
function rewardsIn(state: LearnerState): number {
  const sum = (key: string) => (state[key] as readonly number[]).reduce((total, each) => total + each, 0)
  return sum('successes') + sum('failures')
}
