import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/math/sha256.ts'

const oracle = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('sha256Hex', () => {
  it('gives the digests of FIPS 180-4', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('equals the native digest at every length around the blocks', () => {
    for (let length = 0; length < 200; length++) expect(sha256Hex('x'.repeat(length))).toBe(oracle('x'.repeat(length)))
    for (const char of ['é', '漢', '😀', 'a😀', '\ud800']) {
      for (let length = 0; length < 70; length++)
        expect(sha256Hex(char.repeat(length))).toBe(oracle(char.repeat(length)))
    }
    for (const length of [1000, 4096, 100_000]) expect(sha256Hex('é'.repeat(length))).toBe(oracle('é'.repeat(length)))
  })

  it('equals the native digest of any text, also of one that is no Unicode', () => {
    const text = fc.string({ unit: fc.oneof(fc.constantFrom('a', 'é', '漢', '😀', '\ud800', '\u0000'), fc.string()) })
    fc.assert(
      fc.property(text, each => {
        expect(sha256Hex(each)).toBe(oracle(each))
      }),
      { numRuns: 2000 },
    )
  })
})
