import type { SetAction } from '../kinds.ts'

/**
 * The pool of a set at a time, in milliseconds since 1970: with what may not be taken yet, or no longer, barred. Between two dates it is the
 * same object. Without a time, nothing is: whoever asks knows otherwise what could be taken.
 */
export function createDatedPool<P extends Dated>(own: P, rows: readonly SetAction[]): (at: number | undefined) => P {
  const dated = rows.filter(({ from, until }) => from !== undefined || until !== undefined)
  if (dated.length === 0) return () => own
  const dates = new Float64Array([
    ...new Set(dated.flatMap(({ from, until }) => [from, until].flatMap(date => date ?? []).map(Date.parse))),
  ]).sort()
  let known: P | undefined
  /** `known` is of the times from `since` on, before `before`. */
  let since = 0
  let before = 0

  return at => {
    if (at === undefined) return own
    if (known !== undefined && at >= since && at < before) return known
    const next = dates.findIndex(date => date > at)
    const passed = next < 0 ? dates.length : next
    since = passed === 0 ? Number.NEGATIVE_INFINITY : dates[passed - 1]
    before = next < 0 ? Number.POSITIVE_INFINITY : dates[next]
    const barred = new Map(dated.flatMap(row => barredBy(row, at) ?? []))
    known = { ...own, barred }
    return known
  }
}

/** What of a `Pool` is said here. */
interface Dated {
  readonly barred?: ReadonlyMap<string, string>
}

/** The action, and what a record says of why it could not be taken then. */
function barredBy({ id, from, until }: SetAction, at: number): readonly (readonly [string, string])[] | undefined {
  if (from !== undefined && at < Date.parse(from)) return [[id, `dates: from ${from}`]]
  if (until !== undefined && at >= Date.parse(until)) return [[id, `dates: until ${until}`]]
  return undefined
}
