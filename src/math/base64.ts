/** Base64 with padding (RFC 4648, section 4), in the language alone. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PAD = 61
/** By value, and the other way round: 64 for what is none. */
const codes = Uint8Array.from(ALPHABET, digit => digit.charCodeAt(0))
const values = new Uint8Array(128).fill(64)
for (const [value, code] of codes.entries()) values[code] = value

/** Digits that become text at once; a call takes only so many arguments. */
const PIECE = 1024

const textOf = (piece: Uint8Array): string => Reflect.apply(String.fromCharCode, undefined, piece)

export function toBase64(bytes: Uint8Array): string {
  const piece = new Uint8Array(PIECE)
  let text = ''
  let at = 0
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = (bytes[i] << 16) | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0)
    piece[at] = codes[word >> 18]
    piece[at + 1] = codes[(word >> 12) & 63]
    piece[at + 2] = left > 1 ? codes[(word >> 6) & 63] : PAD
    piece[at + 3] = left > 2 ? codes[word & 63] : PAD
    at += 4
    if (at === PIECE) {
      text += textOf(piece)
      at = 0
    }
  }
  return text + textOf(piece.subarray(0, at))
}

/** The bytes of a text that `toBase64` could have made of them; undefined for any other, with blanks, of other digits or cut short. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const { length } = text
  if (length % 4 !== 0) return undefined
  const padding = length === 0 || text.charCodeAt(length - 1) !== PAD ? 0 : text.charCodeAt(length - 2) !== PAD ? 1 : 2
  const bytes = new Uint8Array((length / 4) * 3 - padding)
  const valueAt = (i: number): number => {
    const code = text.charCodeAt(i)
    return code < 128 ? values[code] : 64
  }
  const whole = length - (padding === 0 ? 0 : 4)
  let at = 0
  for (let i = 0; i < whole; i += 4) {
    const a = valueAt(i)
    const b = valueAt(i + 1)
    const c = valueAt(i + 2)
    const d = valueAt(i + 3)
    if ((a | b | c | d) > 63) return undefined
    bytes[at++] = (a << 2) | (b >> 4)
    bytes[at++] = (b << 4) | (c >> 2)
    bytes[at++] = (c << 6) | d
  }
  if (padding === 0) return bytes
  const [a, b, c] = [valueAt(whole), valueAt(whole + 1), padding === 1 ? valueAt(whole + 2) : 0]
  // What no byte is made of must be 0.
  if ((a | b | c) > 63 || (padding === 1 ? c & 3 : b & 15) !== 0) return undefined
  bytes[at++] = (a << 2) | (b >> 4)
  if (padding === 1) bytes[at++] = (b << 4) | (c >> 2)
  return bytes
}
