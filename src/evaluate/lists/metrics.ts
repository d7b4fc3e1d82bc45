import { log } from '../../math/elementary.ts'
import type { RowColumns, SlotColumns } from '../estimators/series.ts'
import { type Series, weight, weightedReward } from '../estimators/series.ts'
import type { ListEstimator } from './estimators/list-estimator.ts'

/** What a list is worth to whoever looks for something in it, between 0 and 1. */
interface Metric {
  readonly name: string
  /** Of row i. */
  of(slots: readonly SlotColumns[], i: number, columns: RowColumns): number
}

/** Was anything among the first k rewarded? */
const clicked = (k: number): Metric => ({
  name: `ctr@${k}`,
  of(slots, i) {
    for (let s = 0; s < k; s++) if (slots[s].reward[i] > 0) return 1
    return 0
  },
})

/** 1 / the place, from 1, of the first that was rewarded (Voorhees, "The TREC-8 question answering track report", 1999). */
const reciprocalRank: Metric = {
  name: 'mrr',
  of(slots, i) {
    for (let s = 0; s < slots.length; s++) if (slots[s].reward[i] > 0) return 1 / (s + 1)
    return 0
  },
}

/**
 * Σ r_k / log₂(k + 1), places from 1, over the same of the list's own rewards in their best order; 0 where there are none (Järvelin, Kekäläinen,
 * "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20, 2002).
 */
function discountedGain(slots: number): Metric {
  const discount = Float64Array.from({ length: slots }, (_, k) => log(2) / log(k + 2))
  const gains = new Float64Array(slots)
  const discounted = () => {
    let sum = 0
    for (let k = 0; k < slots; k++) sum += gains[k] * discount[k]
    return sum
  }
  return {
    name: `ndcg@${slots}`,
    of(columns, i) {
      for (let k = 0; k < slots; k++) gains[k] = Math.max(0, columns[k].reward[i])
      const own = discounted()
      if (own === 0) return 0
      gains.sort().reverse()
      return own / discounted()
    },
  }
}

/** How far are the actions of a list from each other? */
const diversity: Metric = {
  name: 'diversity',
  of: (_, i, { diversity: values }) => values?.[i] ?? Number.NaN,
}

/**
 * The share of so many actions that a candidate shows: the effective number 1 / Σ s² of those that it shows (Simpson, "Measurement of
 * diversity", Nature 163, 1949; Hill, Ecology 54, 1973), s the share of each in all slots, over all of them. 1 where all are shown alike. It
 * is of the whole log, and no mean of rows, so that it has no interval. `exposure`: Σ of prefixes' weights, by action.
 */
export function shownShare(exposure: Float64Array): number | null {
  let sum = 0
  let squares = 0
  for (let a = 0; a < exposure.length; a++) {
    sum += exposure[a]
    squares += exposure[a] * exposure[a]
  }
  return squares > 0 ? (sum * sum) / squares / exposure.length : null
}

/** The metrics of lists of so many slots, each as an estimator: Σ W · m / Σ W, W the weights of whole lists, since m is of a whole list. `distant`: of those whose actions' features are known. */
export function listMetrics(slots: number, distant: boolean): readonly ListEstimator[] {
  const metrics = [clicked(1), ...(slots === 1 ? [] : [clicked(slots)]), reciprocalRank, discountedGain(slots)]
  if (distant) metrics.push(diversity)
  return metrics.map(({ name, of }) => {
    const weighted: Series = {
      key: `w ${name}`,
      of(columns: RowColumns, out) {
        for (let i = 0; i < columns.rows; i++) out[i] = columns.weight[i] * of(columns.slots ?? [], i, columns)
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
