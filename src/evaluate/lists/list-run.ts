import type { DecisionLog } from '../../log/rows/decision-log.ts'
import type { LoggedList } from '../../log/rows/list-reader.ts'
import type { Column } from '../../log/tables.ts'
import type { RowColumns, Series, SlotColumns } from '../estimators/series.ts'
import type { ChunkGroups } from '../weights/groups.ts'
import type { Additive } from './additive.ts'
import type { CandidateList, ListCandidate } from './list-candidate.ts'
import type { ListModel } from './list-model.ts'
import { addLists, createListSums, type ListSums } from './list-sums.ts'

/** What is known of every row of a chunk beside the log's own columns; shared by all candidates. */
export interface ListChunk {
  /** Its rewards are those of whole lists. */
  readonly log: DecisionLog
  readonly lists: readonly LoggedList[]
  /** The actions that were eligible, by place. */
  readonly eligible: readonly Int32Array[]
  /** By slot: the reward of each row. */
  readonly rewards: readonly Float64Array[]
  readonly groups: ChunkGroups
  readonly stratum: Int32Array
  readonly model: ListModel | undefined
  /** P(place at slot) of the log, of each row; undefined where nobody asks. */
  readonly marginals: readonly (Float64Array | undefined)[] | undefined
  readonly additive: Additive | undefined
  /** How far the actions of each list are from each other; undefined where nobody knows. */
  readonly diversity: Float64Array | undefined
}

/** Folds chunks into the sums of one candidate; `columns` are those that it asked for, in its order. */
export interface ListRun {
  readonly sums: ListSums
  /** How likely an action stands at a slot could not be had of some row: the weights that need it are 0. */
  unplaced(): boolean
  /** The same of pairs of actions. */
  unpaired(): boolean
  open(chunk: ListChunk, columns: readonly Column[]): OpenLists
  /** Of the row that was asked for last, row-major slots × places: what it would weigh, given what stood above, and whatever did; 0 of what the log could not put there. */
  readonly reach: { prefix: Float64Array; placed: Float64Array }
}

/** A chunk that is being added. */
export interface OpenLists {
  /** Asked of every row once, in their order. */
  row(i: number): void
  /** After the last row. */
  close(): void
  /** What the reward model says of each row, after the last. */
  readonly value: Float64Array
}

