import { NOTHING } from '../policy/lists/filling.ts'
import type { Shown } from './click-model.ts'
import type { Rounds } from './rounds.ts'

/** A list as its clicks see it, in arrays that are used again. */
export interface Presented extends Shown {
  slots: number
}

/** @param most The most slots of a list. */
export function createPresented(most: number): Presented {
  return { slots: 0, q: new Float64Array(most), kind: new Int32Array(most) }
}

/** What of a round lists are clicked by. */
export type Clicked = Pick<Rounds, 'from' | 'means' | 'stride' | 'kinds' | 'uniform'>

/**
 * Presents a list in round i.
 *
 * @param column The world's column of each action.
 * @param list An action a slot, or `NOTHING`; `slots` of them.
 */
export function present(
  { means, stride, kinds }: Clicked,
  i: number,
  column: Int32Array,
  list: ArrayLike<number>,
  slots: number,
  to: Presented,
): void {
  const row = i * stride
  to.slots = slots
  for (let k = 0; k < slots; k++) {
    const at = list[k] === NOTHING ? -1 : row + column[list[k]]
    to.q[k] = at < 0 ? 0 : means[at]
    to.kind[k] = at < 0 ? -1 : kinds.length === 0 ? 0 : kinds[at]
  }
}

/** Writes what decides of the clicks on such a list into `u`, a number a slot; nothing clicks where nothing stands. */
export function uniforms(
  { from, uniform }: Clicked,
  i: number,
  column: Int32Array,
  list: ArrayLike<number>,
  slots: number,
  u: Float64Array,
): void {
  for (let k = 0; k < slots; k++) u[k] = list[k] === NOTHING ? 1 : uniform(from + i, column[list[k]], k)
}
