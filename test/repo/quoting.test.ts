import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import { diagnose, policyWith, resource } from '../support/repository.ts'

const policy = (values: string) =>
  resource(
    'Policy',
    'shop-offer',
    `context:
  version: { type: string, enum: ${values} }
actions: [{ id: none }]
algorithm: { learner: { type: beta }, exploration: { type: thompson } }
guardrails: { minProbability: 0.02 }
reward: { name: purchase, type: binary, wait: 72h, default: 0 }`,
  )

describe('the hint to quote a value', () => {
  it('quotes what is written, and a value that is written otherwise is not there twice', async () => {
    expect(await diagnose(policy('[3.9, 3.10, 1, 1.0]'))).toMatchInlineSnapshot(`
      [
        "6:37 schema \`enum[0]\` must be a string, got \`3.9\` | quote it: \`"3.9"\`",
        "6:42 schema \`enum[1]\` must be a string, got \`3.10\` | quote it: \`"3.10"\`",
        "6:48 schema \`enum[2]\` must be a string, got \`1\` | quote it: \`"1"\`",
        "6:51 schema \`enum[3]\` must be a string, got \`1.0\` | quote it: \`"1.0"\`",
      ]
    `)
    expect(
      (await diagnose(policy('[012, 0x1F, 1e3, 007, .5, 0o7, true, -0]'))).map(line => line.split(' | ')[1]),
    ).toEqual(['012', '0x1F', '1e3', '007', '.5', '0o7', 'true', '-0'].map(text => `quote it: \`"${text}"\``))
  })

  it('quotes the text behind an alias', async () => {
    expect(
      await diagnose(policy('[&a "x", *b]').replace('context:', 'unit: &b 1.10\n  context:')),
    ).toMatchInlineSnapshot(`
      [
        "5:12 schema \`unit\` must be a string, got \`1.10\` | for example \`playerId\`",
        "7:45 schema \`enum[1]\` must be a string, got \`1.10\` | quote it: \`"1.10"\`",
      ]
    `)
  })

  it('followed, leaves no error, whatever the text: 2,000 random ones', async () => {
    const rng = stream(11, 'quoting')
    const one = (of: string) => of[Math.floor(rng.uniform() * of.length)]
    const texts = Array.from({ length: 2000 }, () =>
      Array.from({ length: 1 + Math.floor(rng.uniform() * 5) }, () => one('0123456789..eExXoO+-_afF')).join(''),
    ).filter(text => /^[\w.+]|^-[\w.]/.test(text))
    const hints = await Promise.all(texts.map(async text => ({ text, found: await diagnose(policy(`[${text}]`)) })))
    const numbers = hints.filter(({ found }) => found.length > 0)
    expect(numbers.length).toBeGreaterThan(200)
    for (const { text, found } of numbers)
      expect([text, ...found.map(line => line.split(' | ')[1])]).toEqual([text, `quote it: \`"${text}"\``])
    const quoted = numbers.map(({ text }) => policy(`["${text}"]`))
    expect((await Promise.all(quoted.map(diagnose))).flat()).toEqual([])
  })
})

describe('a rule that has a value as it is written, not as YAML reads it', () => {
  it('is not told of a value that is only the number read from it', async () => {
    const text = policyWith('enum: [ios, android]', 'enum: [3.9, 3.10]').replaceAll("'ios'", "'3.10'")
    expect((await diagnose(text)).filter(each => each.includes('3.1`') || each.includes('is never'))).toEqual([])
  })
})
