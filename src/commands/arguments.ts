import { didYouMean } from '../diagnostics.ts'
import { UsageError } from '../errors.ts'
import { RESOURCE_NAME_PATTERN } from '../generated/names.ts'
import { instantOf } from '../instant.ts'

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

/** A parser of an option that takes one of these words. */
export function oneOf<Word extends string>(name: string, words: readonly Word[]): (text: string) => Word {
  return text => {
    const found = words.find(word => word === text)
    if (found !== undefined) return found
    const list = words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
    throw new UsageError(`${name} takes ${list}, got \`${text}\``, { hint: didYouMean(text, words) })
  }
}

/** A parser of an option that takes a day or a time, as milliseconds since 1970. */
export function timestamp(name: string): (text: string) => number {
  return text => {
    const time = instantOf(text)
    if (time !== undefined) return time
    throw new UsageError(`${name} takes a day or a time, such as 2026-11-22 or 2026-11-22T18:00:00Z, got \`${text}\``)
  }
}

/** A parser of an option that takes a part of the whole, but not all of it. */
export function share(name: string): (text: string) => number {
  return text => {
    const value = Number(text)
    if (text.trim() !== '' && value >= 0 && value < 1) return value
    throw new UsageError(`${name} takes a share of at least 0 and less than 1, got \`${text}\``)
  }
}

/** The parser of an option that may be repeated. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** What every resource and project may be called. */
export const RESOURCE_NAME = new RegExp(RESOURCE_NAME_PATTERN)

export const RESOURCE_NAME_HINT = 'lower-case letters, digits and inner `-` and `_`, at most 63'
