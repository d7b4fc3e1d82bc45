import type { LearnerSpec } from '../../kinds.ts'
import { logisticUpdate, sigmoid } from '../../math/logistic.ts'
import { requireUnit } from '../definition.ts'
import { FORGETTING } from '../forgetting.ts'
import type { Learner, LearnerDefinition } from '../learner.ts'
import { countOnly } from './fixed.ts'
import { DENSE, linear, linearLearner } from './linear.ts'
import { logisticPasses } from './logistic-fit.ts'
import { sharedLinearLearner } from './shared-linear.ts'

const { l2, intercept, shared } = linear.options

export const logistic: LearnerDefinition<Extract<LearnerSpec, { type: 'logistic' }>> = {
  type: 'logistic',
  order: 32,
  note: 'logistic ridge per action, or shared',
  description:
    'Logistic ridge regression on features, for 0/1 rewards: of the context, per action, or of contexts and actions, shared by all actions. Values are probabilities.',
  options: {
    l2: { ...l2, description: 'The ridge penalty λ of every coefficient.' },
    intercept,
    shared,
    ...FORGETTING,
  },
  learns: true,
  rewards: 'unit',
  gives: ['counts', 'widths', 'posterior'],
  link: 'logit',
  ...DENSE,
  create(spec, actions, dimension, capacity) {
    const options = { ...spec, capacity, update: logisticUpdate }
    return logisticLearner(
      spec.shared === true
        ? sharedLinearLearner(actions.length, dimension, options)
        : linearLearner(actions.length, dimension, options),
    )
  },
  sums: ({ shared }) => (shared === true ? { ...countOnly, shared: 0 } : countOnly),
  passes: ({ l2, shared }, actions, dimension) => logisticPasses(l2, shared === true ? 1 : actions, dimension),
}

/**
 * Logistic regression as what is linear in it: z = x·θ with the posterior N(z, x·H⁻¹x), H = l2·I + Σ m(1 − m) x xᵀ, m being what was predicted of a row
 * (Laplace's approximation). The value is σ(z), and the width its standard error, m(1 − m)·√(x·H⁻¹x). What is drawn and compared is z: σ is
 * monotone, and the best by z is the best by σ(z).
 */
function logisticLearner(logits: Learner): Learner {
  const value = new Float64Array(logits.value.length)
  const width = new Float64Array(value.length)
  return {
    ...logits,
    value,
    width,
    get count() {
      return logits.count
    },
    predict(x, widths = true) {
      logits.predict(x, widths)
      for (let a = 0; a < value.length; a++) value[a] = sigmoid(logits.value[a])
      if (!widths) return
      for (let a = 0; a < value.length; a++) width[a] = value[a] * (1 - value[a]) * logits.width[a]
    },
    learn(action, x, reward) {
      requireUnit('logistic', reward)
      logits.learn(action, x, reward)
    },
  }
}
