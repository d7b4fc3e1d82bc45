import type { AlgorithmSpec } from '../kinds.ts'
import { addTo } from '../math/sum.ts'
import { learnerOf, rewardsOf } from './algorithm.ts'
import { createBuckets, mergeBuckets } from './buckets.ts'
import { requireUnit } from './definition.ts'
import { forgettingOf, type Remembered } from './forgetting.ts'
import type { LearnerState, LearnerSums } from './learner.ts'

/**
 * What a learner is made of, as sums over rows that add up: rows can be folded in parts, anywhere, and the parts merged. Per
 * action [n, Σw, Σw²], then the learner's own (`LearnerSums`); those of a model that actions share stand once, at the end. Of a learner that
 * forgets, all that for each bucket of time, after its number (`Forgetting`).
 */
export interface Statistics {
  /** The plain sums of the rows that were added. */
  readonly sums: Float64Array
  /**
   * Adds a row, x being its action's; `weight` is positive, 1 for rows that all count alike, and has a factor h for one that stands for h decisions;
   * `time`, milliseconds since 1970, is for learners that forget. A RangeError for a reward that the algorithm cannot do with, with nothing changed.
   */
  add(action: number, x: Float64Array, reward: number, weight: number, time?: number): void
}

/** `until`, milliseconds since 1970, is when a learner that forgets looks back; by default from the last row on. */
export interface MergedStatistics {
  /** Adds the sums of a part, with compensation. */
  merge(part: Float64Array): void
  /**
   * By action: its rows, and how many rows of equal weight they are worth, (Σw)²/Σw² (Kish, "Survey Sampling", 1965, section
   * 11.7): n where all weights are equal. Rows of a learner that forgets are those that it remembers, and worth less the older they are.
   */
  learnt(until?: number): { readonly rows: Float64Array; readonly effective: Float64Array }
  /** The same as `learnt().effective`, and what weights are multiplied by to come to that: both by action. */
  worth(until?: number): { readonly counts: Float64Array; readonly scale: Float64Array }
  /** The state for `Learner.restore`, where every action counts as many rewards as its rows are worth. */
  state(until?: number): LearnerState
  /** Which buckets count; undefined of a learner that remembers all. */
  remembered(until?: number): Remembered | undefined
}

const HEAD = 3

/** Where things stand among the sums. */
function layoutOf(own: LearnerSums, actions: number) {
  const { width, shared = 0 } = own
  const stride = HEAD + width
  return {
    length: actions * stride + shared,
    head: (action: number) => action * stride,
    block: (action: number) => action * stride + HEAD,
    shared: actions * stride,
  }
}

/** `dimension` and `ownPart`: of the features, as `LearnerDefinition.create` has `own`. */
export function createStatistics(
  algorithm: AlgorithmSpec,
  actions: number,
  dimension: number,
  ownPart?: number,
): Statistics {
  const { learner } = algorithm
  const own = learnerOf(learner).sums(learner, actions, dimension, ownPart)
  const { length, head, block, shared } = layoutOf(own, actions)
  const { rewards, of } = rewardsOf(algorithm)
  const unit = rewards === 'unit'
  const forgetting = forgettingOf(learner)
  const buckets = forgetting && createBuckets(forgetting, length)
  const always = new Float64Array(length)
  return {
    get sums() {
      return buckets?.flat() ?? always
    },
    add(action, x, reward, weight, time = Number.NaN) {
      if (unit) requireUnit(of, reward)
      const sums = buckets === undefined ? always : buckets.at(time)
      if (sums === undefined) return
      const k = head(action)
      sums[k]++
      sums[k + 1] += weight
      sums[k + 2] += weight * weight
      own.add(sums, block(action), x, reward, weight, shared)
    },
  }
}

export function mergeStatistics(
  { learner }: AlgorithmSpec,
  actions: number,
  dimension: number,
  ownPart?: number,
): MergedStatistics {
  const own = learnerOf(learner).sums(learner, actions, dimension, ownPart)
  const layout = layoutOf(own, actions)
  const { length, head } = layout
  const forgetting = forgettingOf(learner)
  if (forgetting !== undefined) {
    const heads = new Set(Array.from({ length: actions }, (_, a) => head(a)))
    const buckets = mergeBuckets(forgetting, length, i => heads.has(i))
    return {
      merge: buckets.merge,
      learnt: until => conclude(own, actions, buckets.total(until)).learnt(),
      worth: until => conclude(own, actions, buckets.total(until)).worth(),
      state: until => conclude(own, actions, buckets.total(until)).state(),
      remembered: buckets.remembered,
    }
  }
  // Compensated sums take two places each.
  const sums = new Float64Array(2 * length)
  const conclusion = conclude(own, actions, i => sums[2 * i] + sums[2 * i + 1])
  return {
    merge(part) {
      for (let i = 0; i < part.length; i++) addTo(sums, 2 * i, part[i])
    },
    ...conclusion,
    remembered: () => undefined,
  }
}

/** What the sums of all rows come to; `total` is the i-th of them. */
function conclude(
  own: LearnerSums,
  actions: number,
  total: (i: number) => number,
): Pick<MergedStatistics, 'learnt' | 'state' | 'worth'> {
  const { head, block, shared } = layoutOf(own, actions)
  const each = (value: (action: number) => number) => Float64Array.from({ length: actions }, (_, a) => value(a))

  /** What weights are multiplied by, so that those of a model sum to its effective count, Σw/Σw²: by action, or the same for all that share one. */
  function scales(): Float64Array {
    const ratio = (weights: number, squares: number) => (squares === 0 ? 0 : weights / squares)
    if (own.shared === undefined) return each(a => ratio(total(head(a) + 1), total(head(a) + 2)))
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
    learnt: () => ({ rows: each(a => total(head(a))), effective: effective(scales()) }),
    worth,
    state() {
      const { counts, scale } = worth()
      return own.state(
        counts,
        (action, i) => scale[action] * total(block(action) + i),
        i => scale[0] * total(shared + i),
      )
    },
  }
}
