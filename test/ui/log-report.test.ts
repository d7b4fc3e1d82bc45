import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogCheck } from '../../src/log/check/check.ts'
import { outcomeOf } from '../../src/ui/formats/report.ts'
import { logReport } from '../../src/ui/log-report.ts'

describe('what CI is told of a log', () => {
  it('is of every file whether it has an error, and of how many records, however few examples are kept', () => {
    const lines = fc.array(fc.constantFrom('{"schema":"x"}', 'no JSON\n', '[]'), { maxLength: 15 })
    fc.assert(
      fc.property(fc.array(lines, { minLength: 1, maxLength: 5 }), files => {
        const check = createLogCheck()
        for (const [i, texts] of files.entries()) {
          for (const [row, text] of texts.entries()) check.line(`${i}.jsonl`, row + 1, text.trimEnd())
          check.endOfFile()
        }
        const names = files.map((_, i) => `${i}.jsonl`)
        const { cases } = logReport(check.finish(), '/logs', names, check.errors)
        expect(cases.map(({ name }) => name)).toEqual([...names, 'decisions'])
        for (const [i, texts] of files.entries()) {
          // A last line that is no JSON is torn, which is a warning.
          const faulty = texts.filter((text, row) => text !== 'no JSON\n' || row < texts.length - 1).length
          expect(outcomeOf(cases[i])).toBe(faulty > 0 ? 'failed' : 'passed')
          const told = cases[i].findings
            .filter(({ level }) => level === 'error')
            .map(({ message, place }) => (place?.region === undefined ? Number(/^\d+/.exec(message)) : 1))
          expect(told.reduce((sum, count) => sum + count, 0)).toBe(faulty)
        }
      }),
    )
  })
})
