import { createCandidateRun } from '../../../src/evaluate/candidate-run.ts'
import { estimate } from '../../../src/evaluate/estimates.ts'
import { addLog, createLogSums, meanReward } from '../../../src/evaluate/log-sums.ts'
import { directStandardErrors } from '../../../src/evaluate/model-variance.ts'
import { fitTabular } from '../../../src/evaluate/reward-model.ts'
import { createStrata } from '../../../src/evaluate/strata.ts'
import { measureCoverage } from '../../../src/evaluate/support.ts'
import { judge } from '../../../src/evaluate/verdict.ts'
import type { EstimatorName, EvaluationSpec } from '../../../src/kinds.ts'
import type { DecisionLog } from '../../../src/log/decision-log.ts'
import type { KeyColumn } from '../../../src/log/tables.ts'

/** A row of a log; `h` is how many decisions it stands for. */
export interface Row {
  readonly x: number
  readonly action: number
  readonly propensity: number
  readonly reward: number
  readonly h: number
}

export interface RowsOptions {
  /** Probabilities by context and action; absent: the policy that made the log. */
  readonly candidate?: readonly (readonly number[])[]
  readonly estimators?: readonly EstimatorName[]
  readonly method?: EvaluationSpec['interval']['method']
  readonly prior?: number
  readonly folds?: number
  /** Forget what rows stand for. */
  readonly ignored?: boolean
  /** Default: all rows are one chunk. */
  readonly chunkRows?: number
}

const ACTIONS = 3

/** An evaluation of rows, without files: contexts below 20, actions below 3, rewards in [0, 1]. */
export function evaluateRows(rows: readonly Row[], options: RowsOptions = {}) {
  const { candidate, estimators = ['ips', 'snips', 'dm', 'dr'], method = 'gaussian' } = options
  const { prior = 0, folds = 1, ignored = false, chunkRows = rows.length } = options
  const chunks = Array.from({ length: Math.ceil(rows.length / chunkRows) }, (_, i) =>
    chunkOf(rows.slice(i * chunkRows, (i + 1) * chunkRows), i * chunkRows, ignored),
  )
  const crossFit = { folds, by: 'row' } as const
  const strata = createStrata('x', undefined, ['x'], { type: 'tabular', by: ['action', 'x'], prior, crossFit })
  const stratum = new Int32Array(chunkRows)
  const sums = createLogSums(ACTIONS)
  for (const { log, contexts } of chunks) {
    strata.assign(log, [contexts], stratum)
    addLog(sums, log, stratum, strata.count())
  }
  const model = fitTabular(sums, strata, ['x'], true, prior)

  const run = createCandidateRun(
    candidate === undefined
      ? { kind: 'logging' }
      : { kind: 'cells', keys: ['x'], distribution: ([x]) => Float64Array.from(candidate[Number(x)]) },
    ACTIONS,
  )
  for (const { log, contexts } of chunks) {
    strata.assign(log, [contexts], stratum)
    run.add(log, [contexts], { stratum, strata: strata.count(), model, propensities: undefined })
  }
  const logging = candidate === undefined
  const coverage = measureCoverage(run.sums(), sums, strata, logging, false)
  const direct = logging ? undefined : directStandardErrors(sums, model, run.sums(), folds)
  const interval = { method, level: 0.95 }
  const input = { log: sums, sums: run.sums(), coverage, rewards: { lower: 0, upper: 1 }, interval, logging, direct }
  return {
    ...judge(coverage),
    coverage,
    q: model.q,
    meanReward: meanReward(sums),
    estimates: estimators.map(estimator => estimate(estimator, input)),
  }
}

const CONTEXTS = Array.from({ length: 20 }, (_, x) => String(x))

function chunkOf(rows: readonly Row[], start: number, ignored: boolean): { log: DecisionLog; contexts: KeyColumn } {
  const numbers = (field: keyof Row) => Float64Array.from(rows, row => row[field])
  return {
    log: {
      rows: rows.length,
      row: Float64Array.from(rows, (_, i) => start + i),
      action: Int32Array.from(rows, row => row.action),
      propensity: numbers('propensity'),
      reward: numbers('reward'),
      standsFor: ignored || rows.every(row => row.h === 1) ? undefined : numbers('h'),
      columns: [],
    },
    contexts: { type: 'key', codes: Int32Array.from(rows, row => row.x), dictionary: CONTEXTS },
  }
}
