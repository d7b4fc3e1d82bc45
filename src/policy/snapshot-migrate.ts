import type { LearnerSpec } from '../kinds.ts'
import { learnerOf } from './algorithm.ts'
import type { LearnerState } from './learner.ts'

/**
 * The state of a learner whose actions have changed: blocks follow their actions, those of new actions are as in `fresh`, the state of a
 * learner that knows nothing; what is about no action in particular stays as it was, or is made anew. Where nothing is kept by action any more,
 * what was is added up.
 */
export function carryOver(
  spec: LearnerSpec,
  then: { readonly actions: readonly string[]; readonly state: LearnerState },
  now: { readonly actions: readonly string[]; readonly fresh: LearnerState },
): LearnerState {
  const { carry, share } = learnerOf(spec)
  if (carry === undefined) return then.state
  const shared = share?.(spec) ?? []
  const moved = Object.entries(now.fresh).map(([key, fresh]) => {
    if (typeof fresh === 'number' || shared.includes(key)) return [key, then.state[key]]
    const old = then.state[key] as readonly number[]
    if (now.actions.length === 0) return [key, [old.reduce((sum, value) => sum + value, 0)]]
    const size = fresh.length / now.actions.length
    const block = (id: string, a: number) => {
      const at = then.actions.indexOf(id)
      return at < 0 ? fresh.slice(a * size, (a + 1) * size) : old.slice(at * size, (at + 1) * size)
    }
    return [key, now.actions.flatMap(block)]
  })
  return carry(Object.fromEntries(moved))
}
