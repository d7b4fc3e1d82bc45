import { expect, it } from 'vitest'
import { liftFigure, regretFigure } from '../../../src/commands/evidence/figures.ts'
import type { CandidateResult, EstimateResult, PolicyResult } from '../../../src/results.ts'

const estimate = (estimator: string, value: number, change: Partial<EstimateResult> = {}) => ({
  estimator,
  verdict: 'ok',
  lift: { value, lower: value - 1, upper: value + 1 },
  ...change,
})
const lift = (estimates: readonly object[], verdict = 'ok') => liftFigure({ verdict, estimates } as CandidateResult)

it('a lift is that of dr, or else of the first estimate that may be quoted', () => {
  const dr = { quantity: 'lift', estimator: 'dr', verdict: 'ok', value: 2, lower: 1, upper: 3 }
  expect(lift([estimate('ips', 1), estimate('dr', 2), estimate('dm', 3)])).toEqual(dr)
  expect(lift([estimate('ips', 1), estimate('dr', 2, { verdict: 'refuse' })])).toMatchObject({ estimator: 'ips' })
  expect(lift([estimate('ips', 1, { lift: null }), estimate('snips', 2)])).toMatchObject({ estimator: 'snips' })
  expect(lift([estimate('dr', 2, { verdict: 'caution' })], 'caution')).toEqual({ ...dr, verdict: 'caution' })
})

it('there is no lift to quote of a candidate that is refused, nor of one without a number', () => {
  expect(lift([estimate('dr', 2)], 'refuse')).toBeNull()
  expect(lift([estimate('dr', 2, { verdict: 'refuse' })])).toBeNull()
  expect(lift([estimate('dr', Number.NaN)])).toBeNull()
  expect(lift([])).toBeNull()
})

it('a regret is its mean over replications', () => {
  const regret = { mean: 2, lower: 1, upper: 3, q05: 0, q50: 2, q95: 4 }
  const figure = { quantity: 'regret', estimator: null, verdict: null, value: 2, lower: 1, upper: 3 }
  expect(regretFigure({ regret } as PolicyResult)).toEqual(figure)
})
