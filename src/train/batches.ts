import type { DecisionLog } from '../log/rows/decision-log.ts'
import type { Column, NumberColumn, TextColumn } from '../log/tables.ts'

/** Rows of a batch: enough that sending one to a thread costs little, few enough that memory stays small. */
export const BATCH_ROWS = 16_384

/** Code units of the texts of a batch, after which it ends early: as many as half a kilobyte of each row. */
export const BATCH_TEXT = 8_388_608

/** A column of a batch, of numbers or texts, and its place among those of a chunk. */
export interface BatchColumn {
  readonly place: number
  readonly type: 'number' | 'text'
}

/**
 * The chosen rows of a log in batches of `BATCH_ROWS`, or of as many as have `BATCH_TEXT`, the last one shorter, whatever the chunks were, so that
 * the same rows make the same sums. `choose` writes the chosen rows of a chunk into `out` and returns how many. A batch has arrays of its own.
 */
export async function* batches(
  log: AsyncIterable<DecisionLog>,
  wanted: readonly BatchColumn[],
  choose: (chunk: DecisionLog, out: Int32Array) => number,
): AsyncGenerator<DecisionLog> {
  let chosen = new Int32Array(0)
  let batch = createBatch(wanted)
  let filled = 0
  let text = 0
  for await (const chunk of log) {
    if (chosen.length < chunk.rows) chosen = new Int32Array(chunk.rows)
    const count = choose(chunk, chosen)
    const textOf = textLength(chunk, wanted)
    for (let at = 0; at < count; ) {
      const most = Math.min(count, at + BATCH_ROWS - filled)
      let end = at
      while (end < most && text < BATCH_TEXT) text += textOf(chosen[end++])
      const rows = chosen.subarray(at, end)
      copyRows(chunk, rows, wanted, batch, filled)
      at = end
      filled += rows.length
      if (filled < BATCH_ROWS && text < BATCH_TEXT) continue
      yield { ...batch, rows: filled }
      batch = createBatch(wanted)
      filled = 0
      text = 0
    }
  }
  if (filled > 0) yield { ...batch, rows: filled }
}

/** How long the wanted texts of a row are together. */
function textLength({ columns }: DecisionLog, wanted: readonly BatchColumn[]): (i: number) => number {
  const texts = wanted.flatMap(({ place, type }) => (type === 'text' ? [(columns[place] as TextColumn).values] : []))
  return i => {
    let length = 0
    for (const values of texts) length += values[i]?.length ?? 0
    return length
  }
}

interface Batch extends DecisionLog {
  standsFor: Float64Array | undefined
}

function createBatch(wanted: readonly BatchColumn[]): Batch {
  return {
    rows: BATCH_ROWS,
    row: new Float64Array(BATCH_ROWS),
    action: new Int32Array(BATCH_ROWS),
    propensity: new Float64Array(BATCH_ROWS),
    reward: new Float64Array(BATCH_ROWS),
    standsFor: undefined,
    columns: wanted.map(
      ({ type }): Column =>
        type === 'number' ? { type, values: new Float64Array(BATCH_ROWS) } : { type: 'text', values: [] },
    ),
  }
}

function copyRows(from: DecisionLog, rows: Int32Array, wanted: readonly BatchColumn[], to: Batch, at: number): void {
  if (from.standsFor !== undefined) {
    to.standsFor ??= new Float64Array(BATCH_ROWS).fill(1)
    copyNumbers(from.standsFor, rows, to.standsFor, at)
  }
  for (const name of ['row', 'action', 'propensity', 'reward'] as const) copyNumbers(from[name], rows, to[name], at)
  for (const [c, column] of to.columns.entries()) {
    const source = from.columns[wanted[c].place]
    if (column.type === 'number') copyNumbers((source as NumberColumn).values, rows, column.values, at)
    else copyTexts((source as TextColumn).values, rows, (column as TextColumn).values as (string | null)[], at)
  }
}

function copyNumbers(
  from: Float64Array | Int32Array,
  rows: Int32Array,
  to: Float64Array | Int32Array,
  at: number,
): void {
  for (let i = 0; i < rows.length; i++) to[at + i] = from[rows[i]]
}

function copyTexts(from: readonly (string | null)[], rows: Int32Array, to: (string | null)[], at: number): void {
  for (let i = 0; i < rows.length; i++) to[at + i] = from[rows[i]]
}
