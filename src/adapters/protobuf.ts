/**
 * The wire format of Protocol Buffers, as far as small messages need it whose fields are known by their numbers:
 * https://protobuf.dev/programming-guides/encoding/. What is read is a stranger's: a RangeError where it is no message.
 */

/** A message that was read; fields that nobody asks for are skipped, as the format wants it. */
export interface Message {
  /** Every value of a field, in order: bytes of what has a length, of a number those that say it. */
  all(field: number): readonly Uint8Array[]
  /** Its last value, which is the one that counts; nothing where there is none. */
  bytes(field: number): Uint8Array
  text(field: number): string
  /** 0 where there is none. */
  integer(field: number): number
  /** All numbers of a repeated field, packed or not: what follows says how to read them. */
  packed(field: number): Uint8Array
}

const NONE = new Uint8Array()

export function readMessage(bytes: Uint8Array): Message {
  const fields = new Map<number, Uint8Array[]>()
  let at = 0
  const varintEnd = (start: number) => {
    let end = start
    while (end < bytes.length && bytes[end] >= 128) end++
    if (end >= bytes.length || end - start >= 10) throw new RangeError('no message: a number has no end')
    return end + 1
  }
  const varint = () => {
    const end = varintEnd(at)
    const [value] = varintsOf(bytes.subarray(at, end))
    at = end
    return Number(value)
  }
  while (at < bytes.length) {
    const key = varint()
    const wire = key % 8
    const length = wire === 0 ? varintEnd(at) - at : wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? varint() : -1
    if (length < 0 || at + length > bytes.length) throw new RangeError('no message: a field has no end')
    const number = Math.floor(key / 8)
    const values = fields.get(number) ?? []
    fields.set(number, values)
    values.push(bytes.subarray(at, at + length))
    at += length
  }
  const all = (field: number) => fields.get(field) ?? []
  const last = (field: number) => all(field).at(-1) ?? NONE
  return {
    all,
    bytes: last,
    text: field => Buffer.from(last(field)).toString(),
    integer: field => Number(varintsOf(last(field)).at(-1) ?? 0n),
    packed: field => (all(field).length === 1 ? last(field) : Buffer.concat(all(field))),
  }
}

/** Varints one after the other, as two's complement of 64 bits. */
export function varintsOf(bytes: Uint8Array): bigint[] {
  const values: bigint[] = []
  let value = 0n
  let shift = 0n
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift
    shift += 7n
    if (shift > 70n) throw new RangeError('no message: a number has no end')
    if (byte >= 128) continue
    values.push(BigInt.asIntN(64, value))
    value = 0n
    shift = 0n
  }
  return values
}

/** A message of fields in this order; `undefined` is one that is left out. */
export function writeMessage(...fields: readonly (Uint8Array | undefined)[]): Uint8Array {
  return Buffer.concat(fields.filter(field => field !== undefined))
}

/** A field of bytes, a text or a message. */
export function bytesField(field: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes])
}

export function integerField(field: number, value: number): Uint8Array {
  return Buffer.concat([varint(field * 8), varint(value)])
}

/** Numbers of a repeated field, packed. */
export function integersField(field: number, values: readonly number[]): Uint8Array {
  return bytesField(field, Buffer.concat(values.map(varint)))
}

/** Of a whole number that is not negative. */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
