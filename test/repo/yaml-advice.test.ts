import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import { parseYaml } from '../../src/repo/yaml.ts'
import { randomExpression } from '../support/expressions.ts'
import { diagnose } from '../support/repository.ts'

const POLICY = `apiVersion: dap/v1
kind: Policy
metadata: { name: shop-offer }
spec:
  unit: playerId
  context:
    playerId: { type: string }
    vip: { type: boolean }
    version: { type: string, enum: ["3.9", "3.10"] }
  actions:
    - { id: none }
    - { id: gold, eligible: ctx.vip }
    - id: silver
      eligible: ctx.vip
  algorithm: { learner: { type: beta }, exploration: { type: thompson } }
  guardrails: { minProbability: 0.02, fallback: none }
  reward: { name: purchase, type: binary, wait: 72h, default: 0 }
`

const flow = (rule: string): [string, string] => ['eligible: ctx.vip }', `eligible: ${rule} }`]
const block = (rule: string): [string, string] => ['      eligible: ctx.vip\n', `      eligible: ${rule}\n`]

describe('a mistake that YAML reads as something else', () => {
  it.each<[string, [string, string], string]>([
    ['a tag in braces', flow('!ctx.vip'), 'if it is text, quote it: `eligible: "!ctx.vip"`'],
    ['a tag in a line', block('!ctx.vip && ctx.vip'), 'if it is text, quote it: `eligible: "!ctx.vip && ctx.vip"`'],
    ['an alias', block('*ctx.vip'), 'if it is text, quote it: `eligible: "*ctx.vip"`'],
    ['a choice in braces', flow('ctx.vip ? true : false'), 'quote it: `eligible: "ctx.vip ? true : false"`'],
    ['a choice in a line', block('ctx.vip ? true : false'), 'quote it: `eligible: "ctx.vip ? true : false"`'],
    ['a list in braces', flow('ctx.version in ["3.9"]'), `quote it: \`eligible: 'ctx.version in ["3.9"]'\``],
    ['a string at the start', block("'3.9' == ctx.version"), `quote it: \`eligible: "'3.9' == ctx.version"\``],
    [
      'a merge key',
      ['{ type: boolean }', '{ <<: { type: boolean } }'],
      'write the keys out, or a whole value as an alias: `key: *name`',
    ],
    ['a wide colon', ['unit: playerId', 'unit：playerId'], 'write `unit: playerId`'],
    ['a wide comma', ['gold, eligible', 'gold，eligible'], 'write `- { id: gold,eligible: ctx.vip }`'],
    ['wide blanks before a key', ['  unit', '\u00a0\u00a0unit'], 'write `unit: playerId`'],
    ['a wide blank after a colon', ['unit: ', 'unit:\u00a0'], 'write `unit: playerId`'],
    ['curly quotes', ['name: purchase', 'name: “purchase”'], 'write `"purchase"`'],
    ['no blank after a colon', ['unit: playerId', 'unit:playerId'], 'write `unit: playerId`'],
    ['no blank before a brace', ['metadata: {', 'metadata:{'], 'write a blank after `metadata:`'],
    ['no comma', ['name: purchase, type', 'name: purchase type'], 'write `, type: …`'],
    ['no comma after a number', ['0.02, fallback', '0.02 fallback'], 'write `, fallback: …`'],
    ['no comma at the end', ['72h, default', '72h default'], 'write `, default: …`'],
    ['an open brace', ['{ id: none }', '{ id: none'], 'write `- { id: none }`'],
    ['a lesser indent', ['    - { id: gold', '   - { id: gold'], 'indent it like line 11'],
    ['a tab', ['  unit', '\tunit'], 'indent with blanks'],
    ['a byte order mark', ['kind:', '\ufeffkind:'], 'take it out: it comes from files that were put together'],
    ['a letter of another alphabet in a key', ['unit:', 'unіt:'], '`і` is U+0456, and not `i`; did you mean `unit`?'],
    ['one in a kind', ['kind: Policy', 'kind: Pоlicy'], '`о` is U+043E, and not `o`; did you mean `Policy`?'],
    ['one in a name', ['fallback: none', 'fallback: nοne'], '`ο` is U+03BF, and not `o`; did you mean `none`?'],
    [
      'one in a rule',
      flow('ctx.vір'),
      "`і` is U+0456, and not `i`; a rule looks like `ctx.age >= 16 && ctx.platform != 'web'`",
    ],
    ['a minus', ['0.02', '−0.02'], '`−` is U+2212, and not `-`; for example `0`'],
    [
      'a blank that is none',
      ['fallback: none', 'fallback: none\u00a0'],
      'a blank in it is no blank, but U+00A0; did you mean `none`?',
    ],
    [
      'an invisible character',
      ['unit:', 'un\u200bit:'],
      'there is an invisible character in it, U+200B; did you mean `unit`?',
    ],
  ])('is told with what is meant: %s', async (_, [before, after], hint) => {
    expect(POLICY).toContain(before)
    const found = await diagnose(POLICY.replace(before, after))
    expect(found.map(each => each.split(' | ')[1])).toEqual([hint])
  })

  it('is told at its place', async () => {
    const places = async (before: string, after: string) =>
      (await diagnose(POLICY.replace(before, after))).map(each => each.split(' ')[0])
    expect(await places(...flow('ctx.vip ? true : false'))).toEqual(['12:29'])
    expect(await places('unit: playerId', 'unit：playerId')).toEqual(['5:7'])
    expect(await places('{ id: none }', '{ id: none')).toEqual(['11:7'])
    expect(await places('name: purchase, type', 'name: purchase type')).toEqual(['17:28'])
  })

  it('is told of each document of a file, and not of the first alone', async () => {
    const broken = [flow('ctx.vip ? true : false'), ['name: purchase, type', 'name: purchase type'] as const]
    const documents = broken.map(([before, after]) => POLICY.replace(before, after))
    expect(await diagnose(documents.join('---\n'))).toEqual([
      '12:29 yaml YAML takes this value of `eligible` for something else than text | quote it: `eligible: "ctx.vip ? true : false"`',
      '35:28 yaml there is no comma before `type` | write `, type: …`',
    ])
  })

  it('is a byte order mark only inside a file, before a second document too', async () => {
    expect(await diagnose(`\ufeff${POLICY}`)).toEqual([])
    expect(await diagnose(`${POLICY}---\n\ufeff${POLICY.replace('shop-offer', 'other')}`)).toEqual([
      '19:1 yaml there is a byte order mark (U+FEFF) in the middle of the file | take it out: it comes from files that were put together',
    ])
  })
})

