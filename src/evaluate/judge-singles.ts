import { DapError } from '../errors.ts'
import type { RewardModelSpec } from '../kinds.ts'
import type { DecisionLog } from '../log/rows/decision-log.ts'
import { singleReader } from '../log/rows/list-reader.ts'
import type { Column, NumberColumn } from '../log/tables.ts'
import { listed } from '../policy/pool.ts'
import { actionColumns } from './candidates/columns.ts'
import type { Summed } from './conclude.ts'
import { candidateColumns, createCandidate } from './create-candidates.ts'
import { createEmbedding } from './embedding.ts'
import { type Estimator, seriesOfEstimator } from './estimators/estimator.ts'
import { createEstimator, estimatorType } from './estimators/estimators.ts'
import { value as modelValue } from './estimators/series.ts'
import type { EvaluationPlan } from './evaluation-plan.ts'
import { seriesOf } from './influence.ts'
import { asking, type Judging, type JudgingParts } from './judging.ts'
import { createLogRun } from './log-run.ts'
import { createModelRewards } from './model-rewards.ts'
import { directStandardErrors } from './model-variance.ts'
import { fitTabular, type TabularModel } from './reward-model.ts'
import { rewardRange } from './reward-range.ts'
import { capped } from './verdicts/learnt.ts'
import { measureCoverage, weightCoverage } from './verdicts/support.ts'
import { both, judge, judgeModelled } from './verdicts/verdict.ts'
import { type ChunkFacts, createCandidateRun, type OpenChunk } from './weights/candidate-run.ts'
import { decisionCount, type LogSums } from './weights/log-sums.ts'
import { createMarginalRun } from './weights/marginal-run.ts'
import { arePaired, createPairs } from './weights/pairs.ts'
import { createStrata } from './weights/strata.ts'
import { candidateSeries } from './weights/sums.ts'

