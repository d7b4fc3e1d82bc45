import { randomFillSync } from 'node:crypto'

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const [TIME, CHANCE, MARK] = [10, 10, 6]
const ID = new RegExp(`^[${DIGITS}]{${TIME + CHANCE + MARK}}$`)

/** Makes an id; `ms` is the time in it, `of` what it is marked with. */
export type Ids = (ms: number, of?: string) => string

/**
 * A maker of ULIDs: 48 bits of the clock, then 80 of chance, in 26 digits of Crockford's base 32; ids of later milliseconds sort later. Of the
 * chance, the last 30 bits are a mark that follows from the others and from `of`, so that whoever knows what it may be of can tell what it is
 * of, on any replica and after any time.
 */
export function createIds(): Ids {
  const pool = new Uint8Array(CHANCE * 256)
  let used = pool.length
  let stamp = -1
  let prefix = ''

  return (ms, of = '') => {
    if (ms !== stamp) {
      stamp = ms
      prefix = digitsOf(ms, TIME)
    }
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    let id = prefix
    for (const end = used + CHANCE; used < end; used++) id += DIGITS[pool[used] & 31]
    return id + digitsOf(markOf(id, of), MARK)
  }
}

/** What such an id is of, among `all`, and its time; undefined for any other id, but for one in a thousand million. */
export function readId(id: string, all: Iterable<string>): { readonly of: string; readonly ms: number } | undefined {
  if (!ID.test(id)) return undefined
  const [rest, mark] = [id.slice(0, -MARK), id.slice(-MARK)]
  for (const of of all) {
    if (digitsOf(markOf(rest, of), MARK) === mark) return { of, ms: numberOf(id.slice(0, TIME)) }
  }
  return undefined
}

/** FNV-1a over both, folded to 30 bits. */
function markOf(id: string, of: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < of.length; i++) hash = Math.imul(hash ^ of.charCodeAt(i), 0x01000193)
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 30)) & 0x3fffffff
}

function digitsOf(number: number, count: number): string {
  let digits = ''
  for (let rest = number, i = 0; i < count; i++) {
    digits = DIGITS[rest % 32] + digits
    rest = Math.floor(rest / 32)
  }
  return digits
}

function numberOf(digits: string): number {
  let number = 0
  for (const digit of digits) number = 32 * number + DIGITS.indexOf(digit)
  return number
}
