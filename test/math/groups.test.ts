import { describe, expect, it } from 'vitest'
import { designEffect, spreadOfGroups } from '../../src/math/groups.ts'

describe('the spread of groups', () => {
  it('is, of three, what each moves the sum when it is left out', () => {
    const [taken, expected] = [
      [2, 0, 4],
      [2, 2, 2],
    ]
    const spread = spreadOfGroups(
      3,
      g => taken[g],
      g => expected[g],
    )
    // Ratios without one: 1, 3/2, 1/2, where all have 1; the sum is 6 times as large.
    expect(spread).toMatchObject({ taken: 6, expected: 6, ratio: 1, units: 3 })
    expect(spread.variance).toBeCloseTo(36 * (1 / 4 + 1 / 4), 12)
  })
})

describe('the design effect', () => {
  it('is the mean over sums, by their rows, and at least 1', () => {
    const wide = { variance: 60, independent: 10, square: 20, rows: 30 }
    const narrow = { variance: 5, independent: 10, square: 20, rows: 10 }
    expect(designEffect([wide, narrow], 40)).toBeCloseTo((30 * 6 + 10 * 0.5) / 40, 12)
    expect(designEffect([narrow], 40)).toBe(1)
  })

  it('is the most that it can be where all draws were alike', () => {
    expect(designEffect([{ variance: 0, independent: 1e-14, square: 20, rows: 30 }], 40)).toBe(40)
  })
})
