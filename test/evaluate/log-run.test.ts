import fc from 'fast-check'
import { expect, it } from 'vitest'
import { testedRuns } from '../../src/evaluate/log-run.ts'

const ALL = 2 ** 20
const BLOCK = 2 ** 13

it('tests the propensities of the first million rows, then of every eighth block, whatever the chunks', () => {
  const starts = [0, ALL - 40, ALL, ALL + BLOCK - 20, ALL + 7 * BLOCK, ALL + 8 * BLOCK - 30, ALL + 9 * BLOCK - 5]
  fc.assert(
    fc.property(
      fc.constantFrom(...starts),
      fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 60 }),
      fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 12 }),
      (start, gaps, sizes) => {
        // Rows with gaps among them, then many without, in chunks of these sizes.
        const numbers: number[] = []
        let row = start
        for (let i = 0; i < 20_000; i++) {
          row += gaps[i] ?? 1
          numbers.push(row)
        }
        const tested: number[] = []
        for (let from = 0, c = 0; from < numbers.length; c++) {
          const chunk = numbers.slice(from, from + (sizes[c] ?? 2048))
          from += chunk.length
          for (const [first, last] of testedRuns({ rows: chunk.length, row: Float64Array.from(chunk) })) {
            tested.push(...chunk.slice(first, last))
          }
        }
        expect(tested).toEqual(numbers.filter(row => row < ALL || Math.floor(row / BLOCK) % 8 === 0))
      },
    ),
    { numRuns: 60 },
  )
})
