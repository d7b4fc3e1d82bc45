import type { Fit, LearnerState, Passes } from '../policy/learner.ts'
import type { Folding } from './fold.ts'

/** Fits a learner to the rows that were folded, pass by pass, wherever they are kept; one that forgets looks back from `asOf`, milliseconds since 1970. */
export async function fitInPasses(
  passes: Passes,
  folding: Folding,
  { counts, scale }: { readonly counts: Float64Array; readonly scale: Float64Array },
  { from, asOf }: { readonly from?: LearnerState; readonly asOf?: number } = {},
): Promise<Fit> {
  if (asOf !== undefined) for await (const _ of folding.pass({ asOf }));
  const fit = passes.start(counts, scale, from)
  do for await (const part of folding.pass({ at: fit.point, curved: fit.curved })) fit.add(part)
  while (fit.step())
  return fit
}
