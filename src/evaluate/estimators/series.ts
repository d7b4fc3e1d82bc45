import type { Series } from './estimator.ts'

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
