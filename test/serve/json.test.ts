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

describe('a body that may mean two things', () => {
  const keys = fc.string({ unit: 'binary', maxLength: 4 }).filter(key => key !== '__proto__')
  const value = fc.letrec(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      keys,
      fc.array(tie('value')),
      fc.dictionary(keys, tie('value')),
    ),
  })).value

  /** Every object of a value, with its pointer. */
  function objectsOf(at: unknown, pointer = ''): { pointer: string; object: Record<string, unknown> }[] {
    if (typeof at !== 'object' || at === null) return []
    const below = Object.entries(at).flatMap(([key, item]) =>
      objectsOf(item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
    )
    return Array.isArray(at) ? below : [{ pointer, object: at as Record<string, unknown> }, ...below]
  }

  it('has a key twice, which is found where it is, however it is written', () => {
    fc.assert(
      fc.property(value, keys, fc.nat(), fc.boolean(), (inner, key, pick, escaped) => {
        const whole = { first: inner, second: {} }
        const objects = objectsOf(whole)
        const { pointer, object } = objects[pick % objects.length]
        object[key] ??= 1
        object['\u{10ffff}mark'] = 0
        const again = escaped
          ? `"${[...key.split('')].map(c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
          : JSON.stringify(key)
        const text = JSON.stringify(whole).replace(/"\u{10ffff}mark":0/u, () => `${again}:[{"x":":"}]`)
        const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        expect(parseJson(text)).toEqual({ faults: [{ pointer: at, detail: 'is there more than once' }] })
      }),
    )
  })

  it('has half of a surrogate pair, in a key or in a text', () => {
    const half = fc.integer({ min: 0xd800, max: 0xdfff }).map(code => `\\u${code.toString(16)}`)
    fc.assert(
      fc.property(half, fc.boolean(), fc.constantFrom('', 'a', 'é', '\u{1f600}'), (written, inKey, around) => {
        const broken = `"${around}${written}${around}"`
        const text = inKey ? `{"a":[1,{${broken}:2}]}` : `{"a":[1,{"b":${broken}}]}`
        const pointer = inKey ? `/a/1/${JSON.parse(broken)}` : '/a/1/b'
        expect(parseJson(text)).toEqual({ faults: [{ pointer, detail: 'has half of a surrogate pair' }] })
      }),
    )
  })

  it('is told of every such place, up to a hundred', () => {
    expect(parseJson('{"a":1,"a":2,"b":[{"c":1,"c":"\\udfff"}]}')).toEqual({
      faults: [
        { pointer: '/a', detail: 'is there more than once' },
        { pointer: '/b/0/c', detail: 'is there more than once' },
        { pointer: '/b/0/c', detail: 'has half of a surrogate pair' },
      ],
    })
    const many = parseJson(`{${Array(5_000).fill('"a":{}').join()}}`)
    expect('faults' in many && many.faults.length).toBe(100)
  })

  it('is none where the pair is whole, or the key is that of another object', () => {
    for (const text of ['"\\ud83d\\ude00"', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":":"}}}', '{"\\u0061b":"\\\\ud800"}']) {
      expect(parseJson(text)).toEqual({ value: JSON.parse(text) })
    }
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
