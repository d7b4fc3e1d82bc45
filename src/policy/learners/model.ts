import { RESOURCE_NAME_PATTERN } from '../../generated/names.ts'
import type { LearnerSpec, ModelOutput } from '../../kinds.ts'
import { normal } from '../../math/distributions.ts'
import type { Learner, LearnerDefinition } from '../learner.ts'
import { widthOf } from '../model-outputs.ts'
import { countOnly } from './fixed.ts'
import { stateCounts } from './state.ts'

export const model: LearnerDefinition<Extract<LearnerSpec, { type: 'model' }>> = {
  type: 'model',
  order: 45,
  note: 'what a Model says',
  description:
    'What a Model says of each action: a probability, a value, a mean and its deviation, or several opinions. Nothing is learnt here.',
  options: {
    model: {
      type: 'string',
      pattern: RESOURCE_NAME_PATTERN,
      description: 'The Model.',
      examples: ['offer-ctr'],
    },
  },
  required: ['model'],
  learns: false,
  rewards: 'any',
  gives: ['widths', 'posterior'],
  features: ({ model }) => ({ intercept: false, shared: true, model }),
  anyActions: () => true,
  create: (_spec, _actions, _dimension, capacity, { output = ONE_NUMBER }) => modelLearner(output, capacity),
  sums: () => countOnly,
}

/** Of a learner that is made to look into a snapshot, in which there is nothing of the Model. */
const ONE_NUMBER: ModelOutput = { type: 'value' }

/**
 * Learns nothing but how often it was told. The value of an action is what the Model gives, the mean of a normal, or of heads; its width the deviation
 * of the normal, or of the heads. NaN of an action that the Model was not asked about, which can then not be taken.
 */
function modelLearner(output: ModelOutput, capacity: number): Learner {
  const columns = widthOf(output)
  const value = new Float64Array(capacity)
  const width = new Float64Array(capacity)
  let rows: Float64Array = new Float64Array(0)
  const head = new Float64Array(columns)

  function heads(action: number): Float64Array {
    for (let m = 0; m < columns; m++) head[m] = rows[action * columns + m]
    return head
  }

  const learner: Learner & { count: number } = {
    value,
    width,
    count: 0,
    predict(x) {
      rows = x
      const count = x.length / columns
      for (let a = 0; a < count; a++) {
        const at = a * columns
        if (output.type !== 'heads') {
          value[a] = x[at]
          width[a] = output.type === 'gaussian' ? x[at + 1] : 0
          continue
        }
        let mean = 0
        for (let m = 0; m < columns; m++) mean += x[at + m]
        mean /= columns
        let squares = 0
        for (let m = 0; m < columns; m++) squares += (x[at + m] - mean) * (x[at + m] - mean)
        value[a] = mean
        width[a] = Math.sqrt(squares / (columns - 1))
      }
    },
    learn() {
      learner.count++
    },
    draw: (action, scale, rng) => value[action] + scale * width[action] * normal(rng),
    posterior: (action, scale) => ({ family: 'normal', mean: value[action], sd: scale * width[action] }),
    ...(output.type === 'heads' ? { heads } : {}),
    state: () => ({ counts: [learner.count] }),
    restore(state) {
      learner.count = stateCounts(state, 'counts', 1)[0]
    },
  }
  return learner
}
