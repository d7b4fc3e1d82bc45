import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { RIGHT_FILES } from '../support/mistakes.ts'
import { diagnose, resource } from '../support/repository.ts'

const POLICY = `apiVersion: dap/v1
kind: Policy
metadata:
  name: lives-refill
spec:
  unit: playerId
  context:
    playerId: { type: string }
    age: { type: integer, minimum: 0 }
    platform: { type: string, enum: [ios, android, web] }
  actions:
    - { id: none }
    - { id: watch-ad }
    - { id: lives-5, features: { price: 1.99 }, eligible: ctx.age >= 16 }
  algorithm: { learner: { type: beta }, exploration: { type: thompson } }
  guardrails:
    minProbability: 0.02
    holdout: { fraction: 0.05, action: none }
    fallback: none
  reward: { name: purchase, type: binary, wait: 24h, default: 0 }
`

/** Everything that can refer to a Policy, all of it valid. */
const OTHERS = {
  'scenarios/week.yaml': resource(
    'Scenario',
    'week',
    `world: { type: logistic, logits: { none: -5, watch-ad: -4, lives-5: { intercept: -3, weights: { platform: { ios: 0.5 } } } } }
population:
  context:
    age: { uniform: { min: 8, max: 60 } }
    platform: { categorical: { ios: 0.5, android: 0.4, web: 0.1 } }
policies: [lives-refill, uniform]
horizon: 100
replications: 10
expect: [{ id: learns, expr: "policy('lives-refill').reward.lower > policy('uniform').reward.upper" }]`,
  ),
  'environments/local.yaml': resource('Environment', 'local', 'target: emulator'),
  'datasets/log.yaml': resource('Dataset', 'log', 'files: [data/log]\nformat: dap\nactions: { policy: lives-refill }'),
  'evaluations/new.yaml': resource(
    'Evaluation',
    'new',
    `dataset: log
candidates: [{ name: new, policy: lives-refill }, { name: ads, fixed: watch-ad }]
estimators: [ips]
gates: [{ id: better, expr: "candidate('new').estimate('ips').lift.lower > 0.0" }]`,
  ),
  'deployments/local/lives.yaml': resource(
    'Deployment',
    'lives',
    'environment: local\npolicy: lives-refill\nevidence: [{ scenario: week }, { evaluation: new }]',
  ),
}

const load = (text: string) => diagnose({ 'policies/lives-refill.yaml': text, ...OTHERS })

describe('a file with errors', () => {
  it('starts from a repository without any', async () => {
    expect(await load(POLICY)).toEqual([])
  })

  it.each([
    ['a tab', '  unit', '\tunit'],
    ['a kind that is misspelt', 'kind: Policy', 'kind: Polcy'],
    ['a kind in lower case', 'kind: Policy', 'kind: policy'],
    ['a kind that is nothing like one', 'kind: Policy', 'kind: Bandit'],
    ['another version', 'dap/v1', 'dap/v2'],
    ['no version', 'apiVersion: dap/v1\n', ''],
    ['a name that is none', 'name: lives-refill', 'name: Lives Refill'],
    ['no name', '  name: lives-refill\n', '  labels: {}\n'],
    ['no metadata', 'metadata:\n  name: lives-refill\n', ''],
    ['a list that is indented less', '    - { id: watch-ad }', '   - { id: watch-ad }'],
    ['an open brace', '{ id: watch-ad }', '{ id: watch-ad'],
    ['a comma too few', 'purchase, type', 'purchase type'],
    ['an action twice', 'id: lives-5', 'id: watch-ad'],
    ['an action without an id', '    - { id: watch-ad }\n', '    - { price: 3 }\n'],
    ['a unit that is no field', 'unit: playerId', 'unit: userId'],
    ['other values', '[ios, android, web]', '[ios, 1, 2]'],
    ['a holdout without a unit', '  unit: playerId\n', ''],
  ])('is the only one that is told of it: %s', async (_, before, after) => {
    const found = await load(POLICY.replace(before, after))
    expect(found.length).toBeGreaterThan(0)
    expect(found.filter(line => !line.startsWith('policies/'))).toEqual([])
  })

  it.each([
    ['as JSON without metadata', '{"apiVersion":"dap/v1","kind":"Policy"}'],
    ['as JSON that ends early', '{"apiVersion":"dap/v1","kind":"Policy","metadata":{"name":"lives-refill"},'],
    ['with a second document of the same name', `${POLICY}---\n${POLICY}`],
  ])('is the only one that is told of it, written %s', async (_, text) => {
    const found = await load(text)
    expect(found.length).toBeGreaterThan(0)
    expect(found.filter(line => !line.startsWith('policies/'))).toEqual([])
  })

  it('that cannot be read is the only one that is told of it', async () => {
    const files = Object.entries(OTHERS).map(([path, text]) => ({ path, text }))
    const { diagnostics } = await loadRepository([
      { path: 'policies/lives-refill.yaml', unreadable: 'no permission' },
      ...files,
    ])
    expect(diagnostics.map(({ file }) => file)).toEqual(['policies/lives-refill.yaml'])
  })

  it('hides no other fault: a name that nothing can have is told of', async () => {
    const deployment = resource('Deployment', 'shop', 'environment: local\npolicy: shop')
    const other = { ...OTHERS, 'deployments/local/shop.yaml': deployment }
    for (const broken of [POLICY.replace('  unit', '\tunit'), POLICY.replace('kind: Policy', 'kind: Polcy')]) {
      const found = await diagnose({ 'policies/lives-refill.yaml': broken, ...other })
      expect(found.filter(line => line.startsWith('deployments/'))).toEqual([
        expect.stringContaining('reference there is no Policy `shop`'),
      ])
    }
  })

  it('is the only one that is told of it, whatever the error: 500 random ones', async () => {
    const rng = stream(11, 'accusations')
    const below = (limit: number) => Math.floor(rng.uniform() * limit)
    let broken = 0
    for (let i = 0; i < 500; i++) {
      const at = below(POLICY.length)
      const other = '\t :-{}[]"\'&*!#a7,\n'[below(17)]
      const [length, insert] = [
        [1, ''],
        [0, other],
        [1, other],
        [1 + below(40), ''],
      ][below(4)] as [number, string]
      const text = POLICY.slice(0, at) + insert + POLICY.slice(at + length)
      // Of another name it is another policy.
      if (!/name: lives-refill$/m.test(text)) continue
      const found = await load(text)
      if (!found.some(line => line.startsWith('policies/') && !/^\S+ warning/.test(line))) continue
      broken++
      expect({ text, accused: found.filter(line => !line.startsWith('policies/')) }).toEqual({ text, accused: [] })
    }
    expect(broken).toBeGreaterThan(250)
  })
})