/** Candidates on decisions for one action. */
export function judgeSingles({ plan, parts, space, columns, requests, unknown, originOf }: JudgingParts): Judging {
  const { spec, dataset } = plan
  const modelSpec = neededModel(plan, unknown)
  const actions = space.ids.length
  const estimators = spec.estimators.map(createEstimator)
  const tabular = modelSpec?.type === 'tabular' ? modelSpec : undefined
  const modelKeys = (tabular?.by ?? []).filter(name => name !== 'action').map(columns.resolve)
  if (tabular?.crossFit.by === 'unit' && columns.unit === undefined) {
    throw new DapError('cross-fitting by unit needs `spec.mapping.unit` in the Dataset')
  }
  const strata = createStrata(columns.slot, modelKeys, modelSpec)
  const strataPlaces = strata.columns.map(requests.add)
  const modelPlaces = modelSpec?.type === 'columns' ? actionColumns(space, modelSpec.columns).map(requests.add) : []
  const scored =
    plan.rewardModel && modelSpec?.type === 'model'
      ? createModelRewards(plan.rewardModel, dataset, space, columns, plan.openRuntime)
      : undefined
  const scoredAt = scored && requests.add(scored.reader)
  const ofLog = createLogRun(columns, space, strata, requests)
  const log = ofLog.sums
  const series = candidateSeries(estimators.flatMap(seriesOfEstimator))
  const embeddings = embeddingsOf(estimators).map(({ key, by }) => {
    if (!ofLog.everyPropensity) throw onlyTaken(dataset.name)
    const entries = [...(dataset.policyActions ?? []), ...actionsOf(parts.policies)]
    const embedding = createEmbedding(by, space, columns, entries)
    return { key, embedding, places: embedding.columns.map(requests.add) }
  })
  const candidates = spec.candidates.map(candidateSpec => {
    const candidate = createCandidate(candidateSpec, parts, space, columns)
    const places = candidateColumns(candidate).map(requests.add)
    const marginals = candidate.kind === 'logging' ? [] : embeddings.map(({ key }) => createMarginalRun(key, actions))
    const run = createCandidateRun(candidate, actions, series, marginals)
    return { name: candidateSpec.name, candidate, places, run, marginals }
  })
  /** Of the candidates that did not make the log, by their places among themselves. */
  const others = candidates.filter(({ candidate }) => candidate.kind !== 'logging')
  const placeOf = candidates.map(each => others.indexOf(each))
  const judgedOf = <T>(all: readonly T[]) => all.filter((_, i) => placeOf[i] >= 0)
  const paired = arePaired(others.length, actions)
  const pairs = createPairs(others.length, 1)
  const weights = others.map(() => new Float64Array(actions))

  /** Has every row looked at, and what candidates would weigh, action by action, held side by side. */
  function lookOn({ rows }: DecisionLog, opened: readonly OpenChunk[], { propensities }: ChunkFacts): void {
    const judged = judgedOf(opened)
    for (let i = 0; i < rows; i++) {
      for (let c = 0; c < judged.length; c++) {
        const pi = judged[c].vector(i)
        if (paired) weigh(pi, propensities, i * actions, weights[c])
      }
      if (paired) pairs.compare(0, weights, 0, actions)
    }
  }

  if (columns.decision !== undefined) requests.add(singleReader(columns.decision.list))
  let model: TabularModel | undefined

  function predictionsOf({ columns }: DecisionLog): ChunkFacts['model'] {
    if (model !== undefined) return { q: model.q }
    if (scored !== undefined && scoredAt !== undefined) return { columns: scored.predictions(columns[scoredAt]) }
    if (modelSpec === undefined) return undefined
    return { columns: pick(columns, modelPlaces).map(column => (column as NumberColumn).values) }
  }

  return {
    ...asking([
      { who: 'reward model', model: scored?.model, places: scoredAt === undefined ? [] : [scoredAt] },
      ...candidates.map(({ name, candidate, places }) => ({
        who: `candidate \`${name}\``,
        model: candidate.kind === 'rows' ? candidate.model : undefined,
        places,
      })),
    ]),
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
        model: predictionsOf(chunk),
        ...ofLog.factsOf(chunk),
        groupsOfActions: embeddings.map(({ embedding, places }) => embedding.bind(pick(chunk.columns, places))),
      }
      const opened = candidates.map(({ run, places }) => run.open(chunk, pick(chunk.columns, places), facts))
      lookOn(chunk, opened, facts)
      for (const { close } of opened) close()
      if (paired && modelSpec !== undefined)
        pairs.compareValues(
          judgedOf(opened).map(({ value }) => value),
          chunk.rows,
        )
    },
    apart(a, b, { by }) {
      const [one, other] = [placeOf[a], placeOf[b]]
      if (!paired || one < 0 || other < 0) return undefined
      // What the log could not take at all is in no difference of weights, but in a group of actions it is.
      const hidden =
        by !== undefined && [a, b].some(i => candidates[i].marginals.some(({ sums }) => sums.unsupported > 0))
      if (hidden) return undefined
      const least = ofLog.everyPropensity ? 1 : leastPropensity(log)
      const gap = (c: number, d: number) => pairs.gap(0, c, d) / least
      return { weights: { lower: -gap(other, one), upper: gap(one, other) }, values: pairs.values(one, other) }
    },
    rewards() {
      const { note, ...range } = rewardRange(dataset.spec, log)
      return { ...range, notes: note === undefined ? [] : [note] }
    },
    summed: ({ frame }, { units, emptyByChance }, overall) =>
      candidates.map(({ name, candidate, run, marginals }): Summed => {
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
        const modelled = logging || scored === undefined ? overall : both(overall, scored.judgement)
        const found = { name, learntFrom: origin.from, logging, of, coverage, direct }
        if (marginals.length === 0) return { ...found, judgement: capped(both(own, modelled), origin) }
        const known = new Map(
          marginals.map(({ key, sums: each }) => {
            const at = series.findIndex(one => one.key === key)
            const weights = { byUnit: sums.totals[at].unit, mean: of.mean(series[at]), log, units }
            const unsupported = each.unsupported / decisionCount(log) + coverage.ineligibleMass
            const reach = { unsupported, possible: each.possible }
            return [key, { ...coverage, ...weightCoverage(each.weights, weights, reach) }]
          }),
        )
        const coverageOf = ({ weight }: Estimator) => known.get(weight?.key ?? '') ?? coverage
        return {
          ...found,
          judgement: capped(modelled, origin),
          byEstimator: {
            coverageOf,
            judgementOf(estimator) {
              if (estimator.by === undefined) return own
              const { verdict, reasons } = judge(coverageOf(estimator), units)
              return { verdict, reasons: reasons.map(reason => `\`${estimator.name}\`: ${reason}`) }
            },
          },
        }
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

/** π/p by action, 0 of what could not be taken; π alone, where p is not known. */
function weigh(pi: Float64Array, propensities: Float64Array | undefined, first: number, out: Float64Array): void {
  for (let a = 0; a < pi.length; a++) {
    const p = propensities === undefined ? 1 : propensities[first + a]
    out[a] = p > 0 ? pi[a] / p : 0
  }
}

/** The least propensity that some action was taken with. */
const leastPropensity = ({ minPropensity }: LogSums): number =>
  minPropensity.reduce((least, p) => Math.min(least, p), 1)

/** The weights of marginals that these estimators ask for, each once: its key, and the features of actions that it is about. */
function embeddingsOf(estimators: readonly Estimator[]) {
  const asked = estimators.flatMap(({ weight, by }) => (weight && by ? [[weight.key, by] as const] : []))
  return Array.from(new Map(asked), ([key, by]) => ({ key, by }))
}

const actionsOf = (policies: JudgingParts['parts']['policies']) =>
  [...policies.values()].flatMap(({ spec }) => listed(spec.actions))

const onlyTaken = (dataset: string) =>
  new DapError(
    `\`mips\` needs the propensity of every action, and Dataset \`${dataset}\` has that of the action taken`,
    {
      hint: 'name the column of all propensities at `mapping.propensities`, or judge by `ips` and `snips`',
    },
  )

/** The columns of a chunk at these places. */
function pick(columns: readonly Column[], places: readonly number[]): readonly Column[] {
  return places.map(place => columns[place])
}
