import { DapError } from '../errors.ts'
import type { LogColumns } from '../log/rows/layout.ts'
import { offerReader } from '../log/rows/offered-reader.ts'
import { remember } from '../log/rows/remember.ts'
import type { RowReader, Wanted } from '../log/rows/row-reader.ts'
import type { Column, ValueColumn } from '../log/tables.ts'
import type { Entry } from '../policy/pool.ts'
import type { ActionSpace } from './candidates/candidate.ts'
import type { GroupsAt } from './weights/marginal-run.ts'

/** Which actions are alike: those whose features, some of them, have the same values. */
export interface Embedding {
  readonly columns: readonly Wanted[]
  /** For one chunk's columns, in the order of `columns`. */
  bind(columns: readonly Column[]): GroupsAt
}

/**
 * Actions by the values of the features `by`. Where requests brought the actions, records say what they are; elsewhere `entries` do, the first
 * that knows all of it. An action that lacks one of them is like no other: that takes less for granted than any guess. A DapError where
 * nobody knows of any action.
 */
export function createEmbedding(
  by: readonly string[],
  space: ActionSpace,
  { offered }: LogColumns,
  entries: readonly Entry[],
): Embedding {
  if (offered !== undefined) {
    const reader = offeredGroups(by, offered)
    return {
      columns: [reader],
      bind([groups]) {
        const { values } = groups as ValueColumn
        return i => values[i] as Int32Array
      },
    }
  }
  const known = new Map<number, string>()
  for (const { id, features } of entries) {
    const action = space.find(id)
    const values = valuesOf(by, features)
    if (action >= 0 && values !== undefined && !known.has(action)) known.set(action, values)
  }
  if (known.size === 0) {
    throw new DapError(`nobody says ${by.map(name => `\`${name}\``).join(' and ')} of the actions`, {
      hint: FEATURES_FROM,
    })
  }
  const groups = numbered(Array.from(space.ids.keys(), action => known.get(action)))
  return { columns: [], bind: () => () => groups }
}

/** Who says what actions are. */
export const FEATURES_FROM =
  'name the policy whose actions have these features: `actions: { policy: NAME }` in the Dataset, or one as a candidate'

/** More different lists are read anew each time. */
const REMEMBERED = 1024

/** The same of the actions that each request brought, by their places. */
function offeredGroups(by: readonly string[], column: string): RowReader<Int32Array> {
  const read = remember(REMEMBERED, (json: string) => {
    const actions = JSON.parse(json) as readonly Entry[]
    return numbered(actions.map(({ features }) => valuesOf(by, features)))
  })
  return offerReader(column, read)
}

/** The values of all of the features, as text; undefined where one of them is not there. */
function valuesOf(by: readonly string[], features: Entry['features'] = {}): string | undefined {
  const values = by.map(name => (Object.hasOwn(features, name) ? features[name] : undefined))
  return values.some(value => value === undefined || value === null) ? undefined : JSON.stringify(values)
}

/** Equal texts have one number; what has none has a number of its own. */
function numbered(texts: readonly (string | undefined)[]): Int32Array {
  const numbers = new Map<string, number>()
  let count = 0
  return Int32Array.from(texts, text => {
    const number = (text === undefined ? undefined : numbers.get(text)) ?? count++
    if (text !== undefined) numbers.set(text, number)
    return number
  })
}
