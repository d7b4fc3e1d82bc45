import { randomFillSync } from 'node:crypto'

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CHANCE = 16

/** A maker of ULIDs: 48 bits of the clock, then 80 of chance, in 26 digits of Crockford's base 32; ids of later milliseconds sort later. */
export function createIds(now: () => number): () => string {
  const pool = new Uint8Array(CHANCE * 256)
  let used = pool.length
  let stamp = -1
  let prefix = ''

  function prefixOf(ms: number): string {
    let digits = ''
    for (let rest = ms, i = 0; i < 10; i++) {
      digits = DIGITS[rest % 32] + digits
      rest = Math.floor(rest / 32)
    }
    return digits
  }

  return () => {
    const ms = now()
    if (ms !== stamp) {
      stamp = ms
      prefix = prefixOf(ms)
    }
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    let id = prefix
    for (const end = used + CHANCE; used < end; used++) id += DIGITS[pool[used] & 31]
    return id
  }
}
