import { beforeEach, describe, expect, it, vi } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import { examplePolicy } from '../support/policies.ts'
import { dap } from '../support/run-dap.ts'

/** How often each parser was given each text. */
const parses = { plain: new Map<string, number>(), placed: new Map<string, number>() }

vi.mock('js-yaml', async original => {
  const actual = await original<typeof import('js-yaml')>()
  const loadAll = (text: string, ...rest: [never]) => {
    count('plain', text)
    return actual.loadAll(text, ...rest)
  }
  return { ...actual, loadAll }
})

vi.mock('yaml', async original => {
  const actual = await original<typeof import('yaml')>()
  return {
    ...actual,
    Lexer: class extends actual.Lexer {
      override lex(text: string, incomplete?: boolean) {
        count('placed', text)
        return super.lex(text, incomplete)
      }
    },
  }
})

function count(parser: keyof typeof parses, text: string): void {
  parses[parser].set(text, (parses[parser].get(text) ?? 0) + 1)
}

beforeEach(() => {
  parses.plain.clear()
  parses.placed.clear()
})

const PROJECT = `apiVersion: dap/v1
kind: Project
metadata: { name: shop }
spec: { folders: [policies] }
`

/** Both parsers' readings of a file that `dap validate` meets; the code that it ends with. */
async function readings(files: Readonly<Record<string, string>>) {
  const { code } = await dap('validate', files)
  const of = (text: string) => [parses.plain.get(text) ?? 0, parses.placed.get(text) ?? 0]
  return { code, ...Object.fromEntries(Object.entries(files).map(([path, text]) => [path, of(text)])) }
}

const valid = examplePolicy(1)
const faulty = valid.replace('kind: Policy', 'kind: Policy\nbogus: 1')
const broken = valid.replace('kind: Policy', 'kind: Policy }')
/** Valid, and nothing that the quick parser reads. */
const unusual = valid.replace('kind: Policy', 'kind: !!str Policy').replace('!!str ', '&kind ')
/** The quick parser reads it, and does not trust what it has read. */
const nulls = faulty.replace('bogus: 1', 'bogus:')

describe('each file is parsed once, a faulty one once by each parser at most', () => {
  it.each<[string, string, readonly [plain: number, placed: number]]>([
    ['valid', valid, [1, 0]],
    ['valid and unusual', unusual, [0, 1]],
    ['of a wrong shape', faulty, [1, 1]],
    ['unusual and of a wrong shape', faulty.replace('kind: Policy', 'kind: &kind Policy'), [0, 1]],
    ['with null', nulls, [1, 1]],
    ['no YAML', broken, [1, 1]],
    ['of several documents', `${valid}---\n${examplePolicy(2)}`, [1, 0]],
    ['of several documents, of which one is no YAML and one of a wrong shape', `${broken}---\n${faulty}`, [1, 1]],
    ['of several unusual documents with faults', `${unusual}---\n${faulty}---\n${broken}`, [0, 1]],
    ['empty', '', [1, 0]],
  ])('a file that is %s', async (_, text, expected) => {
    const found = await readings({ 'dap.yaml': PROJECT, 'policies/p.yaml': text })
    expect(found).toMatchObject({ 'dap.yaml': [1, 0], 'policies/p.yaml': expected })
  })

  it.each<[string, string, readonly [plain: number, placed: number]]>([
    ['valid', PROJECT, [1, 0]],
    ['valid and unusual', PROJECT.replace('{ name', '&m { name'), [0, 1]],
    ['of a wrong shape', PROJECT.replace('folders', 'folder'), [1, 1]],
    ['no YAML', PROJECT.replace('{ name: shop }', '{ name: shop'), [1, 1]],
    ['of several documents', `${PROJECT}---\n${valid}`, [1, 0]],
    ['of several documents with faults', `${PROJECT}---\n${faulty}---\n${broken}`, [1, 1]],
  ])('a dap.yaml that is %s', async (_, text, expected) => {
    const found = await readings({
      'dap.yaml': text,
      'policies/p.yaml': unusual.replace(/name: [\w-]+/, 'name: other'),
    })
    expect(found).toMatchObject({ 'dap.yaml': expected, 'policies/p.yaml': [0, 1] })
  })

  it('whatever is wrong with it: 200 files that are broken at random', async () => {
    const rng = stream(5, 'broken files')
    const pick = (text: string) => Math.floor(rng.uniform() * text.length)
    for (let i = 0; i < 200; i++) {
      const whole = i % 2 === 0 ? `${PROJECT}---\n${valid}` : `${PROJECT}---\n${unusual}---\n${faulty}`
      const at = pick(whole)
      const text = whole.slice(0, at) + ' {}[]:#&*!"\n\t-,'.charAt(pick('................')) + whole.slice(at + 1)
      parses.plain.clear()
      parses.placed.clear()
      await dap('validate', { 'dap.yaml': text })
      const found = [parses.plain.get(text) ?? 0, parses.placed.get(text) ?? 0]
      expect({ text, most: Math.max(...found) }).toEqual({ text, most: 1 })
    }
  })
})
