import { stripVTControlCharacters } from 'node:util'
import { renderToString } from 'ink'
import { describe, expect, it } from 'vitest'
import { type Diagnostic, didYouMean, printable } from '../../src/diagnostics.ts'
import { diagnosticsSummary, diagnosticText } from '../../src/ui/diagnostics.ts'
import { Progress } from '../../src/ui/live/progress-view.tsx'
import { Select } from '../../src/ui/live/select-view.tsx'
import { grouped, percent, plural, short, signed } from '../../src/ui/numbers.ts'
import { createStyle } from '../../src/ui/style.ts'
import { table } from '../../src/ui/table.ts'

const plain = createStyle(false)
const diagnostic: Diagnostic = {
  severity: 'error',
  code: 'unknown-key',
  message: 'unknown key `l3`',
  file: 'policies/shop.yaml',
  line: 3,
  column: 28,
  length: 2,
  hint: 'did you mean `l2`?',
}
const source = ['spec:', '  algorithm:', '    learner: { type: linear, l3: 1.0 }', '']

describe('a diagnostic as text', () => {
  it('shows place, sentence, code frame with a caret, and hint', () => {
    expect(diagnosticText({ ...diagnostic, column: 30 }, source, plain)).toMatchInlineSnapshot(`
      "policies/shop.yaml:3:30: error: unknown key \`l3\` [unknown-key]
        2 │   algorithm:
        3 │     learner: { type: linear, l3: 1.0 }
          │                              ^^
        hint: did you mean \`l2\`?"
    `)
  })

  it('keeps the caret below its word on a line of a thousand columns', () => {
    const long = `${' '.repeat(900)}wrong: 1`
    const text = diagnosticText({ ...diagnostic, line: 1, column: 901, length: 5, hint: undefined }, [long], plain)
    const [, code, caret] = text.split('\n')
    expect(code.indexOf('wrong')).toBe(caret.indexOf('^^^^^'))
    expect(code.length).toBeLessThan(140)
  })

  it('shows no frame for a file that could not be read', () => {
    expect(diagnosticText({ ...diagnostic, line: 0, column: 0, hint: undefined }, undefined, plain)).toBe(
      'policies/shop.yaml: error: unknown key `l3` [unknown-key]',
    )
  })

  it('makes control characters of a hostile file visible', () => {
    expect(printable('a\u001b[2Jb\u202ec')).toBe('a\\u001b[2Jb\\u202ec')
  })

  it('sums up', () => {
    expect(diagnosticsSummary(1, [], plain)).toBe('1 file checked: all valid')
    expect(diagnosticsSummary(12, [diagnostic, { ...diagnostic, severity: 'warning' }], plain)).toBe(
      '12 files checked: 1 error, 1 warning',
    )
  })
})

describe('did you mean', () => {
  it('finds a near word, also by a swap of neighbours, and is silent when nothing is near', () => {
    expect(didYouMean('epsilno', ['epsilon', 'temperature'])).toBe('did you mean `epsilon`?')
    expect(didYouMean('zzz', ['epsilon', 'temperature'])).toBeUndefined()
  })
})

describe('numbers', () => {
  it('are short and readable', () => {
    expect([0, 0.0046021, 12.3456, 1234.56, 12345678, 1e-9].map(short)).toEqual([
      '0',
      '0.004602',
      '12.35',
      '1,235',
      '1.23e+7',
      '1.00e-9',
    ])
    expect(signed(0.5)).toBe('+0.5')
    expect(signed(-0.5)).toBe('-0.5')
    expect(grouped(1234567)).toBe('1,234,567')
    expect(percent(0.95)).toBe('95 %')
  })

  it('agree with their nouns', () => {
    expect([plural(1, 'file'), plural(2, 'file'), plural(3, 'policy')]).toEqual(['1 file', '2 files', '3 policies'])
  })
})

describe('a table', () => {
  it('aligns coloured cells by what is seen', () => {
    const { red } = createStyle(true)
    const text = table(
      [{ title: 'name' }, { title: 'n', align: 'right' }],
      [
        [red('a'), '10'],
        ['bbbbb', '5'],
      ],
      { style: createStyle(false), columns: Number.POSITIVE_INFINITY },
    )
    expect(stripVTControlCharacters(text)).toBe('name    n\na      10\nbbbbb   5')
  })
})

describe('live views', () => {
  it('show how far a run is and what is left', () => {
    const view = renderToString(
      <Progress event={{ type: 'progress', unit: 'replications', done: 50, total: 200 }} elapsedMs={1000} />,
    )
    expect(view).toBe('replications  ██████░░░░░░░░░░░░░░░░░░  50 of 200  3 s left')
  })

  it('count where the total is not known', () => {
    expect(renderToString(<Progress event={{ type: 'progress', unit: 'rows', done: 12345 }} elapsedMs={1000} />)).toBe(
      '12,345 rows',
    )
  })

  it('ask a question with its choices', () => {
    const choices = [
      { value: 'bandit', description: 'one for all' },
      { value: 'contextual-bandit', description: 'one for each' },
    ]
    expect(renderToString(<Select question="Which template?" choices={choices} onDone={() => {}} />)).toBe(
      [
        'Which template?',
        '❯ bandit            one for all',
        '  contextual-bandit one for each',
        '↑ ↓ to move, enter to choose, ctrl-c to stop',
      ].join('\n'),
    )
  })
})
