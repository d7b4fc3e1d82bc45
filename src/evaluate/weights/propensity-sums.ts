import { bucketAt, bucketIn, joined, LEAST_WIDTH, noTime, type TimeBuckets } from './time-buckets.ts'

/**
 * What a log says of its chances besides the propensity of the action that was taken: nothing; which actions could be; the propensity
 * of each of those.
 */
export type KnownChances = 'taken' | 'eligible' | 'every'

/** A chunk of decisions, one number a row. */
export interface PropensityFacts {
  readonly rows: number
  /** Number of the row in the log, from 0. */
  readonly row: Float64Array
  readonly action: Int32Array
  /** In (0, 1]. */
  readonly propensity: Float64Array
  /** h: how many decisions the row counts as; default 1. */
  readonly standsFor?: Float64Array
  /** Hash group of the row's unit; where there is none (−1, or no array) rows are dealt to groups in turn. */
  readonly group?: Int32Array
  /** Which slot, from 0. */
  readonly slot?: Int32Array
  /** Milliseconds since 1970, finite; on the clock `time`. */
  readonly time?: Float64Array
  /** Indices of the actions that could be taken, the taken one among them; where the chances are known that far. */
  readonly eligible?: readonly Int32Array[]
  /** The propensity of each of these. */
  readonly propensities?: readonly Float64Array[]
}

/**
 * Sums of T = Σ h·g·(1{taken} − p) over the rows in which an action could be taken, by place × action; a place is a time bucket or a slot.
 * If p is the chance with which the action was drawn, T has mean 0 and Var T = Σ h²g²p(1 − p) for independent draws, whatever p, h and g
 * depend on that was known before the draw. g is 1/p, so that Σ h·g·p is Σh and needs no p of an action that was not taken; where every
 * p is known it is 1/max(p, 0.01), so that no draw of a rare action outweighs all others.
 */
export interface PlaceSums {
  readonly places: number
  /** By place × group × action: Σ h·g of the rows that took the action. */
  readonly taken: Float64Array
  /** By place × group, and × action where it is known which could be taken: Σ h·g·p. */
  readonly offered: Float64Array
  /** By place × action, of rows that took the action: how many, Σ h²g², Σ h²g²p, the largest h·g and the least p. */
  readonly rows: Float64Array
  readonly square: Float64Array
  readonly linear: Float64Array
  readonly step: Float64Array
  readonly least: Float64Array
  /** Of the rows in which the action could be taken, where that is known: how many, or Σp where every p is known. */
  readonly chances: Float64Array
  /** Of the same rows: Var T; where one p alone is known, as if the others had equal parts of the rest. */
  readonly variance: Float64Array
  /** Of the same rows: the third moment of T, where every p is known. */
  readonly third: Float64Array
}

/** What a pass over the log, or a part of it, gathers to test its propensities; plain numbers and typed arrays. */
export interface PropensitySums {
  readonly actions: number
  readonly known: KnownChances
  readonly clock: 'time' | 'row'
  /** Units are dealt to so many groups, a power of 2. Those of different groups are independent, whatever one unit does. */
  readonly groups: number
  readonly mostBuckets: number
  buckets: TimeBuckets
  times: PlaceSums
  /** No places where there are no slots, and where there are too many to be told apart. */
  slots: PlaceSums
  tooManySlots: boolean
  /** The largest h. */
  maxStandsFor: number
}

const MAX_SLOTS = 50
/** Numbers in one array by place × group × action: 8 MB of time buckets, twice that of slots. With more actions there are fewer groups, then fewer buckets. */
const MAX_SUMS = 1 << 20
/** Below this, where every propensity is known, g grows no more. */
export const RARE = 0.01

/** `clock`: what time buckets are made of, the time of the decisions or the numbers of the rows. */
export function createPropensitySums(
  actions: number,
  known: KnownChances,
  clock: PropensitySums['clock'],
): PropensitySums {
  let groups = 128
  let mostBuckets = 32
  while (groups > 16 && actions * mostBuckets * groups > MAX_SUMS) groups /= 2
  while (mostBuckets > 2 && actions * mostBuckets * groups > MAX_SUMS) mostBuckets /= 2
  const shape = { actions, known, groups }
  return {
    ...shape,
    clock,
    mostBuckets,
    buckets: noTime(LEAST_WIDTH[clock]),
    times: createPlaces(shape, mostBuckets),
    slots: createPlaces(shape, 0),
    tooManySlots: false,
    maxStandsFor: 1,
  }
}

