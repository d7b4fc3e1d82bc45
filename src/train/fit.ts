import type { Fit, LearnerState, Passes } from '../policy/learner.ts'
import type { Folding } from './fold.ts'

/** Fits a learner to the rows that were folded, pass by pass, wherever they are kept. */
export async function fitInPasses(
  passes: Passes,
  folding: Folding,
  { counts, scale }: { readonly counts: Float64Array; readonly scale: Float64Array },
  from?: LearnerState,
): Promise<Fit> {
  const fit = passes.start(counts, scale, from)
  do for await (const part of folding.pass({ at: fit.point, curved: fit.curved })) fit.add(part)
  while (fit.step())
  return fit
}
