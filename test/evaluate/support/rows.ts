import { conclude } from '../../../src/evaluate/conclude.ts'
import { seriesOfEstimator } from '../../../src/evaluate/estimators/estimator.ts'
import { createEstimator } from '../../../src/evaluate/estimators/estimators.ts'
import { value } from '../../../src/evaluate/estimators/series.ts'
import { createFrame, seriesOf } from '../../../src/evaluate/influence.ts'
import { directStandardErrors } from '../../../src/evaluate/model-variance.ts'
import { fitTabular } from '../../../src/evaluate/reward-model.ts'
import { measureCoverage } from '../../../src/evaluate/verdicts/support.ts'
import { judge } from '../../../src/evaluate/verdicts/verdict.ts'
import { addChunk, createCandidateRun } from '../../../src/evaluate/weights/candidate-run.ts'
import { createGroups } from '../../../src/evaluate/weights/groups.ts'
import { addLog, createLogSums, meanReward } from '../../../src/evaluate/weights/log-sums.ts'
import { createStrata } from '../../../src/evaluate/weights/strata.ts'
import { candidateSeries } from '../../../src/evaluate/weights/sums.ts'
import { measureUnits } from '../../../src/evaluate/weights/units.ts'
import type { EstimatorSpec, EvaluationSpec } from '../../../src/kinds.ts'
import type { DecisionLog } from '../../../src/log/rows/decision-log.ts'
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
  readonly estimators?: readonly EstimatorSpec[]
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
  const strata = createStrata('x', ['x'], { type: 'tabular', by: ['action', 'x'], prior, crossFit })
  const stratum = new Int32Array(chunkRows)
  const sums = createLogSums(ACTIONS)
  const groupsOf = createGroups()
  for (const { log, contexts } of chunks) {
    const groups = groupsOf(log, undefined)
    strata.assign(log, [contexts], groups, stratum)
    addLog(sums, log, groups, stratum, strata.count())
  }
  const model = fitTabular(sums, strata, ['x'], true, prior)

  const used = estimators.map(createEstimator)
  const series = candidateSeries(used.flatMap(seriesOfEstimator))
  const run = createCandidateRun(
    candidate === undefined
      ? { kind: 'logging' }
      : { kind: 'cells', keys: ['x'], distribution: ([x]) => Float64Array.from(candidate[Number(x)]) },
    ACTIONS,
    series,
  )
  for (const { log, contexts } of chunks) {
    const groups = groupsOf(log, undefined)
    strata.assign(log, [contexts], groups, stratum)
    const facts = { groups, stratum, strata: strata.count(), model, eligible: undefined, propensities: undefined }
    addChunk(run, log, [contexts], facts)
  }
  const logging = candidate === undefined
  const units = measureUnits(sums, undefined)
  const frame = createFrame(sums)
  const of = seriesOf(frame, run.sums(sums).totals, series)
  const coverage = measureCoverage({
    log: sums,
    sums: run.sums(sums),
    of,
    units,
    strata,
    logging,
    everyPropensity: false,
    emptyByChance: () => false,
  })
  const direct =
    logging || !series.includes(value)
      ? undefined
      : directStandardErrors(sums, model, run.sums(sums), folds, of.mean(value).value)
  const judgement = judge(coverage, units)
  const facts = { log: sums, frame, units, rewards: { lower: 0, upper: 1 }, method }
  const { candidates } = conclude(
    [{ name: 'it', learntFrom: 'nothing', logging, of, coverage, direct, judgement }],
    used,
    0.95,
    facts,
    true,
  )
  return { ...judgement, coverage, q: model.q, meanReward: meanReward(sums), estimates: candidates[0].estimates }
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
