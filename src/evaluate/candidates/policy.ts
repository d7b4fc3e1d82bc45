import { DapError } from '../../errors.ts'
import { contextReader, contextSource } from '../../log/rows/context-reader.ts'
import { eligibleSet } from '../../log/rows/eligible.ts'
import type { LogColumns } from '../../log/rows/layout.ts'
import { offeredReader } from '../../log/rows/offered-reader.ts'
import { RowFault, type RowReader } from '../../log/rows/row-reader.ts'
import type { Column, TextColumn, ValueColumn } from '../../log/tables.ts'
import type { OpenRuntime } from '../../models/score-ahead.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import type { Pool } from '../../policy/pool.ts'
import { type AskedRow, createAskedRows } from './asked.ts'
import { type ActionSpace, type CellsCandidate, everyAction, type RowsCandidate, requireAction } from './candidate.ts'
import { byEligible } from './simple.ts'

/**
 * A Policy as a candidate: the probabilities it would decide by, floor included, over what it and the log find eligible. A
 * policy that does not look at the context needs none of the log. One whose probabilities are seeded by the decision has those of the
 * decision that was logged: of its own log, the very ones.
 */
export function policyCandidate(
  space: ActionSpace,
  policy: Policy,
  columns: LogColumns,
  open?: OpenRuntime,
): CellsCandidate | RowsCandidate {
  if (policy.spec.scorer !== undefined) return modelCandidate(space, policy, columns, open)
  if (columns.offered !== undefined) return offeredCandidate(policy, columns, columns.offered)
  const actionOf = Int32Array.from(policy.actions, id => requireAction(space, id))
  const eligible = new Int32Array(policy.actions.length)
  const probabilities = new Float64Array(policy.actions.length)
  const logged = new Uint8Array(space.ids.length)

  function write(
    { context, eligible: mine }: Situation,
    loggedEligible: Int32Array,
    out: Float64Array,
    decisionId?: string,
  ): void {
    logged.fill(0)
    for (const action of loggedEligible) logged[action] = 1
    let count = 0
    for (let i = 0; i < mine.length; i++) if (logged[actionOf[mine[i]]] === 1) eligible[count++] = mine[i]
    out.fill(0)
    if (count === 0) return
    policy.probabilities(context, eligible, count, probabilities, decisionId)
    for (let i = 0; i < count; i++) out[actionOf[eligible[i]]] = probabilities[eligible[i]]
  }

  const everything = Int32Array.from(policy.actions.keys())
  const { ruled } = policy.eligibility
  const seeded = policy.exploration.seeded === true
  const blind = policy.features.dimension === 0 && !ruled
  if (blind && !seeded) {
    const everywhere = { context: {}, eligible: everything }
    return byEligible(space, (loggedEligible, out) => write(everywhere, loggedEligible, out))
  }

  const contexts = blind ? NOWHERE : contextReader(policy, contextSource(policy, columns))
  const all = everyAction(space)
  return {
    kind: 'rows',
    columns: [
      ruled ? situationReader(policy, contexts) : contexts,
      ...(seeded ? [idReader(columns.decisionId)] : []),
      ...(space.eligible ? [eligibleSet] : []),
    ],
    bind(columns) {
      const [read, ...others] = columns.map(column => (column as ValueColumn).values)
      const ids = seeded ? others.shift() : undefined
      const [sets] = others
      return (i, out) => {
        const situation = ruled ? (read[i] as Situation) : { context: read[i] as Context, eligible: everything }
        write(situation, sets === undefined ? all : (sets[i] as Int32Array), out, ids?.[i] as string | undefined)
      }
    },
  }
}

/** Of a policy whose actions are the requests': its probabilities are by their places, which are the actions of the log. */
function offeredCandidate(policy: Policy, columns: LogColumns, offered: string): RowsCandidate {
  const eligible = new Int32Array(policy.capacity)
  const probabilities = new Float64Array(policy.capacity)
  const seeded = policy.exploration.seeded === true
  return {
    kind: 'rows',
    columns: [
      offeredReader(policy, offered),
      contextReader(policy, contextSource(policy, columns)),
      ...(seeded ? [idReader(columns.decisionId)] : []),
    ],
    bind(columns) {
      const [pools, contexts, ids] = columns.map(column => (column as ValueColumn).values)
      return (i, out) => {
        const [pool, context] = [pools[i] as Pool, contexts[i] as Context]
        out.fill(0)
        const count = policy.eligibility.writeCertain(context, eligible, pool)
        if (count === 0) return
        policy.probabilities(context, eligible, count, probabilities, ids?.[i] as string | undefined, pool)
        for (let j = 0; j < count; j++) out[eligible[j]] = probabilities[eligible[j]]
      }
    },
  }
}

/** Of a policy that decides by what a Model says, or by what it has learnt from that. */
function modelCandidate(
  space: ActionSpace,
  policy: Policy,
  columns: LogColumns,
  open: OpenRuntime | undefined,
): RowsCandidate {
  const { reader, actionOf, ...model } = createAskedRows(policy, space, columns, open)
  const probabilities = new Float64Array(policy.capacity)
  const seeded = policy.exploration.seeded === true
  return {
    kind: 'rows',
    columns: [reader, ...(seeded ? [idReader(columns.decisionId)] : [])],
    model,
    bind(columns) {
      const [rows, ids] = columns.map(column => (column as ValueColumn).values)
      return (i, out) => {
        const { context, eligible, pool } = rows[i] as AskedRow
        out.fill(0)
        if (eligible.length === 0) return
        policy.probabilities(context, eligible, eligible.length, probabilities, ids?.[i] as string | undefined, pool)
        for (const a of eligible) out[actionOf === undefined ? a : actionOf[a]] = probabilities[a]
      }
    },
  }
}

/** For a policy that does not look at contexts. */
const NOWHERE: RowReader<Context> = { requests: [], bind: () => () => ({}) }

/** What seeds a row's decision: its id; where the log has none, the number of the row, which knows as little of what was done. */
export function idReader(column: string | undefined): RowReader<string> {
  return {
    requests: column === undefined ? [] : [{ column, type: 'text' }],
    bind([ids]: readonly (Column | undefined)[]) {
      const values = (ids as TextColumn | undefined)?.values
      return (i, { row }) => values?.[i] ?? String(row)
    },
  }
}

/** A context, and the policy's own actions that are eligible in it. */
export interface Situation {
  readonly context: Context
  readonly eligible: Int32Array
}

/** A context that a rule of the policy has no value for is a fault of its row. */
export function situationReader(policy: Policy, { requests, bind }: RowReader<Context>): RowReader<Situation> {
  const eligible = new Int32Array(policy.actions.length)
  return {
    requests,
    bind(columns) {
      const contextAt = bind(columns)
      return (i, decision) => {
        const context = contextAt(i, decision)
        if (context instanceof RowFault) return context
        try {
          return { context, eligible: eligible.slice(0, policy.eligibility.write(context, eligible)) }
        } catch (error) {
          if (!(error instanceof DapError)) throw error
          return new RowFault(`policy \`${policy.name}\` cannot decide: ${error.message}`)
        }
      }
    },
  }
}
