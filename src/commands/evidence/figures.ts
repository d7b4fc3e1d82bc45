/** The one number of a result that a plan shows of each policy. */
import type { CandidateResult, Figure, PolicyResult } from '../../results.ts'

/** The estimator to go by where an evaluation has it: it errs only where both the propensities and the model of rewards do. */
const PREFERRED = 'dr'

/** By `dr`, else by the first estimator, of those that may be quoted; null where none may. */
export function liftFigure({ verdict, estimates }: CandidateResult): Figure | null {
  const quoted = (verdict === 'refuse' ? [] : estimates).flatMap(({ estimator, verdict, lift }) =>
    verdict === 'refuse' || lift === null ? [] : [{ estimator, verdict, lift }],
  )
  const found = quoted.find(({ estimator }) => estimator === PREFERRED) ?? quoted[0]
  if (found === undefined) return null
  const { value, lower, upper } = found.lift
  return finite({ quantity: 'lift', estimator: found.estimator, verdict: found.verdict, value, lower, upper })
}

export function regretFigure({ regret: { mean, lower, upper } }: PolicyResult): Figure | null {
  return finite({ quantity: 'regret', estimator: null, verdict: null, value: mean, lower, upper })
}

const finite = (figure: Figure) => ([figure.value, figure.lower, figure.upper].every(Number.isFinite) ? figure : null)
