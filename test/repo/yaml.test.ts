import { describe, expect, it } from 'vitest'
import { parseYaml } from '../../src/repo/yaml.ts'

const messages = (text: string) => parseYaml(text).faults.map(fault => fault.message)

describe('parseYaml', () => {
  it('reads several documents, leaves empty ones out, and keeps their places in the file', () => {
    expect(parseYaml('# nothing\n---\na: 1\n---\n---\nb: [x, 0x10, "1", ~]\n')).toMatchObject({
      documents: [
        { index: 0, value: { a: 1 } },
        { index: 2, value: { b: ['x', 16, '1', null] } },
      ],
      faults: [],
    })
  })

  it('keeps keys as they are written', () => {
    expect(parseYaml('1.0: a\n007: b\ntrue: c\n').documents[0].value).toEqual({ '1.0': 'a', '007': 'b', true: 'c' })
  })

  it('writes aliases out', () => {
    expect(parseYaml('a: &x { b: 1 }\nc: *x\n').documents[0].value).toEqual({ a: { b: 1 }, c: { b: 1 } })
  })

  it.each([
    ['a key that is there twice', 'a: 1\na: 2\n', 'the key `a` is there twice'],
    ['a key that is no string', '{ [1]: 2 }', 'a key must be a string'],
    ['the prototype as a key', '__proto__: { a: 1 }', 'the key `__proto__` is not allowed'],
    ['a tag', 'a: !secret b', 'YAML tags are not allowed'],
    ['an alias of nothing', 'a: *b', 'no anchor `b` before this alias'],
    ['an alias of what it is in', 'a: &a [*a]', 'no anchor `a` before this alias'],
    ['a bracket that closes nothing', 'a: { b ]', 'this `]` closes nothing'],
  ])('refuses %s', (_, text, message) => {
    expect(messages(text)[0]).toBe(message)
  })

  it('names the first hundred faults of a document', () => {
    expect(parseYaml('a: 1\n'.repeat(5000)).faults).toHaveLength(100)
  })

  const laughs = [...'bcdefghi'].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`)
  it.each([
    ['a file of more than 1 MiB', 'x'.repeat((1 << 20) + 1)],
    ['deep flow collections', '['.repeat(500_000)],
    ['deep flow mappings', '{a: '.repeat(250_000)],
    ['deep block collections', '- '.repeat(5000)],
    ['more than 1,000 documents', '---\na: 1\n'.repeat(100_000)],
    ['aliases of aliases', `a: &a [x]\n${laughs.join('\n')}`],
    ['a very long scalar', `a: "${'\\x'.repeat(400_000)}"`],
    ['a great many brackets', '{ ] '.repeat(200_000)],
  ])('ends with one fault for %s', (_, text) => {
    const { documents, faults } = parseYaml(text)
    expect(faults).toHaveLength(1)
    expect(documents.length).toBeLessThan(1001)
  })
})
