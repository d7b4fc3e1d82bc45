import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64, toBase64 } from '../../src/math/base64.ts'

describe('base64', () => {
  it('is Node’s, of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
        const text = Buffer.from(bytes).toString('base64')
        expect(toBase64(bytes)).toBe(text)
        expect(fromBase64(text)).toEqual(bytes)
      }),
      { numRuns: 1000 },
    )
    for (let length = 0; length < 5000; length += 7) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 13)
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
    }
  })

  it('is read only as it is written', () => {
    const digit = fc.constantFrom('A', 'Q', 'g', 'w', '/', '+', '=', '-', ' ', 'é', '\u0100', 'B')
    fc.assert(
      fc.property(fc.string({ unit: digit, maxLength: 9 }), text => {
        const bytes = Buffer.from(text, 'base64')
        const isCanonical = bytes.toString('base64') === text
        expect(fromBase64(text)).toEqual(isCanonical ? new Uint8Array(bytes) : undefined)
      }),
      { numRuns: 5000 },
    )
  })
})
