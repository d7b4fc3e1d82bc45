import type { LearnerSpec } from '../kinds.ts'
import type { Posterior } from '../math/posterior.ts'
import type { Rng } from '../math/rng.ts'

export type { Posterior }

/**
 * What is learnt: the value of each action in a context, with its uncertainty. Actions are indices 0 … K−1; a context is
 * its feature vector x. `predict` then read; `learn` when the reward is known.
 */
export interface Learner {
  readonly type: LearnerSpec['type']
  /** How many rewards have been learnt, over all actions: the t of UCB1. */
  readonly count: number
  /** K numbers: the estimated value of each action in the context last predicted; +∞ while nothing is known of it. */
  readonly value: Float64Array
  /** K numbers: its standard error in units of the reward's noise (1/√n, √(x·A⁻¹x)); +∞ while nothing is known. */
  readonly width: Float64Array
  /** Brings `value` up to date for a context, and `width`, which draws and posteriors need too, unless `widths` is false. */
  predict(x: Float64Array, widths?: boolean): void
  learn(action: number, x: Float64Array, reward: number): void
  /** One draw from the posterior of the action's value in the context last predicted; `scale` multiplies its spread. */
  draw(action: number, scale: number, rng: Rng): number
  /** That posterior itself, for exact probabilities; undefined while it is improper (nothing is known of the action). */
  posterior(action: number, scale: number): Posterior | undefined
  /**
   * The learner's whole state as plain JSON values; `restore` continues exactly where it was, and throws a RangeError, with
   * nothing changed, for a state that is not this learner's.
   */
  state(): LearnerState
  restore(state: LearnerState): void
}

export type LearnerState = Readonly<Record<string, number | readonly number[]>>
