import { stripVTControlCharacters } from 'node:util'
import { renderToString } from 'ink'
import { describe, expect, it } from 'vitest'
import { type Diagnostic, didYouMean, printable } from '../../src/diagnostics.ts'
import { diagnosticsSummary, diagnosticText } from '../../src/ui/diagnostics.ts'
import { answered, UNANSWERED } from '../../src/ui/live/answer.ts'
import { Question } from '../../src/ui/live/answer-view.tsx'
import type { Line } from '../../src/ui/live/line.ts'
import { Asked } from '../../src/ui/live/line-view.tsx'
import { type Pace, paced } from '../../src/ui/live/pace.ts'
import { Progress } from '../../src/ui/live/progress-view.tsx'
import { Select, selected } from '../../src/ui/live/select-view.tsx'
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
    expect([1326.2186, 21.2, 0.5].map(grouped)).toEqual(['1,326', '21.2', '0.5'])
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

/** The pace of 200 replications, after so many at each time. */
const paceAt = (...points: readonly (readonly [time: number, done: number])[]) =>
  points.reduce<Pace | undefined>(
    (pace, [time, done]) => paced(pace, { type: 'progress', unit: 'replications', done, total: 200 }, time),
    undefined,
  )!

describe('live views', () => {
  it('show how far a run is, how fast, and what is left', () => {
    const pace = paceAt([0, 0], [1000, 50])
    expect(renderToString(<Progress pace={pace} columns={80} />, { columns: 80 })).toBe(
      '██████░░░░░░░░░░░░░░░░░░  50 of 200 replications · 50/s · 3 s left',
    )
    expect(renderToString(<Progress pace={pace} columns={50} />, { columns: 50 })).toBe(
      '50 of 200 replications · 50/s · 3 s left',
    )
  })

  it('ask for a yes or a no', () => {
    const view = (typed: string) =>
      renderToString(<Question question="apply this plan?" answer={answered(UNANSWERED, typed)} />)
    expect(view('ye')).toBe('apply this plan? [y/N] ye')
    expect(view('yes\r')).toBe('apply this plan? [y/N] yes')
    expect(view('perhaps\r')).toBe('apply this plan? [y/N]\ny or n; Enter alone is no')
  })

  it('take keys as fast as they come', () => {
    const keys = [
      { by: 1, of: 3 },
      { by: 1, of: 3 },
      { by: 1, of: 3 },
      { by: -1, of: 3 },
      { enter: true, of: 3 } as const,
    ]
    expect(keys.reduce(selected, { at: 0 })).toEqual({ at: 2, chosen: 2 })
  })

  it('ask for a line of text', () => {
    const view = (line: Line) =>
      renderToString(<Asked question="What is it called?" standard="shop" check={() => undefined} line={line} />)
    expect(view({ typed: 'ca' })).toBe('What is it called? (shop) ca\nenter to go on, esc or ctrl-c to stop')
    expect(view({ typed: '', value: 'shop' })).toBe('What is it called? (shop) shop')
    expect(view({ typed: 'A', fault: 'no' })).toContain('\nno\n')
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
        '↑ ↓ to move, enter to choose, esc or ctrl-c to stop',
      ].join('\n'),
    )
  })
})
