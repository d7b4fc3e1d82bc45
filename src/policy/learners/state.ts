import type { LearnerState } from '../learner.ts'

/** The state's list of numbers under `key`; a RangeError unless it has `length` finite entries, each at least `minimum`. */
export function stateNumbers(state: LearnerState, key: string, length: number, minimum = -Infinity): Float64Array {
  const list: unknown = Object.hasOwn(state, key) ? state[key] : undefined
  if (!Array.isArray(list) || list.length !== length) {
    throw new RangeError(`\`state.${key}\` is not a list of ${length} numbers`)
  }
  for (const entry of list) {
    if (typeof entry !== 'number' || !Number.isFinite(entry) || entry < minimum) {
      throw new RangeError(
        `\`state.${key}\` has an entry that is not ${minimum === -Infinity ? 'a finite number' : `a finite number of at least ${minimum}`}`,
      )
    }
  }
  return Float64Array.from(list)
}

/** The state's number under `key`; a RangeError unless it is finite, and from 0 to `maximum`. */
export function stateNumber(state: LearnerState, key: string, maximum = Number.MAX_VALUE): number {
  const value: unknown = Object.hasOwn(state, key) ? state[key] : undefined
  if (typeof value !== 'number' || !(value >= 0 && value <= maximum)) {
    throw new RangeError(
      `\`state.${key}\` is not a number from 0${maximum < Number.MAX_VALUE ? ` to ${maximum}` : ' on'}`,
    )
  }
  return value
}

/** The same of a list of counts, at least 0 each; rows of unequal weight may count as a fraction. */
export function stateCounts(state: LearnerState, key: string, length: number): Float64Array {
  return stateNumbers(state, key, length, 0)
}

export function total(counts: Float64Array): number {
  let sum = 0
  for (const n of counts) sum += n
  return sum
}
