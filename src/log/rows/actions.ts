import { DapError } from '../../errors.ts'
import type { DatasetSpec } from '../../kinds.ts'
import type { Entry } from '../../policy/pool.ts'

/** What a Dataset says of actions, once what it names has been resolved. */
export interface DatasetActions {
  readonly spec: DatasetSpec
  /** The actions of the policy that `spec.actions` names, and their features. */
  readonly policyActions?: readonly Entry[]
  /** Are they those of a set? The log may have others, which the set had once. */
  readonly ofSet?: boolean
}

/**
 * The declared actions of a Dataset, undefined where the log is to say. `policy` are those of the policy it may name; where requests brought
 * the actions (`offered`) nothing declares them: their places in the requests are taken for actions. A set (`ofSet`) has those
 * of today, and its log may be older.
 */
export function declaredActions(
  { spec: { actions }, policyActions: policy, ofSet = false }: DatasetActions,
  offered: boolean,
): string[] | undefined {
  if (actions === undefined || offered || ofSet) return undefined
  if (!('range' in actions) && !('policy' in actions)) return [...actions]
  if ('policy' in actions) {
    if (policy === undefined) throw new RangeError("the actions of the Dataset's policy were not resolved")
    return policy.map(({ id }) => id)
  }
  const [first, last] = actions.range
  if (!(last >= first)) throw new DapError(`the range of actions [${first}, ${last}] is empty`)
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i))
}

/**
 * The actions that are named, and those that cells (of logs and tables) name, sorted: a cell names the action of its text, or
 * where nobody else does, the whole number's.
 */
export function undeclaredActions(named: Iterable<string>, cells: Iterable<string>): string[] {
  const known = new Set(named)
  return sortedActions([...known, ...Array.from(cells, cell => (known.has(cell) ? cell : wholeNumber(cell)))])
}

/** Each once: numbers in their order, other names in that of their code units. */
export function sortedActions(ids: Iterable<string>): string[] {
  const distinct = [...new Set(ids)]
  const numbers = new Map(distinct.map(id => [id, /^#\d+$/.test(id) ? Number(id.slice(1)) : Number(id)]))
  const numeric = distinct.every(id => id.trim() !== '' && Number.isFinite(numbers.get(id)))
  return distinct.sort((a, b) => (numeric ? numbers.get(a)! - numbers.get(b)! : a < b ? -1 : a > b ? 1 : 0))
}

/** The action that a cell names, as its index, −1 for a stranger: that of the very text, or else the whole number's. */
export function actionFinder(ids: readonly string[]): (cell: string) => number {
  const index = new Map(ids.map((id, i) => [id, i]))
  return cell => index.get(cell) ?? index.get(wholeNumber(cell)) ?? -1
}

/** `3` of `3.0` and `3.00`; any other text as it is. */
export function wholeNumber(text: string): string {
  const digits = /^(-?(?:0|[1-9]\d*))\.0+$/.exec(text)?.[1]
  return digits === undefined ? text : digits === '-0' ? '0' : digits
}
