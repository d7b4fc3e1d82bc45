import type { Column, ColumnRequest, TextColumn } from '../tables.ts'
import { actionFinder } from './actions.ts'
import { remember } from './remember.ts'
import { called, type LoggedDecision, RowFault, type RowReader } from './row-reader.ts'

/** More different sets than this are read anew each time: memory must not grow with them. The same set is the same array. */
export const REMEMBERED_SETS = 1024

/** Numbers of 32 bits near 1 may be above it. */
export const ALMOST_ONE = 1 + 1 / 8_388_608

/** How far the probabilities of a file or a row may be from summing to 1. */
export const SUM_TOLERANCE = 1e-6

/** The eligible set of each row, handed on to whoever wants it. */
export const eligibleSet: RowReader<Int32Array> = {
  requests: [],
  bind: () => (_, decision) => decision.eligible,
}

/** Indices of the actions of a column of JSON lists of ids. The logged action must be among them. */
export function eligibleReader(column: string, actions: readonly string[]): RowReader<Int32Array> {
  const find = actionFinder(actions)
  const name = called(column)
  const read = remember(REMEMBERED_SETS, (json: string): Int32Array | RowFault => {
    const ids = parseIds(json)
    if (ids === undefined) return new RowFault(`${name} is not a list of ids`)
    const set = Int32Array.from(ids, find)
    const stranger = set.indexOf(-1)
    if (stranger >= 0) return new RowFault(`${name} has the unknown action \`${ids[stranger]}\``)
    if (new Set(set).size === set.length) return set
    const twice = set.find((action, j) => set.indexOf(action) < j) as number
    return new RowFault(`${name} has the action \`${actions[twice]}\` twice`)
  })
  return listReader(column, (json, { action }) => {
    const set = read(json)
    if (set instanceof RowFault || set.includes(action)) return set
    return new RowFault(`the action is not among those of ${name}`)
  })
}

/** A column of JSON lists: a probability for each eligible action, in their order. They must sum to 1 within 1e-6. */
export function probabilitiesReader(column: string): RowReader<Float64Array> {
  const name = called(column)
  const read = remember(REMEMBERED_SETS, (json: string): Float64Array | RowFault => {
    const list = parseList(json)
    if (!list?.every(p => typeof p === 'number')) return new RowFault(`${name} is not a list of numbers`)
    const wrong = probabilitiesFault(list)
    return wrong === undefined ? Float64Array.from(list, p => Math.min(1, p)) : new RowFault(`${name} ${wrong}`)
  })
  return listReader(column, (json, { eligible }) => {
    const list = read(json)
    if (list instanceof RowFault || list.length === eligible.length) return list
    return new RowFault(`${name} does not have one number for each eligible action`)
  })
}

/** The same for the propensities of the log itself: the action's must be the propensity, within 1e-6. */
export function propensitiesReader(column: string): RowReader<Float64Array> {
  const { requests, bind } = probabilitiesReader(column)
  return {
    requests,
    bind(columns) {
      const listAt = bind(columns)
      return (i, decision) => {
        const list = listAt(i, decision)
        if (list instanceof RowFault) return list
        const own = list[decision.eligible.indexOf(decision.action)]
        if (Math.abs(own - decision.propensity) <= SUM_TOLERANCE) return list
        return new RowFault(`the action's entry of ${called(column)} is not its propensity`)
      }
    },
  }
}

/** What is wrong with numbers that are to be a distribution; for a sentence that begins with their column. */
export function probabilitiesFault(list: ArrayLike<number>): string | undefined {
  let sum = 0
  for (let j = 0; j < list.length; j++) {
    if (!(list[j] >= 0 && list[j] <= ALMOST_ONE)) return 'has a number that is not in [0, 1]'
    sum += list[j]
  }
  return Math.abs(sum - 1) <= SUM_TOLERANCE ? undefined : 'does not sum to 1'
}

/** The ids of a JSON list; numbers as they are written. Undefined for anything else. */
export function parseIds(json: string): readonly string[] | undefined {
  const list = parseList(json)
  if (!list?.every(id => typeof id === 'string' || typeof id === 'number')) return undefined
  const exact = list.every(id => typeof id === 'string' || Number.isSafeInteger(id))
  return (exact ? list : (JSON.parse(json, asWritten) as readonly (string | number)[])).map(String)
}

/** A double holds neither the digits of a long number nor the last 0 of `3.10`. */
function asWritten(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? value) : value
}

function listReader<T>(column: string, read: (json: string, decision: LoggedDecision) => T | RowFault): RowReader<T> {
  const request: ColumnRequest = { column, type: 'text' }
  const missing = new RowFault(`${called(column)} is missing`)
  return {
    requests: [request],
    bind([texts]: readonly Column[]) {
      const { values } = texts as TextColumn
      return (i, decision) => {
        const json = values[i]
        return json === null || json === '' ? missing : read(json, decision)
      }
    },
  }
}

function parseList(json: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
