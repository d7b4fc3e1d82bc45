import type { LearnerSpec } from '../../kinds.ts'
import { normal } from '../../math/distributions.ts'
import { dot, packedSize, quadraticWeights, ridgeSolve, ridgeStart, ridgeUpdate } from '../../math/ridge.ts'
import { FORGETTING } from '../forgetting.ts'
import type { Learner, LearnerDefinition, LearnerSums } from '../learner.ts'
import { type DenseOptions, sharedLinearLearner } from './shared-linear.ts'
import { stateCounts, stateNumbers, total } from './state.ts'

/** Of a learner with one dense model an action, of contexts, or one that all share: what does not depend on how it is fitted. */
export const DENSE = {
  features: ({ intercept, shared = false }) => ({ intercept, shared }),
  coefficients: true,
  anyActions: ({ shared = false }) => shared,
  numbers: ({ shared }, actions, dimension) =>
    Math.max(actions, (shared === true ? 1 : actions) * packedSize(dimension)),
  carry: state => state,
  share: ({ shared }) => (shared === true ? ['theta', 'inverse'] : []),
} satisfies Partial<LearnerDefinition<Dense>>

interface Dense {
  readonly type: string
  readonly intercept: boolean
  readonly shared?: boolean
}

export const linear: LearnerDefinition<Extract<LearnerSpec, { type: 'linear' }>> = {
  type: 'linear',
  order: 30,
  note: 'ridge per action, or shared',
  description:
    'Ridge regression on features: of the context, per action, or of contexts and actions, shared by all actions.',
  options: {
    l2: {
      type: 'number',
      description: 'The ridge penalty λ; A⁻¹ starts at I/λ.',
      exclusiveMinimum: 0,
      maximum: 1000000000,
      default: 1,
      examples: [1],
    },
    intercept: {
      type: 'boolean',
      description: 'Whether a constant 1 is added to the features.',
      default: true,
      examples: [true],
    },
    shared: {
      type: 'boolean',
      description:
        'One model for all actions, that tells them apart by their features: what one action teaches holds for all that are like it. Default: one per action.',
      examples: [true],
    },
    ...FORGETTING,
  },
  learns: true,
  rewards: 'any',
  gives: ['counts', 'widths', 'posterior'],
  ...DENSE,
  create: (spec, actions, dimension, capacity) =>
    spec.shared === true
      ? sharedLinearLearner(actions.length, dimension, { ...spec, capacity })
      : linearLearner(actions.length, dimension, spec),
  sums: ({ l2, shared = false }, actions, dimension) => linearSums(l2, shared, actions, dimension),
}

/** A model's [Σwrx (d), Σw x xᵀ (packed)]: an action's, or that of all. */
function linearSums(l2: number, shared: boolean, actions: number, d: number): LearnerSums {
  const size = packedSize(d)
  const models = shared ? 1 : actions
  return {
    ...(shared ? { width: 0, shared: d + size } : { width: d + size }),
    add(sums, at, x, reward, weight, ofAll) {
      let k = shared ? ofAll : at
      const weighted = weight * reward
      for (let i = 0; i < d; i++) sums[k++] += weighted * x[i]
      for (let i = 0; i < d; i++) {
        const wx = weight * x[i]
        for (let j = 0; j <= i; j++) sums[k++] += wx * x[j]
      }
    },
    /** θ = A⁻¹ Σ r x and A⁻¹, with A = l2·I + Σ x xᵀ, by model. */
    state(counts, ofAction, ofAll) {
      const sum = shared ? (_: number, i: number) => ofAll(i) : ofAction
      const theta = new Float64Array(models * d)
      const inverse = new Float64Array(models * size)
      const matrix = new Float64Array(size)
      for (let a = 0; a < models; a++) {
        for (let i = 0; i < size; i++) matrix[i] = sum(a, d + i)
        for (let i = 0; i < d; i++) {
          matrix[packedSize(i) + i] += l2
          theta[a * d + i] = sum(a, i)
        }
        ridgeSolve(matrix, theta, a * d, inverse, a * size, d)
      }
      return { counts: [...counts], theta: [...theta], inverse: [...inverse] }
    },
  }
}

/**
 * One ridge regression per action: value x·θ, width √(x·A⁻¹x), posterior N(x·θ, scale² · x·A⁻¹x), with A = l2·I + Σ x xᵀ. Li et al.,
 * "A Contextual-Bandit Approach to Personalized News Article Recommendation", WWW 2010, algorithm 1. As no two actions share
 * a θ, a draw of θ matters only through x·θ, so one normal an action is exactly Thompson sampling of θ.
 */
export function linearLearner(actions: number, dimension: number, options: DenseOptions): Learner {
  const { l2, update = ridgeUpdate } = options
  if (!(l2 > 0)) throw new RangeError('l2 must be positive')
  const d = dimension
  const size = packedSize(d)
  const inverse = new Float64Array(actions * size)
  const theta = new Float64Array(actions * d)
  const counts = new Float64Array(actions)
  const value = new Float64Array(actions)
  const width = new Float64Array(actions)
  const weights = new Float64Array(size)
  const scratch = new Float64Array(d)
  for (let a = 0; a < actions; a++) ridgeStart(inverse, a * size, d, l2)

  const learner: Learner & { count: number } = {
    counts,
    value,
    width,
    count: 0,
    predict(x, widths = true) {
      for (let a = 0; a < actions; a++) value[a] = dot(x, theta, a * d, d)
      if (!widths) return
      quadraticWeights(x, d, weights)
      for (let a = 0; a < actions; a++) {
        width[a] = Math.sqrt(Math.max(0, dot(weights, inverse, a * size, size)))
      }
    },
    learn(action, x, reward) {
      update(inverse, action * size, theta, action * d, d, x, reward, scratch)
      counts[action]++
      learner.count++
    },
    draw: (action, scale, rng) => value[action] + scale * width[action] * normal(rng),
    posterior: (action, scale) => ({ family: 'normal', mean: value[action], sd: scale * width[action] }),
    state: () => ({ counts: [...counts], theta: [...theta], inverse: [...inverse] }),
    restore(state) {
      const newCounts = stateCounts(state, 'counts', actions)
      const newTheta = stateNumbers(state, 'theta', actions * d)
      const newInverse = stateNumbers(state, 'inverse', actions * size)
      counts.set(newCounts)
      theta.set(newTheta)
      inverse.set(newInverse)
      learner.count = total(counts)
    },
  }
  return learner
}
