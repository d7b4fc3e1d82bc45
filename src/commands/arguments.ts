import { UsageError } from '../errors.ts'
import { RESOURCE_NAME_PATTERN } from '../generated/names.ts'

/** A parser of an option that takes a whole number of at least `minimum`. */
export function wholeNumber(name: string, minimum: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < minimum) {
      throw new UsageError(`--${name} takes a whole number of at least ${minimum}, got \`${text}\``)
    }
    return value
  }
}

/** The parser of an option that may be repeated. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** What every resource and project may be called. */
export const RESOURCE_NAME = new RegExp(RESOURCE_NAME_PATTERN)

export const RESOURCE_NAME_HINT = 'lower-case letters, digits and inner `-` and `_`, at most 63'
