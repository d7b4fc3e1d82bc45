/** What people write of numbers, shares, durations, times and names where a file has one way to write each. */

/** What a text may be read as: the value, and how to write it. */
export interface Reading {
  readonly value: unknown
  readonly hint: string
}

/** What decides between readings of one text. */
export interface Wanted {
  /** A value as it should be: `72h` says that a number without a unit is of hours. */
  readonly sample?: unknown
  /** Is 1 the most that it may be, so that 5 is of percents? */
  readonly share?: boolean
  allows(value: unknown): boolean
}

/** The first reading of a text, as it stands in the file, that is allowed; undefined where none is. `quoted`: is it a string? */
export function meant(text: string, quoted: boolean, wanted: Wanted): Reading | undefined {
  if (text.length > LONGEST) return undefined
  for (const reading of readings(text.trim(), quoted, wanted)) if (wanted.allows(reading.value)) return reading
  return undefined
}

const LONGEST = 128

function* readings(text: string, quoted: boolean, { sample, share }: Wanted): Generator<Reading> {
  const number = numberOf(text)
  if (quoted && number !== undefined) {
    const plain = String(number)
    yield { value: number, hint: plain === text ? `write \`${text}\` without quotes` : `write \`${plain}\`` }
  }
  if (share && number !== undefined && number >= 2 && number <= 100) {
    yield { value: hundredth(number), hint: `write \`${hundredth(number)}\` for ${number} percent` }
  }
  const percent = numberOf(/^(.+?)\s*(?:%|percent|per cent|pct)$/i.exec(text)?.[1] ?? '')
  if (percent !== undefined) yield written(hundredth(percent))
  if (quoted && /^(true|yes|on|y)$/i.test(text)) yield written(true)
  if (quoted && /^(false|no|off|n)$/i.test(text)) yield written(false)
  if (number !== undefined && number >= 0) {
    const unit = /[a-z]+$/.exec(String(sample))?.[0]
    const duration = unit === undefined ? undefined : durationOf(`${number} ${unit}`)
    if (duration !== undefined) yield { value: duration, hint: `say of what unit: \`${duration}\`` }
  }
  const duration = durationOf(text)
  if (duration !== undefined) yield written(duration)
  const time = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?\s*(Z|UTC|GMT)?$/i.exec(text)
  if (time !== null) yield written(`${time[1]}T${time[2] ?? '00:00:00'}Z`)
  // Only where names are in lower case, as the sample is.
  if (!/^[a-z][a-z0-9_-]+$/.test(String(sample))) return
  const name = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
  for (const blank of ['-', '']) yield written(name.replaceAll(/[^a-z0-9_-]+/g, blank).replaceAll(/^[-_]+|[-_]+$/g, ''))
}

const written = (value: unknown): Reading => ({ value, hint: `write \`${String(value)}\`` })

const hundredth = (number: number) => Number((number / 100).toPrecision(12))

const MULTIPLES: Readonly<Record<string, number>> = { k: 1e3, thousand: 1e3, m: 1e6, mio: 1e6, million: 1e6 }

/** `1,5` → 1.5; `10_000`, `10,000` and `10k` → 10000. */
function numberOf(text: string): number | undefined {
  const [, sign, digits, word] = /^([+-]?)(\d[\d.,_' ]*?)\s*([a-z]+)?$/i.exec(text) ?? []
  if (digits === undefined) return undefined
  const plain = /^\d{1,3}([,_' ]\d{3})+(\.\d+)?$|^\d+(_\d+)+$/.test(digits)
    ? digits.replaceAll(/[,_' ]/g, '')
    : digits.replace(/^(\d+),(\d+)$/, '$1.$2')
  const multiple = word === undefined ? 1 : MULTIPLES[word.toLowerCase()]
  const value = Number(`${sign}${plain}`) * (multiple ?? Number.NaN)
  return Number.isFinite(value) ? value : undefined
}

/** Units of durations by what their names begin with; the longest first, of which an even number is written. */
const UNITS: readonly (readonly [RegExp, number, string])[] = [
  [/^w(ee)?ks?$|^w$/, 604_800_000, ''],
  [/^d(ays?)?$/, 86_400_000, 'd'],
  [/^h((ou)?rs?)?$/, 3_600_000, 'h'],
  [/^m(in(ute)?s?)?$/, 60_000, 'm'],
  [/^s(ec(ond)?s?)?$/, 1000, 's'],
  [/^(ms(ecs?)?|milli(second)?s?)$/, 1, 'ms'],
]

/** `24 hours`, `1h 30min`, `PT24H` and `1.5h` in the greatest unit of which it is a whole number; `24h` stays. */
function durationOf(text: string): string | undefined {
  const iso = /^P(?:(\d+D)|)(?:T(.+))?$/i.exec(text)
  const whole = (iso === null ? text : `${iso[1] ?? ''}${iso[2] ?? ''}`).toLowerCase()
  const parts = whole
    .replaceAll(/,\s|\sand\s/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  // One way to match: no text takes long.
  if (!/^(?:\d+(?:[.,]\d+)? ?[a-z]+ ?)+$/.test(parts)) return undefined
  let total = 0
  let last = ''
  for (const [, number, word] of parts.matchAll(/(\d+(?:[.,]\d+)?) ?([a-z]+)/g)) {
    const unit = UNITS.find(([name]) => name.test(word))
    if (unit === undefined) return undefined
    total += Number(number.replace(',', '.')) * unit[1]
    last = unit[2]
  }
  total = Number(total.toPrecision(15))
  const even = ([, size, name]: (typeof UNITS)[number]) => name !== '' && Number.isInteger(total / size)
  // Who writes 24 hours means no day.
  const unit = UNITS.find(each => each[2] === last && even(each)) ?? UNITS.find(even)
  return unit === undefined ? undefined : `${total / unit[1]}${unit[2]}`
}
