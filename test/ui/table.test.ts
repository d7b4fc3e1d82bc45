import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createStyle } from '../../src/ui/style.ts'
import { type Column, table } from '../../src/ui/table.ts'
import { displayWidth, shortened } from '../../src/ui/width.ts'
import { fitted } from '../../src/ui/wrap.ts'

const style = createStyle(false)
const words = (text: string) => text.split(/\s+/).filter(word => word !== '')

const columns: Column[] = [
  { title: 'policy' },
  { title: 'mean reward', align: 'right' },
  { title: 'interval', name: 'interval of mean reward', drop: 1 },
  { title: 'version', copied: true, drop: 2 },
  { title: 'why', prose: true },
]
const rows = [
  ['offer', '0.08161', '[0.08096, 0.08227]', 'offer-16556bdb1295', 'Git has another policy, and another floor'],
  ['', '0.1', '[0.09, 0.11]', '', ''],
]
const at = (room: number) => `\n${table(columns, rows, { style, columns: room })}\n`

describe('a table', () => {
  it('is as wide as its cells where there is room', () => {
    expect(at(Number.POSITIVE_INFINITY)).toMatchInlineSnapshot(`
      "
      policy  mean reward  interval            version             why
      offer       0.08161  [0.08096, 0.08227]  offer-16556bdb1295  Git has another policy, and another floor
                      0.1  [0.09, 0.11]
      "
    `)
  })

  it('wraps titles and sentences first, then drops columns, and says so', () => {
    expect(at(80)).toMatchInlineSnapshot(`
      "
      policy      mean  interval            version             why
                reward
      offer    0.08161  [0.08096, 0.08227]  offer-16556bdb1295  Git has another
                                                                policy, and another
                                                                floor
                   0.1  [0.09, 0.11]
      "
    `)
    expect(at(60)).toMatchInlineSnapshot(`
      "
      policy      mean  interval            why
                reward
      offer    0.08161  [0.08096, 0.08227]  Git has another
                                            policy, and another
                                            floor
                   0.1  [0.09, 0.11]
      no room for: version; --json has all
      "
    `)
  })

  it('becomes paragraphs where nothing else does', () => {
    expect(at(36)).toMatchInlineSnapshot(`
      "
      offer
        mean reward: 0.08161
        interval of mean reward: [0.08096,
          0.08227]
        version: offer-16556bdb1295
        why: Git has another policy, and
             another floor
        mean reward: 0.1
        interval of mean reward: [0.09,
          0.11]
      "
    `)
  })

  it('shortens a name in its middle as a last resort, and no name that is copied', () => {
    const name = 'the-longest-name-that-anybody-ever-gave-to-a-policy'
    const shown = table([{ title: 'a' }, { title: 'b' }, { title: 'c', copied: true }], [[name, name, name]], {
      style,
      columns: 30,
    })
    expect(`\n${shown}\n`).toMatchInlineSnapshot(`
      "
      the-longest-nam…ve-to-a-policy
        b: the-longest-na…e-to-a-policy
        c: the-longest-name-that-anybody-ever-gave-to-a-policy
      "
    `)
  })

  it('counts what is seen: wide letters are two columns, an emoji is, too', () => {
    expect(['価格', '👍🏽', 'é', '\u001b[31mred\u001b[39m'].map(displayWidth)).toEqual([4, 2, 1, 3])
    const text = table([{ title: '商品' }, { title: 'n' }], [['ab', '1']], { style, columns: 80 })
    expect(text).toBe('商品  n\nab    1')
  })

  it('is never wider than the terminal, and loses no cell in silence', () => {
    const word = fc.oneof(fc.stringMatching(/^[a-z0-9-]{1,12}$/), fc.constantFrom('価格', '👍', 'ünï', '[0.1,'))
    const cell = fc.array(word, { maxLength: 4 }).map(all => all.join(' '))
    const column = fc.record(
      {
        title: fc.stringMatching(/^[a-z0-9-]{1,12}$/),
        align: fc.constantFrom('left' as const, 'right' as const),
        drop: fc.integer({ min: 1, max: 4 }),
        prose: fc.constant(true as const),
      },
      { requiredKeys: ['title'] },
    )
    const shape = fc
      .array(column, { minLength: 1, maxLength: 8 })
      .chain(all =>
        fc.tuple(fc.constant(all), fc.array(fc.tuple(...all.map(() => cell)), { minLength: 1, maxLength: 4 })),
      )
    fc.assert(
      fc.property(shape, fc.integer({ min: 30, max: 160 }), ([all, cells], room) => {
        const text = table(all, cells, { style, columns: room })
        for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(room)
        const said = words(text)
        const note = /no room for: ([^;]*);/s.exec(text)?.[1] ?? ''
        for (const row of cells) {
          row.forEach((each, i) => {
            if (!words(each).every(part => said.includes(part)))
              expect(words(note.replaceAll(',', ''))).toContain(all[i].title)
          })
        }
      }),
    )
  })
})

describe('a text that is fitted', () => {
  it('keeps every word in order, and breaks no word', () => {
    const text = fc.array(fc.stringMatching(/^[ ]{0,4}(hint: |1\. |note {4})?[a-z]{1,30}( [a-z]{1,14}){0,30}$/), {
      maxLength: 5,
    })
    fc.assert(
      fc.property(text, fc.integer({ min: 40, max: 140 }), (lines, room) => {
        const shown = fitted(lines.join('\n'), room)
        expect(words(shown)).toEqual(words(lines.join('\n')))
        for (const line of shown.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(room)
      }),
    )
  })

  it('keeps a label in sight', () => {
    const hint = '  hint: look for who sends them; a number of another kind has a name of its own'
    expect(`\n${fitted(hint, 40)}\n`).toMatchInlineSnapshot(`
      "
        hint: look for who sends them; a
              number of another kind has a
              name of its own
      "
    `)
  })

  it('is not touched where there is room, nor for a pipe', () => {
    const text = 'a  b\n   c'.repeat(40)
    expect(fitted(text, Number.POSITIVE_INFINITY)).toBe(text)
  })
})

describe('a name that is shortened', () => {
  it('is as long as it may be, and keeps its ends', () => {
    expect(shortened('the-longest-name', 9)).toBe('the-…name')
    expect(shortened('価格価格価格', 7)).toBe('価格…格')
    expect(shortened('short', 9)).toBe('short')
  })
})