export type Shape = Pick<PropensitySums, 'actions' | 'known' | 'groups'>

export function createPlaces({ actions, known, groups }: Shape, places: number): PlaceSums {
  const of = (length: number, value = 0) => new Float64Array(length).fill(value)
  const cells = places * actions
  const declared = known === 'taken' ? 0 : cells
  return {
    places,
    taken: of(cells * groups),
    offered: of(known === 'taken' ? places * groups : cells * groups),
    rows: of(cells),
    square: of(cells),
    linear: of(cells),
    step: of(cells),
    least: of(cells, Infinity),
    chances: of(declared),
    variance: of(declared),
    third: of(known === 'every' ? cells : 0),
  }
}

/** Where the rows of a chunk belong; reused from chunk to chunk. */
let scratch = { group: new Int32Array(0), place: new Int32Array(0) }

export function addPropensities(sums: PropensitySums, facts: PropensityFacts): void {
  const { rows, row, group, slot, standsFor } = facts
  if (rows === 0) return
  if (scratch.group.length < rows) scratch = { group: new Int32Array(rows), place: new Int32Array(rows) }
  const mask = sums.groups - 1
  for (let i = 0; i < rows; i++) {
    scratch.group[i] = (group === undefined || group[i] < 0 ? row[i] : group[i]) & mask
  }
  if (standsFor !== undefined) {
    for (let i = 0; i < rows; i++) if (standsFor[i] > sums.maxStandsFor) sums.maxStandsFor = standsFor[i]
  }
  assignBuckets(sums, sums.clock === 'time' ? (facts.time as Float64Array) : row, rows, scratch.place)
  addRows(sums, sums.times, scratch.place, scratch.group, facts)
  if (slot === undefined) return
  let last = 0
  for (let i = 0; i < rows; i++) if (slot[i] > last) last = slot[i]
  makeRoom(sums, last + 1)
  if (!sums.tooManySlots) addRows(sums, sums.slots, slot, scratch.group, facts)
}

function assignBuckets(sums: PropensitySums, time: Float64Array, rows: number, out: Int32Array): void {
  let low = Infinity
  let high = -Infinity
  for (let i = 0; i < rows; i++) {
    if (time[i] < low) low = time[i]
    if (time[i] > high) high = time[i]
  }
  const buckets = joined(sums.buckets, { width: 0, low, high }, sums.mostBuckets)
  rebin(sums, buckets)
  const bucket = bucketAt(buckets, low)
  if (bucket === bucketAt(buckets, high)) out.fill(bucket, 0, rows)
  else for (let i = 0; i < rows; i++) out[i] = bucketAt(buckets, time[i])
}

function rebin(sums: PropensitySums, buckets: TimeBuckets): void {
  const { buckets: before, times } = sums
  sums.buckets = buckets
  if (before.low > before.high || (before.width === buckets.width && before.first === buckets.first)) return
  sums.times = createPlaces(sums, times.places)
  addBuckets(sums, before, times)
}

/** Adds sums by other buckets, none of them wider. */
function addBuckets({ buckets, times }: PropensitySums, from: TimeBuckets, sums: PlaceSums): void {
  if (from.low > from.high) return
  for (let place = 0; place <= bucketAt(from, from.high); place++) {
    addPlace(times, bucketIn(buckets, from, place), sums, place)
  }
}

function makeRoom(sums: PropensitySums, places: number): void {
  const { actions, groups, slots } = sums
  if (sums.tooManySlots || places <= slots.places) return
  sums.tooManySlots = places > MAX_SLOTS || places * groups * actions > 2 * MAX_SUMS
  sums.slots = createPlaces(sums, sums.tooManySlots ? 0 : places)
  if (!sums.tooManySlots) for (let place = 0; place < slots.places; place++) addPlace(sums.slots, place, slots, place)
}