describe('a typo in a list of policies', () => {
  it('is told of once, at its place', async () => {
    const { 'scenarios/week.yaml': scenario, ...rest } = OTHERS
    const typo = scenario.replace('policies: [lives-refill', 'policies: [lives-refil')
    const found = await diagnose({ 'policies/lives-refill.yaml': POLICY, ...rest, 'scenarios/week.yaml': typo })
    expect(found).toMatchInlineSnapshot(`
      [
        "scenarios/week.yaml:10:14 reference there is no Policy \`lives-refil\` | did you mean \`lives-refill\`?",
      ]
    `)
  })
})

describe('of random edits of any file of a repository', () => {
  const files = Object.entries(RIGHT_FILES).filter(([path]) => path.endsWith('.yaml'))
  /** Of another name or in another environment it is another resource. */
  const identity = (text: string) =>
    /^(metadata|kind|apiVersion):.*$|\bname: [\w-]+(?=[\s}]*$)/gm[Symbol.match](text)?.join('\n')

  it.each(files)(
    'in %s: whoever has errors is the only one, and every diagnostic has a place and a hint',
    async (file, right) => {
      const rng = stream(12, file)
      const below = (limit: number) => Math.floor(rng.uniform() * limit)
      let broken = 0
      for (let i = 0; i < 300; i++) {
        const at = below(right.length)
        const other = '\t :-{}[]"\'&*!#a7,%\n'[below(18)]
        const [length, insert] = [
          [1, ''],
          [0, other],
          [1, other],
          [1 + below(40), ''],
          [0, right.slice(at, at + below(60))],
        ][below(5)] as [number, string]
        const text = right.slice(0, at) + insert + right.slice(at + length)
        const all = { ...RIGHT_FILES, [file]: text }
        const { diagnostics } = await loadRepository(
          Object.entries(all).flatMap(([path, text]) => (path.endsWith('.yaml') ? [{ path, text }] : [])),
        )
        for (const { file: where, line, column, length, hint, message } of diagnostics) {
          expect({ text, message, hint }).toEqual({ text, message, hint: expect.stringMatching(/./) })
          if (line === 0) continue
          const written = all[where].split('\n')[line - 1]
          expect({
            text,
            message,
            inside: column >= 1 && column + length - 2 <= (written?.length ?? -1),
          }).toMatchObject({ inside: true })
        }
        const own = diagnostics.filter(each => each.file === file && each.severity === 'error')
        if (own.length === 0 || identity(text) !== identity(right)) continue
        broken++
        const accused = diagnostics.filter(each => each.file !== file && each.severity === 'error')
        expect({ text, own, accused }).toEqual({ text, own, accused: [] })
      }
      expect(broken).toBeGreaterThan(60)
    },
  )
})
