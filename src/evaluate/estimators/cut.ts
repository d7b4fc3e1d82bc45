import type { Estimator } from './estimator.ts'
import type { RowColumns, Series } from './series.ts'

/** What an estimator leaves of the weights of a chunk, written into `out`; the rest is left to the reward model. */
export type Cut = (columns: RowColumns, out: Float64Array) => void

/** mean(v + c·(r − q)), where c is what is left of w. `kept`: how series call it. */
export function cutDoublyRobust(name: string, kept: string, lambda: number, cut: Cut): Estimator {
  const series: Series = {
    key: `v+${kept}(r-q)`,
    of(columns, out) {
      const { rows, reward, value, predicted } = columns
      cut(columns, out)
      for (let i = 0; i < rows; i++) out[i] = value[i] + out[i] * (reward[i] - predicted[i])
      return out
    },
  }
  const rest: Series = {
    key: `w-${kept}`,
    of(columns, out) {
      const { rows, weight } = columns
      cut(columns, out)
      for (let i = 0; i < rows; i++) out[i] = weight[i] - out[i]
      return out
    },
  }
  const bias = `what its reward model misses where weights exceed ${lambda}`
  return { name, mean: series, constrained: series, modelled: rest, bias }
}
