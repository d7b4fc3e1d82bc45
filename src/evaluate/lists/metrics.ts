import { log } from '../../math/elementary.ts'
import type { RowColumns, SlotColumns } from '../estimators/series.ts'
import { type Series, weight, weightedReward } from '../estimators/series.ts'
import type { ListEstimator } from './estimators/list-estimator.ts'

/** What a list is worth to whoever looks for something in it, between 0 and 1. */
interface Metric {
  readonly name: string
  /** Of row i. */
  of(slots: readonly SlotColumns[], i: number): number
}

/** Was anything among the first k rewarded? */
const clicked = (k: number): Metric => ({
  name: `ctr@${k}`,
  of: (slots, i) => Number(slots.slice(0, k).some(({ reward }) => reward[i] > 0)),
})

/** 1 / the place, from 1, of the first that was rewarded (Voorhees, "The TREC-8 question answering track report", 1999). */
const reciprocalRank: Metric = {
  name: 'mrr',
  of(slots, i) {
    const first = slots.findIndex(({ reward }) => reward[i] > 0)
    return first < 0 ? 0 : 1 / (first + 1)
  },
}

/**
 * Σ r_k / log₂(k + 1), places from 1, over the same of the list's own rewards in their best order; 0 where there are none (Järvelin, Kekäläinen,
 * "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20, 2002).
 */
const discountedGain = (slots: number): Metric => ({
  name: `ndcg@${slots}`,
  of(columns, i) {
    const gains = columns.map(({ reward }) => Math.max(0, reward[i]))
    const best = discounted([...gains].sort((a, b) => b - a))
    return best === 0 ? 0 : discounted(gains) / best
  },
})

const discounted = (gains: readonly number[]) => gains.reduce((sum, gain, k) => sum + (gain * log(2)) / log(k + 2), 0)

/** The metrics of lists of so many slots, each as an estimator: Σ W · m / Σ W, W the weights of whole lists, since m is of a whole list. */
export function listMetrics(slots: number): readonly ListEstimator[] {
  const metrics = [clicked(1), ...(slots === 1 ? [] : [clicked(slots)]), reciprocalRank, discountedGain(slots)]
  return metrics.map(({ name, of }) => {
    const weighted: Series = {
      key: `w ${name}`,
      of(columns: RowColumns, out) {
        for (let i = 0; i < columns.rows; i++) out[i] = columns.weight[i] * of(columns.slots ?? [], i)
        return out
      },
    }
    return {
      name,
      ratios: [{ over: weighted, under: weight }],
      constrained: weighted,
      extreme: weightedReward,
      weights: [weight],
    }
  })
}
