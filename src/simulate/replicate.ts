import { DapError } from '../errors.ts'
import type { Seat } from './play.ts'
import { BLOCK, type RoundMaker, type Rounds } from './rounds.ts'

/** What replications [from, to) came to: the partial result that chunks are folded from. P policies, C checkpoints. */
export interface Replications {
  readonly from: number
  readonly to: number
  /** (to − from) × P × C, row-major: Σ reward up to each checkpoint. */
  readonly reward: Float64Array
  /** The same shape: cumulative pseudo-regret. */
  readonly regret: Float64Array
  /** (to − from) × P: decisions whose action had the highest expected reward. */
  readonly best: Float64Array
  /** Each policy's decisions by action, over all these replications. */
  readonly actions: readonly Float64Array[]
  /** P: decisions for which nothing could be served, over all these replications. */
  readonly unserved: Float64Array
  /** Of each policy that decides lists, (to − from) × its slots, row-major: Σ reward of each slot; of the others none. */
  readonly slots: readonly Float64Array[]
}

/** What is played: seats at a world, to checkpoints that ascend; the last is the horizon. */
export interface Stage {
  readonly seats: readonly Seat[]
  readonly rounds: RoundMaker
  readonly checkpoints: Float64Array
}

/** Plays every seat through the same rounds, replication after replication. A RangeError where a seat has a Model to ask. */
export function playReplications(stage: Stage, from: number, to: number): Replications {
  const asking = stage.seats.find(({ player }) => player.ask !== undefined)
  if (asking !== undefined) throw new RangeError(`\`${asking.player.name}\` has a Model, which is asked ahead of play`)
  const blocks = playBlocks(stage, from, to)
  let played = blocks.next()
  while (played.done !== true) played = blocks.next()
  return played.value
}

/** The same, with Models asked about each block of rounds: what they bring depends on no choice. */
export async function playAhead(stage: Stage, from: number, to: number, signal?: AbortSignal): Promise<Replications> {
  const askers = stage.seats.flatMap(({ player }) => player.ask ?? [])
  const blocks = playBlocks(stage, from, to)
  let played = blocks.next()
  while (played.done !== true) {
    for (const ask of askers) await ask(played.value, signal)
    played = blocks.next()
  }
  return played.value
}

/** Yields each block of rounds before it is played. */
function* playBlocks({ seats, rounds, checkpoints }: Stage, from: number, to: number): Generator<Rounds, Replications> {
  const marks = checkpoints.length
  const reward = new Float64Array((to - from) * seats.length * marks)
  const regret = new Float64Array(reward.length)
  const best = new Float64Array((to - from) * seats.length)
  const actions = seats.map(({ tally }) => new Float64Array(tally.actions.length))
  const unserved = new Float64Array(seats.length)
  const slots = seats.map(({ tally }) => new Float64Array((to - from) * tally.slots.length))
  for (let r = from, row = 0; r < to; r++, row += seats.length) {
    rounds.start(r)
    for (const seat of seats) seat.start(r)
    let t = 0
    for (let c = 0; c < marks; c++) {
      while (t < checkpoints[c]) {
        const block = rounds.next(Math.min(BLOCK, checkpoints[c] - t))
        yield block
        for (const seat of seats) playBlock(seat, block)
        t += block.count
      }
      seats.forEach(({ tally }, p) => {
        reward[(row + p) * marks + c] = tally.reward
        regret[(row + p) * marks + c] = tally.regret
      })
    }
    seats.forEach(({ tally }, p) => {
      best[row + p] = tally.best
      unserved[p] += tally.unserved
      slots[p].set(tally.slots, (r - from) * tally.slots.length)
      for (let a = 0; a < tally.actions.length; a++) actions[p][a] += tally.actions[a]
    })
  }
  return { from, to, reward, regret, best, actions, unserved, slots }
}

function playBlock(seat: Seat, rounds: Rounds): void {
  try {
    seat.play(rounds)
  } catch (error) {
    // A transform outside its domain, a reward that the learner cannot learn: faults of the scenario that only playing shows.
    if (!(error instanceof RangeError)) throw error
    throw new DapError(`policy \`${seat.player.name}\` cannot play in this world: ${error.message}`, {
      hint: "make the world's rewards and contexts such as the policy expects",
      cause: error,
    })
  }
}

/**
 * Joins what was played in chunks, in the order of replications whatever the order of the chunks, so that the result is
 * the same to the byte however the work was divided.
 * @throws RangeError where replications are missing or were played twice.
 */
export function merge(parts: readonly Replications[]): Replications {
  const ordered = [...parts].sort((a, b) => a.from - b.from)
  for (let i = 1; i < ordered.length; i++) {
    if (ordered[i].from !== ordered[i - 1].to) {
      throw new RangeError(`merge: replication ${ordered[i - 1].to} is followed by ${ordered[i].from}`)
    }
  }
  const [first] = ordered
  return {
    from: first.from,
    to: ordered[ordered.length - 1].to,
    reward: concatenate(ordered.map(part => part.reward)),
    regret: concatenate(ordered.map(part => part.regret)),
    best: concatenate(ordered.map(part => part.best)),
    actions: first.actions.map((_, p) => total(ordered.map(part => part.actions[p]))),
    unserved: total(ordered.map(part => part.unserved)),
    slots: first.slots.map((_, p) => concatenate(ordered.map(part => part.slots[p]))),
  }
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Sums of counts: exact in any order. */
function total(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts[0].length)
  for (const part of parts) for (let i = 0; i < out.length; i++) out[i] += part[i]
  return out
}