describe('the advice', () => {
  it('lets other alphabets be where they are meant', async () => {
    for (const text of ['Предложение', 'сор', 'Ελλάδα', 'naïve – “quoted” words']) {
      expect(await diagnose(POLICY.replace('name: shop-offer', `name: shop-offer, description: ${text}`))).toEqual([])
    }
  })

  it('to quote a rule, followed, gives exactly that rule: 1,000 random ones', () => {
    const rng = stream(11, 'unquoted rules')
    const words = {
      known: {
        bool: ['ctx.vip'],
        int: ['ctx.level'],
        double: ['ctx.spend'],
        string: ["'3.9'", '"ios"'],
        list: ['["3.9", "3.10"]'],
      },
      functions: ['size', 'has', 'exists', 'all', 'startsWith'],
      wrong: ['!ctx.vip', '*ctx.vip', '&ctx.vip', '# none', '{a: 1}'],
    }
    let advised = 0
    for (let i = 0; i < 1000; i++) {
      const rule = randomExpression(rng, 'bool', words)
      const [before, after] = i % 2 === 0 ? flow(rule) : block(rule)
      const text = POLICY.replace(before, () => after)
      const { faults } = parseYaml(text)
      const quoted = /quote it: `(eligible: .*)`$/.exec(faults[0]?.hint ?? '')?.[1]
      if (quoted === undefined) continue
      advised++
      const mended = parseYaml(text.replace(`eligible: ${rule}`, () => quoted))
      expect({ rule, faults: mended.faults }).toEqual({ rule, faults: [] })
      const { spec } = mended.documents[0].value as { spec: { actions: { eligible: string }[] } }
      expect(spec.actions[1 + (i % 2)].eligible).toBe(rule.trim())
    }
    expect(advised).toBeGreaterThan(100)
  })
})
