import fc from 'fast-check'
import { protobuf } from 'google-gax'
import { describe, expect, it } from 'vitest'
import {
  bytesField,
  integerField,
  integersField,
  readMessage,
  varintsOf,
  writeMessage,
} from '../../src/adapters/protobuf.ts'

const { root } = protobuf.parse(`
syntax = "proto3";
message Inner { int32 a = 1; }
message All {
  int64 whole = 1;
  string text = 2;
  Inner inner = 3;
  repeated int32 packed = 4;
  repeated int32 loose = 5 [packed = false];
  double eight = 6;
  float four = 7;
  repeated double doubles = 8;
  repeated float floats = 9 [packed = false];
  bytes far = 1000;
}
`)
const All = root.lookupType('All')

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const number = fc.double({ noNaN: true })

/** Numbers of eight or four bytes, one after the other. */
const numbersOf = (bytes: Uint8Array, size: 4 | 8) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / size }, (_, i) =>
    size === 8 ? view.getFloat64(i * 8, true) : view.getFloat32(i * 4, true),
  )
}

describe('a message', () => {
  it('is written as the guide of the format has it', () => {
    expect(hex(integerField(1, 150))).toBe('089601')
    expect(hex(bytesField(2, 'testing'))).toBe('120774657374696e67')
    expect(hex(bytesField(3, integerField(1, 150)))).toBe('1a03089601')
    expect(hex(integersField(6, [3, 270, 86942]))).toBe('3206038e029ea705')
    expect(hex(writeMessage(integerField(1, 0), undefined, integerField(16, 127)))).toBe('080080017f')
  })

  it('is read as protobufjs has written it', () => {
    const message = fc.record({
      whole: int32,
      text: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\ufeffmarked')),
      inner: fc.record({ a: int32 }),
      packed: fc.array(int32),
      loose: fc.array(int32),
      eight: number,
      doubles: fc.array(number),
      floats: fc.array(number.map(Math.fround)),
      far: fc.uint8Array(),
    })
    fc.assert(
      fc.property(message, said => {
        const read = readMessage(All.encode(All.fromObject({ ...said, four: 1.5 })).finish())
        expect(read.integer(1)).toBe(said.whole)
        expect(read.text(2)).toBe(said.text)
        expect(readMessage(read.bytes(3)).integer(1)).toBe(said.inner.a)
        expect(varintsOf(read.packed(4)).map(Number)).toEqual(said.packed)
        expect(varintsOf(read.packed(5)).map(Number)).toEqual(said.loose)
        expect(read.all(5).length).toBe(said.loose.length)
        expect(numbersOf(read.bytes(6), 8)).toEqual([said.eight])
        expect(numbersOf(read.bytes(7), 4)).toEqual([1.5])
        expect(numbersOf(read.packed(8), 8)).toEqual(said.doubles)
        expect(numbersOf(read.packed(9), 4)).toEqual(said.floats)
        expect([...read.bytes(1000)]).toEqual([...said.far])
      }),
    )
  })

  it('has nothing, or zero, where a field is not there; of several values the last one counts', () => {
    const read = readMessage(writeMessage(integerField(1, 1), integerField(1, 300)))
    expect(read.integer(1)).toBe(300)
    expect(read.integer(2)).toBe(0)
    expect(read.text(2)).toBe('')
    expect(read.all(2)).toEqual([])
    expect(read.packed(2).length).toBe(0)
  })

  it.each([
    ['a key without an end', '80'],
    ['a number without an end', '0880'],
    ['a number of more than ten bytes', '08ffffffffffffffffffff01'],
    ['a number of more than ten bytes in a list', '2a0bffffffffffffffffffff01'],
    ['a text without an end', '120361'],
    ['eight bytes that are seven', '3100000000000000'],
    ['four bytes that are three', '3d000000'],
    ['a group, which nobody writes any more', '0b0c'],
    ['a wire type that there is not', '0f00'],
  ])('that has %s is none', (_, text) => {
    expect(() => {
      const read = readMessage(Buffer.from(text, 'hex'))
      varintsOf(read.packed(5))
    }).toThrow(RangeError)
  })

  it('may have a number of ten bytes, which is below zero', () => {
    expect(readMessage(Buffer.from('08ffffffffffffffffff01', 'hex')).integer(1)).toBe(-1)
  })
})
