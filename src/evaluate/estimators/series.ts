/** What a candidate and the reward model say of the rows of a chunk: columns of at least `rows` numbers. */
export interface RowColumns {
  readonly rows: number
  /** w = π/p, the candidate's probability of the logged action over the logged propensity. */
  readonly weight: Float64Array
  /** π of the logged action. */
  readonly probability: Float64Array
  /** r */
  readonly reward: Float64Array
  /** v = Σₐ π(a) q(a); only with a reward model. */
  readonly value: Float64Array
  /** q of the logged action; only with a reward model. */
  readonly predicted: Float64Array
}

/** One number a row. */
export interface Series {
  /** Series of one key are the same numbers. */
  readonly key: string
  /** The numbers of a chunk: one of its columns, or `scratch`, filled. */
  of(columns: RowColumns, scratch: Float64Array): Float64Array
}

/** w */
export const weight: Series = { key: 'w', of: columns => columns.weight }

/** v */
export const value: Series = { key: 'v', of: columns => columns.value }

/** w·r */
export const weightedReward: Series = {
  key: 'wr',
  of({ rows, weight, reward }, out) {
    for (let i = 0; i < rows; i++) out[i] = weight[i] * reward[i]
    return out
  },
}

/** w·(r − q) */
export const weightedResidual: Series = {
  key: 'w(r-q)',
  of({ rows, weight, reward, predicted }, out) {
    for (let i = 0; i < rows; i++) out[i] = weight[i] * (reward[i] - predicted[i])
    return out
  },
}

/** v + w·(r − q) */
export const corrected: Series = {
  key: 'v+w(r-q)',
  of({ rows, weight, reward, value, predicted }, out) {
    for (let i = 0; i < rows; i++) out[i] = value[i] + weight[i] * (reward[i] - predicted[i])
    return out
  },
}
