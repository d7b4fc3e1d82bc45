/** What is there already, or will be. Most answers are there at once, and a promise for each would cost more than some of them. */
export type Soon<T> = T | Promise<T>

export function whenDone<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}

export const allOf = <T>(values: readonly Soon<T>[]): Soon<readonly T[]> =>
  values.some(value => value instanceof Promise) ? Promise.all(values) : (values as readonly T[])
