import type { DecisionLog } from '../../log/rows/decision-log.ts'
import { type GroupColumn, SUM_GROUPS } from '../../log/tables.ts'
import { grown } from './grown.ts'

/** The group of each row of a chunk, below `size`; valid until the next chunk. */
export interface RowGroups {
  readonly of: Int32Array
  /** Of all chunks so far. */
  readonly size: number
}

/** The groups of a chunk: by unit, and, where units are known, by row beside them. */
export interface ChunkGroups {
  readonly unit: RowGroups
  readonly row: RowGroups | undefined
}

/** Rows that are dealt to groups where units are known, to tell what the units make of the errors. */
const DEALT_BESIDE = 4096

/**
 * The groups by which sums are kept, so that rows of one unit may depend on each other: their sum is one draw. Units are hashed into
 * `SUM_GROUPS`. Rows of no known unit are units of their own, and dealt to groups by their numbers: the first `SUM_GROUPS` rows of a
 * log are each alone in their group. `units` is the chunk's column of them, if it has one.
 */
export function createGroups(): (log: DecisionLog, units: GroupColumn | undefined) => ChunkGroups {
  const alone = dealer(SUM_GROUPS)
  const beside = dealer(DEALT_BESIDE)
  let mixed = new Int32Array(0)
  return (log, units) => {
    if (units === undefined) return { unit: alone(log), row: undefined }
    const { rows } = log
    const { values } = units
    if (mixed.length < rows) mixed = new Int32Array(rows)
    for (let i = 0; i < rows; i++) mixed[i] = (values[i] < 0 ? log.row[i] : values[i]) & (SUM_GROUPS - 1)
    return { unit: { of: mixed, size: SUM_GROUPS }, row: beside(log) }
  }
}

/** Deals rows to groups, a power of two, by their numbers. */
function dealer(groups: number): (log: DecisionLog) => RowGroups {
  let of = new Int32Array(0)
  let size = 0
  return ({ rows, row }) => {
    if (of.length < rows) of = new Int32Array(rows)
    for (let i = 0; i < rows; i++) of[i] = row[i] & (groups - 1)
    if (rows > 0) size = Math.min(groups, Math.max(size, row[rows - 1] + 1))
    return { of, size }
  }
}

/** Σ h·x of a series x, by group of units, and by group of rows where units are known. */
export interface Totals {
  unit: Float64Array
  row: Float64Array
}

export const createTotals = (): Totals => ({ unit: new Float64Array(0), row: new Float64Array(0) })

/** Adds a chunk's numbers x, by default 1; `standsFor` are its h, by default 1. */
export function addTotals(
  totals: Totals,
  { unit, row }: ChunkGroups,
  values: Float64Array | undefined,
  standsFor: Float64Array | undefined,
  rows: number,
): void {
  totals.unit = grown(totals.unit, powerOfTwo(unit.size))
  addByGroup(totals.unit, unit.of, values, standsFor, rows)
  if (row === undefined) return
  totals.row = grown(totals.row, powerOfTwo(row.size))
  addByGroup(totals.row, row.of, values, standsFor, rows)
}

/** Room that is made seldom, and is the same for all series of a log. */
function powerOfTwo(size: number): number {
  let room = 1
  while (room < size) room *= 2
  return room
}

function addByGroup(
  sums: Float64Array,
  group: Int32Array,
  values: Float64Array | undefined,
  standsFor: Float64Array | undefined,
  rows: number,
): void {
  if (standsFor !== undefined) {
    for (let i = 0; i < rows; i++) sums[group[i]] += values === undefined ? standsFor[i] : standsFor[i] * values[i]
  } else if (values === undefined) {
    for (let i = 0; i < rows; i++) sums[group[i]]++
  } else {
    // Most rewards are 0.
    for (let i = 0; i < rows; i++) if (values[i] !== 0) sums[group[i]] += values[i]
  }
}

export function mergeTotals(into: Totals, from: Totals): void {
  into.unit = merged(into.unit, from.unit)
  into.row = merged(into.row, from.row)
}

function merged(into: Float64Array, from: Float64Array): Float64Array {
  const sums = grown(into, from.length)
  for (let g = 0; g < from.length; g++) sums[g] += from[g]
  return sums
}
