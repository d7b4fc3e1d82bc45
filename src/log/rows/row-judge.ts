import type { Column, ColumnRequest, KeyColumn, NumberColumn } from '../tables.ts'
import { ALMOST_ONE, eligibleReader } from './eligible.ts'
import type { LogLayout } from './log-columns.ts'
import { isComplete, isPresent, type LogRows, numberFault } from './log-columns.ts'
import { called, type LoggedDecision, RowFault } from './row-reader.ts'

/** Says what is wrong with rows of a log: the one place where it is. */
export interface RowJudge {
  /** Nothing but numbers, keys and actions can be wrong: where they are right, no row has to be looked at. */
  readonly plain: boolean
  /** Has every row of a chunk all the columns that it must have? */
  isComplete(columns: readonly Column[], rows: number): boolean
  /** For a chunk: what is wrong with row i. Where nothing is, what each reader made of it is in `made`. */
  bind(columns: readonly Column[], log: LogRows): RowVerdict
}

export interface RowVerdict {
  /** One for each reader among `LogLayout.columns`. */
  readonly made: readonly unknown[]
  /** One sentence without a full stop, undefined for a good row; an action of −1 is a stranger, an h of NaN no probability. */
  fault(i: number): string | undefined
}

/** `ask` gives the place of a requested column in a chunk. */
export function createRowJudge(
  layout: LogLayout,
  actions: readonly string[],
  ask: (request: ColumnRequest) => number,
): RowJudge {
  const actionAt = ask({ column: layout.action, type: 'key' })
  const keptAt = layout.kept && ask({ column: layout.kept.column, type: 'number' })
  const required = layout.columns.flatMap(each =>
    'bind' in each || each.optional ? [] : [{ name: each.column, at: ask(each) }],
  )
  const eligible = layout.eligible === undefined ? undefined : eligibleReader(layout.eligible, actions)
  const eligibleAt = (eligible?.requests ?? []).map(ask)
  const readers = layout.columns.flatMap(each => ('bind' in each ? [{ reader: each, at: each.requests.map(ask) }] : []))
  const all = Int32Array.from(actions.keys())

  return {
    plain: eligible === undefined && readers.length === 0,
    isComplete: (columns, rows) => required.every(({ at }) => isComplete(columns[at], rows)),
    bind(columns, { row, action, propensity, reward, standsFor }) {
      const pick = (places: readonly number[]) => places.map(place => columns[place])
      const eligibleOf = eligible?.bind(pick(eligibleAt))
      const bound = readers.map(({ reader, at }) => reader.bind(pick(at)))
      const decision: { -readonly [K in keyof LoggedDecision]: LoggedDecision[K] } = {
        row: 0,
        action: 0,
        propensity: 0,
        eligible: all,
      }
      const made: unknown[] = readers.map(() => undefined)
      return { made, fault: i => ofNumbers(i) ?? ofReaders(i) }

      function ofNumbers(i: number): string | undefined {
        if (action[i] < 0) {
          const { codes, dictionary } = columns[actionAt] as KeyColumn
          return codes[i] < 0 ? `${called(layout.action)} is missing` : `unknown action \`${dictionary[codes[i]]}\``
        }
        if (!(propensity[i] > 0 && propensity[i] <= ALMOST_ONE)) {
          return numberFault(layout.propensity ?? '', propensity[i], 'is outside (0, 1]')
        }
        if (!Number.isFinite(reward[i])) return numberFault(layout.reward.name, reward[i])
        if (layout.kept !== undefined && standsFor !== undefined && !(standsFor[i] >= 1)) {
          const { column, type } = layout.kept
          const { values } = columns[keptAt as number] as NumberColumn
          return numberFault(column, values[i], `is outside ${type === 'logProbability' ? '(0, 1]' : '[0, 1)'}`)
        }
        for (const { name, at } of required) {
          const column = columns[at]
          if (isPresent(column, i)) continue
          return column.type === 'number' ? numberFault(name, column.values[i]) : `${called(name)} is missing`
        }
        return undefined
      }

      function ofReaders(i: number): string | undefined {
        decision.row = row[i]
        decision.action = action[i]
        decision.propensity = propensity[i]
        if (eligibleOf !== undefined) {
          const set = eligibleOf(i, decision)
          if (set instanceof RowFault) return set.reason
          decision.eligible = set
        }
        for (let k = 0; k < bound.length; k++) {
          const value = bound[k](i, decision)
          if (value instanceof RowFault) return value.reason
          made[k] = value
        }
        return undefined
      }
    },
  }
}
