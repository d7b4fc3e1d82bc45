import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { creditedSlots } from '../../src/policy/credit.ts'

const slots = (credit: Parameters<typeof creditedSlots>[0]['credit'], rewards: readonly number[], usual = 0) =>
  creditedSlots({ credit, default: usual }, rewards).map(({ slot, reward, factor }) => [slot, reward, factor])

describe('a list teaches', () => {
  it('up to its last reward by default, and all where there was none', () => {
    expect(slots(undefined, [0, 1, 0, 1, 0])).toEqual([
      [0, 0, 1],
      [1, 1, 1],
      [2, 0, 1],
      [3, 1, 1],
    ])
    expect(slots('examined', [1, 0, 0])).toEqual([[0, 1, 1]])
    expect(slots('examined', [0, 0])).toEqual([
      [0, 0, 1],
      [1, 0, 1],
    ])
    expect(slots('examined', [])).toEqual([])
  })

  it('up to what is not the default, whatever that is', () => {
    expect(slots('examined', [-1, 0, -1], -1).length).toBe(2)
    expect(slots('examined', [-1, -2, 0], 0).length).toBe(2)
  })

  it('all that it shows, where that is wanted', () => {
    expect(slots('all', [1, 0])).toEqual([
      [0, 1, 1],
      [1, 0, 1],
    ])
  })

  it('by how likely each place is looked at, the last number being that of all that follow', () => {
    expect(slots({ position: [1, 0.5] }, [0, 1, 0])).toEqual([
      [0, 0, 1],
      [1, 1, 0.5],
      [2, 0, 0.5],
    ])
  })

  it('a single decision, whatever the credit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(undefined, 'examined' as const, 'all' as const),
        fc.double({ noNaN: true }),
        (credit, reward) => {
          expect(slots(credit, [reward])).toEqual([[0, reward, 1]])
        },
      ),
    )
  })
})
