import type { Filling } from '../policy/lists/filling.ts'
import { type ChooseOne, fillList } from '../policy/lists/sample.ts'
import type { Slots } from '../policy/lists/slots.ts'
import type { ClickModel } from './click-model.ts'
import type { Rounds } from './rounds.ts'

/**
 * Writes the best list of round i into `out`, as `fillList` does, and returns how many slots it has. Where everything may stand everywhere, no
 * list has more expected clicks. Where slots, pins and quotas say what may stand where, it takes for each slot, from the first on, what adds most to those
 * above: the best that can be done by whoever fills slot after slot and knows what everything is worth.
 *
 * @param filling Started with the first `count` of `eligible`, and nothing put in.
 */
export type BestList = (
  rounds: Rounds,
  i: number,
  eligible: Int32Array,
  count: number,
  filling: Filling,
  out: Int32Array,
) => number

/** @param column The world's column of each action. */
export function createBestList(model: ClickModel, column: Int32Array, slots: Slots): BestList {
  const q = new Float64Array(column.length)
  const kind = new Int32Array(column.length)
  const top = { slots: 0, q: new Float64Array(slots.count), kind: new Int32Array(slots.count) }
  const scratch = new Float64Array(slots.count)

  return ({ means, stride, kinds }, i, eligible, count, filling, out) => {
    const row = i * stride
    const kindOf = (at: number) => (kinds.length === 0 ? 0 : kinds[row + at])

    /** What adds most to the slots above. */
    const greedily: ChooseOne = (slot, left, n) => {
      let best = left[0]
      let most = Number.NEGATIVE_INFINITY
      top.slots = slot + 1
      for (let e = 0; e < n; e++) {
        const at = column[left[e]]
        top.q[slot] = means[row + at]
        top.kind[slot] = kindOf(at)
        const clicks = model.expected(top, scratch)
        if (clicks <= most) continue
        most = clicks
        best = left[e]
      }
      top.q[slot] = means[row + column[best]]
      top.kind[slot] = kindOf(column[best])
      return best
    }

    // A list that cannot be filled has empty slots, or is shorter.
    if (!filling.free || count < slots.count) {
      top.q.fill(0)
      top.kind.fill(-1)
      return fillList(slots, filling, greedily, out)
    }
    for (let e = 0; e < count; e++) {
      q[e] = means[row + column[eligible[e]]]
      kind[e] = kindOf(column[eligible[e]])
    }
    const n = model.best(q, kind, count, slots.count, out)
    for (let k = 0; k < n; k++) out[k] = eligible[out[k]]
    return n
  }
}
