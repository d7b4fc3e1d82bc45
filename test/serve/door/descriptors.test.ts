import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connectionsWithin, openFilesLimit } from '../../../src/serve/door/descriptors.ts'

describe('the files that a process may open', () => {
  it('are for connections but for a hundred, or half of few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1 << 20 }), limit => {
        const connections = connectionsWithin(limit)
        expect(connections).toBeGreaterThanOrEqual(1)
        expect(limit - connections).toBe(Math.min(100, Math.ceil(limit / 2)))
      }),
    )
    expect(connectionsWithin(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY)
  })

  it('are known to the process', () => {
    expect(openFilesLimit()).toBeGreaterThan(0)
  })
})
