import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { schemas } from '../../src/generated/schemas.js'
import { KINDS } from '../../src/kinds.ts'
import { parsePlainYaml } from '../../src/repo/plain-yaml.ts'
import { parseYaml } from '../../src/repo/yaml.ts'
import { examplePolicy } from '../support/policies.ts'

const texts = [examplePolicy(1), ...KINDS.map(kind => stringify(schemas[kind].examples![0]))]

/** What YAML is made of, and what its parsers have disagreed on. */
const pieces =
  '{ } [ ] : , - " \' & * ! | > # % @ ` ~ < 0 1 . e \\ \u2028 0x1f 0o17 1e3 .5 5. +1 .inf .nan True NULL yes null 1:30 2020-01-01 012 -0 ... 1e999 9007199254740993 1_000 0b1 <<'
    .split(' ')
    .concat(' ', '\n', '\n  ', '\n\n', '---\n', '\n---', ': ', '- ', ' #', '""\n', '\t')

/** A valid text with up to three places broken. */
const broken = fc
  .tuple(
    fc.constantFrom(...texts),
    fc.array(fc.tuple(fc.nat(), fc.nat(4), fc.constantFrom(...pieces)), { minLength: 1, maxLength: 3 }),
  )
  .map(([text, edits]) =>
    edits.reduce((t, [at, cut, piece]) => t.slice(0, at % t.length) + piece + t.slice((at % t.length) + cut), text),
  )

describe('the fast parser of plain YAML', () => {
  it('takes the files that people write', () => {
    for (const text of texts) expect(parsePlainYaml(text)).toEqual(parseYaml(text).documents.map(({ value }) => value))
  })

  it('reads whatever it takes exactly as the parser with positions does, which finds no fault there', () => {
    let taken = 0
    fc.assert(
      fc.property(broken, text => {
        const plain = parsePlainYaml(text)
        if (plain === undefined) return
        taken++
        const { documents, faults } = parseYaml(text)
        expect(faults).toEqual([])
        expect(plain).toEqual(documents.map(({ value }) => value))
        expect(documents.map(({ index }) => index)).toEqual(plain.map((_, i) => i))
      }),
      { numRuns: 5000 },
    )
    expect(taken).toBeGreaterThan(500)
  })

  it('leaves text of several lines below a comment to the parser with positions, which may have none of it', () => {
    for (const text of [
      'a:\n#r\n  x\n  y\nb: 1\n',
      'a:\n  b:\n # r\n\n    . - 0\n     - 3\n',
      'a:\n#r\n#s\n  x://y\n  y\n',
    ]) {
      expect(parsePlainYaml(text)).toBeUndefined()
    }
    const usual = 'a:\n# r\n  b: 1\n  # s\n  c:\n  #t\n  - x\n'
    expect(parsePlainYaml(usual)).toEqual([{ a: { b: 1, c: ['x'] } }])
  })

  it.each(['-', '?', ' ', '{', '[', ':', '&', '1', '#', '"', '\n', 'a ', '- ', '[ '])(
    'ends at once on 64 KiB of %j, which would not if the pattern could backtrack',
    piece => {
      expect(() => parsePlainYaml(piece.repeat(65_536 / piece.length))).not.toThrow()
    },
  )
})
