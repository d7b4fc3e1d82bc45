import { DapError } from '../errors.ts'
import { EVALUATION_RESULT_SCHEMA } from '../generated/names.ts'
import { groupedDigits } from '../grouped.ts'
import type { EvaluationSpec, RewardModelSpec } from '../kinds.ts'
import { actionFinder, declaredActions, undeclaredActions } from '../log/rows/actions.ts'
import { readDecisionLog } from '../log/rows/decision-log.ts'
import { logLayout, openLog } from '../log/rows/layout.ts'
import {
  addFault,
  badRowCount,
  judgeBadRows,
  noRowsError,
  nothingLeftOut,
  readingNotes,
  requireSameRows,
} from '../log/rows/left-out.ts'
import { observedActions } from '../log/rows/observed-actions.ts'
import { joinNotes } from '../log/rows/reward-join.ts'
import { createRequests } from '../log/rows/row-reader.ts'
import { type Column, type JoinCounts, NO_COUNTS, type NumberColumn, type Tables } from '../log/tables.ts'
import { judgeGate } from '../policy/result-rules.ts'
import type { EvaluationResult } from '../results.ts'
import type { ActionSpace } from './candidates/candidate.ts'
import { actionColumns } from './candidates/columns.ts'
import { conclude, type Summed } from './conclude.ts'
import {
  candidateColumns,
  createCandidate,
  namedActions,
  readCandidateTables,
  tabledActions,
} from './create-candidates.ts'
import { seriesOfEstimator } from './estimators/estimator.ts'
import { createEstimator, estimatorType } from './estimators/estimators.ts'
import { value as modelValue } from './estimators/series.ts'
import type { EvaluationPlan } from './evaluation-plan.ts'
import { createFrame, seriesOf } from './influence.ts'
import { createLogRun } from './log-run.ts'
import { directStandardErrors } from './model-variance.ts'
import { fitTabular, type TabularModel } from './reward-model.ts'
import { rewardRange } from './reward-range.ts'
import { capped, judgedRows } from './verdicts/learnt.ts'
import { measureCoverage } from './verdicts/support.ts'
import { both, judge, judgeLost, judgeModelled, judgeOrphans, judgeUnrewarded } from './verdicts/verdict.ts'
import { type ChunkFacts, createCandidateRun } from './weights/candidate-run.ts'
import { meanReward } from './weights/log-sums.ts'
import { createStrata } from './weights/strata.ts'
import { candidateSeries } from './weights/sums.ts'

/** Sums by cell are held in memory: some 100 bytes each for every candidate. */
const MAX_CELLS = 1_000_000

/**
 * Off-policy evaluation: what the candidates would have earned on the log, on rows that none of them learnt. One pass over the log, one
 * more for a tabular reward model, one over times and ids where a candidate has learnt from decisions, and one over the actions alone
 * where they are not declared; the join of a log takes its own. The same
 * input gives the same numbers. `onProgress` is told how many rows have been folded, over all passes. Throws a DapError for a
 * log or a candidate that cannot be used, the abort's reason when `signal` is aborted.
 */
