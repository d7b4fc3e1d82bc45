import type { Scorer } from '../../kinds.ts'
import { outputsOf, seesActions, widthOf } from '../../policy/model-outputs.ts'
import type { Policy } from '../../policy/policy.ts'
import { type Pool, requirePool } from '../../policy/pool.ts'
import type { TextColumn } from '../tables.ts'
import { parseIds } from './eligible.ts'
import { remember } from './remember.ts'
import { RowFault, type RowReader, UnusedRow } from './row-reader.ts'

/** Which columns of a `dap` log say what a Model gave, and of which actions. */
export interface OutputColumns {
  readonly model: string
  readonly eligible: string
}

/** What the record of a row says that a Model gave, row by row of the actions that could be taken. */
export interface LoggedOutputs {
  readonly ids: readonly string[]
  readonly numbers: readonly number[]
}

const REMEMBERED = 1024

/** What records say of this very Model; an unused row where one says nothing of it. */
export function outputsReader(
  scorer: Scorer,
  { model, eligible }: OutputColumns,
): RowReader<LoggedOutputs | UnusedRow> {
  const { name, digest } = scorer
  const unasked = new UnusedRow(`no Model was asked, and the policy's is \`${name}\``)
  const other = new UnusedRow(`what they have is of another Model than \`${name}\` is now`)
  const silent = new UnusedRow(`what the Model \`${name}\` gave was not logged`)
  const failed = new UnusedRow(`the Model \`${name}\` gave nothing`)
  const uneven = new RowFault(
    `the record does not have the ${widthOf(scorer.output)} numbers of the Model that each of its actions needs`,
  )
  const idsOf = remember(REMEMBERED, (json: string) => parseIds(json) ?? [])
  return {
    requests: [
      { column: model, type: 'text' },
      { column: eligible, type: 'text' },
    ],
    bind([models, sets]) {
      const texts = (models as TextColumn).values
      const idTexts = (sets as TextColumn).values
      return i => {
        const text = texts[i]
        if (text === null) return unasked
        const said = JSON.parse(text) as {
          readonly digest: string
          readonly outputs?: readonly number[]
          readonly failure?: string
        }
        if (said.digest !== digest) return other
        if (said.failure !== undefined) return failed
        if (said.outputs === undefined) return silent
        const ids = idsOf(idTexts[i] ?? '[]')
        const rows = seesActions(scorer) ? ids.length : 1
        if (said.outputs.length !== rows * widthOf(scorer.output)) return uneven
        return { ids, numbers: said.outputs }
      }
    },
  }
}

/**
 * The pool of each row, by default the policy's own, with what the record says that its Model gave; an unused row where it says nothing of it.
 *
 * @param pools What is known of the actions of a row beside the policy itself.
 */
export function askedReader(
  policy: Policy,
  scorer: Scorer,
  columns: OutputColumns,
  pools?: RowReader<Pool | undefined>,
): RowReader<Pool> {
  const outputs = outputsReader(scorer, columns)
  const place = createPlaces(policy.pool)
  return {
    requests: [...outputs.requests, ...(pools?.requests ?? [])],
    bind(columns) {
      const saidAt = outputs.bind(columns.slice(0, outputs.requests.length))
      const poolAt = pools?.bind(columns.slice(outputs.requests.length))
      return (i, decision) => {
        const said = saidAt(i, decision)
        if (said instanceof RowFault) return said
        const pool = poolAt?.(i, decision) ?? policy.pool
        if (pool instanceof RowFault) return pool
        return place(scorer, said, requirePool(pool))
      }
    },
  }
}

/** Gives pools what was logged of their actions; of those that the record does not have there is nothing. */
export function createPlaces(own: Pool | undefined): (scorer: Scorer, said: LoggedOutputs, pool: Pool) => Pool {
  const known = own && placesOf(own)
  return (scorer, { ids, numbers }, pool) => {
    const at = pool.ids === own?.ids ? known : placesOf(pool)
    const indices = ids.map(id => at?.get(id) ?? -1)
    return { ...pool, outputs: outputsOf(scorer, numbers, indices, pool.ids.length) }
  }
}

const placesOf = ({ ids }: Pool): ReadonlyMap<string, number> => new Map(ids.map((id, i) => [id, i]))
