import type { Served } from '../policy/policy.ts'
import { FIRST_ELIGIBLE } from '../policy/pool.ts'
import type { Rounds } from './rounds.ts'
import type { World } from './world.ts'

/** Who sits at a world: a policy of the repository, or a baseline. An action is an index into `actions`. */
export interface Seated {
  readonly name: string
  readonly actions: readonly string[]
  /** Does it look at contexts: for features, eligibility or a holdout of units? */
  readonly contextual: boolean
  /** Writes the actions that are eligible in round i into `out` and returns how many; absent when always all are. */
  readonly eligible?: (rounds: Rounds, i: number, out: Int32Array) => number
  /** Is the unit of round i held out? Absent without a holdout. */
  readonly heldOut?: (rounds: Rounds, i: number) => boolean
  readonly holdoutAction?: Served
  /** What a held out unit gets where its action is not eligible. */
  readonly fallback?: Served
  /** Asks the Model about a block of rounds, before it is played; absent without one. */
  readonly ask?: (rounds: Rounds, signal?: AbortSignal) => Promise<void>
  /** Begins a replication: what was learnt is forgotten, and the player's own chance starts anew. */
  start(replication: number): void
}

/** Who plays one action at a time. */
export interface Player extends Seated {
  /** One of the first `count` entries of `eligible`, for round i. */
  choose(rounds: Rounds, i: number, eligible: Int32Array, count: number): number
  /** Learns the reward of the action just chosen. */
  learn(action: number, reward: number): void
}

/** What a player has come to in one replication, so far. */
export interface Tally {
  reward: number
  /** Σ (expected reward of the best eligible action − that of the chosen one) */
  regret: number
  /** Decisions whose action no eligible action beats in expected reward. */
  best: number
  /** Decisions for which nothing could be served. */
  unserved: number
  /** Number of decisions that had it, by action. */
  readonly actions: Float64Array
  /** Of lists: Σ reward, by slot. */
  readonly slots: Float64Array
  /** Begins anew. */
  start(): void
}

export function createTally(actions: number, slots: number): Tally {
  const tally = {
    reward: 0,
    regret: 0,
    best: 0,
    unserved: 0,
    actions: new Float64Array(actions),
    slots: new Float64Array(slots),
    start() {
      tally.reward = tally.regret = tally.best = tally.unserved = 0
      tally.actions.fill(0)
      tally.slots.fill(0)
    },
  }
  return tally
}

/** In place of an action: the player is to choose; nothing can be served. */
const OPEN = -1
const NOTHING = -2

/** A player with what it needs to play blocks of rounds, and what came of them. */
export interface Seat {
  readonly player: Seated
  readonly tally: Tally
  start(replication: number): void
  /**
   * Plays a block of rounds and adds to the tally: eligibility, holdout, choice, reward, learning. A decision for which nothing can be served
   * earns 0, as whoever gets nothing answers nothing.
   */
  play(rounds: Rounds): void
}

/** What a held out unit gets, of the first `count` of a set: its action or the fallback, whichever is eligible first; undefined where neither is. */
export function held({ holdoutAction, fallback }: Seated, eligible: Int32Array, count: number): number | undefined {
  for (const served of [holdoutAction, fallback]) {
    const action = served === FIRST_ELIGIBLE ? eligible[0] : served
    if (action !== undefined && includes(eligible, count, action)) return action
  }
  return undefined
}

/** @param column The world's column of each of the player's actions. */
export function createSeat(player: Player, world: World, column: Int32Array): Seat {
  const actions = player.actions.length
  const all = Int32Array.from({ length: actions }, (_, a) => a)
  const some = new Int32Array(actions)
  const tally = createTally(actions, 0)
  const { eligible, heldOut } = player

  return {
    player,
    tally,
    start(replication) {
      player.start(replication)
      tally.start()
    },
    play(rounds) {
      const { means, stride, chance } = rounds
      let { reward: total, regret, best: bests } = tally
      let set = all
      let count = actions
      let best = highest(means, 0, column, all, actions)
      for (let i = 0; i < rounds.count; i++) {
        const row = i * stride
        if (eligible !== undefined) {
          set = some
          count = eligible(rounds, i, some)
        }
        if (eligible !== undefined || stride > 0) best = count === 0 ? 0 : highest(means, row, column, set, count)
        const imposed =
          count === 0 ? NOTHING : heldOut?.(rounds, i) === true ? (held(player, set, count) ?? NOTHING) : OPEN
        if (imposed === NOTHING) {
          regret += best
          if (best <= 0) bests++
          tally.unserved++
          continue
        }
        const action = imposed === OPEN ? player.choose(rounds, i, set, count) : imposed
        const at = column[action]
        const mean = means[row + at]
        const reward = world.reward(at, mean, chance[i])
        if (imposed === OPEN) player.learn(action, reward)
        total += reward
        regret += best - mean
        if (mean >= best) bests++
        tally.actions[action]++
      }
      tally.reward = total
      tally.regret = regret
      tally.best = bests
    },
  }
}

/** The highest expected reward among the eligible actions, in the row of `means` that begins at `row`. */
function highest(means: Float64Array, row: number, column: Int32Array, eligible: Int32Array, count: number): number {
  let best = means[row + column[eligible[0]]]
  for (let k = 1; k < count; k++) {
    const mean = means[row + column[eligible[k]]]
    if (mean > best) best = mean
  }
  return best
}

function includes(eligible: Int32Array, count: number, action: number): boolean {
  for (let k = 0; k < count; k++) if (eligible[k] === action) return true
  return false
}
