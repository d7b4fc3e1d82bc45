import { exp, expm1, log } from './elementary.ts'
import { NODES, node, unresolved, weight } from './legendre.ts'

/** The march begins when the first arrival has this probability, and ends when this one is left that the last slot is still empty. */
const REST = 1e-17
/** The largest last Legendre coefficient, times the panel's width, of an arrival's density by the logarithm of time (total mass 1). */
const TOLERANCE = 1e-7
const WIDEST_PANEL = 16
const NARROWEST_PANEL = 1e-3

/**
 * P(action a at slot k) of the first `slots` slots of a Plackett–Luce ranking with these weights, row-major slots × actions: at each slot
 * an action is drawn from those left in proportion to its weight. Weights are ≥ 0, at least one is positive; those of weight 0 follow when
 * no other is left, in any order. Rows sum to 1.
 *
 * An action is given a clock that rings after an exponential time of rate w_a, and the ranking is the order in which they ring, so
 * P(a at k) = ∫ w_a e^{−w_a t} P(k of the others have rung by t) dt (Yellott, "The relationship between Luce's choice axiom, Thurstone's
 * theory of comparative judgment, and the double exponential distribution", Journal of Mathematical Psychology 15, 1977). Panels of 16
 * Gauss-Legendre nodes march over log t. How many have rung is Poisson-binomial. Without one action it is found by taking the action
 * out where it has rung with a probability of at most 1/2; those that are likelier, which are few before the last slot is filled, by
 * halves, where nothing is taken out. O(actions · slots) a node; absolute error about 1e-14.
 */
export function luceMarginals(weights: ArrayLike<number>, slots: number): Float64Array {
  const actions = weights.length
  const rows = Math.min(slots, actions)
  const out = new Float64Array(rows * actions)
  const timed = Array.from({ length: actions }, (_, a) => a).filter(a => weights[a] > 0)
  const total = timed.reduce((sum, a) => sum + weights[a], 0)
  const valid = Array.prototype.every.call(weights, w => w >= 0)
  if (!valid || !(total > 0 && total < Infinity)) throw new RangeError('luceMarginals: the weights are no weights')
  const rates = Float64Array.from(timed, a => weights[a] / total)
  const ranked = Math.min(rows, timed.length)
  const marginals = marchOver(rates, ranked)
  for (let k = 0; k < ranked; k++) {
    let sum = 0
    for (let i = 0; i < timed.length; i++) sum += marginals[i * ranked + k]
    for (const [i, a] of timed.entries()) out[k * actions + a] = Math.max(0, marginals[i * ranked + k]) / sum
  }
  for (let k = ranked; k < rows; k++) {
    for (let a = 0; a < actions; a++) if (!(weights[a] > 0)) out[k * actions + a] = 1 / (actions - timed.length)
  }
  return out
}

/** For rates that sum to 1, row-major actions × slots. */
function marchOver(rates: Float64Array, slots: number): Float64Array {
  const actions = rates.length
  const marginals = new Float64Array(actions * slots)
  const here = new Float64Array(actions * slots)
  /** By slot and node: the density of its arrival. By node: the time. By action and node: has it rung, or not? */
  const density = new Float64Array(slots * NODES)
  const time = new Float64Array(NODES)
  const rung = new Float64Array(actions * NODES)
  const silent = new Float64Array(actions * NODES)
  const counter = createCounter(rung, silent, slots)
  let half = 0

  /** Adds what the panel has of an action; `others`: how many of the others have rung, by number and node. */
  function addAction(a: number, others: Float64Array): void {
    for (let k = 0; k < slots; k++) {
      let sum = 0
      for (let j = 0; j < NODES; j++) {
        const term = rates[a] * time[j] * silent[a * NODES + j] * others[k * NODES + j]
        density[k * NODES + j] += term
        sum += weight[j] * term
      }
      here[a * slots + k] = half * sum
    }
  }

  let start = log(REST)
  let width = WIDEST_PANEL
  for (let rest = 1; rest > REST; ) {
    half = width / 2
    for (let j = 0; j < NODES; j++) time[j] = exp(start + half * (1 + node[j]))
    for (let a = 0; a < actions; a++) {
      for (let j = 0; j < NODES; j++) {
        const x = -expm1(-rates[a] * time[j])
        rung[a * NODES + j] = x
        silent[a * NODES + j] = 1 - x
      }
    }
    density.fill(0)
    counter.visitWithoutOne(addAction)
    let error = 0
    for (let k = 0; k < slots; k++) error = Math.max(error, width * unresolved(density, k * NODES))
    // The coefficients read are of degree 14 and 15, so a panel's error goes with the 15th power of its width.
    const growth = Math.min(2, Math.max(0.25, 0.9 * exp(log(TOLERANCE / (error + 1e-300)) / 15)))
    if (error > TOLERANCE && width > NARROWEST_PANEL) {
      width *= growth
      continue
    }
    for (let at = 0; at < marginals.length; at++) marginals[at] += here[at]
    rest = counter.fewerAtLastNode()
    start += width
    width = Math.min(WIDEST_PANEL, growth * width)
  }
  return marginals
}

