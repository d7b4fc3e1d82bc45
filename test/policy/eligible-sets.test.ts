import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEligibleSets } from '../../src/policy/eligible-sets.ts'
import { ownPool } from '../../src/policy/pool.ts'

const pool = (ids: readonly string[]) => ownPool(ids.map(id => ({ id })))

describe('createEligibleSets', () => {
  it.each([3, 53, 54, 200])('gives the same object for the same set and never for another, of %i actions', count => {
    const actions = Array.from({ length: count }, (_, i) => `a${i}`)
    const rules = actions.map(id => `rule of ${id}`)
    const setOf = createEligibleSets(pool(actions), { rule: a => rules[a] })
    const subsets = fc.subarray(actions.map((_, i) => i))
    fc.assert(
      fc.property(subsets, subsets, (one, other) => {
        const [a, b] = [one, other].map(list => setOf(Int32Array.from([...list, 0, 0]), list.length))
        expect(a.eligible).toEqual(one.map(i => `a${i}`))
        expect(a.indices).toEqual(one)
        expect([...a.eligible, ...a.excluded.map(({ id }) => id)].sort()).toEqual([...actions].sort())
        for (const { id, by } of a.excluded) expect(by).toBe(`rule of ${id}`)
        expect(a === b).toBe(one.join() === other.join())
      }),
      { numRuns: 300 },
    )
  })

  it.each([53, 54])('tells sets apart that differ in the first of %i actions alone', count => {
    const actions = Array.from({ length: count }, (_, i) => `a${i}`)
    const setOf = createEligibleSets(pool(actions), { rule: a => actions[a] })
    const last = count - 1
    expect(setOf(Int32Array.of(last), 1).indices).toEqual([last])
    expect(setOf(Int32Array.of(0, last), 2).indices).toEqual([0, last])
  })

  it('remembers a bounded number of sets, and still gives the right ones', () => {
    const actions = Array.from({ length: 12 }, (_, i) => `a${i}`)
    const setOf = createEligibleSets(pool(actions), { rule: a => actions[a] })
    for (let round = 0; round < 2; round++) {
      for (let mask = 0; mask < 4096; mask++) {
        const list = actions.flatMap((_, i) => (mask & (1 << i) ? [i] : []))
        expect(setOf(Int32Array.from(list), list.length).indices).toEqual(list)
      }
    }
  })
})
