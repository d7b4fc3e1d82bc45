import { creditedSlots } from '../policy/credit.ts'
import { NOTHING } from '../policy/lists/filling.ts'
import type { Context, Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import type { Memory } from './memory.ts'

/** Teaches what the rewards of a list's slots say, a row a slot; `list` has an action of the pool or `NOTHING` for each. A single decision is a list of one. */
export type Teach = (context: Context, pool: Pool, list: ArrayLike<number>, rewards: ArrayLike<number>) => void

export function createTeacher({ spec, features }: Policy, memory: Pick<Memory, 'learn'>): Teach {
  const x = new Float64Array(features.dimension)
  return (context, pool, list, rewards) => {
    for (const { slot, reward, factor } of creditedSlots(spec.reward, rewards)) {
      if (list[slot] === NOTHING) continue
      features.writeRow(context, list[slot], x, pool, slot)
      if (factor !== 1) for (let i = 0; i < x.length; i++) x[i] *= factor
      memory.learn(list[slot], x, reward)
    }
  }
}
