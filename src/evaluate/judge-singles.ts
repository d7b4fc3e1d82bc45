import { DapError } from '../errors.ts'
import type { RewardModelSpec } from '../kinds.ts'
import { singleReader } from '../log/rows/list-reader.ts'
import type { Column, NumberColumn } from '../log/tables.ts'
import { actionColumns } from './candidates/columns.ts'
import type { Summed } from './conclude.ts'
import { candidateColumns, createCandidate } from './create-candidates.ts'
import { seriesOfEstimator } from './estimators/estimator.ts'
import { createEstimator, estimatorType } from './estimators/estimators.ts'
import { value as modelValue } from './estimators/series.ts'
import type { EvaluationPlan } from './evaluation-plan.ts'
import { seriesOf } from './influence.ts'
import { asking, type Judging, type JudgingParts } from './judging.ts'
import { createLogRun } from './log-run.ts'
import { directStandardErrors } from './model-variance.ts'
import { fitTabular, type TabularModel } from './reward-model.ts'
import { rewardRange } from './reward-range.ts'
import { capped } from './verdicts/learnt.ts'
import { measureCoverage } from './verdicts/support.ts'
import { both, judge, judgeModelled } from './verdicts/verdict.ts'
import { type ChunkFacts, createCandidateRun } from './weights/candidate-run.ts'
import { createStrata } from './weights/strata.ts'
import { candidateSeries } from './weights/sums.ts'

/** Candidates on decisions for one action. */
export function judgeSingles({ plan, parts, space, columns, requests, unknown, originOf }: JudgingParts): Judging {
  const { spec, dataset } = plan
  const modelSpec = neededModel(plan, unknown)
  const estimators = spec.estimators.map(createEstimator)
  const tabular = modelSpec?.type === 'tabular' ? modelSpec : undefined
  const modelKeys = (tabular?.by ?? []).filter(name => name !== 'action').map(columns.resolve)
  if (tabular?.crossFit.by === 'unit' && columns.unit === undefined) {
    throw new DapError('cross-fitting by unit needs `spec.mapping.unit` in the Dataset')
  }
  const strata = createStrata(columns.slot, modelKeys, modelSpec)
  const strataPlaces = strata.columns.map(requests.add)
  const modelPlaces = modelSpec?.type === 'columns' ? actionColumns(space, modelSpec.columns).map(requests.add) : []
  const ofLog = createLogRun(columns, space, strata, requests)
  const log = ofLog.sums
  const series = candidateSeries(estimators.flatMap(seriesOfEstimator))
  const candidates = spec.candidates.map(candidateSpec => {
    const candidate = createCandidate(candidateSpec, parts, space, columns)
    const places = candidateColumns(candidate).map(requests.add)
    return { name: candidateSpec.name, candidate, places, run: createCandidateRun(candidate, space.ids.length, series) }
  })
  if (columns.decision !== undefined) requests.add(singleReader(columns.decision.list))
  let model: TabularModel | undefined

  return {
    ...asking(
      candidates.map(({ name, candidate, places }) => ({
        who: `candidate \`${name}\``,
        model: candidate.kind === 'rows' ? candidate.model : undefined,
        places,
      })),
    ),
    estimators,
    ofLog,
    strata,
    strataPlaces,
    learns: tabular !== undefined,
    rowsOf: chunk => chunk,
    learn: () => {},
    fit() {
      if (tabular) model = fitTabular(log, strata, modelKeys, tabular.by.includes('action'), tabular.prior)
    },
    add(chunk, groups, stratum) {
      const facts: ChunkFacts = {
        groups,
        stratum,
        strata: strata.count(),
        model: model
          ? { q: model.q }
          : modelSpec
            ? { columns: pick(chunk.columns, modelPlaces).map(column => (column as NumberColumn).values) }
            : undefined,
        ...ofLog.factsOf(chunk),
      }
      for (const { run, places } of candidates) run.add(chunk, pick(chunk.columns, places), facts)
    },
    rewards: () => rewardRange(dataset.spec, log),
    summed: ({ frame }, { units, emptyByChance }, overall) =>
      candidates.map(({ name, candidate, run }): Summed => {
        const logging = candidate.kind === 'logging'
        const origin = originOf(name)
        const sums = run.sums(log)
        const of = seriesOf(frame, sums.totals, series)
        const { everyPropensity } = ofLog
        const coverage = measureCoverage({ log, sums, of, units, strata, logging, everyPropensity, emptyByChance })
        const direct =
          model && !logging && estimators.some(({ modelled }) => modelled !== undefined)
            ? directStandardErrors(log, model, sums, strata.folds, of.mean(modelValue).value)
            : undefined
        const own = unknown ? judgeModelled(coverage, units, logging) : judge(coverage, units)
        const judgement = capped(both(own, overall), origin)
        return { name, learntFrom: origin.from, logging, of, coverage, direct, judgement }
      }),
  }
}

/** The reward model that the estimators use, if any; a DapError where one of them lacks what it needs. */
function neededModel({ spec, dataset }: EvaluationPlan, unknown: boolean): RewardModelSpec | undefined {
  const types = spec.estimators.map(estimatorType)
  const weighing = types.find(type => type.propensities)
  if (unknown && weighing !== undefined) {
    throw new DapError(
      `the estimator \`${weighing.type}\` needs propensities, and Dataset \`${dataset.name}\` has none`,
      { hint: 'with `spec.propensity: unknown` the only estimator is `dm`' },
    )
  }
  const modelled = types.find(type => type.model)
  if (modelled === undefined) return undefined
  if (spec.rewardModel === undefined) {
    throw new DapError(`the estimator \`${modelled.type}\` needs \`spec.rewardModel\``)
  }
  return spec.rewardModel
}

/** The columns of a chunk at these places. */
function pick(columns: readonly Column[], places: readonly number[]): readonly Column[] {
  return places.map(place => columns[place])
}
