import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawIndex, drawUniform } from '../../src/policy/draw.ts'

describe('the draw', () => {
  it('is the first 53 bits of SHA-256 over salt/decisionId/slot', () => {
    // printf 'abc/d1/0' | sha256sum
    const digest = 0x42f155b70d204bc12ff54ed0c2f942c80d463c7e8b5e8b7022bed0a415e39cb7n
    expect(drawUniform('abc', 'd1')).toBe(Number(digest >> 203n) / 2 ** 53)
  })

  it('is uniform over decision ids', () => {
    const cells = new Float64Array(20)
    for (let i = 0; i < 40_000; i++) cells[Math.floor(drawUniform('salt', `d${i}`) * 20)]++
    const chiSquare = cells.reduce((sum, n) => sum + (n - 2000) ** 2 / 2000, 0)
    // The 99.9 % quantile with 19 degrees of freedom.
    expect(chiSquare).toBeLessThan(43.8)
  })

  it('picks by the inverse cdf: an index is drawn exactly when u falls in its part', () => {
    const weights = fc.array(fc.nat(20), { minLength: 1, maxLength: 10 }).filter(list => list.some(w => w > 0))
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (list, u) => {
        const total = list.reduce((sum, w) => sum + w, 0)
        const p = list.map(w => w / total)
        const at = drawIndex(p, u)
        const below = p.slice(0, at).reduce((sum, v) => sum + v, 0)
        expect(p[at]).toBeGreaterThan(0)
        expect(u).toBeGreaterThanOrEqual(below)
        // The last of them also takes what rounding leaves over.
        if (p.slice(at + 1).some(v => v > 0)) expect(u).toBeLessThan(below + p[at])
      }),
    )
  })

  it('gives a u that lies between two parts to the second', () => {
    expect([0, 0.25, 0.5].map(u => drawIndex([0.25, 0.25, 0.5], u))).toEqual([0, 1, 2])
    expect(drawIndex([0, 1], 0)).toBe(1)
  })

  it('gives what rounding leaves over to the last index that can be chosen', () => {
    expect(drawIndex([0.1, 0.2, 0.3, 0.3999999, 0], 0.9999999999)).toBe(3)
  })

  it('refuses to choose among nothing', () => {
    expect(() => drawIndex([0, 0], 0.5)).toThrow(RangeError)
  })
})
