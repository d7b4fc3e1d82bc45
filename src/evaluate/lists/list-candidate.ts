import type { LoggedList } from '../../log/rows/list-reader.ts'
import type { Wanted } from '../../log/rows/row-reader.ts'
import type { Column } from '../../log/tables.ts'
import type { AskedModel } from '../candidates/candidate.ts'
import type { Slots } from './prefixes.ts'

/** A candidate that decides on lists. */
export interface ListCandidate {
  readonly columns: readonly Wanted[]
  /**
   * For one chunk's columns, in the order of `columns`: what it would do at row i, where this list was logged. One row at a
   * time: it is the same object for all of them.
   */
  bind(columns: readonly Column[]): (i: number, list: LoggedList, eligible: Int32Array) => CandidateList
  /** Of one whose Model says what its probabilities are. */
  readonly model?: AskedModel
}

/** What a candidate would do, slot by slot, by place among the actions that were eligible in the log. */
export interface CandidateList extends Slots {
  /** P(place at slot), row-major slots × places; undefined where it cannot be had. Nothing may have been taken yet. */
  marginals(): Float64Array | undefined
}
