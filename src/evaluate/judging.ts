import type { DecisionLog } from '../log/rows/decision-log.ts'
import type { LogColumns } from '../log/rows/layout.ts'
import type { Requests } from '../log/rows/row-reader.ts'
import type { ActionSpace, AskedModel } from './candidates/candidate.ts'
import type { ApartOf, Summed } from './conclude.ts'
import type { CandidateParts } from './create-candidates.ts'
import type { LogFacts } from './estimates.ts'
import type { Estimator } from './estimators/estimator.ts'
import type { EvaluationPlan } from './evaluation-plan.ts'
import type { Bounds } from './intervals/gaussian.ts'
import type { LogRun } from './log-run.ts'
import type { JudgedRows } from './verdicts/learnt.ts'
import type { Judgement } from './verdicts/verdict.ts'
import type { ChunkGroups } from './weights/groups.ts'
import type { Strata } from './weights/strata.ts'

/** What rows are judged with: of single decisions, or of lists. */
export interface Judging {
  /** Asked for after the last pass. */
  readonly estimators: readonly Estimator[]
  readonly ofLog: LogRun
  /** What the reward model tells apart, and where a chunk has its columns. */
  readonly strata: Strata
  readonly strataPlaces: readonly number[]
  /** It has a reward model that takes a pass of its own. */
  readonly learns: boolean
  /** The rows as they are judged; `learn` and `add` are asked about those of the last call. */
  rowsOf(chunk: DecisionLog): DecisionLog
  /** In the first of two passes, of rows as they are judged. */
  learn(rows: DecisionLog, stratum: Int32Array): void
  /** After the first of two passes. */
  fit(): void
  /** In the last pass, before `add`: Models are asked about the rows. Absent where there are none. */
  readonly ask?: (rows: DecisionLog, signal?: AbortSignal) => Promise<void>
  /** After the last pass: what is to be said of the Models that were asked. */
  readonly notes?: () => readonly string[]
  /** In the last pass. */
  add(rows: DecisionLog, groups: ChunkGroups, stratum: Int32Array): void
  /** After the last pass: what a decision can earn, and how that is known. */
  rewards(): Bounds & { readonly notes: readonly string[] }
  /** After the last pass. */
  readonly apart: ApartOf
  /** After the last pass. `overall`: as far as the log goes. */
  summed(facts: LogFacts, finished: ReturnType<LogRun['finish']>, overall: Judgement): readonly Summed[]
}

/** What it is made from. `requests`: where it asks for the columns that it needs. */
export interface JudgingParts {
  readonly plan: EvaluationPlan
  readonly parts: CandidateParts
  readonly space: ActionSpace
  readonly columns: LogColumns
  readonly requests: Requests
  /** The log has no propensities. */
  readonly unknown: boolean
  readonly originOf: JudgedRows['originOf']
}

/** A Model that is asked, by whom, and where the columns are that it is asked about. */
export interface Asking {
  readonly who: string
  readonly model: AskedModel | undefined
  readonly places: readonly number[]
}

/** What asks Models about the rows of a chunk, one after the other; nothing where there are none. */
export function asking(all: readonly Asking[]): Pick<Judging, 'ask' | 'notes'> {
  const asked = all.flatMap(({ model, ...each }) => (model === undefined ? [] : [{ model, ...each }]))
  if (asked.length === 0) return {}
  return {
    async ask({ columns }, signal) {
      for (const { model, places } of asked) {
        await model.ask(
          places.map(place => columns[place]),
          signal,
        )
      }
    },
    notes: () => asked.flatMap(({ who, model }) => model.note()?.replace(/^/, `${who}: `) ?? []),
  }
}
