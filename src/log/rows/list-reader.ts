import { parseList } from '../records/list-text.ts'
import { slotVectors } from '../records/slot-vectors.ts'
import type { TextColumn } from '../tables.ts'
import { REMEMBERED_SETS, SUM_TOLERANCE } from './eligible.ts'
import { remember } from './remember.ts'
import { RowFault, type RowReader } from './row-reader.ts'

/** A list as it was logged. A place is that of an action among the eligible ones. */
export interface LoggedList {
  /** By slot: what stands there; −1: nothing. */
  readonly places: Int32Array
  /** Its probability there, given what stands above; 1 of nothing. */
  readonly propensity: Float64Array
  /** What each slot was drawn from, row-major slots × places; 0 of all where nothing could stand. */
  readonly vectors: Float64Array
  /** Of a mixture of Plackett–Luce and chance: what the first slot was drawn from but for chance, by place; the probability of chance. */
  readonly mixture: { readonly scores: readonly number[]; readonly uniform: number } | undefined
}

/** The logged list of each row, of at most so many slots. */
export function listReader(column: string, eligible: string, slots: number): RowReader<LoggedList> {
  const single = new RowFault('it is a decision for one action, and no list')
  const long = new RowFault(`it has more than the ${slots} slots of the policies`)
  const stranger = new RowFault('an action of the list is not among the eligible')
  const unlikely = new RowFault('an action of the list has a propensity outside (0, 1]')
  const uneven = new RowFault('a slot of the list does not have a propensity for each eligible action')
  const unlike = new RowFault("an action's entry of the propensities of its slot is not its propensity")

  const placesOf = remember(REMEMBERED_SETS, (json: string) => {
    const ids = JSON.parse(json) as readonly string[]
    return { eligible: ids.map(id => ({ id })), placeOf: new Map(ids.map((id, place) => [id, place])) }
  })

  function read(text: string, ids: string): LoggedList | RowFault {
    const { slots: filled, ...list } = parseList(text)
    if (filled.length > slots) return long
    const { eligible, placeOf } = placesOf(ids)
    const count = eligible.length
    const drawn = slotVectors({ eligible, slots: filled, list })
    const places = new Int32Array(filled.length)
    const propensity = new Float64Array(filled.length)
    const vectors = new Float64Array(filled.length * count)
    for (let k = 0; k < filled.length; k++) {
      const { action } = filled[k]
      const p = filled[k].propensity ?? 1
      const place = action === null ? -1 : placeOf.get(action)
      if (place === undefined) return stranger
      if (!(p > 0 && p <= 1)) return unlikely
      if (place >= 0) {
        if (drawn[k].length !== count) return uneven
        if (!(Math.abs(drawn[k][place] - p) <= SUM_TOLERANCE)) return unlike
        vectors.set(drawn[k], k * count)
      }
      places[k] = place
      propensity[k] = p
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
        const { places, vectors } = list
        const count = vectors.length / places.length
        let first = 0
        while (places[first] < 0) first++
        return vectors.subarray(first * count, (first + 1) * count)
      }
    },
  }
}
