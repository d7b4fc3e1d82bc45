import type { ExplorationSpec, Ties } from '../../kinds.ts'
import { log } from '../../math/elementary.ts'
import type { Exploration, ExplorationDefinition } from '../exploration.ts'
import type { Learner } from '../learner.ts'
import { addToMaxima, settle, TIES } from './argmax.ts'

/** UCB1 over learners that ignore the context, LinUCB over those that have features: each has an option of its own. */
export const ucbExploration: ExplorationDefinition<Extract<ExplorationSpec, { type: 'ucb' }>> = {
  type: 'ucb',
  order: 40,
  description: 'The action of the highest upper confidence bound: UCB1 over `mean`, LinUCB over `linear` and `hybrid`.',
  options: {
    factor: {
      type: 'number',
      description: 'Over `mean`: the index is S/n + √(factor · ln t / n); UCB1 has 2.',
      minimum: 0,
      maximum: 1000000,
      examples: [2],
    },
    alpha: {
      type: 'number',
      description:
        'Over learners of features: the index is value + alpha · width, the width being √(x·A⁻¹x); over `logistic` and `hashed` it is the standard error of the probability.',
      minimum: 0,
      maximum: 1000000,
      examples: [1],
    },
    ties: TIES,
  },
  needs: ['widths'],
  rewards: 'any',
  names: {
    mean: { name: 'UCB1', paper: 'Auer, Cesa-Bianchi, Fischer 2002' },
    linear: { name: 'LinUCB', paper: 'Li, Chu, Langford, Schapire 2010' },
    logistic: { name: 'logistic UCB', paper: 'Faury, Abeille, Calauzènes, Fercoq 2020' },
    hybrid: { name: 'hybrid LinUCB', paper: 'Li, Chu, Langford, Schapire 2010' },
  },
  deterministic: () => 'type',
  misfits({ factor, alpha }, { type, features }) {
    if (factor !== undefined && features !== undefined)
      return [
        {
          option: 'factor',
          message: `\`factor\` is UCB1's, over \`mean\`; over \`${type}\` it is \`alpha\``,
          hint: 'write `alpha`',
        },
      ]
    if (alpha !== undefined && features === undefined)
      return [
        {
          option: 'alpha',
          message: `\`alpha\` is LinUCB's, over learners of features; over \`${type}\` it is \`factor\``,
          hint: 'write `factor`',
        },
      ]
    return []
  },
  create: ({ factor = 2, alpha = 1, ties }, { features }, actions) =>
    ucb(features === undefined ? ucb1Bonus(factor) : linUcbBonus(alpha), ties, actions),
}

/** How many widths are added to the value. */
export type Bonus = (learner: Learner) => number

/** UCB1 over `mean`: √(factor · ln t), t = pulls so far. Auer, Cesa-Bianchi, Fischer, Mach. Learn. 47, 2002 (factor 2). */
export function ucb1Bonus(factor: number): Bonus {
  return ({ count }) => (count > 1 ? Math.sqrt(factor * log(count)) : 0)
}

/** LinUCB, and what is like it over other learners of features: a constant. Li et al., WWW 2010. */
export function linUcbBonus(alpha: number): Bonus {
  return () => alpha
}

/** Always an action of the greatest value + bonus · width. `actions` is K. */
export function ucb(bonus: Bonus, ties: Ties, actions: number): Exploration {
  const index = new Float64Array(actions)

  function rank({ value, width }: Learner, b: number, eligible: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) index[eligible[i]] = indexOf(value[eligible[i]], width[eligible[i]], b)
  }

  return {
    // The loop of pickMaximum over indices that are not stored; only a tie needs them again.
    sample(learner, eligible, count, rng) {
      const { value, width } = learner
      const b = bonus(learner)
      let best = -Infinity
      let first = eligible[0]
      let equal = 0
      for (let i = 0; i < count; i++) {
        const a = eligible[i]
        const v = indexOf(value[a], width[a], b)
        if (v > best) {
          best = v
          first = a
          equal = 1
        } else if (v === best) {
          equal++
        }
      }
      if (equal <= 1 || ties === 'first') return first
      rank(learner, b, eligible, count)
      return settle(index, best, equal, eligible, rng)
    },
    probabilities(learner, eligible, count, out) {
      rank(learner, bonus(learner), eligible, count)
      out.fill(0)
      addToMaxima(index, eligible, count, ties, 1, out)
    },
  }
}

/** value + b · width; without a bonus an untried action is still +∞, although 0 · ∞ has no value. */
const indexOf = (value: number, width: number, b: number): number => (b === 0 ? value : value + b * width)