/** `candidate`: undefined of the policy that made the log, whose weights are all 1. `looked`: somebody asks for its `reach`. */
export function createListRun(
  candidate: ListCandidate | undefined,
  series: readonly Series[],
  weights: readonly Series[],
  slots: number,
  actions: number,
  looked: boolean,
): ListRun {
  let unplaced = false
  let unpaired = false
  const sums = createListSums(series, weights, slots, actions)
  const bufferFor = listColumns(slots)
  const reach = { prefix: new Float64Array(0), placed: new Float64Array(0) }
  let vector = new Float64Array(0)

  return {
    sums,
    unplaced: () => unplaced,
    unpaired: () => unpaired,
    reach,
    open(chunk, columns) {
      const { log, lists, eligible, rewards } = chunk
      const { scratch, ...own } = bufferFor(log, rewards)
      const open = candidate?.bind(columns)
      return {
        row(i) {
          const list = lists[i]
          const places = eligible[i].length
          if (vector.length < places) vector = new Float64Array(places)
          const judged = open?.(i, list, eligible[i])
          if (judged === undefined) asLogged(own, i)
          else {
            if (looked) makeRoom(slots * places)
            const h = log.standsFor === undefined ? 1 : log.standsFor[i]
            if (chunk.marginals !== undefined) place(own, i, h, list, judged, chunk, places)
            walk(own, i, h, list, judged, places, chunk)
          }
        },
        close() {
          expose(chunk, own)
          addLists(sums, series, log, { ...own, diversity: chunk.diversity }, chunk.groups, scratch)
        },
        value: own.value,
      }
    },
  }

  function makeRoom(places: number): void {
    if (reach.prefix.length < places) reach.prefix = new Float64Array(places)
    else reach.prefix.fill(0, 0, places)
    if (reach.placed.length < places) reach.placed = new Float64Array(places)
    else reach.placed.fill(0, 0, places)
  }

  function expose({ log, lists, eligible }: ListChunk, { slots }: ListColumns): void {
    const { exposure } = sums
    for (let i = 0; i < log.rows; i++) {
      const { places } = lists[i]
      const h = log.standsFor === undefined ? 1 : log.standsFor[i]
      for (let k = 0; k < places.length; k++) {
        if (places[k] >= 0) exposure[eligible[i][places[k]]] += h * slots[k].prefix[i]
      }
    }
  }

  function asLogged({ weight, additive, slots }: ListColumns, i: number): void {
    weight[i] = 1
    additive[i] = 1
    for (const { prefix, placed } of slots) {
      prefix[i] = 1
      placed[i] = 1
    }
  }

  /** Weights whatever stands above. */
  function place(
    { slots, additive }: ListColumns,
    i: number,
    h: number,
    list: LoggedList,
    judged: CandidateList,
    { marginals, additive: sum }: ListChunk,
    places: number,
  ): void {
    const logged = marginals?.[i]
    const own = unplaced || logged === undefined ? undefined : judged.marginals()
    if (own === undefined || logged === undefined) {
      unplaced = true
      unpaired = true
      additive[i] = 0
      for (const { placed } of slots) placed[i] = 0
      return
    }
    if (sum !== undefined) additive[i] = addUp(list, unpaired ? undefined : sum(list, own), places)
    for (let k = 0; k < slots.length; k++) {
      const first = k * places
      let empty = 1
      let loggedEmpty = 1
      let largest = sums.possiblyPlaced[k]
      let outside = 0
      for (let at = first; at < first + places; at++) {
        // Of too few actions there are fewer slots.
        const pi = at < own.length ? own[at] : 0
        const p = at < logged.length ? logged[at] : 0
        empty -= pi
        loggedEmpty -= p
        if (p === 0) outside += pi
        else {
          // Written nowhere, where nobody looks.
          reach.placed[at] = pi / p
          largest = Math.max(largest, pi / p)
        }
      }
      sums.possiblyPlaced[k] = largest
      sums.misplaced[k] += h * outside
      const at = k < list.places.length ? list.places[k] : -1
      slots[k].placed[i] =
        at >= 0
          ? (own[first + at] ?? 0) / logged[first + at]
          : loggedEmpty > SURELY
            ? Math.max(0, empty) / loggedEmpty
            : 1
    }
  }

  function addUp({ places: list }: LoggedList, weights: Float64Array | undefined, places: number): number {
    if (weights === undefined) {
      unpaired = true
      return 0
    }
    let sum = 0
    for (let k = 0; k < list.length; k++) if (list[k] >= 0) sum += weights[k * places + list[k]]
    return sum
  }

  /** Weights given what stands above, and what the reward model says along the way. */
  function walk(
    own: ListColumns,
    i: number,
    h: number,
    list: LoggedList,
    judged: CandidateList,
    places: number,
    { stratum, model, eligible }: ListChunk,
  ): void {
    const actions = eligible[i]
    const { length } = list.places
    const { slots } = own
    let w = 1
    let guessed = 0
    for (let k = 0; k < slots.length; k++) {
      const at = k < length ? list.places[k] : -1
      let value = 0
      let predicted = 0
      let first = 0
      let below = 0
      if (model !== undefined && at >= 0) {
        first = model.first(stratum[i], k)
        below = model.below(stratum[i], k)
        const q = model.q[first + actions[at]]
        guessed += q
        predicted = q + below
      }
      if (w > 0 && k <= length) {
        const open = judged.vector(vector)
        if ((open === 0) !== at < 0) {
          // One of the two has something for the slot, and the other has not.
          sums.unsupported[k] += h * w
          w = 0
        } else if (at >= 0) {
          weigh(k, h * w, w, list.vectors, places)
          if (model !== undefined) value = expected(actions, model.q, first) + below
          w *= vector[at] / list.propensity[k]
        }
        judged.take(at)
      }
      slots[k].prefix[i] = w
      slots[k].value[i] = value
      slots[k].predicted[i] = predicted
    }
    own.value[i] = slots[0].value[i]
    own.predicted[i] = guessed
    own.weight[i] = w
  }

  /** Under lists of weight w down to the slot above: what the log could not put there, and how large the weight could get. */
  function weigh(slot: number, hw: number, w: number, logged: Float64Array, places: number): void {
    const own = vector
    const first = slot * places
    let largest = 0
    let outside = 0
    for (let a = 0; a < places; a++) {
      const pi = own[a]
      const p = logged[first + a]
      if (looked && p > 0) reach.prefix[first + a] = (w * pi) / p
      if (pi > largest * p) {
        if (p > 0) largest = pi / p
        else outside += pi
      }
    }
    sums.unsupported[slot] += hw * outside
    if (w * largest > sums.possible[slot]) sums.possible[slot] = w * largest
  }

  /** Under the vector last written, of actions by place, whose numbers begin at `first`. */
  function expected(actions: Int32Array, q: Float64Array, first: number): number {
    const own = vector
    let sum = 0
    for (let a = 0; a < actions.length; a++) sum += own[a] * q[first + actions[a]]
    return sum
  }
}

/** A probability that is not the rounding of 0. */
const SURELY = 1e-9

interface ListColumns extends RowColumns {
  readonly additive: Float64Array
  readonly slots: readonly SlotColumns[]
}

/** Columns that grow to the longest chunk. */
function listColumns(
  slots: number,
): (log: DecisionLog, rewards: readonly Float64Array[]) => ListColumns & { readonly scratch: Float64Array } {
  let room = 0
  let buffers = allocate(0, slots)
  return ({ rows, reward }, rewards) => {
    if (room < rows) {
      room = rows
      buffers = allocate(rows, slots)
    }
    const bySlot = buffers.slots.map((each, k) => ({ ...each, reward: rewards[k] }))
    return { ...buffers, rows, reward, slots: bySlot }
  }
}

function allocate(rows: number, slots: number) {
  const column = () => new Float64Array(rows)
  return {
    weight: column(),
    probability: column(),
    value: column(),
    predicted: column(),
    scratch: column(),
    additive: column(),
    slots: Array.from({ length: slots }, () => ({
      prefix: column(),
      placed: column(),
      value: column(),
      predicted: column(),
    })),
  }
}
