import { DapError } from '../errors.ts'
import type { DatasetSpec } from '../kinds.ts'

/** The declared actions of a Dataset, undefined where the log is to say. `policy` are those of the policy it may name. */
export function declaredActions({ actions }: DatasetSpec, policy: readonly string[] | undefined): string[] | undefined {
  if (actions === undefined) return undefined
  if (!('range' in actions) && !('policy' in actions)) return [...actions]
  if ('policy' in actions) {
    if (policy === undefined) throw new RangeError("the actions of the Dataset's policy were not resolved")
    return [...policy]
  }
  const [first, last] = actions.range
  if (!(last >= first)) throw new DapError(`the range of actions [${first}, ${last}] is empty`)
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i))
}

/** Each once: numbers in their order, other names in that of their code units. */
export function sortedActions(ids: Iterable<string>): string[] {
  const distinct = [...new Set(ids)]
  const numeric = distinct.every(id => id.trim() !== '' && Number.isFinite(Number(id)))
  return distinct.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0))
}
