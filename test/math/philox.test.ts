import { describe, expect, it } from 'vitest'
import { philox4x32 } from '../../src/math/philox.ts'

const words = (key: readonly [number, number], counter: readonly number[]) => {
  const out = new Uint32Array(4)
  philox4x32(...key, Uint32Array.from(counter), out)
  return [...out].map(word => word.toString(16).padStart(8, '0')).join(' ')
}

describe('Philox4x32-10', () => {
  /** `kat_vectors` of Random123 1.14, D. E. Shaw Research: the lines of `philox4x32 10`. */
  it.each([
    [[0, 0], [0, 0, 0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const)('gives the words of its authors under the key %j', (key, counter, expected) => {
    expect(words(key, counter)).toBe(expected)
  })

  it('may write over its counter', () => {
    const counter = Uint32Array.from([1, 2, 3, 4])
    philox4x32(5, 6, counter, counter)
    expect([...counter].map(word => word.toString(16).padStart(8, '0')).join(' ')).toBe(words([5, 6], [1, 2, 3, 4]))
  })
})
