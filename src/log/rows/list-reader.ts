import type { DecisionRecord, DecisionSlot } from '../records/records.ts'
import { slotVectors } from '../records/slot-vectors.ts'
import type { TextColumn } from '../tables.ts'
import { SUM_TOLERANCE } from './eligible.ts'
import { RowFault, type RowReader } from './row-reader.ts'

/** A list as it was logged. A place is that of an action among the eligible ones. */
export interface LoggedList {
  /** By slot: what stands there; −1: nothing. */
  readonly places: Int32Array
  /** Its probability there, given what stands above; 1 of nothing. */
  readonly propensity: Float64Array
  /** What each slot was drawn from, by place; empty where nothing could stand. */
  readonly vectors: readonly ArrayLike<number>[]
  /** Of a mixture of Plackett–Luce and chance: what the first slot was drawn from but for chance, by place; the probability of chance. */
  readonly mixture: { readonly scores: readonly number[]; readonly uniform: number } | undefined
}

/** The logged list of each row, of at most so many slots. */
export function listReader(column: string, eligible: string, slots: number): RowReader<LoggedList> {
  const single = new RowFault('it is a decision for one action, and no list')
  const long = new RowFault(`it has more than the ${slots} slots of the policies`)
  const stranger = new RowFault('an action of the list is not among the eligible')
  const unlikely = new RowFault('an action of the list has a propensity outside (0, 1]')
  const unlike = new RowFault("an action's entry of the propensities of its slot is not its propensity")

  function read(text: string, ids: string): LoggedList | RowFault {
    const { slots: filled, ...list } = JSON.parse(text) as ListText
    if (filled.length > slots) return long
    const all = JSON.parse(ids) as readonly string[]
    const vectors = slotVectors({ eligible: all.map(id => ({ id })), slots: [...filled], list })
    const places = Int32Array.from(filled, ({ action }) => (action === null ? -1 : all.indexOf(action)))
    const propensity = Float64Array.from(filled, each => each.propensity ?? 1)
    for (let k = 0; k < filled.length; k++) {
      if (places[k] < 0 && filled[k].action !== null) return stranger
      if (!(propensity[k] > 0 && propensity[k] <= 1)) return unlikely
      if (places[k] >= 0 && !(Math.abs(vectors[k][places[k]] - propensity[k]) <= SUM_TOLERANCE)) return unlike
    }
    const { scores, uniform = 0 } = list
    return { places, propensity, vectors, mixture: scores === undefined ? undefined : { scores, uniform } }
  }

  /** Several ask for the list of the same row. */
  let last: { readonly text: string; readonly ids: string; readonly list: LoggedList | RowFault } | undefined
  return {
    requests: [
      { column, type: 'text' },
      { column: eligible, type: 'text' },
    ],
    bind([lists, sets]) {
      const texts = (lists as TextColumn).values
      const idTexts = (sets as TextColumn).values
      return i => {
        const [text, ids] = [texts[i], idTexts[i] ?? '[]']
        if (text === null) return single
        if (last?.text !== text || last.ids !== ids) last = { text, ids, list: read(text, ids) }
        return last.list
      }
    },
  }
}

type ListText = NonNullable<DecisionRecord['list']> & { readonly slots: readonly DecisionSlot[] }

/** Finds fault with lists. */
export function singleReader(column: string): RowReader<undefined> {
  const list = new RowFault('it is a list, which estimators of single decisions cannot judge: `sips` and `rips` can')
  return {
    requests: [{ column, type: 'text' }],
    bind([lists]) {
      const { values } = lists as TextColumn
      return i => (values[i] === null ? undefined : list)
    },
  }
}

/** What the first slot that is not empty was drawn from, by place. */
export function firstVector(lists: RowReader<LoggedList>): RowReader<Float64Array> {
  return {
    requests: lists.requests,
    bind(columns) {
      const listAt = lists.bind(columns)
      return (i, decision) => {
        const list = listAt(i, decision)
        if (list instanceof RowFault) return list
        return Float64Array.from(list.vectors[list.places.findIndex(place => place >= 0)])
      }
    },
  }
}
