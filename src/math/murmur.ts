/**
 * MurmurHash3_x86_32 (Appleby, 2011) of the UTF-8 bytes of a text, as a signed 32-bit integer. Half of a surrogate pair alone counts as U+FFFD. It
 * hashes in place: nothing is allocated.
 */
export function murmur3(text: string, seed: number): number {
  let hash = seed | 0
  let block = 0
  let shift = 0
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i)
    // The code point's bytes as one number, the first in the lowest eight bits, and how many more there are.
    let more = 0
    if (code >= 0x80) {
      if (code >= 0xd800 && code <= 0xdfff) {
        const next = code < 0xdc00 ? text.charCodeAt(i + 1) : 0
        if (next >= 0xdc00 && next <= 0xdfff) {
          code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00)
          i++
        } else code = 0xfffd
      }
      if (code < 0x800) {
        more = 1
        code = 0xc0 | (code >> 6) | tail(code, 0, 8)
      } else if (code < 0x10000) {
        more = 2
        code = 0xe0 | (code >> 12) | tail(code, 6, 8) | tail(code, 0, 16)
      } else {
        more = 3
        code = 0xf0 | (code >> 18) | tail(code, 12, 8) | tail(code, 6, 16) | tail(code, 0, 24)
      }
    }
    for (; more >= 0; more--) {
      block |= (code & 0xff) << shift
      code >>>= 8
      shift += 8
      bytes++
      if (shift < 32) continue
      hash = (Math.imul(rotated(hash ^ scrambled(block), 13), 5) + 0xe6546b64) | 0
      block = 0
      shift = 0
    }
  }
  if (shift > 0) hash ^= scrambled(block)
  hash ^= bytes
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Six bits of a code point as a byte that continues it. */
const tail = (code: number, from: number, place: number): number => (0x80 | ((code >> from) & 0x3f)) << place

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

const scrambled = (block: number): number => Math.imul(rotated(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593)