export async function evaluate(
  plan: EvaluationPlan,
  tables: Tables,
  onProgress: (rows: number) => void = () => {},
  signal?: AbortSignal,
): Promise<EvaluationResult> {
  const { dataset, spec } = plan
  const { part } = dataset
  const needed = namedByEvaluation(spec)
  const { source: whole, columns } = await openLog(tables, dataset, [...plan.policies.values()], { part, needed })
  const judged = await judgedRows(plan, { source: whole, columns }, tables, signal)
  const source = { ...whole, part: judged.part }
  const requests = createRequests()
  const layout = logLayout(source, columns, requests)
  const notes: string[] = [...judged.notes]
  const unknown = columns.propensity === undefined
  const modelSpec = neededModel(plan, unknown)
  const estimators = spec.estimators.map(createEstimator)

  const parts = {
    policies: plan.policies,
    tables: await readCandidateTables(spec.candidates, plan.tables, dataset.root, tables, signal),
  }
  const offered = columns.offered !== undefined
  const declared = declaredActions(dataset, offered)
  const observed = declared === undefined ? await observedActions(tables, layout, signal) : undefined
  const cells = [...(observed?.cells ?? []), ...tabledActions(parts)]
  const ofSet = dataset.ofSet === true ? (dataset.policyActions ?? []) : []
  const ids = declared ?? undeclaredActions([...namedActions(spec.candidates, parts), ...ofSet], cells)
  if (offered) notes.push(PLACES)
  else if (dataset.ofSet === true) notes.push(...formerNotes(ids, ofSet))
  else if (declared === undefined) {
    notes.push(
      `actions were not declared: the ${groupedDigits(ids.length)} seen in the log or named by candidates are taken for all`,
    )
  }
  const space: ActionSpace = { ids, find: actionFinder(ids), eligible: columns.eligible !== undefined }

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

  // Every pass reads the same columns, so that the same rows are left out of each.
  const leftOut = nothingLeftOut()
  for (const fault of judged.faults) addFault(leftOut, fault)
  let seen = 0
  async function* chunks(first: boolean) {
    const passed = first ? leftOut : nothingLeftOut()
    for await (const chunk of readDecisionLog(tables, layout, space.ids, passed, signal)) {
      const groups = ofLog.groupsOf(chunk)
      const stratum = new Int32Array(chunk.rows)
      strata.assign(chunk, pick(chunk.columns, strataPlaces), groups, stratum)
      if (strata.count() * space.ids.length > MAX_CELLS) {
        throw new DapError(
          `the slot and the columns of the reward model make more than ${MAX_CELLS} cells with the actions`,
          {
            hint: 'leave a column with many values out of `spec.rewardModel.by`',
          },
        )
      }
      yield { chunk, groups, stratum }
      seen += chunk.rows
      onProgress(seen)
    }
    if (first) await endOfFirstPass()
    else requireSameRows(leftOut, passed)
  }

  let joined: JoinCounts | undefined
  async function endOfFirstPass(): Promise<void> {
    if (observed !== undefined) requireSameRows(leftOut, observed)
    notes.push(...(await judgeBadRows(leftOut, tables, source, dataset.spec)), ...readingNotes(leftOut))
    // Counts are of the whole log: beside a part of it they would mislead.
    joined = part === undefined ? await tables.joinCounts(source, signal) : undefined
    if (joined !== undefined) notes.push(...joinNotes(joined))
    if (leftOut.kept === 0) throw noRowsError(dataset.name, 'that can be used', notes)
  }

  let model: TabularModel | undefined
  if (tabular) {
    for await (const { chunk, groups, stratum } of chunks(true)) ofLog.add(chunk, groups, stratum)
    model = fitTabular(log, strata, modelKeys, tabular.by.includes('action'), tabular.prior)
  }
  for await (const { chunk, groups, stratum } of chunks(!tabular)) {
    if (!tabular) ofLog.add(chunk, groups, stratum)
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
  }

  const rewards = rewardRange(dataset.spec, log)
  if (rewards.note !== undefined) notes.push(rewards.note)
  const { units, judgement, emptyByChance, notes: said } = ofLog.finish()
  notes.push(...said)
  const overall = [
    judgement,
    judgeUnrewarded(leftOut.unrewarded),
    judgeOrphans(joined ?? NO_COUNTS),
    judgeLost(joined ?? NO_COUNTS),
  ].reduce(both)
  const frame = createFrame(log)
  const summed = candidates.map(({ name, candidate, run }): Summed => {
    const logging = candidate.kind === 'logging'
    const origin = judged.originOf(name)
    const sums = run.sums(log)
    const of = seriesOf(frame, sums, series)
    const { everyPropensity } = ofLog
    const coverage = measureCoverage({ log, sums, of, units, strata, logging, everyPropensity, emptyByChance })
    const direct =
      model && !logging && estimators.some(({ modelled }) => modelled !== undefined)
        ? directStandardErrors(log, model, sums, strata.folds, of.mean(modelValue).value)
        : undefined
    const own = unknown ? judgeModelled(coverage, units, logging) : judge(coverage, units)
    const judgement = capped(both(own, overall), origin)
    return { name, learntFrom: origin.from, logging, of, coverage, direct, judgement }
  })
  const facts = { log, frame, units, rewards, method: spec.interval.method }
  const { known, count, effective, largestShare } = units
  const result: Omit<EvaluationResult, 'gates' | 'passed'> = {
    schema: EVALUATION_RESULT_SCHEMA,
    evaluation: plan.name,
    dataset: {
      name: dataset.name,
      digest: dataset.digest,
      rows: log.rows,
      dropped: badRowCount(leftOut),
      meanReward: meanReward(log),
      units: { known, count, effective, largestShare },
      judgedOn: judged.judgedOn,
      notes,
    },
    ...conclude(summed, estimators, spec.interval.level, facts, !unknown),
  }
  const gates = spec.gates.map(gate => judgeGate(gate, result))
  return { ...result, gates, passed: gates.every(gate => gate.passed) }
}

/** Of more actions than these only the first are told. */
const MOST_FORMER = 3

/** Which actions of the log, or of its tables, the set has no more, or never had. */
function formerNotes(ids: readonly string[], set: readonly string[]): string[] {
  const known = new Set(set)
  const former = ids.filter(id => !known.has(id))
  if (former.length === 0) return []
  const first = former.slice(0, MOST_FORMER).map(id => `\`${id}\``)
  const names = `${first.join(', ')}${former.length > MOST_FORMER ? ', …' : ''}`
  return [
    former.length === 1
      ? `1 action that the set does not have (${names}) is in the log`
      : `${groupedDigits(former.length)} actions that the set does not have (${names}) are in the log`,
  ]
}

const PLACES =
  'requests brought the actions: what is said of action `#3` is of whichever was the third of those that were eligible'

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

/** The columns that an Evaluation names; some are roles, such as `slot`. */
function namedByEvaluation({ candidates, rewardModel }: EvaluationSpec): readonly string[] {
  const tabled = candidates.flatMap(candidate => ('table' in candidate ? candidate.table.by : []))
  return [...tabled, ...(rewardModel?.type === 'tabular' ? rewardModel.by : [])]
}

/** The columns of a chunk at these places. */
function pick(columns: readonly Column[], places: readonly number[]): readonly Column[] {
  return places.map(place => columns[place])
}
