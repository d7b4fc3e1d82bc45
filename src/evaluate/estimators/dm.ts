import type { EstimatorType } from './estimator.ts'
import { value } from './series.ts'

/**
 * The direct method: mean(v), v = Σₐ π(a) q(a): as right as its reward model. Beygelzimer, Langford, "The offset tree for learning with
 * partial labels", KDD 2009; so called by Dudík, Langford, Li, "Doubly robust policy evaluation and learning", ICML 2011, section 2.
 */
export const dm: EstimatorType = {
  type: 'dm',
  order: 30,
  model: true,
  propensities: false,
  biased: true,
  create: name => ({ name, mean: value, modelled: true, bias: 'what its reward model misses' }),
}
