import type { Rng } from '../math/rng.ts'
import type { Learner } from './learner.ts'

/**
 * How values become probabilities. `sample` and `probabilities` are the same distribution: one fast, one exact. Both look
 * only at the first `count` entries of `eligible`, which are distinct action indices; `count` is at least 1.
 */
export interface Exploration {
  /** Does it look at widths or draws, or at values alone, which are cheaper to predict? */
  readonly usesWidths: boolean
  /** Draws an action: for simulation. */
  sample(learner: Learner, eligible: Int32Array, count: number, rng: Rng): number
  /** Writes the probability of every action into `out` (K numbers; 0 for those that are not eligible). They sum to 1. */
  probabilities(learner: Learner, eligible: Int32Array, count: number, out: Float64Array): void
}