/** Of independent events, by event and node: with `happens` and with `not`, which sum to 1 and are read at each call. */
function createCounter(happens: Float64Array, not: Float64Array, most: number) {
  const events = happens.length / NODES
  const level = () => new Float64Array(most * NODES)
  const all = level()
  const without = level()
  const levels: Float64Array[] = []

  function add(counts: Float64Array, event: number): void {
    const first = event * NODES
    for (let at = (most - 1) * NODES; at > 0; at -= NODES) {
      for (let j = 0; j < NODES; j++) {
        counts[at + j] = counts[at + j] * not[first + j] + counts[at + j - NODES] * happens[first + j]
      }
    }
    for (let j = 0; j < NODES; j++) counts[j] *= not[first + j]
  }

  /** The inverse of `add`, from `all` into `without`: what it subtracts is no more than what is left where the event is unlikely. */
  function remove(event: number): void {
    const first = event * NODES
    for (let j = 0; j < NODES; j++) without[j] = all[j] / not[first + j]
    for (let at = NODES; at < most * NODES; at += NODES) {
      for (let j = 0; j < NODES; j++) {
        without[at + j] = (all[at + j] - without[at + j - NODES] * happens[first + j]) / not[first + j]
      }
    }
  }

  return {
    /**
     * Tells for each event the probabilities, by number and node, that 0, 1, … `most` − 1 of all others happen. Events are the likelier
     * the later the node.
     */
    visitWithoutOne(tell: (event: number, others: Float64Array) => void): void {
      const likely: number[] = []
      all.fill(0).fill(1, 0, NODES)
      for (let i = 0; i < events; i++) {
        if (happens[i * NODES + NODES - 1] > 0.5) likely.push(i)
        else add(all, i)
      }
      /** `counts` are of all but the likely ones in [from, to). */
      function halve(from: number, to: number, depth: number, counts: Float64Array): void {
        if (to - from === 1) {
          tell(likely[from], counts)
          return
        }
        levels[depth] ??= level()
        const inner = levels[depth]
        const middle = (from + to) >> 1
        for (const [begin, end] of [
          [from, middle],
          [middle, to],
        ]) {
          inner.set(counts)
          for (let i = from; i < to; i++) if (i < begin || i >= end) add(inner, likely[i])
          halve(begin, end, depth + 1, inner)
        }
      }
      if (likely.length > 0) halve(0, likely.length, 0, all)
      for (const i of likely) add(all, i)
      for (let i = 0; i < events; i++) {
        if (happens[i * NODES + NODES - 1] > 0.5) continue
        remove(i)
        tell(i, without)
      }
    },
    /** The probability that fewer than `most` of all happen, at the last node; of the events that were visited last. */
    fewerAtLastNode(): number {
      let sum = 0
      for (let k = 0; k < most; k++) sum += all[k * NODES + NODES - 1]
      return sum
    },
  }
}
