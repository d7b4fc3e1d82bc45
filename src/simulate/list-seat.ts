import { type Filling, NOTHING } from '../policy/lists/filling.ts'
import { fillList } from '../policy/lists/sample.ts'
import type { Slots } from '../policy/lists/slots.ts'
import { createBestList } from './best-list.ts'
import { createTally, held, type Seat, type Seated } from './play.ts'
import { createPresented, present, uniforms } from './presented.ts'
import type { Rounds } from './rounds.ts'
import type { Clicks } from './world.ts'

/** Who plays lists; a single decision is one of one slot. Actions are indices into `actions`. */
export interface ListPlayer extends Seated {
  readonly slots: Slots
  /** Opens the slots of round i to whoever fills them, with the first `count` of `eligible`. The same object each time. */
  fill(rounds: Rounds, i: number, eligible: Int32Array, count: number): Filling
  /** Writes a list for round i into `out`, as `fillList` does, and returns how many slots it has. */
  list(rounds: Rounds, i: number, eligible: Int32Array, count: number, out: Int32Array): number
  /** Learns the rewards of the slots of the list just made. */
  learn(rounds: Rounds, i: number, list: Int32Array, rewards: Float64Array): void
}

/** Sums of the same terms in another order differ by their last digits: so near the best is as good as the best. */
const AS_GOOD = 1 - 1e-12

/**
 * Plays lists, whose rewards are the clicks on their slots. Whoever is held out gets the holdout's action, or the fallback, and below it the other
 * eligible actions in their order, as far as they may stand there.
 *
 * @param column The world's column of each of the player's actions.
 */
export function createListSeat(player: ListPlayer, { model }: Clicks, column: Int32Array): Seat {
  const { heldOut } = player
  const actions = player.actions.length
  const most = player.slots.count
  const all = Int32Array.from({ length: actions }, (_, a) => a)
  const some = new Int32Array(actions)
  const tally = createTally(actions, most)
  const best = createBestList(model, column, player.slots)
  const presented = createPresented(most)
  const list = new Int32Array(most)
  const expected = new Float64Array(most)
  const u = new Float64Array(most)
  const rewards = new Float64Array(most)

  /** The list of somebody who is held out; of no slots where neither action is eligible. */
  function impose(filling: Filling, eligible: Int32Array, count: number): number {
    const first = held(player, eligible, count)
    if (first === undefined) return 0
    return fillList(
      player.slots,
      filling,
      (_, left, n) => (left.subarray(0, n).includes(first) ? first : left[0]),
      list,
    )
  }

  return {
    player,
    tally,
    start(replication) {
      player.start(replication)
      tally.start()
    },
    play(rounds) {
      for (let i = 0; i < rounds.count; i++) {
        let set = all
        let count = actions
        if (player.eligible !== undefined) {
          set = some
          count = player.eligible(rounds, i, some)
        }
        if (count === 0) {
          tally.best++
          tally.unserved++
          continue
        }
        present(
          rounds,
          i,
          column,
          list,
          best(rounds, i, set, count, player.fill(rounds, i, set, count), list),
          presented,
        )
        const highest = model.expected(presented, expected)
        const isHeld = heldOut?.(rounds, i) === true
        const slots = isHeld
          ? impose(player.fill(rounds, i, set, count), set, count)
          : player.list(rounds, i, set, count, list)
        present(rounds, i, column, list, slots, presented)
        const mean = model.expected(presented, expected)
        uniforms(rounds, i, column, list, slots, u)
        const clicks = model.draw(presented, u, rewards)
        let shown = 0
        for (let k = 0; k < slots; k++) {
          if (list[k] === NOTHING) continue
          shown++
          tally.actions[list[k]]++
          tally.slots[k] += rewards[k]
        }
        if (shown === 0) tally.unserved++
        else if (!isHeld) player.learn(rounds, i, list, rewards.subarray(0, slots))
        tally.reward += clicks
        tally.regret += highest - mean
        if (mean >= highest * AS_GOOD) tally.best++
      }
    },
  }
}
