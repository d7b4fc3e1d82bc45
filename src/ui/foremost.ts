import { plural } from './numbers.ts'

/** A list of actions that is longer, as of a set of thousands, is cut to the foremost. */
const LONGEST = 30
const SHOWN = 20

/**
 * A list as it is, or of a long one those of the greatest weight, and a sentence about the others, `noun`s. Those of equal weight stay in their
 * order.
 */
export function foremost<Item>(
  list: readonly Item[],
  weight: (item: Item) => number,
  noun: string,
): { readonly shown: readonly Item[]; readonly more: readonly string[] } {
  if (list.length <= LONGEST) return { shown: list, more: [] }
  const shown = list.toSorted((a, b) => weight(b) - weight(a)).slice(0, SHOWN)
  return { shown, more: [`and ${plural(list.length - SHOWN, `more ${noun}`)}; --json has all`] }
}
