import type { Fit, LearnerState, Passes, PassRows } from './learner.ts'

/** A fit that takes more passes is not to be had: the rest is said. */
export const MOST_PASSES = 150

/** Half of what chance makes of one weight, over all of them together. */
export const NEAR_ENOUGH = 0.5

/** Fits where it is called. */
export function fitHere(
  passes: Passes,
  batches: readonly PassRows[],
  counts: Float64Array,
  scale: Float64Array,
  from?: LearnerState,
): Fit {
  const fit = passes.start(counts, scale, from)
  do for (const batch of batches) fit.add(passes.fold(batch, fit.point, fit.curved))
  while (fit.step())
  return fit
}
