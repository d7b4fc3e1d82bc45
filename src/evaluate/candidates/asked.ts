import { DapError } from '../../errors.ts'
import type { Scorer } from '../../kinds.ts'
import { contextReader, contextSource } from '../../log/rows/context-reader.ts'
import type { LogColumns } from '../../log/rows/layout.ts'
import { offeredReader } from '../../log/rows/offered-reader.ts'
import { createPlaces, type LoggedOutputs, outputsReader } from '../../log/rows/outputs-reader.ts'
import { type LoggedDecision, RowFault, type RowReader, UnusedRow } from '../../log/rows/row-reader.ts'
import type { ValueColumn } from '../../log/tables.ts'
import { createScoreAhead, type OpenRuntime, type ScoreAhead } from '../../models/score-ahead.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import { BY_REQUEST, type Pool } from '../../policy/pool.ts'
import { type ActionSpace, type AskedModel, requireAction } from './candidate.ts'

/** A decision of the log as a policy with a Model meets it. */
export interface AskedRow {
  readonly context: Context
  /** Its indices of the actions that both it and the log find eligible, ascending. */
  readonly eligible: Int32Array
  /** With what the Model says, once the chunk's rows have been asked about. */
  pool: Pool
  /** What the log has of this very Model. */
  readonly logged: LoggedOutputs | undefined
}

/** Their reader's column is the first of those that the Model is asked about. */
export interface AskedRows extends AskedModel {
  readonly reader: RowReader<AskedRow>
  /** The action of the log that each of the policy's own is; undefined where requests bring them, and places are both. */
  readonly actionOf: Int32Array | undefined
}

/**
 * The rows of a log for a policy with a Model: its scores are taken from the log where that has them of this very Model, and else made here, chunk by chunk.
 *
 * @param ruled Do the policy's own rules count? Else all that the log finds eligible is asked about.
 */
export function createAskedRows(
  policy: Policy,
  space: ActionSpace,
  columns: LogColumns,
  open: OpenRuntime | undefined,
  { ruled = true }: { readonly ruled?: boolean } = {},
): AskedRows {
  const { scorer } = policy.spec
  if (scorer === undefined) throw new RangeError(`the policy \`${policy.name}\` has no Model`)
  const actionOf = columns.offered === undefined ? actionsOf(policy, space) : undefined
  const place = createPlaces(policy.pool)
  let ahead: Promise<ScoreAhead> | undefined
  let about = ''
  let here = 0
  let taken = 0

  async function opened(): Promise<ScoreAhead> {
    if (open === undefined) throw new RangeError('nobody opens Models')
    const runtime = await open(policy)
    about = runtime.about
    return createScoreAhead(policy, runtime)
  }

  return {
    reader: rowReader(policy, scorer, columns, actionOf, ruled),
    actionOf,
    async ask([column], signal) {
      const rows = (column as ValueColumn).values as readonly AskedRow[]
      const unasked: AskedRow[] = []
      for (const row of rows) {
        const { logged, eligible, pool } = row
        // Of a listwise model the others are part of a score.
        if (logged === undefined || (scorer.listwise && logged.ids.length !== eligible.length)) unasked.push(row)
        else row.pool = place(scorer, logged, pool)
      }
      taken += rows.length - unasked.length
      here += unasked.length
      if (unasked.length === 0) return
      ahead ??= opened()
      const asked = unasked.map(({ context, pool, eligible }) => ({ context, pool, indices: eligible }))
      const pools = await (await ahead)(asked, signal)
      for (const [i, row] of unasked.entries()) row.pool = pools[i]
    },
    note() {
      if (here === 0) return undefined
      const others = taken === 0 ? '' : `; the log has its scores of ${taken} more`
      return `the Model \`${scorer.name}\` scored ${here} ${here === 1 ? 'row' : 'rows'} here, by ${about}${others}`
    },
  }
}

const actionsOf = (policy: Policy, space: ActionSpace): Int32Array =>
  Int32Array.from(policy.actions, id => requireAction(space, id))

function rowReader(
  policy: Policy,
  scorer: Scorer,
  columns: LogColumns,
  actionOf: Int32Array | undefined,
  ruled: boolean,
): RowReader<AskedRow> {
  const contexts = contextReader(policy, contextSource(policy, columns))
  const offers = columns.offered === undefined ? undefined : offeredReader(policy, columns.offered)
  const outputs = columns.decision && outputsReader(scorer, columns.decision)
  const eligible = new Int32Array(policy.capacity)
  const poolOf = actionOf && ownPools(policy, actionOf)

  function eligibleOf(context: Context, pool: Pool): Int32Array | RowFault {
    if (!ruled) return Int32Array.from(pool.ids.keys()).filter(a => pool.barred?.has(pool.ids[a]) !== true)
    try {
      return eligible.slice(0, policy.eligibility.write(context, eligible, pool))
    } catch (error) {
      if (!(error instanceof DapError)) throw error
      return new RowFault(`policy \`${policy.name}\` cannot decide: ${error.message}`)
    }
  }

  return {
    requests: [...contexts.requests, ...(offers?.requests ?? []), ...(outputs?.requests ?? [])],
    bind(all) {
      const ofContext = contexts.requests.length
      const ofOffer = ofContext + (offers?.requests.length ?? 0)
      const contextAt = contexts.bind(all.slice(0, ofContext))
      const offerAt = offers?.bind(all.slice(ofContext, ofOffer))
      const saidAt = outputs?.bind(all.slice(ofOffer))
      return (i, decision) => {
        const context = contextAt(i, decision)
        if (context instanceof RowFault) return context
        const pool = offerAt === undefined ? poolOf?.(decision) : offerAt(i, decision)
        if (pool instanceof RowFault) return pool
        if (pool === undefined) throw new RangeError('the actions of a row are not known')
        const may = eligibleOf(context, pool)
        if (may instanceof RowFault) return may
        const said = saidAt?.(i, decision)
        if (said instanceof RowFault && !(said instanceof UnusedRow)) return said
        return { context, eligible: may, pool, logged: said instanceof RowFault ? undefined : said }
      }
    },
  }
}

/** The policy's own actions, without those that the log did not find eligible; the same object for the same set. */
function ownPools(policy: Policy, actionOf: Int32Array): (decision: LoggedDecision) => Pool | undefined {
  const { pool } = policy
  const known = new WeakMap<Int32Array, Pool>()
  return ({ eligible }) => {
    const found = pool && known.get(eligible)
    if (pool === undefined || found !== undefined) return found
    const could = new Set(eligible)
    const others = pool.ids.filter((_, a) => !could.has(actionOf[a]))
    const made =
      others.length === 0 ? pool : { ...pool, lasting: false, barred: new Map(others.map(id => [id, BY_REQUEST])) }
    known.set(eligible, made)
    return made
  }
}
