import type { AlgorithmSpec } from '../kinds.ts'
import { addTo } from '../math/sum.ts'
import { learnerOf, rewardsOf } from './algorithm.ts'
import { requireUnit } from './definition.ts'
import type { LearnerState } from './learner.ts'

/**
 * What a learner is made of, as sums over rows that add up: rows can be folded in parts, anywhere, and the parts merged. Per
 * action [n, Σw, Σw²], then the learner's own (`LearnerSums`).
 */
export interface Statistics {
  /** The plain sums of the rows that were added. */
  readonly sums: Float64Array
  /**
   * Adds a row; `weight` is positive, 1 for rows that all count alike, and has a factor h for one that stands for h decisions. A
   * RangeError for a reward that the algorithm cannot do with, with nothing changed.
   */
  add(action: number, x: Float64Array, reward: number, weight: number): void
}

export interface MergedStatistics {
  /** Adds the sums of a part, with compensation. */
  merge(part: Float64Array): void
  /**
   * By action: its rows, and how many rows of equal weight they are worth, (Σw)²/Σw² (Kish, "Survey Sampling", 1965, section
   * 11.7): n where all weights are equal.
   */
  learnt(): { readonly rows: Float64Array; readonly effective: Float64Array }
  /** The state for `Learner.restore`, where every action counts as many rewards as its rows are worth. */
  state(): LearnerState
}

const HEAD = 3

export function createStatistics(algorithm: AlgorithmSpec, actions: number, dimension: number): Statistics {
  const { learner } = algorithm
  const own = learnerOf(learner).sums(learner, actions, dimension)
  const width = HEAD + own.width
  const { rewards, of } = rewardsOf(algorithm)
  const unit = rewards === 'unit'
  const sums = new Float64Array(actions * width)
  return {
    sums,
    add(action, x, reward, weight) {
      if (unit) requireUnit(of, reward)
      const k = action * width
      sums[k]++
      sums[k + 1] += weight
      sums[k + 2] += weight * weight
      own.add(sums, k + HEAD, x, reward, weight)
    },
  }
}

export function mergeStatistics({ learner }: AlgorithmSpec, actions: number, dimension: number): MergedStatistics {
  const own = learnerOf(learner).sums(learner, actions, dimension)
  const width = HEAD + own.width
  // Compensated sums take two places each.
  const sums = new Float64Array(2 * actions * width)
  const total = (action: number, i: number) => sums[2 * (action * width + i)] + sums[2 * (action * width + i) + 1]
  const each = (value: (action: number) => number) => Float64Array.from({ length: actions }, (_, a) => value(a))

  /** What a weight is multiplied by, so that an action's weights sum to its effective count: Σw/Σw². */
  const scale = (action: number) => (total(action, 2) === 0 ? 0 : total(action, 1) / total(action, 2))
  const effective = () => each(a => scale(a) * total(a, 1))

  return {
    merge(part) {
      for (let i = 0; i < part.length; i++) addTo(sums, 2 * i, part[i])
    },
    learnt: () => ({ rows: each(a => total(a, 0)), effective: effective() }),
    state() {
      const scales = each(scale)
      return own.state(effective(), (action, i) => scales[action] * total(action, HEAD + i))
    },
  }
}
