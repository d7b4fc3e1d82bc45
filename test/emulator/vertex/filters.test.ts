import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { JsonObject } from '../../../src/emulator/ports.ts'
import { compileFilter, equality, type FilterShape } from '../../../src/emulator/vertex/filters.ts'

const SHAPE: FilterShape = { fields: { displayName: equality(({ displayName }) => String(displayName)) }, labels: true }

/** A filter as text, how closely it binds (2: alone, 1: by OR, 0: by AND), and what it means. */
interface Filter {
  readonly text: string
  readonly binds: number
  readonly passes: (document: JsonObject) => boolean
}

/** Whatever may stand in a name or a label, words and signs of the grammar among it. */
const value = fc.oneof(
  fc.constantFrom('a', 'b', 'AND', 'OR', '-', '*', '(', ')', "it's", '"', '\\', 'a b', '=!', '', 'constructor'),
  fc.string({ maxLength: 3 }),
)
const quoted = fc.tuple(value, fc.boolean()).map(([text, double]) => {
  const sign = double ? '"' : "'"
  return { value: text, text: sign + text.replaceAll(/[\\"']/g, '\\$&') + sign }
})
const labelsOf = (document: JsonObject) => document.labels as Record<string, string>

const comparison: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ name: fc.constantFrom('display_name', 'displayName'), equal: fc.boolean(), quoted }).map(each => ({
    text: `${each.name} ${each.equal ? '=' : '!='} ${each.quoted.text}`,
    binds: 2,
    passes: (document: JsonObject) => (document.displayName === each.quoted.value) === each.equal,
  })),
  fc.tuple(quoted, quoted).map(([key, { text, value }]) => ({
    text: `labels.${key.text}=${text}`,
    binds: 2,
    passes: (document: JsonObject) =>
      Object.hasOwn(labelsOf(document), key.value) && labelsOf(document)[key.value] === value,
  })),
  fc.tuple(quoted, fc.boolean()).map(([key, short]) => ({
    text: short ? `labels:${key.text}` : `labels.${key.text}:*`,
    binds: 2,
    passes: (document: JsonObject) => Object.hasOwn(labelsOf(document), key.value),
  })),
)

const inBrackets = ({ text, binds }: Filter, atLeast: number) => (binds < atLeast ? `(${text})` : text)

const { filter } = fc.letrec<{ filter: Filter }>(tie => ({
  filter: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    comparison,
    fc.tuple(tie('filter'), tie('filter')).map(([a, b]) => ({
      text: `${inBrackets(a, 0)} AND ${inBrackets(b, 0)}`,
      binds: 0,
      passes: (document: JsonObject) => a.passes(document) && b.passes(document),
    })),
    fc.tuple(tie('filter'), tie('filter')).map(([a, b]) => ({
      text: `${inBrackets(a, 1)} OR ${inBrackets(b, 1)}`,
      binds: 1,
      passes: (document: JsonObject) => a.passes(document) || b.passes(document),
    })),
    // Only one word can negate what is not in brackets.
    fc.tuple(tie('filter'), fc.constantFrom('NOT ', '-')).map(([a, word]) => ({
      text: `${word}(${a.text})`,
      binds: 2,
      passes: (document: JsonObject) => !a.passes(document),
    })),
  ),
}))

const document: fc.Arbitrary<JsonObject> = fc.record({ displayName: value, labels: fc.dictionary(value, value) })

it('a filter passes what its words mean, however they are nested and quoted', () => {
  fc.assert(
    fc.property(filter, fc.array(document, { minLength: 1, maxLength: 5 }), ({ text, passes }, documents) => {
      expect([text, documents.filter(compileFilter(text, SHAPE))]).toEqual([text, documents.filter(passes)])
    }),
  )
})

it('a filter that cannot be read is refused, never a bug', () => {
  const piece = fc.constantFrom(
    'labels',
    '.',
    'a',
    '"',
    "'",
    '\\',
    '=',
    '!',
    ':',
    '*',
    '(',
    ')',
    '-',
    ' ',
    'AND',
    'NOT',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
      const text = pieces.join('')
      try {
        compileFilter(text, SHAPE)({ displayName: 'a', labels: {} })
      } catch (error) {
        expect((error as Error).message).toMatch(`Invalid filter "${text}": `)
      }
    }),
  )
})
