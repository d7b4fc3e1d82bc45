/** Milliseconds of each unit. */
export const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Milliseconds of a duration such as `72h`; a RangeError for a text that is none. */
export function milliseconds(duration: string): number {
  const found = /^(\d+)(ms|s|m|h|d)$/.exec(duration)
  if (found === null) throw new RangeError(`\`${duration}\` is no duration`)
  return Number(found[1]) * DURATION_UNITS[found[2]]
}
