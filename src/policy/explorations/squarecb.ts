import type { ExplorationSpec, Ties } from '../../kinds.ts'
import { exp, log } from '../../math/elementary.ts'
import type { Exploration, ExplorationDefinition } from '../exploration.ts'
import { addToMaxima, argmax, TIES } from './argmax.ts'
import { pick } from './pick.ts'

export const squarecbExploration: ExplorationDefinition<Extract<ExplorationSpec, { type: 'squarecb' }>> = {
  type: 'squarecb',
  order: 35,
  description:
    'Inverse gap weighting: an action is the rarer the further its value lies below the best, and all the more so the more is learnt.',
  options: {
    gamma: {
      type: 'object',
      description: 'How sharply gaps count: γ = scale · t^exponent after t rewards.',
      additionalProperties: false,
      properties: {
        scale: {
          type: 'number',
          description:
            'γ after one reward. Rewards are in [0, 1]: where they are rare, as clicks are, 100 to 1000; 10 explores too much.',
          exclusiveMinimum: 0,
          maximum: 1000000000,
          default: 1000,
          examples: [1000],
        },
        exponent: {
          type: 'number',
          description:
            'How γ grows with the rewards: 0.5 in theory; 0 leaves it as it is. Over `model`, which learns none here, it is 0.',
          minimum: 0,
          maximum: 1,
          default: 0.5,
          examples: [0.5],
        },
      },
      default: {},
      examples: [{ scale: 100 }],
    },
    ties: TIES,
  },
  needs: [],
  rewards: 'unit',
  names: {
    mean: { name: 'SquareCB without a context', paper: 'Foster, Rakhlin 2020' },
    linear: { name: 'SquareCB', paper: 'Foster, Rakhlin 2020' },
    logistic: { name: 'SquareCB on logistic models', paper: 'Foster, Rakhlin 2020' },
    hashed: { name: 'SquareCB on a logistic model', paper: 'Foster, Rakhlin 2020' },
  },
  create: ({ gamma, ties }, { learns }, actions) => squarecb(gamma, ties, actions, learns),
}

/**
 * Inverse gap weighting over values in the units of rewards in [0, 1]: p = 1 / (k + γ · (best − value)) for each of the k eligible actions
 * but the best, which has the rest; γ = scale · t^exponent, t being the rewards learnt. Foster, Rakhlin, "Beyond UCB: Optimal and Efficient
 * Contextual Bandits with Regression Oracles", ICML 2020, algorithm 1. While an eligible action is untried (its value is +∞), uniform over
 * the untried. Over values that were learnt elsewhere, so that nobody knows of how many rewards, γ = scale.
 */
export function squarecb(
  gamma: { readonly scale: number; readonly exponent: number },
  ties: Ties,
  actions: number,
  learns = true,
): Exploration {
  const { scale, exponent } = gamma
  if (!(scale > 0)) throw new RangeError('squarecb: the scale of gamma must be positive')
  if (!(exponent >= 0)) throw new RangeError('squarecb: the exponent of gamma must not be negative')
  const weights = new Float64Array(actions)

  function weigh(value: Float64Array, rewards: number, eligible: Int32Array, count: number, out: Float64Array): void {
    const best = value[eligible[argmax(value, eligible, count)]]
    out.fill(0)
    let rest = 1
    if (best < Infinity) {
      const sharpness = !learns ? scale : rewards === 0 ? 0 : scale * exp(exponent * log(rewards))
      for (let i = 0; i < count; i++) {
        const v = value[eligible[i]]
        if (v === best) continue
        const p = 1 / (count + sharpness * (best - v))
        out[eligible[i]] = p
        rest -= p
      }
    }
    addToMaxima(value, eligible, count, ties, rest, out)
  }

  return {
    sample({ value, count: rewards }, eligible, count, rng) {
      weigh(value, rewards, eligible, count, weights)
      return pick(weights, 1, eligible, count, rng.uniform())
    },
    probabilities({ value, count: rewards }, eligible, count, out) {
      weigh(value, rewards, eligible, count, out)
    },
  }
}
