import { describe, expect, it } from 'vitest'
import { stream, xoshiro128 } from '../../src/math/rng.ts'

describe('xoshiro128**', () => {
  // Printed by the authors' C code, https://prng.di.unimi.it/xoshiro128starstar.c, from the same states.
  it('gives the first outputs of the reference from the state 1, 2, 3, 4', () => {
    const rng = xoshiro128(1, 2, 3, 4)
    const outputs = Array.from({ length: 10 }, () => rng.uint32())
    expect(outputs).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ])
  })

  it('gives those of a state with high bits', () => {
    const rng = xoshiro128(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef)
    const outputs = Array.from({ length: 5 }, () => rng.uint32())
    expect(outputs).toEqual([2463954730, 5524658, 74256371, 1905451993, 3123413897])
  })

  it('makes a uniform of the high 21 bits of one output and all of the next', () => {
    const [whole, parts] = [xoshiro128(5, 6, 7, 8), xoshiro128(5, 6, 7, 8)]
    for (let i = 0; i < 100; i++) {
      const [high, low] = [parts.uint32() >>> 11, parts.uint32()]
      expect(whole.uniform()).toBe((high * 2 ** 32 + low) / 2 ** 53)
    }
  })

  it('refuses the one state that it cannot leave', () => {
    expect(() => xoshiro128(0, 0, 0, 0)).toThrow(RangeError)
  })
})

describe('stream', () => {
  it('depends on the seed and on every label, and on nothing else', () => {
    const first = (...key: [number, ...(string | number)[]]) => stream(...key).uniform()
    expect(first(7, 'world', 1)).toBe(first(7, 'world', 1))
    const others = [first(8, 'world', 1), first(7, 'policy', 1), first(7, 'world', 2), first(7, 'world')]
    expect(new Set([first(7, 'world', 1), ...others]).size).toBe(5)
  })
})
