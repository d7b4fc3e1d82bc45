import type { AlgorithmSpec } from '../kinds.ts'
import { addTo } from '../math/sum.ts'
import { learnerOf, rewardsOf } from './algorithm.ts'
import { requireUnit } from './definition.ts'
import type { LearnerState, LearnerSums } from './learner.ts'

/**
 * What a learner is made of, as sums over rows that add up: rows can be folded in parts, anywhere, and the parts merged. Per
 * action [n, Σw, Σw²], then the learner's own (`LearnerSums`); those of a learner that actions share stand once, at the end.
 */
export interface Statistics {
  /** The plain sums of the rows that were added. */
  readonly sums: Float64Array
  /**
   * Adds a row, x being its action's; `weight` is positive, 1 for rows that all count alike, and has a factor h for one that stands for h decisions. A
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
  /** The same as `learnt().effective`, and what weights are multiplied by to come to that: both by action. */
  worth(): { readonly counts: Float64Array; readonly scale: Float64Array }
  /** The state for `Learner.restore`, where every action counts as many rewards as its rows are worth. */
  state(): LearnerState
}

const HEAD = 3

/** Where things stand among the sums. */
function layoutOf(own: LearnerSums, actions: number) {
  const stride = own.shared ? HEAD : HEAD + own.width
  return {
    length: actions * stride + (own.shared ? own.width : 0),
    head: (action: number) => action * stride,
    block: (action: number) => (own.shared ? actions * stride : action * stride + HEAD),
  }
}

export function createStatistics(algorithm: AlgorithmSpec, actions: number, dimension: number): Statistics {
  const { learner } = algorithm
  const own = learnerOf(learner).sums(learner, actions, dimension)
  const { length, head, block } = layoutOf(own, actions)
  const { rewards, of } = rewardsOf(algorithm)
  const unit = rewards === 'unit'
  const sums = new Float64Array(length)
  return {
    sums,
    add(action, x, reward, weight) {
      if (unit) requireUnit(of, reward)
      const k = head(action)
      sums[k]++
      sums[k + 1] += weight
      sums[k + 2] += weight * weight
      own.add(sums, block(action), x, reward, weight)
    },
  }
}

export function mergeStatistics({ learner }: AlgorithmSpec, actions: number, dimension: number): MergedStatistics {
  const own = learnerOf(learner).sums(learner, actions, dimension)
  const { length, head, block } = layoutOf(own, actions)
  // Compensated sums take two places each.
  const sums = new Float64Array(2 * length)
  const total = (i: number) => sums[2 * i] + sums[2 * i + 1]
  const each = (value: (action: number) => number) => Float64Array.from({ length: actions }, (_, a) => value(a))

  /** What weights are multiplied by, so that those of a model sum to its effective count, Σw/Σw²: by action, or the same for all that share it. */
  function scales(): Float64Array {
    const ratio = (weights: number, squares: number) => (squares === 0 ? 0 : weights / squares)
    if (!own.shared) return each(a => ratio(total(head(a) + 1), total(head(a) + 2)))
    const sumOf = (i: number) => each(a => total(head(a) + i)).reduce((sum, value) => sum + value, 0)
    const all = ratio(sumOf(1), sumOf(2))
    return each(() => all)
  }
  function worth(): ReturnType<MergedStatistics['worth']> {
    const scale = scales()
    return { scale, counts: effective(scale) }
  }
  const effective = (by: Float64Array) => each(a => by[a] * total(head(a) + 1))

  return {
    merge(part) {
      for (let i = 0; i < part.length; i++) addTo(sums, 2 * i, part[i])
    },
    learnt: () => ({ rows: each(a => total(head(a))), effective: effective(scales()) }),
    worth,
    state() {
      const { counts, scale } = worth()
      return own.state(counts, (action, i) => scale[action] * total(block(action) + i))
    },
  }
}
