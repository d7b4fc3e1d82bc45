import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Labels, parseSelector } from '../../../src/commands/several/selector.ts'

const key = fc.constantFrom('team', 'a', 'app.kubernetes.io/name', 'in', 'notin')
const value: fc.Arbitrary<string> = fc.constantFrom('', 'shop', 'play', 'in', 'a-b')
const labels: fc.Arbitrary<Labels> = fc.dictionary(key, value)
const blank = fc.constantFrom('', ' ')
const values = fc.array(value, { minLength: 1, maxLength: 3 })

/** A condition as it is written, and what it means. */
const condition = fc.oneof(
  fc.record({ key, value, blank, sign: fc.constantFrom('=', '==') }).map(({ key, value, blank, sign }) => ({
    text: `${key}${blank}${sign}${blank}${value}`,
    holds: (of: Labels) => of[key] === value,
  })),
  fc.record({ key, value, blank }).map(({ key, value, blank }) => ({
    text: `${key}${blank}!=${blank}${value}`,
    holds: (of: Labels) => of[key] !== value,
  })),
  fc.record({ key, values, blank }).map(({ key, values, blank }) => ({
    text: `${key} in${blank}(${values.join(`,${blank}`)})`,
    holds: (of: Labels) => key in of && values.includes(of[key]),
  })),
  fc.record({ key, values, blank }).map(({ key, values, blank }) => ({
    text: `${key} notin${blank}(${values.join(`,${blank}`)})`,
    holds: (of: Labels) => !(key in of && values.includes(of[key])),
  })),
  key.map(key => ({ text: key, holds: (of: Labels) => key in of })),
  fc.record({ key, blank }).map(({ key, blank }) => ({ text: `!${blank}${key}`, holds: (of: Labels) => !(key in of) })),
)

describe('a selector', () => {
  it('selects what fulfils all of its conditions, as Kubernetes means them', () => {
    fc.assert(
      fc.property(fc.array(condition, { minLength: 1, maxLength: 3 }), blank, labels, (all, between, of) => {
        const selects = parseSelector(all.map(({ text }) => text).join(`${between},${between}`))
        expect(selects(of)).toBe(all.every(({ holds }) => holds(of)))
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    '',
    'a=b,',
    ',',
    'a b',
    'a=b c',
    'a in',
    'a in b',
    'a in (b',
    '!a=b',
    '!',
    'a in (b))',
    '=b',
    'a>1',
    '-a=b',
  ])('is not `%s`', text => {
    expect(() => parseSelector(text)).toThrow(/is no selector/)
  })
})
