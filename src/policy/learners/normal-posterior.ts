import type { Posterior } from '../learner.ts'

/** A spread below this share of the mean drowns in the rounding of the mean itself. */
const LEAST_RELATIVE_SPREAD = 1e-13
const LEAST_SPREAD = 1e-150

/** N(mean, sd²); an sd of 0 (features that are all zero) is widened to the least that can be integrated. */
export function normalPosterior(mean: number, sd: number): Posterior {
  const spread = Math.max(sd, LEAST_RELATIVE_SPREAD * Math.abs(mean), LEAST_SPREAD)
  return {
    mode: mean,
    spread,
    logDensity: offset => {
      const u = offset / spread
      return -0.5 * u * u
    },
  }
}
