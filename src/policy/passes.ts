import type { Forgetting } from './forgetting.ts'
import type { Fit, LearnerState, Passes, PassRows } from './learner.ts'

/** A fit that takes more passes is not to be had: the rest is said. */
export const MOST_PASSES = 150

/** Half of what chance makes of one weight, over all of them together. */
export const NEAR_ENOUGH = 0.5

/**
 * Rows, each of a bucket of time, as they count once it is the bucket `now`: their weights times those of their ages. Rows that no longer count are not
 * among them, so that the fit is what it would be had they never been.
 */
export function rowsAsOf(rows: PassRows, buckets: Float64Array, { keep, weight }: Forgetting, now: number): PassRows {
  const counting: number[] = []
  for (let r = 0; r < rows.rows; r++) if (now - buckets[r] < keep) counting.push(r)
  const width = rows.rows === 0 ? 0 : rows.x.length / rows.reward.length
  const x = new Float64Array(counting.length * width)
  for (const [i, r] of counting.entries()) x.set(rows.x.subarray(r * width, (r + 1) * width), i * width)
  return {
    rows: counting.length,
    x,
    action: Int32Array.from(counting, r => rows.action[r]),
    reward: Float64Array.from(counting, r => rows.reward[r]),
    weight: Float64Array.from(counting, r => (rows.weight?.[r] ?? 1) * weight(now - buckets[r])),
  }
}

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
