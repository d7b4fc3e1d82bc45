import type { LearnerSpec } from '../kinds.ts'
import { packedSize, ridgeSolve } from '../math/ridge.ts'
import { addTo } from '../math/sum.ts'
import type { LearnerState } from './learner.ts'

/**
 * What a learner is made of, as sums over rows that add up: rows can be folded in parts, anywhere, and the parts merged. Per
 * action [n, Σw, Σw²], then for `mean` [Σwr], for `beta` [Σwr, Σw(1−r)], for `linear` [Σwrx (d), Σw x xᵀ (packed)].
 */
export interface Statistics {
  /** The plain sums of the rows that were added. */
  readonly sums: Float64Array
  /**
   * Adds a row; `weight` is positive, 1 for rows that all count alike, and has a factor h for one that stands for h decisions. A
   * RangeError for a reward that the learner cannot learn, with nothing changed.
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

/** How many numbers an action has. */
function widthOf(type: LearnerSpec['type'], dimension: number): number {
  switch (type) {
    case 'mean':
      return HEAD + 1
    case 'beta':
      return HEAD + 2
    case 'linear':
      return HEAD + dimension + packedSize(dimension)
    case 'fixed':
    case 'uniform':
      return HEAD
  }
}

export function createStatistics({ type }: LearnerSpec, actions: number, dimension: number): Statistics {
  const width = widthOf(type, dimension)
  const sums = new Float64Array(actions * width)
  return {
    sums,
    add(action, x, reward, weight) {
      let k = action * width
      if (type === 'beta' && !(reward >= 0 && reward <= 1)) {
        throw new RangeError(`beta: the reward ${reward} is not in [0, 1]`)
      }
      sums[k++]++
      sums[k++] += weight
      sums[k++] += weight * weight
      if (type === 'fixed' || type === 'uniform') return
      const weighted = weight * reward
      if (type !== 'linear') {
        sums[k++] += weighted
        if (type === 'beta') sums[k] += weight * (1 - reward)
        return
      }
      for (let i = 0; i < dimension; i++) sums[k++] += weighted * x[i]
      for (let i = 0; i < dimension; i++) {
        const wx = weight * x[i]
        for (let j = 0; j <= i; j++) sums[k++] += wx * x[j]
      }
    },
  }
}

export function mergeStatistics(spec: LearnerSpec, actions: number, dimension: number): MergedStatistics {
  const width = widthOf(spec.type, dimension)
  // Compensated sums take two places each.
  const sums = new Float64Array(2 * actions * width)
  const total = (action: number, i: number) => sums[2 * (action * width + i)] + sums[2 * (action * width + i) + 1]
  const each = (value: (action: number) => number) => Float64Array.from({ length: actions }, (_, a) => value(a))

  /** What a weight is multiplied by, so that an action's weights sum to its effective count: Σw/Σw². */
  const scale = (action: number) => (total(action, 2) === 0 ? 0 : total(action, 1) / total(action, 2))
  const effective = () => each(a => scale(a) * total(a, 1))
  const scaled = (i: number) => each(a => scale(a) * total(a, HEAD + i))

  return {
    merge(part) {
      for (let i = 0; i < part.length; i++) addTo(sums, 2 * i, part[i])
    },
    learnt: () => ({ rows: each(a => total(a, 0)), effective: effective() }),
    state(): LearnerState {
      const counts = effective()
      const count = counts.reduce((sum, n) => sum + n, 0)
      switch (spec.type) {
        case 'mean':
          return { counts: [...counts], sums: [...scaled(0)] }
        case 'beta':
          return { count, successes: [...scaled(0)], failures: [...scaled(1)] }
        case 'fixed':
        case 'uniform':
          return { counts: [count] }
        case 'linear':
          return { counts: [...counts], ...ridges(spec.l2) }
      }
    },
  }

  /** θ = A⁻¹ Σ r x and A⁻¹, with A = l2·I + Σ x xᵀ, by action. */
  function ridges(l2: number): { theta: number[]; inverse: number[] } {
    const size = packedSize(dimension)
    const theta = new Float64Array(actions * dimension)
    const inverse = new Float64Array(actions * size)
    const matrix = new Float64Array(size)
    for (const [a, c] of each(scale).entries()) {
      for (let i = 0; i < size; i++) matrix[i] = c * total(a, HEAD + dimension + i)
      for (let i = 0; i < dimension; i++) {
        matrix[packedSize(i) + i] += l2
        theta[a * dimension + i] = c * total(a, HEAD + i)
      }
      ridgeSolve(matrix, theta, a * dimension, inverse, a * size, dimension)
    }
    return { theta: [...theta], inverse: [...inverse] }
  }
}
