import type { ExplorationSpec, Ties } from '../../kinds.ts'
import { expm1, log, log1p } from '../../math/elementary.ts'
import type { Exploration, ExplorationDefinition } from '../exploration.ts'
import { addToMaxima, argmax, pickMaximum, TIES } from './argmax.ts'

export const klUcbExploration: ExplorationDefinition<Extract<ExplorationSpec, { type: 'kl-ucb' }>> = {
  type: 'kl-ucb',
  order: 45,
  description: 'The action of the highest upper confidence bound by Kullback-Leibler divergence, for 0/1 rewards.',
  options: { ties: TIES },
  needs: ['counts', 'means'],
  rewards: 'unit',
  names: { mean: { name: 'KL-UCB', paper: 'Garivier, Cappé 2011' } },
  deterministic: () => 'type',
  create: ({ ties }, _learner, actions) => klUcb(ties, actions),
}

/**
 * Always an action of the greatest index, max {q : n · kl(S/n, q) ≤ ln t}, t = pulls so far. Garivier, Cappé, "The KL-UCB algorithm for bounded
 * stochastic bandits and beyond", COLT 2011, with c = 0, which they recommend. `actions` is K.
 */
export function klUcb(ties: Ties, actions: number): Exploration {
  /** By action: its index or, in `sample`, no less than that. */
  const index = new Float64Array(actions)
  /** By action: the index of a count and a mean at ln t = `knownAt`. */
  const known = new Float64Array(actions)
  const knownAt = new Float64Array(actions).fill(Number.NaN)
  /** The slope of the index there, in ln t: 1 / (n · kl′(q)). */
  const slope = new Float64Array(actions)
  const counts = new Float64Array(actions)
  const means = new Float64Array(actions)

  function compute(action: number, n: number, mean: number, lnT: number): number {
    counts[action] = n
    means[action] = mean
    knownAt[action] = lnT
    const q = klUcbIndex(mean, lnT / n)
    known[action] = q
    // At 1, and at +∞, it stays. Where it is the mean, as ln t is 0, it has no tangent, and is not remembered.
    slope[action] = q >= 1 ? 0 : (q * (1 - q)) / (n * (q - mean))
    if (q === mean && q < 1) counts[action] = Number.NaN
    return q
  }

  return {
    // An index is concave in ln t, as kl is convex in q, so it lies below its tangents. Most are that far below the greatest that the tangent
    // where they were last computed will do.
    sample({ count: pulls, counts: n, value }, eligible, count, rng) {
      const lnT = pulls > 1 ? log(pulls) : 0
      for (let i = 0; i < count; i++) {
        const a = eligible[i]
        if (counts[a] !== n![a] || means[a] !== value[a]) index[a] = compute(a, n![a], value[a], lnT)
        else if (knownAt[a] === lnT) index[a] = known[a]
        else index[a] = known[a] + (lnT - knownAt[a]) * slope[a] + ROUNDING
      }
      for (;;) {
        const a = eligible[argmax(index, eligible, count)]
        if (knownAt[a] === lnT) return pickMaximum(index, eligible, count, ties, rng)
        index[a] = compute(a, n![a], value[a], lnT)
      }
    },
    probabilities({ count: pulls, counts: n, value }, eligible, count, out) {
      const lnT = pulls > 1 ? log(pulls) : 0
      for (let i = 0; i < count; i++) index[eligible[i]] = klUcbIndex(value[eligible[i]], lnT / n![eligible[i]])
      out.fill(0)
      addToMaxima(index, eligible, count, ties, 1, out)
    },
  }
}

/** More than a tangent and an index may be off by rounding: what is this close to the greatest is computed. */
const ROUNDING = 1e-11

/** max {q : kl(mean, q) ≤ d} for a mean of rewards in [0, 1], kl(p, q) = p ln(p/q) + (1 − p) ln((1 − p)/(1 − q)); +∞ while there is no mean. */
export function klUcbIndex(mean: number, d: number): number {
  if (mean >= 1) return mean === Infinity ? Infinity : 1
  // What is as small as that is nothing.
  if (!(d > 1e-300)) return mean
  if (mean < 1e-300) return -expm1(-d)
  const rest = 1 - mean
  // Newton's method in δ = q − mean from above, where a convex function's steps never pass its root. kl ≥ δ² / (2 q (1 − mean)) bounds δ well
  // where d is small, kl ≥ mean · ln(mean) + (1 − mean) ln((1 − mean)/(1 − q)) where it is large.
  const e = d * rest
  let delta = e + Math.sqrt(e * e + 2 * mean * e)
  if (delta > rest / 2) delta = Math.min(delta, -rest * expm1((mean * log(mean) - d) / rest))
  for (;;) {
    if (delta >= rest) return 1
    const off = -mean * log1p(delta / mean) - rest * log1p(-delta / rest) - d
    const step = (off * (mean + delta) * (rest - delta)) / delta
    const next = delta - step
    // The error of the next δ is the square of this one's; near 1 a step may be less than a number can show.
    if (!(next < delta) || step < 1e-7 * Math.min(next, rest - next)) return mean + Math.max(0, next)
    delta = next
  }
}
