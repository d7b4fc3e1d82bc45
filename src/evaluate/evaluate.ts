import { DapError } from '../errors.ts'
import { EVALUATION_RESULT_SCHEMA } from '../generated/names.ts'
import { groupedDigits } from '../grouped.ts'
import type { EvaluationSpec } from '../kinds.ts'
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
import { type JoinCounts, NO_COUNTS, type Tables } from '../log/tables.ts'
import { judgeGate } from '../policy/result-rules.ts'
import type { EvaluationResult } from '../results.ts'
import type { ActionSpace } from './candidates/candidate.ts'
import { conclude } from './conclude.ts'
import { namedActions, readCandidateTables, tabledActions } from './create-candidates.ts'
import type { EvaluationPlan } from './evaluation-plan.ts'
import { createFrame } from './influence.ts'
import { judgeSingles } from './judge-singles.ts'
import { isOfLists } from './lists/estimators/list-estimators.ts'
import { judgeLists } from './lists/judge-lists.ts'
import { judgedRows } from './verdicts/learnt.ts'
import { both, judgeLost, judgeOrphans, judgeUnrewarded } from './verdicts/verdict.ts'
import { meanReward } from './weights/log-sums.ts'

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

  const parts = {
    policies: plan.policies,
    tables: await readCandidateTables(spec.candidates, plan.tables, dataset.root, tables, signal),
    openRuntime: plan.openRuntime,
  }
  const offered = columns.offered !== undefined
  const declared = declaredActions(dataset, offered)
  const observed = declared === undefined ? await observedActions(tables, layout, signal) : undefined
  const cells = [...(observed?.cells ?? []), ...tabledActions(parts)]
  const ofSet = dataset.ofSet === true ? (dataset.policyActions ?? []).map(({ id }) => id) : []
  const ids = declared ?? undeclaredActions([...namedActions(spec.candidates, parts), ...ofSet], cells)
  if (offered) notes.push(PLACES)
  else if (dataset.ofSet === true) notes.push(...formerNotes(ids, ofSet))
  else if (declared === undefined) {
    notes.push(
      `actions were not declared: the ${groupedDigits(ids.length)} seen in the log or named by candidates are taken for all`,
    )
  }
  const space: ActionSpace = { ids, find: actionFinder(ids), eligible: columns.eligible !== undefined }

  const judging = (isOfLists(spec.estimators) ? judgeLists : judgeSingles)({
    plan,
    parts,
    space,
    columns,
    requests,
    unknown,
    originOf: judged.originOf,
  })
  const { ofLog, strata } = judging
  const log = ofLog.sums

  // Every pass reads the same columns, so that the same rows are left out of each.
  const leftOut = nothingLeftOut()
  for (const fault of judged.faults) addFault(leftOut, fault)
  let seen = 0
  async function* chunks(first: boolean) {
    const passed = first ? leftOut : nothingLeftOut()
    for await (const read of readDecisionLog(tables, layout, space.ids, passed, signal)) {
      const chunk = judging.rowsOf(read)
      const groups = ofLog.groupsOf(chunk)
      const stratum = new Int32Array(chunk.rows)
      const keys = judging.strataPlaces.map(place => chunk.columns[place])
      strata.assign(chunk, keys, groups, stratum)
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

  if (judging.learns) {
    for await (const { chunk, groups, stratum } of chunks(true)) {
      ofLog.add(chunk, groups, stratum)
      judging.learn(chunk, stratum)
    }
    judging.fit()
  }
  for await (const { chunk, groups, stratum } of chunks(!judging.learns)) {
    if (!judging.learns) ofLog.add(chunk, groups, stratum)
    if (judging.ask !== undefined) await judging.ask(chunk, signal)
    judging.add(chunk, groups, stratum)
  }
  notes.push(...(judging.notes?.() ?? []))

  const rewards = judging.rewards()
  notes.push(...rewards.notes)
  const finished = ofLog.finish()
  const { units, judgement } = finished
  notes.push(...finished.notes)
  const overall = [
    judgement,
    judgeUnrewarded(leftOut.unrewarded),
    judgeOrphans(joined ?? NO_COUNTS),
    judgeLost(joined ?? NO_COUNTS),
  ].reduce(both)
  const frame = createFrame(log)
  const facts = { log, frame, units, rewards, method: spec.interval.method }
  const summed = judging.summed(facts, finished, overall)
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
    ...conclude(summed, judging.estimators, spec.interval.level, facts, !unknown, judging.apart),
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

/** The columns that an Evaluation names; some are roles, such as `slot`. */
function namedByEvaluation({ candidates, rewardModel }: EvaluationSpec): readonly string[] {
  const tabled = candidates.flatMap(candidate => ('table' in candidate ? candidate.table.by : []))
  return [...tabled, ...(rewardModel?.type === 'tabular' ? rewardModel.by : [])]
}
