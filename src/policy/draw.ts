import { type Rng, xoshiro128 } from '../math/rng.ts'
import { sha256Words } from '../math/sha256.ts'

/** How a decision's `u` is made; part of every logged decision. */
export const DRAW_SCHEME = 'sha256-53/v1'

/** Uniform on [0, 1): the first 53 bits of SHA-256 over the parts, joined by `/`. Anyone can recompute it. */
export function hashUniform(...parts: readonly string[]): number {
  const words = sha256Words(parts.join('/'))
  return ((words[0] >>> 0) * 2097152 + (words[1] >>> 11)) * 1.1102230246251565e-16
}

/** The u of one slot of a decision; a single decision has slot 0. */
export function drawUniform(salt: string, decisionId: string, slot = 0): number {
  return hashUniform(salt, decisionId, String(slot))
}

/**
 * The stream that a decision's probabilities are drawn by, where they are: xoshiro128** from the first 128 bits of SHA-256 over
 * `salt/decisionId/draws`. It knows nothing of the decision's u.
 */
export function drawStream(salt: string, decisionId: string): Rng {
  const [s0, s1, s2, s3] = sha256Words(drawStreamKey(salt, decisionId))
  return xoshiro128(s0, s1, s2, s3)
}

export const drawStreamKey = (salt: string, decisionId: string): string => [salt, decisionId, 'draws'].join('/')

/**
 * The inverse cdf: the first index whose cumulated probability, added up in order, exceeds u. Where rounding leaves the total below
 * u, the last index of a positive probability.
 */
export function drawIndex(probabilities: ArrayLike<number>, u: number): number {
  let cumulated = 0
  let last = -1
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] === 0) continue
    cumulated += probabilities[i]
    if (u < cumulated) return i
    last = i
  }
  if (last < 0) throw new RangeError('drawIndex: no index has a positive probability')
  return last
}
