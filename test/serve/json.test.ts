import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/serve/json.ts'

describe('a body', () => {
  it('is what JSON.parse says it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), value => {
        const text = JSON.stringify(value)
        expect(parseJson(text)).toEqual({ value: JSON.parse(text) })
      }),
    )
  })

  it('has a fault exactly where JSON.parse throws', () => {
    const alphabet = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '.',
      'e',
      'true',
      'nul',
      ' ',
      '\n',
      '\\',
      'é',
    )
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 8 }), parts => {
        const text = parts.join('')
        expect('fault' in parseJson(text)).toBe(!parses(text))
      }),
      { numRuns: 5_000 },
    )
  })

  it('is faulty at the character that does not belong there', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(), (value, pick) => {
        const text = JSON.stringify([value], null, 1)
        const places = boundaries(text)
        const at = places[pick % places.length]
        const lines = text.slice(0, at).split('\n')
        const place = `line ${lines.length}, column ${(lines.at(-1) as string).length + 1}`
        expect(parseJson(`${text.slice(0, at)}@${text.slice(at)}`)).toEqual({
          fault: `the body is not JSON: unexpected "@" at ${place}`,
        })
      }),
    )
  })

  it('is nested 64 levels deep at most, and brackets in strings do not count', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseJson(nested(64))).toHaveProperty('value')
    expect(parseJson(nested(65))).toEqual({ fault: 'the body is nested more than 64 levels deep' })
    expect(parseJson(`[${Array(100).fill('{"a":[]}').join()}]`)).toHaveProperty('value')
    const text = JSON.stringify([`\\"${'[{'.repeat(100)}`])
    expect(parseJson(text)).toEqual({ value: JSON.parse(text) })
  })
})

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Where a structural character stands outside of strings. */
function boundaries(text: string): number[] {
  const found: number[] = []
  let inside = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') inside = !inside
    else if (!inside && '{}[],:'.includes(text[i])) found.push(i)
  }
  return found
}
