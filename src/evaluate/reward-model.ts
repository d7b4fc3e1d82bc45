import type { LogSums } from './log-sums.ts'
import { totalAt } from './log-sums.ts'
import type { Strata } from './strata.ts'

/**
 * A tabular reward model: q = (Σr + prior · r̄) / (n + prior) by cell, or by cell × action. With cross-fitting a row of fold
 * g meets a table of the rows of all other folds, their mean reward r̄ included. Where there is no row and no prior, q = r̄.
 */
export interface TabularModel {
  readonly byAction: boolean
  readonly prior: number
  /** Stratum → index of the model's cell: strata that differ only in what the model ignores share one. */
  readonly cellOf: Int32Array
  readonly cells: number
  /** By fold × cell × action: rows and rewards that the table of that fold was made from. */
  readonly count: Float64Array
  readonly reward: Float64Array
  /** By fold: rows and mean reward that its table was made from. */
  readonly rows: Float64Array
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
  const places = keys.map(key => strata.keys.indexOf(key))
  const cellIndex = new Map<string, number>()
  const cellOf = Int32Array.from({ length: count }, (_, stratum) => {
    const values = strata.cells.keys(Math.floor(stratum / folds))
    const name = JSON.stringify(places.map(place => values[place]))
    const cell = cellIndex.get(name) ?? cellIndex.size
    cellIndex.set(name, cell)
    return cell
  })
  const cells = cellIndex.size
  const model: TabularModel = {
    byAction,
    prior,
    cellOf,
    cells,
    count: new Float64Array(folds * cells * actions),
    reward: new Float64Array(folds * cells * actions),
    rows: new Float64Array(folds),
    mean: new Float64Array(folds),
    q: new Float64Array(count * actions),
  }
  for (let fold = 0; fold < folds; fold++) {
    let total = 0
    for (let stratum = 0; stratum < count; stratum++) {
      if (!trainsOn(folds, fold, stratum % folds)) continue
      for (let a = 0; a < actions; a++) {
        const n = log.count[stratum * actions + a]
        const r = totalAt(log.reward, 2 * (stratum * actions + a))
        const first = (fold * cells + cellOf[stratum]) * actions
        for (let b = byAction ? a : 0; b < (byAction ? a + 1 : actions); b++) {
          model.count[first + b] += n
          model.reward[first + b] += r
        }
        model.rows[fold] += n
        total += r
      }
    }
    model.mean[fold] = model.rows[fold] > 0 ? total / model.rows[fold] : 0
  }
  for (let stratum = 0; stratum < count; stratum++) {
    const fold = stratum % folds
    for (let a = 0; a < actions; a++) {
      const at = (fold * cells + cellOf[stratum]) * actions + a
      const n = model.count[at] + prior
      model.q[stratum * actions + a] = n > 0 ? (model.reward[at] + prior * model.mean[fold]) / n : model.mean[fold]
    }
  }
  return model
}

/** Was the table that rows of fold `fold` meet made from rows of fold `other`? */
export function trainsOn(folds: number, fold: number, other: number): boolean {
  return folds === 1 || fold !== other
}
