import { describe, expect, it } from 'vitest'
import { distanceOf, diversityOf } from '../../../src/evaluate/lists/distance.ts'

describe('the distance of actions', () => {
  const ids = ['chess', 'go', 'poker', 'bridge']
  const entries = [
    { id: 'chess', features: { genre: 'board', minutes: 10 } },
    { id: 'go', features: { genre: 'board', minutes: 60 } },
    { id: 'poker', features: { genre: 'card', minutes: 110 } },
    { id: 'bridge', features: { genre: 'card' } },
  ]

  it('is the mean of what their features differ by', () => {
    const distance = distanceOf(ids, entries)
    const between = (one: number, other: number) => distance?.(one, other)
    expect(between(0, 0)).toBe(0)
    expect(between(0, 1)).toBe(0.25)
    expect(between(0, 2)).toBe(1)
    expect(between(1, 2)).toBe(0.75)
    // One has no `minutes`, and the other has.
    expect(between(2, 3)).toBe(0.5)
    expect(between(3, 3)).toBe(0)
    expect(between(3, 2)).toBe(0.5)
  })

  it('is not known where an action is not, or nothing is said of any', () => {
    expect(distanceOf([...ids, 'whist'], entries)).toBeUndefined()
    expect(distanceOf(['chess'], [{ id: 'chess' }])).toBeUndefined()
  })

  it('makes the diversity of a list: its pairs, empty slots apart', () => {
    const distance = distanceOf(ids, entries)
    if (distance === undefined) throw new Error('it is known')
    const eligible = Int32Array.of(2, 1, 0)
    expect(diversityOf(Int32Array.of(2, -1, 1, 0), eligible, distance)).toBeCloseTo((0.25 + 1 + 0.75) / 3, 12)
    expect(diversityOf(Int32Array.of(2), eligible, distance)).toBe(0)
    expect(diversityOf(Int32Array.of(-1, -1), eligible, distance)).toBe(0)
  })
})
