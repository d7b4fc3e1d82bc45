import { DapError } from '../errors.ts'
import { parseList } from '../log/records/list-text.ts'
import type { DecisionLog } from '../log/rows/decision-log.ts'
import type { RewardLayout } from '../log/rows/log-columns.ts'
import { type Column, type NumberColumn, type TextColumn, takeRows } from '../log/tables.ts'
import { creditedSlots } from '../policy/credit.ts'
import { isList } from '../policy/lists/slots.ts'
import type { Policy } from '../policy/policy.ts'

/** Where in a chunk is what lists are made of. */
export interface ListPlaces {
  /** The slots of a list as JSON; null of a decision for one action. */
  readonly list: number
  /** By slot: what came for it, NaN for nothing. */
  readonly rewards: readonly number[]
  /** The actions that the request brought, as JSON, where requests do. */
  readonly offered: number | undefined
  /** What was known of the action of the row, as JSON, where that is asked for. */
  readonly actionFeatures: number | undefined
}

/**
 * The log with a row a slot that is learnt in place of each list: that slot's action, propensity and reward, and two columns more, the number of the slot
 * and what its features are multiplied by. A decision for one action is a list of one.
 *
 * @param actions Those that are known; others of lists come to them.
 * @param placeOf Where the row is, for people.
 * @throws DapError for a list with more slots than the policy has.
 */
export async function* slotRows(
  log: AsyncIterable<DecisionLog>,
  { spec, slots: { count: most } }: Policy,
  places: ListPlaces,
  { default: usual = 0, cap = Number.POSITIVE_INFINITY }: RewardLayout,
  actions: string[],
  placeOf: (row: number) => Promise<string>,
): AsyncGenerator<DecisionLog> {
  const { credit } = spec.reward
  const known = new Map(actions.map((id, index) => [id, index]))
  const indexOf = (id: string) => {
    const index = known.get(id) ?? actions.push(id) - 1
    known.set(id, index)
    return index
  }
  for await (const chunk of log) {
    const { columns } = chunk
    const lists = (columns[places.list] as TextColumn).values
    // The rows are what they are.
    if (!isList(spec) && lists.every(json => json === null)) {
      const same = (value: number): Column => ({ type: 'number', values: new Float64Array(chunk.rows).fill(value) })
      yield { ...chunk, columns: [...columns, same(0), same(1)] }
      continue
    }
    const came = places.rewards.map(place => (columns[place] as NumberColumn).values)
    const offers = places.offered === undefined ? undefined : (columns[places.offered] as TextColumn).values
    const from: number[] = []
    const learnt: { action: number; propensity: number; reward: number; slot: number; factor: number }[] = []
    const features: (string | null)[] = []
    for (let i = 0; i < chunk.rows; i++) {
      const json = lists[i]
      const slots = json === null ? undefined : parseList(json).slots
      if (slots !== undefined && slots.length > most) throw tooMany(await placeOf(chunk.row[i]), slots.length, most)
      const rewards = slots?.map((_, k) => Math.min(cap, Number.isNaN(came[k][i]) ? usual : came[k][i]))
      const ids = slots === undefined ? undefined : idsOf(offers?.[i])
      for (const { slot, reward, factor } of creditedSlots({ credit, default: usual }, rewards ?? [chunk.reward[i]])) {
        const { action, propensity, features: said } = slots?.[slot] ?? {}
        if (slots !== undefined && (action === null || action === undefined)) continue
        from.push(i)
        learnt.push({
          action: typeof action === 'string' ? (ids?.indexOf(action) ?? indexOf(action)) : chunk.action[i],
          propensity: propensity ?? chunk.propensity[i],
          reward,
          slot,
          factor,
        })
        features.push(said === undefined ? null : JSON.stringify(said))
      }
    }
    const take = Int32Array.from(from)
    const taken = columns.map((column, c): Column => {
      if (c !== places.actionFeatures) return takeRows(column, take)
      const { values } = column as TextColumn
      return { type: 'text', values: from.map((i, r) => (lists[i] === null ? values[i] : features[r])) }
    })
    const numbers = (name: 'propensity' | 'reward' | 'slot' | 'factor') => Float64Array.from(learnt, each => each[name])
    yield {
      rows: take.length,
      row: Float64Array.from(take, i => chunk.row[i]),
      action: Int32Array.from(learnt, ({ action }) => action),
      propensity: numbers('propensity'),
      reward: numbers('reward'),
      standsFor: chunk.standsFor && Float64Array.from(take, i => chunk.standsFor?.[i] ?? 1),
      columns: [...taken, { type: 'number', values: numbers('slot') }, { type: 'number', values: numbers('factor') }],
    }
  }
}

/** Of what a request brought, the ids. */
function idsOf(json: string | null | undefined): readonly string[] | undefined {
  if (json === null || json === undefined) return undefined
  return (JSON.parse(json) as readonly { readonly id: string }[]).map(({ id }) => id)
}

function tooMany(place: string, slots: number, most: number): DapError {
  const what =
    most === 1 ? 'a list, and the policy decides one action' : `a list of ${slots} slots, and the policy has ${most}`
  return new DapError(`${place}: this is ${what}`, { hint: 'learn it with the `decision` that the log was made by' })
}
