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
  /** By key of such a weight (`marginalWeight`): π(e)/p(e) of what the logged action is by its features alone; where an estimator asks for it. */
  readonly marginal?: ReadonlyMap<string, Float64Array>
  /** Of lists, where an estimator asks for it: what their slots' actions add up to, in place of a weight (`lists/additive.ts`). */
  readonly additive?: Float64Array
  /** Of lists of actions whose features are known: how far those of a list are from each other (`lists/distance.ts`). */
  readonly diversity?: Float64Array
  /** Of lists: their slots, in order. Then the weight is that of the whole list, the reward the sum of its slots'. */
  readonly slots?: readonly SlotColumns[]
}

/**
 * What is known of one slot of the lists of a chunk. Where a list has ended above it, its reward is 0, and its weights are such that
 * their mean is still 1.
 */
export interface SlotColumns {
  /** ∏ π/p over the slots down to this one, each probability given what stands above. */
  readonly prefix: Float64Array
  /** P(the action at this slot), of the candidate over that of the log, whatever stands above; only where an estimator asks for it. */
  readonly placed: Float64Array
  /** r of this slot. */
  readonly reward: Float64Array
  /** What this slot and those below earn by the reward model: Σₐ π(a | above) Q(a), and Q of the logged action; only with a model. */
  readonly value: Float64Array
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

/** π(e)/p(e), e the values that these features of the logged action have. */
export function marginalWeight(by: readonly string[]): Series {
  const key = `w(${JSON.stringify(by)})`
  return {
    key,
    of({ marginal }) {
      const weights = marginal?.get(key)
      if (weights === undefined) throw new RangeError(`the weight ${key} was not asked for`)
      return weights
    },
  }
}

/** That, times r. */
export function marginalReward(by: readonly string[]): Series {
  const weight = marginalWeight(by)
  return {
    key: `${weight.key}r`,
    of(columns, out) {
      const w = weight.of(columns, out)
      for (let i = 0; i < columns.rows; i++) out[i] = w[i] * columns.reward[i]
      return out
    },
  }
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
