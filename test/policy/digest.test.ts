import { describe, expect, it } from 'vitest'
import { canonicalJson, digestOf } from '../../src/policy/digest.ts'

/** `1` within so many lists or objects. */
function nested(levels: number, wrap: (value: unknown) => unknown): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = wrap(value)
  return value
}

describe('the canonical JSON of a value', () => {
  it('has sorted keys, no blanks and nothing undefined', () => {
    expect(canonicalJson({ b: [1, { d: null, c: undefined }], a: 'x', ab: true })).toBe(
      '{"a":"x","ab":true,"b":[1,{"d":null}]}',
    )
    expect(digestOf({ b: 1, a: 2 })).toBe(digestOf({ a: 2, b: 1 }))
  })

  it.each([
    ['lists', (value: unknown) => [value]],
    ['objects', (value: unknown) => ({ value })],
  ])('goes 64 %s deep, and no deeper', (_, wrap) => {
    expect(JSON.parse(canonicalJson(nested(64, wrap)))).toEqual(nested(64, wrap))
    expect(() => canonicalJson(nested(65, wrap))).toThrow('it is nested deeper than 64 levels')
  })
})
