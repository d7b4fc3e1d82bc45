import { ModelFailure } from '../../models/runtime.ts'

/**
 * JSON as model servers write it: with NaN and Infinity, which are no JSON, where a number is none. NaN becomes null, as those write it that write JSON, and
 * `numbersIn` makes it a number again. undefined where it is nothing of the kind.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {}
  if (!/NaN|Infinity/.test(text)) return undefined
  try {
    return JSON.parse(
      text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\bNaN\b|\bInfinity\b/g, found =>
        found.endsWith('NaN') ? 'null' : found === 'Infinity' ? '1e999' : found,
      ),
    )
  } catch {
    return undefined
  }
}

/** The fields of an object; none of anything else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Tensors have no more dimensions than that. */
const DEPTH = 16

/** The numbers of lists in lists, one after the other; undefined where anything else is among them, such as a text. */
export function numbersIn(value: unknown): number[] | undefined {
  const numbers: number[] = []
  const isNumeric = (each: unknown, depth: number): boolean => {
    if (typeof each === 'number') numbers.push(each)
    else if (typeof each === 'boolean') numbers.push(each ? 1 : 0)
    else if (each === null) numbers.push(NaN)
    else if (!Array.isArray(each)) return false
    else if (depth === DEPTH) throw new ModelFailure('answer', `an output has more than ${DEPTH} dimensions`)
    else return each.every(inner => isNumeric(inner, depth + 1))
    return true
  }
  return isNumeric(value, 0) ? numbers : undefined
}
