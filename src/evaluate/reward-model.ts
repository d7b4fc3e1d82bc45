import type { LogSums } from './weights/log-sums.ts'
import { totalAt } from './weights/log-sums.ts'
import { cellsBy, type Strata } from './weights/strata.ts'

/**
 * A tabular reward model: q = (Σhr + p · r̄) / (Σh + p) by cell, or by cell × action, of rows that stand for h decisions each.
 * p = prior · Σh²/Σh: the prior's rows weigh what the cell's own do, so that it gives way to rows, (Σh)²/Σh² of them, and not to
 * what they stand for. With cross-fitting a row of fold g meets a table of the rows of all other folds, their mean reward r̄
 * included. Where there is no row and no prior, q = r̄.
 */
export interface TabularModel {
  readonly byAction: boolean
  /** Stratum → index of the model's cell: strata that differ only in what the model ignores share one. */
  readonly cellOf: Int32Array
  readonly cells: number
  /** By fold × cell × action: Σh and Σhr of the rows that the table of that fold was made from, and p. */
  readonly count: Float64Array
  readonly reward: Float64Array
  readonly prior: Float64Array
  /** By fold: Σh and mean reward of the rows that its table was made from. */
  readonly total: Float64Array
  readonly mean: Float64Array
  /** By stratum × action. */
  readonly q: Float64Array
}

/** `keys` are the model's columns, a subset of the strata's. */
export function fitTabular(
  log: LogSums,
  strata: Strata,
  keys: readonly string[],
  byAction: boolean,
  prior: number,
): TabularModel {
  const { actions } = log
  const { folds } = strata
  const count = strata.count()
  const { cellOf, cells } = cellsBy(strata, keys)
  const model: TabularModel = {
    byAction,
    cellOf,
    cells,
    count: new Float64Array(folds * cells * actions),
    reward: new Float64Array(folds * cells * actions),
    prior: new Float64Array(folds * cells * actions),
    total: new Float64Array(folds),
    mean: new Float64Array(folds),
    q: new Float64Array(count * actions),
  }
  const excess = new Float64Array(folds * cells * actions)
  for (let fold = 0; fold < folds; fold++) {
    let total = 0
    for (let stratum = 0; stratum < count; stratum++) {
      if (!trainsOn(folds, fold, stratum % folds)) continue
      for (let a = 0; a < actions; a++) {
        const n = log.count[stratum * actions + a]
        const e = log.countExcess[stratum * actions + a]
        const r = totalAt(log.reward, 2 * (stratum * actions + a))
        const first = (fold * cells + cellOf[stratum]) * actions
        for (let b = byAction ? a : 0; b < (byAction ? a + 1 : actions); b++) {
          model.count[first + b] += n
          excess[first + b] += e
          model.reward[first + b] += r
        }
        model.total[fold] += n
        total += r
      }
    }
    model.mean[fold] = model.total[fold] > 0 ? total / model.total[fold] : 0
  }
  for (let at = 0; at < excess.length; at++) {
    model.prior[at] = model.count[at] > 0 ? prior * (1 + excess[at] / model.count[at]) : prior
  }
  for (let stratum = 0; stratum < count; stratum++) {
    const fold = stratum % folds
    for (let a = 0; a < actions; a++) {
      const at = (fold * cells + cellOf[stratum]) * actions + a
      const p = model.prior[at]
      const n = model.count[at] + p
      model.q[stratum * actions + a] = n > 0 ? (model.reward[at] + p * model.mean[fold]) / n : model.mean[fold]
    }
  }
  return model
}

/** Was the table that rows of fold `fold` meet made from rows of fold `other`? */
export function trainsOn(folds: number, fold: number, other: number): boolean {
  return folds === 1 || fold !== other
}
