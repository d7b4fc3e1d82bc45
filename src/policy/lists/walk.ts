import type { Rng } from '../../math/rng.ts'
import type { Filling } from './filling.ts'
import type { Slots } from './slots.ts'

/**
 * The slots of one decision, one after the other: each has its own vector, given what stands above it. What is put into a slot need not be likely,
 * nor drawn: a list that was logged is walked down to judge it.
 */
export interface Walk {
  /** The number of the slot that is next. */
  readonly slot: number
  /** How many actions may stand there, by the vector last written. */
  readonly left: number
  /** The least probability that was promised to them. */
  readonly floor: number
  /** How much of the vector last written is the exploration's choice: the rest is chance, the same for each of those left. */
  readonly deliberate: number
  /**
   * Of a mixture without rules of what may stand where, whose exploration follows Luce's axiom, what it chose in the first slot, by action of the pool: in every slot since, that renormalised. With them
   * and its ε anyone can recompute every vector. Undefined where they do not tell.
   */
  readonly scores: Float64Array | undefined
  /**
   * Writes what the next slot is drawn from, by action of the pool: 0 for what may not stand there, or stands above. Returns how many may stand there; where
   * that is 0, nothing is written.
   */
  vector(out: Float64Array): number
  /** Puts an action into the slot, whatever its probability there, or `NOTHING`. */
  take(action: number): void
  /** Takes out what was put in last. */
  back(): void
}

/** p ← f + rest · p of the first `count` of these actions. */
export function addFloor(out: Float64Array, actions: Int32Array, count: number, f: number, rest: number): void {
  if (f > 0) for (let i = 0; i < count; i++) out[actions[i]] = f + rest * out[actions[i]]
}

/** What the exploration would choose in a slot from the first `count` of `left`; written for all actions of the pool. */
export type Choose = (slot: number, left: Int32Array, count: number, out: Float64Array, rng: Rng | undefined) => void

/** Scores of less in all have lost digits: they are not renormalised. */
const LEAST_SUM = 1e-280

/**
 * Walks down a filling that has been started. Every slot mixes the exploration's choice q from the n actions that are left with chance:
 *
 *     p(a) = f + (1 − n·f) q(a)
 *
 * With floors, f is that of the slot. With a mixture of lists, of probability ε by chance alone, slot k has f = (1 − ρ)/n, where ρ is the probability,
 * given what stands above, that it is not chance which makes the list: 1 − ε at first, and by Bayes' rule after each slot. The product of the slots'
 * probabilities is that of the list under the mixture: (1 − ε)·∏ q + ε·∏ 1/n.
 *
 * @param luce Does the exploration follow Luce's axiom? Then it is asked about the first slot only, where that is open to all that the others are.
 * @param streams The stream of a decision whose probabilities are drawn, from its beginning each time.
 */
export function createWalk(
  slots: Slots,
  filling: Filling,
  choose: Choose,
  streams: () => Rng | undefined,
  capacity: number,
  luce: boolean,
): Walk & { start(): void } {
  const mixed = slots.uniform !== undefined
  /** ρ by slot. */
  const deliberate = new Float64Array(slots.count + 1)
  /** Of a mixture, q of every action in each slot: what Bayes' rule needs. */
  const choices = Array.from({ length: mixed ? slots.count : 0 }, () => new Float64Array(capacity))
  const counts = new Int32Array(slots.count)
  let left = 0
  let floor = 0
  let share = 0
  /** Have scores told of every slot so far? */
  let told = false

  function chosen(slot: number, actions: Int32Array, out: Float64Array): void {
    if (slot > 0 && told) {
      const scores = choices[0]
      let sum = 0
      for (let i = 0; i < left; i++) sum += scores[actions[i]]
      if (sum > LEAST_SUM) {
        out.fill(0)
        for (let i = 0; i < left; i++) out[actions[i]] = scores[actions[i]] / sum
        return
      }
      told = false
    }
    choose(slot, actions, left, out, streams())
  }

  return {
    get slot() {
      return filling.slot
    },
    get left() {
      return left
    },
    get floor() {
      return floor
    },
    get deliberate() {
      return share
    },
    get scores() {
      return told && filling.free ? choices[0] : undefined
    },
    start() {
      deliberate[0] = 1 - (slots.uniform ?? 0)
      told = mixed && luce && filling.firstTakesAll
    },
    vector(out) {
      const { slot } = filling
      left = slot < slots.count ? filling.open() : 0
      if (left === 0) return 0
      const actions = filling.left
      chosen(slot, actions, out)
      floor = slots.floor(slot, left)
      const f = mixed && slot > 0 ? (1 - deliberate[slot]) / left : floor
      share = mixed && slot > 0 ? deliberate[slot] : Math.max(0, 1 - left * floor)
      if (mixed) {
        counts[slot] = left
        choices[slot].set(out)
      }
      addFloor(out, actions, left, f, share)
      return left
    },
    take(action) {
      const { slot } = filling
      if (mixed && action >= 0) {
        const chosen = deliberate[slot] * choices[slot][action]
        const byChance = (1 - deliberate[slot]) / counts[slot]
        // What neither would put there says nothing of which of them it was.
        deliberate[slot + 1] = chosen + byChance > 0 ? chosen / (chosen + byChance) : deliberate[slot]
      } else deliberate[slot + 1] = deliberate[slot]
      filling.take(action)
    },
    back: filling.back,
  }
}
