const TIME = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(?:([Zz])|([+-]\d\d)(?::?(\d\d))?)?)?$/

/** Milliseconds since 1970 of a day, which is its midnight, or a time of RFC 3339, in UTC where it names no zone; undefined where it is none. */
export function instantOf(text: string): number | undefined {
  const [, day, time = '00:00', , hours, minutes = '00'] = TIME.exec(text) ?? []
  if (day === undefined) return undefined
  const midnight = Date.parse(`${day}T00:00:00Z`)
  // 30 February would be a day of March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return undefined
  const ms = Date.parse(`${day}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`)
  const year = Number.isNaN(ms) ? Number.NaN : new Date(ms).getUTCFullYear()
  return year >= 0 && year <= 9999 ? ms : undefined
}
