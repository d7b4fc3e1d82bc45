import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tableCandidate } from '../../../src/evaluate/candidates/table.ts'
import { createCells } from '../../../src/evaluate/weights/cells.ts'
import type { KeyColumn } from '../../../src/log/tables.ts'

describe('cells', () => {
  /** A chunk's column; every chunk has a dictionary of its own, by first appearance. */
  const column = (values: readonly string[]): KeyColumn => {
    const dictionary = [...new Set(values)]
    return { type: 'key', codes: Int32Array.from(values, value => dictionary.indexOf(value)), dictionary }
  }

  it('are the distinct combinations of their columns, numbered by first appearance, whatever the chunks', () => {
    const value = fc.constantFrom('a', 'b', 'c', 'd', '1', '2')
    const logs = fc.integer({ min: 0, max: 3 }).chain(width =>
      fc.record({
        width: fc.constant(width),
        rows: fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 60 }),
        chunk: fc.integer({ min: 1, max: 20 }),
      }),
    )
    fc.assert(
      fc.property(logs, ({ width, rows, chunk }) => {
        const cells = createCells(width)
        const seen: string[] = []
        for (let from = 0; from < rows.length; from += chunk) {
          const part = rows.slice(from, from + chunk)
          const out = new Int32Array(part.length)
          const columns = Array.from({ length: width }, (_, j) => column(part.map(row => row[j])))
          cells.assign(columns, part.length, out)
          for (const [i, row] of part.entries()) {
            const key = JSON.stringify(row)
            if (!seen.includes(key)) seen.push(key)
            expect(out[i]).toBe(seen.indexOf(key))
            expect(cells.keys(out[i])).toEqual(row)
          }
        }
        expect(cells.count()).toBe(seen.length)
      }),
    )
  })
})

describe('a table of probabilities', () => {
  const space = { ids: ['x', 'y'], find: (cell: string) => ['x', 'y'].indexOf(cell), eligible: false }
  const p = (x: number) =>
    new Map([
      ['x', x],
      ['y', 1 - x],
    ])
  const of = (table: readonly (readonly [string, number])[], key: string) =>
    tableCandidate(
      space,
      new Map(table.map(([name, x]) => [JSON.stringify([name]), p(x)])),
      ['by'],
      ['by'],
    ).distribution([key])[0]

  it('has a row for a number however it is written, and prefers the one that is written alike, then as a whole number', () => {
    const both = [
      ['1', 0.2],
      ['1.0', 0.7],
    ] as const
    for (const table of [both, [...both].reverse()]) {
      expect(of(table, '1')).toBe(0.2)
      expect(of(table, '1.0')).toBe(0.7)
      expect(of(table, '1.00')).toBe(0.2)
    }
    expect(of([['1.0', 0.7]], '1')).toBe(0.7)
    expect(() => of(both, '2')).toThrow('the table says nothing about by = 2')
  })
})
