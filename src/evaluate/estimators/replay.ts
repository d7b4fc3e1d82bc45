import type { EstimatorType } from './estimator.ts'
import type { Series } from './series.ts'
import { CERTAIN } from './threshold.ts'

/**
 * The mean reward of the rows whose action the candidate takes for certain: Σ 1{π = 1} r / Σ 1{π = 1}. Unbiased where these rows have one
 * propensity; of a candidate that draws it says nothing. Li, Chu, Langford, Wang, "Unbiased offline evaluation of contextual-bandit-based
 * news article recommendation algorithms", WSDM 2011, algorithm 2.
 */
export const replay: EstimatorType = {
  type: 'replay',
  order: 90,
  model: false,
  propensities: true,
  biased: false,
  create: name => ({ name, ratios: [{ over: matchedReward, under: matched }], matching: true }),
}

const matched: Series = {
  key: '1{pi=1}',
  of({ rows, probability }, out) {
    for (let i = 0; i < rows; i++) out[i] = probability[i] >= CERTAIN ? 1 : 0
    return out
  },
}

const matchedReward: Series = {
  key: '1{pi=1}r',
  of({ rows, probability, reward }, out) {
    for (let i = 0; i < rows; i++) out[i] = probability[i] >= CERTAIN ? reward[i] : 0
    return out
  },
}
