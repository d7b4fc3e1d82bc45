import type { MappingSpec } from '../../kinds.ts'
import type { Column, ColumnRequest, NumberColumn, TableSource } from '../tables.ts'
import { actionFinder } from './actions.ts'
import { ALMOST_ONE } from './eligible.ts'
import { called, type Wanted } from './row-reader.ts'

/** Where the reward of a row is. */
export interface RewardLayout {
  readonly request: ColumnRequest
  /** What messages call it. */
  readonly name: string
  /** It is a cost: the negative of a reward. */
  readonly cost: boolean
  /** The reward of a row without one; by default such a row is a bad one. */
  readonly default?: number
  /** A reward above it counts as it. */
  readonly cap?: number
}

/** Where it is said with which probability a row was kept, or dropped. */
export interface KeptColumn {
  readonly column: string
  readonly type: 'logProbability' | 'dropProbability'
}

/** Which columns of which files are the log. */
export interface LogLayout {
  readonly source: TableSource
  readonly action: string
  /** Undefined: the log has none. */
  readonly propensity: string | undefined
  readonly reward: RewardLayout
  /** Default: every row was kept. */
  readonly kept?: KeptColumn
  /** The column of JSON lists of the ids that could be chosen; default: all could. */
  readonly eligible?: string
  /** Says who decided; rows that were not served by `policy` are left out. */
  readonly servedBy?: string
  /** Whatever else is read: contexts, slots, scores. */
  readonly columns: readonly Wanted[]
}

/** What is known of every row of a chunk. */
export interface LogRows {
  readonly rows: number
  /** Number of the row in the files, from 0. */
  readonly row: Float64Array
  /** Index of the logged action in the list of actions. */
  readonly action: Int32Array
  /** 1 everywhere, in a log without propensities. */
  readonly propensity: Float64Array
  readonly reward: Float64Array
  /** How many decisions each row stands for: h = 1/logProbability, at least 1. Undefined where each stands for itself alone. */
  readonly standsFor: Float64Array | undefined
}

/** For the dictionary of a key column: code → index of the action, −1 for a stranger. Goes along as the dictionary grows. */
export function actionCodes(actions: readonly string[]): (dictionary: readonly string[]) => readonly number[] {
  const find = actionFinder(actions)
  let known: readonly string[] | undefined
  let indexOf: number[] = []
  return dictionary => {
    if (dictionary !== known) indexOf = []
    known = dictionary
    while (indexOf.length < dictionary.length) indexOf.push(find(dictionary[indexOf.length]))
    return indexOf
  }
}

/** Rewards as they count, of a chunk's column: costs turned, missing ones with their default. */
export function rewardReader({
  cost,
  default: absent,
}: RewardLayout): (column: NumberColumn, rows: number) => Float64Array {
  if (!cost && absent === undefined) return ({ values }) => values
  let out = new Float64Array(0)
  return ({ values }, rows) => {
    if (out.length < rows) out = new Float64Array(rows)
    for (let i = 0; i < rows; i++) {
      // 0 − 0 is 0, where −0 would print as it is.
      const reward = cost ? 0 - values[i] : values[i]
      out[i] = absent !== undefined && Number.isNaN(reward) ? absent : reward
    }
    return out
  }
}

/** How many decisions each row of a chunk stands for; NaN where its probability is none. */
export function standsForReader({ type }: KeptColumn): (column: NumberColumn, rows: number) => Float64Array {
  let out = new Float64Array(0)
  return ({ values }, rows) => {
    if (out.length < rows) out = new Float64Array(rows)
    for (let i = 0; i < rows; i++) {
      const p = type === 'logProbability' ? values[i] : 1 - values[i]
      const h = 1 / Math.min(1, p)
      out[i] = p > 0 && p <= ALMOST_ONE && h < Infinity ? h : Number.NaN
    }
    return out
  }
}

/** Is there a value that can be used? What a missing text means is for its reader to say: a context field may have a default. */
export function isPresent(column: Column, i: number): boolean {
  switch (column.type) {
    case 'number':
      return Number.isFinite(column.values[i])
    case 'key':
      return column.codes[i] >= 0
    case 'group':
      return column.values[i] >= 0
    default:
      return true
  }
}

export function isComplete(column: Column, rows: number): boolean {
  if (column.type === 'text' || column.type === 'value') return true
  for (let i = 0; i < rows; i++) if (!isPresent(column, i)) return false
  return true
}

/** What is wrong with a number that cannot be used; `otherwise` is what is wrong with a finite one. */
export function numberFault(column: string, value: number, otherwise = 'is not a finite number'): string {
  const name = called(column)
  if (Number.isNaN(value)) return `${name} is missing`
  return Number.isFinite(value) ? `${name} ${otherwise}` : `${name} is not a finite number`
}

/** The columns that a mapping names. */
export function namedColumns(mapping: MappingSpec | undefined): string[] {
  const { context = {}, ...roles } = mapping ?? {}
  const names = [...Object.values(roles), ...Object.values(context)]
  return names.filter(name => name !== undefined)
}
