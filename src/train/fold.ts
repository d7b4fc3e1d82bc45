import type { PolicySpec } from '../kinds.ts'
import { type ContextSource, contextReader } from '../log/rows/context-reader.ts'
import type { DecisionLog } from '../log/rows/decision-log.ts'
import { offeredReader, takenReader } from '../log/rows/offered-reader.ts'
import { askedReader, type OutputColumns } from '../log/rows/outputs-reader.ts'
import { RowFault, type RowReader, UnusedRow } from '../log/rows/row-reader.ts'
import type { Column, NumberColumn } from '../log/tables.ts'
import { learnerOf } from '../policy/algorithm.ts'
import { forgettingOf } from '../policy/forgetting.ts'
import { type Context, createPolicy, type Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import { createStatistics } from '../policy/statistics.ts'
import { batchAsOf, type HashedNames, hashedNames, type KeptBatch, keepBatch, type Said } from './kept.ts'

/** What it takes to turn rows of a log into statistics: plain data, so that it can be sent to a thread. */
export interface FoldPlan {
  readonly policy: { readonly name: string; readonly spec: PolicySpec; readonly digest: string }
  /** Where contexts are; absent for a learner that does not look at them. */
  readonly context?: ContextSource
  /** The column of the actions that requests brought, where they did. */
  readonly offered?: string
  /** The column of what was known of each row's action, for actions of a set. */
  readonly actionFeatures?: string
  /** The columns of what a Model gave, where the policy learns from that. */
  readonly outputs?: OutputColumns
  readonly weights: Weights
  /** Which column of a batch has the number of each row's slot, where decisions may be lists; the one after it what features are multiplied by. */
  readonly slots?: number
  /**
   * Which columns of a batch have the decisions' times, milliseconds since 1970, and ids, and the ids of actions that requests brought, where these
   * were asked for and the log has them; times always for a learner that forgets.
   */
  readonly times?: number
  readonly ids?: number
  readonly taken?: number
}

/** What a row counts: as many decisions as it stands for, or these by 1/propensity. */
export type Weights = 'none' | 'inverse-propensity'

/** What became of a batch: plain data, too. */
export interface Folded {
  /** The sums of `Statistics`. */
  readonly sums: Float64Array
  /** Rows whose context does not fit, or that are of no use, which are not in the sums: their places in the batch, ascending. */
  readonly faults: readonly FoldFault[]
  /** The first row whose reward the learner cannot learn: no later one is in the sums. */
  readonly unlearnable?: { readonly row: number; readonly reason: string }
}

export interface FoldFault {
  readonly at: number
  readonly row: number
  readonly reason: string
  /** Nothing is wrong with it. */
  readonly unused: boolean
}

/** What reads the context of a row, where its learner looks at it, and what is known of actions beside the policy itself. */
export function readersOf(
  policy: Policy,
  { context, offered, actionFeatures, outputs }: Pick<FoldPlan, 'context' | 'offered' | 'actionFeatures' | 'outputs'>,
): readonly [context?: RowReader<Context>, pool?: RowReader<Pool | undefined>] {
  if (context === undefined) return []
  const contexts = contextReader(policy, context)
  const pools =
    offered !== undefined
      ? offeredReader(policy, offered)
      : actionFeatures === undefined
        ? undefined
        : takenReader(policy, actionFeatures)
  const { scorer } = policy.spec
  if (outputs !== undefined && scorer !== undefined) return [contexts, askedReader(policy, scorer, outputs, pools)]
  return pools === undefined ? [contexts] : [contexts, pools]
}

/** Of which slot each row is, and what its features are multiplied by; 0 and 1 where no decision is a list. */
function slotsOf({ slots }: Pick<FoldPlan, 'slots'>, columns: readonly Column[]) {
  if (slots === undefined) return { number: () => 0, scale() {} }
  const [{ values: numbers }, { values: factors }] = columns.slice(slots, slots + 2) as readonly NumberColumn[]
  return {
    number: (i: number) => numbers[i],
    scale(i: number, x: Float64Array) {
      if (factors[i] === 1) return
      for (let j = 0; j < x.length; j++) x[j] *= factors[i]
    },
  }
}

/** From batches of rows, their columns those of the context reader, to what became of each, in the same order. */
export type Fold = (plan: FoldPlan, batches: AsyncIterable<DecisionLog>) => Folding

/**
 * Told of a row before it is learnt: its place in the batch, its features, which the next row overwrites, what it counts, and what it was made of, where contexts
 * are read. Answers why it cannot be used.
 */
export type SeeRow = (
  batch: DecisionLog,
  i: number,
  x: Float64Array,
  weight: number,
  said: Said | undefined,
) => string | undefined

export interface Folding extends AsyncIterable<Folded> {
  /** Once all have been folded: what each batch answers, in the same order, of a learner that is fitted in passes. */
  pass<Q extends PassQuestion>(question: Q): AsyncIterable<PassAnswer<Q>>
  /** Nothing more is wanted. */
  end(): Promise<void>
}

/**
 * What is asked of every batch again: what its rows say at a point of the fit, or what hashes in it are called. A learner that forgets has them first count
 * from then on as they do at a time, milliseconds since 1970, to which nothing is to be answered.
 */
export type PassQuestion =
  | { readonly asOf: number }
  | { readonly at: Float64Array; readonly curved: boolean }
  | { readonly slots: readonly number[] }

export type PassAnswer<Q extends PassQuestion> = Q extends { readonly slots: unknown } ? HashedNames : Float64Array

/** What a thread is asked beside batches: that a pass begins; then which of its own batches is to answer. */
export type FolderQuestion = { readonly question: PassQuestion } | { readonly batch: number }

/** Folds one batch after the other, and passes over them again. */
export interface Folder {
  fold(batch: DecisionLog): Folded
  /** Asks the rows of the n-th batch. */
  pass<Q extends PassQuestion>(question: Q, n: number): PassAnswer<Q>
}

export function createFolder(plan: FoldPlan, see?: SeeRow): Folder {
  const { name, spec, digest } = plan.policy
  const policy = createPolicy(name, spec, digest)
  const { features, actions } = policy
  const { learner } = spec.algorithm
  const passes = learnerOf(learner).passes?.(learner, policy.kept.length, features.dimension, features.hashing)
  const kept: KeptBatch[] = []
  const [reader, pools] = readersOf(policy, plan)
  const weighted = plan.weights === 'inverse-propensity'
  const x = new Float64Array(features.dimension)
  const decision = { row: 0, action: 0, propensity: 0, eligible: Int32Array.from(actions.keys()) }
  const models = Math.max(1, policy.kept.length)
  const forgetting = forgettingOf(learner)

  function fold(batch: DecisionLog): Folded {
    const { rows, row, action, reward, propensity, standsFor, columns } = batch
    const keep = passes && keepBatch(features, rows, weighted || standsFor !== undefined, forgetting)
    if (keep !== undefined) kept.push(keep.batch)
    const statistics = createStatistics(spec.algorithm, models, features.dimension, features.own)
    const times = forgetting ? (columns[plan.times as number] as NumberColumn).values : undefined
    const faults: FoldFault[] = []
    const contextOf = reader?.bind(columns)
    const poolOf = pools?.bind(columns.slice(reader?.requests.length ?? 0))
    const slots = slotsOf(plan, columns)
    let said: Said | undefined
    for (let i = 0; i < rows; i++) {
      if (times !== undefined && Number.isNaN(times[i])) {
        faults.push({ at: i, row: row[i], reason: 'it has no time, by which its learner forgets', unused: false })
        continue
      }
      if (contextOf !== undefined) {
        decision.row = row[i]
        decision.action = action[i]
        const context = contextOf(i, decision)
        if (context instanceof RowFault) {
          faults.push({ at: i, row: row[i], reason: context.reason, unused: false })
          continue
        }
        const pool = poolOf?.(i, decision)
        if (pool instanceof RowFault) {
          faults.push({ at: i, row: row[i], reason: pool.reason, unused: pool instanceof UnusedRow })
          continue
        }
        // What was logged of the action is a pool of that alone.
        const ofOne = plan.actionFeatures !== undefined && pool !== undefined && pool.ids !== policy.pool?.ids
        const at = ofOne ? 0 : action[i]
        features.writeRow(context, at, x, pool, slots.number(i))
        slots.scale(i, x)
        said = { context, pool, at }
      }
      const h = standsFor === undefined ? 1 : standsFor[i]
      const weight = weighted ? h / propensity[i] : h
      const reason = see?.(batch, i, x, weight, said)
      if (reason !== undefined) {
        faults.push({ at: i, row: row[i], reason, unused: false })
        continue
      }
      try {
        statistics.add(policy.kept.length === 0 ? 0 : action[i], x, reward[i], weight, times?.[i])
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        return { sums: statistics.sums, faults, unlearnable: { row: row[i], reason: error.message } }
      }
      keep?.add(x, action[i], reward[i], weight, said, times?.[i])
    }
    return { sums: statistics.sums, faults }
  }

  function pass(question: PassQuestion, n: number): HashedNames | Float64Array {
    if ('asOf' in question) {
      if (forgetting !== undefined) kept[n] = batchAsOf(kept[n], forgetting, question.asOf)
      return new Float64Array(0)
    }
    const { rows, labels } = kept[n]
    if ('slots' in question) return hashedNames(features, rows, labels, question.slots)
    if (passes === undefined) throw new RangeError(`\`${learner.type}\` is not fitted in passes`)
    return passes.fold(rows, question.at, question.curved)
  }

  return { fold, pass: pass as Folder['pass'] }
}

/** Folds where it is called. */
export function foldHere(plan: FoldPlan, batches: AsyncIterable<DecisionLog>, see?: SeeRow): Folding {
  const folder = createFolder(plan, see)
  let count = 0
  return {
    async *[Symbol.asyncIterator]() {
      for await (const batch of batches) {
        count++
        yield folder.fold(batch)
      }
    },
    async *pass(question) {
      for (let n = 0; n < count; n++) yield folder.pass(question, n)
    },
    async end() {},
  }
}
