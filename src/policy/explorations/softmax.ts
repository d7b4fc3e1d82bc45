import type { ExplorationSpec } from '../../kinds.ts'
import { exp } from '../../math/elementary.ts'
import type { Exploration, ExplorationDefinition } from '../exploration.ts'
import { argmax } from './argmax.ts'
import { pick } from './pick.ts'

export const softmaxExploration: ExplorationDefinition<Extract<ExplorationSpec, { type: 'softmax' }>> = {
  type: 'softmax',
  order: 30,
  description: 'Probabilities proportional to exp(value / temperature).',
  options: {
    temperature: {
      type: 'number',
      description: 'High: nearly uniform. Low: nearly greedy.',
      exclusiveMinimum: 0,
      maximum: 1000000000,
      default: 1,
      examples: [0.1],
    },
  },
  needs: [],
  rewards: 'any',
  names: {
    mean: { name: 'Boltzmann exploration', paper: 'Sutton, Barto 1998' },
    beta: { name: 'Boltzmann exploration on the posterior mean' },
  },
  create: ({ temperature }, _learner, actions) => softmax(temperature, actions),
}

/** Boltzmann: p ∝ exp(value / temperature); uniform over the untried while there are any. `actions` is K. */
function softmax(temperature: number, actions: number): Exploration {
  if (!(temperature > 0)) throw new RangeError('softmax: the temperature must be positive')
  const weights = new Float64Array(actions)

  /** Writes the unnormalised probabilities of the eligible actions; returns their sum. */
  function weigh(value: Float64Array, eligible: Int32Array, count: number): number {
    const best = value[eligible[argmax(value, eligible, count)]]
    let sum = 0
    for (let i = 0; i < count; i++) {
      const v = value[eligible[i]]
      const weight = v === best ? 1 : exp((v - best) / temperature)
      weights[eligible[i]] = weight
      sum += weight
    }
    return sum
  }

  return {
    luce: true,
    sample({ value }, eligible, count, rng) {
      const sum = weigh(value, eligible, count)
      return pick(weights, sum, eligible, count, rng.uniform())
    },
    probabilities({ value }, eligible, count, out) {
      const sum = weigh(value, eligible, count)
      out.fill(0)
      for (let i = 0; i < count; i++) out[eligible[i]] = weights[eligible[i]] / sum
    },
  }
}