function addRows(
  { actions, groups, known }: Shape,
  sums: PlaceSums,
  place: Int32Array,
  group: Int32Array,
  facts: PropensityFacts,
): void {
  const { rows, action, propensity, standsFor } = facts
  const { taken, offered, rows: count, square, linear, step, least } = sums
  const every = known === 'every'
  for (let i = 0; i < rows; i++) {
    const p = propensity[i]
    const h = standsFor === undefined ? 1 : standsFor[i]
    const g = 1 / (every && p < RARE ? RARE : p)
    const x = h * g
    const grouped = place[i] * groups + group[i]
    taken[grouped * actions + action[i]] += x
    if (known === 'taken') offered[grouped] += h
    const cell = place[i] * actions + action[i]
    count[cell]++
    square[cell] += x * x
    linear[cell] += x * x * p
    if (p < least[cell]) least[cell] = p
    if (x > step[cell]) step[cell] = x
  }
  if (known === 'eligible') addEligible(actions, groups, sums, place, group, facts)
  if (every) addEvery(actions, groups, sums, place, group, facts)
}

function addEligible(
  actions: number,
  groups: number,
  { offered, chances, variance }: PlaceSums,
  place: Int32Array,
  group: Int32Array,
  { rows, action, propensity, standsFor, eligible = [] }: PropensityFacts,
): void {
  for (let i = 0; i < rows; i++) {
    const set = eligible[i]
    const h = standsFor === undefined ? 1 : standsFor[i]
    const own = action[i]
    const others = (1 - propensity[i]) / (set.length - 1)
    const ofOwn = h * h * (1 / propensity[i] - 1)
    const ofOthers = h * h * (1 / others - 1)
    const ofGroup = (place[i] * groups + group[i]) * actions
    const ofPlace = place[i] * actions
    for (let j = 0; j < set.length; j++) {
      const a = set[j]
      // Where one action was certain, the others could not be taken.
      if (a !== own && !(others > 0)) continue
      offered[ofGroup + a] += h
      chances[ofPlace + a]++
      variance[ofPlace + a] += a === own ? ofOwn : ofOthers
    }
  }
}

function addEvery(
  actions: number,
  groups: number,
  { offered, chances, variance, third }: PlaceSums,
  place: Int32Array,
  group: Int32Array,
  { rows, standsFor, eligible = [], propensities = [] }: PropensityFacts,
): void {
  for (let i = 0; i < rows; i++) {
    const set = eligible[i]
    const list = propensities[i]
    const h = standsFor === undefined ? 1 : standsFor[i]
    const ofGroup = (place[i] * groups + group[i]) * actions
    const ofPlace = place[i] * actions
    for (let j = 0; j < set.length; j++) {
      const a = set[j]
      const p = list[j]
      const x = h / (p < RARE ? RARE : p)
      const spread = x * x * p * (1 - p)
      offered[ofGroup + a] += x * p
      chances[ofPlace + a] += p
      variance[ofPlace + a] += spread
      third[ofPlace + a] += spread * x * (1 - 2 * p)
    }
  }
}

const ADDED = [
  'taken',
  'offered',
  'rows',
  'square',
  'linear',
  'chances',
  'variance',
  'third',
] as const satisfies readonly (keyof PlaceSums)[]

/** Adds one place of `from` to one of `into`. */
export function addPlace(into: PlaceSums, place: number, from: PlaceSums, fromPlace: number): void {
  const each = (name: Exclude<keyof PlaceSums, 'places'>, merge: (one: number, other: number) => number) => {
    const size = from[name].length / from.places
    const [target, source] = [into[name], from[name]]
    for (let i = 0; i < size; i++) {
      target[place * size + i] = merge(target[place * size + i], source[fromPlace * size + i])
    }
  }
  for (const name of ADDED) each(name, (one, other) => one + other)
  each('least', Math.min)
  each('step', Math.max)
}

/** Adds `from` to `into`; both are of one log and number actions and slots alike. */
export function mergePropensities(into: PropensitySums, from: PropensitySums): void {
  into.maxStandsFor = Math.max(into.maxStandsFor, from.maxStandsFor)
  rebin(into, joined(into.buckets, from.buckets, into.mostBuckets))
  addBuckets(into, from.buckets, from.times)
  makeRoom(into, from.tooManySlots ? Infinity : from.slots.places)
  if (into.tooManySlots) return
  for (let place = 0; place < from.slots.places; place++) addPlace(into.slots, place, from.slots, place)
}
