import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createIdTable } from '../../src/log/id-table.ts'

describe('a table of ids', () => {
  it('gives every id its place in the order in which ids came, as a Map would', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 200 }), ids => {
        const table = createIdTable()
        const map = new Map<string, number>()
        for (const id of ids) {
          if (!map.has(id)) map.set(id, map.size)
          expect(table.add(id)).toBe(map.get(id))
          expect(table.size).toBe(map.size)
        }
      }),
    )
  })

  it('knows them all again after it has grown', () => {
    const table = createIdTable()
    const count = 20_000
    for (let i = 0; i < count; i++) expect(table.add(`d${i}`)).toBe(i)
    for (let i = 0; i < count; i++) expect(table.add(`d${i}`)).toBe(i)
    expect(table.size).toBe(count)
  })
})
