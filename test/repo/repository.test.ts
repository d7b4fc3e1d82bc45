import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { schemas } from '../../src/generated/schemas.js'
import { KINDS } from '../../src/kinds.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { isMapping } from '../../src/repo/schema.ts'
import { mutations } from '../support/mutations.ts'
import { examplePolicy } from '../support/policies.ts'
import { diagnose, policyWith, resource } from '../support/repository.ts'

const load = (text: string) => loadRepository([{ path: 'file.yaml', text }])
/** `line:column code` of each diagnostic. */
const places = async (files: Parameters<typeof diagnose>[0]) =>
  (await diagnose(files)).map(text => /^\S+ (?:warning )?\S+/.exec(text)![0])

describe('loadRepository', () => {
  it('fills in the defaults of the schema, and the Project for those that it rules', async () => {
    const repository = await loadRepository([
      { path: 'dap.yaml', text: resource('Project', 'x', 'defaults: { seed: 42 }') },
      {
        path: 'p.yaml',
        text: resource(
          'Policy',
          'p',
          'actions: [{ id: a }, { id: b }]\nalgorithm:\n  learner: { type: beta }\n  exploration: { type: thompson }',
        ),
      },
      {
        path: 's.yaml',
        text: resource('Scenario', 's', 'world: { type: bernoulli, means: { a: 0, b: 1 } }\npolicies: [p]'),
      },
    ])
    expect(repository.diagnostics).toEqual([])
    expect(repository.get('Policy', 'p')?.spec).toEqual({
      context: {},
      actions: [{ id: 'a' }, { id: 'b' }],
      decision: { type: 'single' },
      mode: 'online',
      algorithm: {
        learner: { type: 'beta', prior: { alpha: 1, beta: 1 } },
        exploration: { type: 'thompson', scale: 1 },
      },
      guardrails: { minProbability: 0 },
      reward: { name: 'reward', type: 'binary', wait: '24h', default: 0 },
    })
    expect(repository.get('Scenario', 's')?.spec).toMatchObject({
      seed: 42,
      level: 0.95,
      horizon: 1000,
      replications: 100,
      expect: [],
    })
    expect(repository.project.folders).toContain('policies')
  })

  it('gives equal digests to files that say the same', async () => {
    const digest = async (text: string) => (await load(text)).resources[0].digest
    expect(await digest(examplePolicy(1))).toBe(await digest(policyWith('l2: 1.0', '# ridge\n      l2: 1')))
    expect(await digest(policyWith('    fallback: none\n', ''))).not.toBe(await digest(examplePolicy(1)))
    expect(await digest(policyWith('  decision:\n    type: single\n', ''))).toBe(await digest(examplePolicy(1)))
  })

  it('reports an unreadable file without a place', async () => {
    const { diagnostics } = await loadRepository([{ path: 'a.yaml', unreadable: 'the file is not UTF-8' }])
    expect(diagnostics).toMatchObject([{ code: 'file', file: 'a.yaml', line: 0, message: 'the file is not UTF-8' }])
  })

  it('finds ten mistakes in one file, each at its line', async () => {
    const text = [
      policyWith('l2: 1.0', 'l2: -1').replace('thompson', 'thomson').replace('fallback: none', 'falback: none'),
      policyWith('"ctx.level >= 1"', '"ctx.levle >= 1"')
        .replace('fallback: none', 'fallback: noen')
        .replace('offer-1', 'offer-2'),
      resource('Scenario', 's', 'world: { type: bernoulli, means: { none: 2 } }\npolicies: []\nhorizon: 0'),
      resource('Deployment', 'd', 'environment: prod\npolicy: offer-3'),
    ].join('---\n')
    expect(await diagnose(text)).toEqual([
      '33:11 schema `l2` must be more than 0, got -1 | The ridge penalty λ; A⁻¹ starts at I/λ',
      '35:13 schema `type` must be one of `greedy`, `epsilon-greedy`, `softmax`, `squarecb`, `ucb`, `kl-ucb`, `thompson`, got the string `thomson` | did you mean `thompson`?',
      '41:5 unknown-key unknown key `falback` | did you mean `fallback`?',
      '71:22 cel `ctx` has no field `levle` | did you mean `level`?',
      '88:15 reference there is no action `noen` | did you mean `none`?',
      '99:44 schema `none` must be at most 1, got 2 | write `0.02` for 2 percent',
      '100:13 schema `policies` must not be empty | Names of Policies, `uniform`, or `oracle`, which knows the world',
      '101:12 schema `horizon` must be at least 1, got 0 | How many decisions one replication has',
      '107:16 reference there is no Environment `prod` | `dap new environment prod` adds one',
      '108:11 reference there is no Policy `offer-3` | did you mean `offer-1`?',
    ])
  })

  it('finds ten mistakes of ten sorts in one document', async () => {
    const text = `apiVersion: dap/v1
kind: Policy
metadata: { name: Shop Offer }
spec:
  unit: playerId
  context:
    playerId: { type: string }
    level: { type: integer, minimum: one }
    platform: { type: string, enum: [ios, android] }
  features:
    - { field: levle }
  actions:
    - { id: none }
    - { id: gold, eligible: "ctx.platform == 'iso'" }
    - { id: gold }
  algorithm:
    learner: { type: linear, l3: 1 }
    exploration: { type: thomson }
  guardrails:
    minProbability: 0.4
    holdout: { fraction: 2, action: none }
    fallback: nothing
  reward: { wait: 3 days }
`
    expect(await diagnose(text)).toMatchInlineSnapshot(`
      [
        "3:19 schema \`name\` must look like \`shop-offer\`, got the string \`Shop Offer\` | write \`shop-offer\`",
        "8:38 schema \`minimum\` must be a number, got the string \`one\` | for example \`1\`",
        "11:16 reference there is no context field \`levle\` | did you mean \`level\`?",
        "14:46 cel \`ctx.platform\` is never \`iso\` | did you mean \`ios\`?",
        "15:13 duplicate the action \`gold\` is there twice | take one of them out, or call it otherwise",
        "17:30 unknown-key unknown key \`l3\` | did you mean \`l2\`?",
        "18:26 schema \`type\` must be one of \`greedy\`, \`epsilon-greedy\`, \`softmax\`, \`squarecb\`, \`ucb\`, \`kl-ucb\`, \`thompson\`, got the string \`thomson\` | did you mean \`thompson\`?",
        "20:21 semantic a floor of 0.4 for each of 3 actions does not fit: they sum to 1.2 | at most 0.333333",
        "21:26 schema \`fraction\` must be less than 1, got 2 | write \`0.02\` for 2 percent",
        "22:15 reference there is no action \`nothing\` | known are \`none\`, \`gold\`, \`gold\`, \`first-eligible\`",
        "23:19 schema \`wait\` must look like \`72h\`, got the string \`3 days\` | write \`3d\`",
      ]
    `)
  })

  it('judges the rest of a document whose learner is unknown and whose keys are misspelt', async () => {
    const text = policyWith('type: linear', 'type: linera')
      .replace('minProbability', 'minProbabilty')
      .replace('fallback: none', 'fallback: nonee')
      .replace('"ctx.level >= 1"', '"ctx.levl >= 1"')
    expect((await diagnose(text)).map(fault => fault.replace(/^\S+ /, ''))).toEqual([
      'cel `ctx` has no field `levl` | did you mean `level`?',
      'schema `type` must be one of `mean`, `beta`, `linear`, `logistic`, `hybrid`, `hashed`, `fixed`, `model`, `uniform`, got the string `linera` | did you mean `linear`?',
      'unknown-key unknown key `minProbabilty` | did you mean `minProbability`?',
      'reference there is no action `nonee` | did you mean `none`?',
    ])
  })

  it.each(KINDS)('never finds fewer faults in a valid %s for one more that is superfluous', async kind => {
    await fc.assert(
      fc.asyncProperty(mutations(schemas[kind].examples![0]), async document => {
        fc.pre(isMapping(document) && document.apiVersion === 'dap/v1' && document.kind === kind)
        fc.pre(isMapping(document.spec))
        const before = (await load(stringify(document))).diagnostics
        const spec = { ...document.spec, zzzzzzzz: 1 }
        const after = (await load(stringify({ ...document, spec }))).diagnostics
        expect(after.length).toBeGreaterThanOrEqual(Math.min(100, before.length + 1))
      }),
      { numRuns: 100 },
    )
  })

  it.each(KINDS)('survives any mutation of a valid %s, and places every diagnostic inside the file', async kind => {
    await fc.assert(
      fc.asyncProperty(mutations(schemas[kind].examples![0]), async document => {
        const text = stringify(document)
        const lines = text.split('\n')
        for (const { line, column, length } of (await load(text)).diagnostics) {
          expect(line).toBeGreaterThanOrEqual(1)
          expect(line).toBeLessThanOrEqual(lines.length)
          expect(column).toBeGreaterThanOrEqual(1)
          expect(column + length - 1).toBeLessThanOrEqual(Math.max(1, lines[line - 1].length + 1))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('keeps control characters of a file out of its messages', async () => {
    expect((await diagnose(policyWith('type: thompson', 'type: "\\e[31m"')))[0]).toContain('`\\u001b[31m`')
  })

  it('stops after a hundred faults of one document', async () => {
    const text = resource('Project', 'x', Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n'))
    expect((await load(text)).diagnostics).toHaveLength(100)
  })
})

describe('a document that is no resource', () => {
  it.each([
    ['a list', '- a\n', ['1:1 schema']],
    ['a word', 'hello\n', ['1:1 schema']],
    ['nothing', '# nothing\n---\n', ['0:0 warning file']],
    ['an empty file', '', ['0:0 warning file']],
    ['comments alone', '# apiVersion: dap/v1\n', ['0:0 warning file']],
    ['another format', 'name: CI\non: push\n', ['1:1 schema']],
    ['a typo in apiVersion', 'apiversion: dap/v1\nkind: Policy\n', ['1:1 unknown-key']],
    ['another version', 'apiVersion: dap/v2\nkind: Policy\n', ['1:13 schema']],
    ['an unknown kind', 'apiVersion: dap/v1\nkind: Polcy\n', ['2:7 schema']],
    ['no kind', 'apiVersion: dap/v1\n', ['1:1 schema']],
    ['broken YAML', 'apiVersion: [\n', ['1:13 yaml']],
    ['a key that is there twice', 'apiVersion: dap/v1\napiVersion: dap/v1\n', ['1:1 schema', '2:1 yaml']],
    ['no spec', 'apiVersion: dap/v1\nkind: Policy\nmetadata: { name: x }\nspec:\n', ['4:1 schema']],
  ])('%s', async (_, text, expected) => {
    expect(await places(text)).toEqual(expected)
  })
})

describe('a Policy', () => {
  it.each([
    ['a typo in a required key', '  actions:', '  actons:', ['19:3 unknown-key']],
    ['a missing key', 'edges: [0.01, 5, 20]', '', ['18:7 schema']],
    ['a missing type', 'type: thompson', 'scale: 2', ['34:5 schema']],
    ['a number for a string', 'id: none', 'id: 0', ['20:11 schema', '40:15 reference', '41:15 reference']],
    ['no duration', 'wait: 72h', 'wait: 72 hours', ['45:11 schema']],
    ['a kind of decision that is not there', 'type: single', 'type: slate', ['29:11 schema']],
    ['a ranking of nobody knows how many', 'type: single', 'type: ranking', ['28:3 schema', '37:21 semantic']],
    ['a learner that is not there yet', 'type: linear\n', 'type: forest\n', ['32:13 schema']],
    ['a bad name', 'name: offer-1', 'name: Offer_1', ['4:9 schema']],
    ['an action twice', 'id: gold-small', 'id: none', ['22:11 duplicate']],
    ['a number in quotes', 'price: 1.99', 'price: "1.99"', ['23:26 warning semantic']],
    ['a CEL type error', 'ctx.level >= 20', 'ctx.level', ['27:18 cel']],
    ['a value outside an enum in CEL', "== 'ios'", "== 'iso'", ['27:53 cel']],
    ['floors that do not fit', 'minProbability: 0.02', 'minProbability: 0.4', ['37:21 semantic']],
    ['a unit that is no field', 'unit: playerId', 'unit: player', ['9:9 reference']],
    ['a unit that is no key', 'unit: playerId', 'unit: spend30d', ['9:9 semantic']],
    ['a holdout without a unit', '  unit: playerId\n', '', ['38:7 semantic']],
    ['a holdout of no action', 'action: none', 'action: nothing', ['40:15 reference']],
    ['a holdout of an action with a rule', 'action: none', 'action: gold-small', ['40:15 eligibility']],
    ['a fallback with a rule', 'fallback: none', 'fallback: gold-small', ['41:15 eligibility']],
    [
      'no fallback, and a rule on the first action',
      'features: { price: 0 }',
      'eligible: ctx.level > 1',
      ['40:15 eligibility', '41:15 eligibility'],
    ],
    ['no fallback, by name', 'fallback: none', 'fallback: null', []],
    ['a feature of no field', 'field: level', 'field: levels', ['16:16 reference']],
    ['a transform of the wrong type', 'transform: log1p', 'transform: one-hot', ['16:34 semantic']],
    ['edges that fall', '[0.01, 5, 20]', '[0.01, 20, 5]', ['18:66 semantic']],
    ['a default below its minimum', 'minimum: 1, default: 1', 'minimum: 2, default: 1', ['12:50 semantic']],
    ['a default outside its enum', '[ios, android] }', '[ios, android], default: web }', ['13:62 semantic']],
    ['a default that is no whole number', 'minimum: 1, default: 1', 'minimum: 1, default: 1.5', ['12:50 semantic']],
    ['crossed bounds', 'minimum: 1, default', 'minimum: 1, maximum: 0, default', ['12:38 semantic']],
    ['bounds that leave one value', 'minimum: 1, default', 'minimum: 1, maximum: 1, default', []],
    ['a logarithm of −1 + 1', 'minimum: 1, default', 'minimum: -1, default', ['16:34 warning semantic']],
    ['a logarithm of what is above', 'minimum: 1, default', 'minimum: 0, default', []],
    [
      'a learner that takes no exploration',
      'type: linear\n      l2: 1.0',
      'type: uniform',
      ['15:3 warning semantic', '33:5 semantic'],
    ],
    ['no exploration', '    exploration:\n      type: thompson\n', '', ['30:3 semantic']],
  ])('with %s', async (_, before, after, expected) => {
    expect(await places(policyWith(before, after))).toEqual(expected)
  })

  const ruled = (rest: string, ...actions: readonly string[]) =>
    diagnose(
      resource(
        'Policy',
        'p',
        `context: { age: { type: integer } }\nactions: [${actions.join(', ')}]\nalgorithm: { learner: { type: uniform } }\nreward: { name: buy, type: binary, wait: 1h }\n${rest}`,
      ),
    )

  it('asks for a fallback by name where the first action has a rule, and for null where every action has one', async () => {
    const [free, paid, dear] = [
      '{ id: free }',
      '{ id: paid, eligible: ctx.age >= 16 }',
      '{ id: dear, eligible: ctx.age >= 18 }',
    ]
    expect(await ruled('', free, paid)).toEqual([])
    expect(await ruled('', paid, free)).toEqual([
      '4:1 eligibility the fallback would be the first action, `paid`, which has a rule: name another | `fallback: free` can be served to everybody',
    ])
    expect(await ruled('guardrails: { fallback: free }', paid, free)).toEqual([])
    expect(await ruled('guardrails: { fallback: null }', paid, free)).toEqual([])
    expect(await ruled('guardrails: { minProbability: 0.1 }', paid, dear)).toEqual([
      '9:3 eligibility every action has a rule, so that none can be the fallback | `fallback: null` says that nothing is served then',
    ])
    expect(await ruled('guardrails: { fallback: dear }', paid, dear)).toEqual([
      '9:27 eligibility the fallback `dear` has a rule, and is served whatever the context | `fallback: null` says that nothing is served then',
    ])
    expect(await ruled('guardrails: { fallback: null }', paid, dear)).toEqual([])
  })

  const algorithm = (text: string, rest = '') =>
    resource(
      'Policy',
      'p',
      `context: { level: { type: integer, default: 1 }, id: { type: string } }\nactions: [{ id: alpha }, { id: omega }]\nalgorithm: ${text}\n${rest}`,
    )
  it.each([
    ['ucb over beta', '{ learner: { type: beta }, exploration: { type: ucb } }', ['7:62 semantic']],
    ['factor over linear', '{ learner: { type: linear }, exploration: { type: ucb, factor: 2 } }', ['7:77 semantic']],
    ['alpha over mean', '{ learner: { type: mean }, exploration: { type: ucb, alpha: 2 } }', ['7:74 semantic']],
    ['scale over beta', '{ learner: { type: beta }, exploration: { type: thompson, scale: 2 } }', ['7:79 semantic']],
    [
      'a probability of no action',
      '{ learner: { type: fixed, probabilities: { alpha: 0.5, omgea: 0.5 } } }',
      ['7:69 reference'],
    ],
    ['a missing probability', '{ learner: { type: fixed, probabilities: { alpha: 1 } } }', ['7:40 semantic']],
    [
      'probabilities that sum to more',
      '{ learner: { type: fixed, probabilities: { alpha: 0.6, omega: 0.5 } } }',
      ['7:40 semantic'],
    ],
    [
      'probabilities that sum to a millionth more',
      '{ learner: { type: fixed, probabilities: { alpha: 0.6, omega: 0.400001 } } }',
      ['7:40 semantic'],
    ],
    ['kl-ucb over linear', '{ learner: { type: linear }, exploration: { type: kl-ucb } }', ['7:64 semantic']],
    ['nothing wrong', '{ learner: { type: linear }, exploration: { type: ucb, alpha: 2 } }', []],
  ])('with %s', async (_, text, expected) => {
    expect(await places(algorithm(text, 'evaluation: none'))).toEqual(expected)
  })

  it.each([
    ['greedy', '{ learner: { type: mean }, exploration: { type: greedy } }'],
    ['UCB', '{ learner: { type: mean }, exploration: { type: ucb } }'],
    ['KL-UCB', '{ learner: { type: mean }, exploration: { type: kl-ucb } }'],
    ['ε-greedy without ε', '{ learner: { type: mean }, exploration: { type: epsilon-greedy, epsilon: 0 } }'],
    ['draws, which may leave an action out', '{ learner: { type: beta }, exploration: { type: thompson, draws: 8 } }'],
    ['a fixed policy with a 0', '{ learner: { type: fixed, probabilities: { alpha: 1, omega: 0 } } }'],
  ])('is refused when it is deterministic: %s, unless it has a floor or is not to be evaluated', async (_, text) => {
    expect((await diagnose(algorithm(text))).join()).toMatch(/semantic .*no log of it can ever be evaluated/)
    expect(await diagnose(algorithm(text, 'evaluation: none'))).toEqual([])
    expect(await diagnose(algorithm(text, 'guardrails: { minProbability: 0.01 }'))).toEqual([])
  })

  it('needs binary rewards for `beta`, and something to learn from for `linear`', async () => {
    expect(
      await places(
        algorithm('{ learner: { type: beta }, exploration: { type: thompson } }', 'reward: { type: number }'),
      ),
    ).toEqual(['7:33 semantic'])
    expect(
      await diagnose(
        algorithm(
          '{ learner: { type: mean }, exploration: { type: kl-ucb } }',
          'reward: { type: number }\nevaluation: none',
        ),
      ),
    ).toEqual([expect.stringContaining('the exploration `kl-ucb` needs a binary reward')])
    const blind =
      'context: { id: { type: string } }\nactions: [{ id: a }]\nalgorithm: { learner: { type: linear }, exploration: { type: thompson } }'
    expect(await places(resource('Policy', 'p', blind))).toEqual(['7:33 semantic'])
  })

  it('warns of floors that leave nothing to choose, and may not be called `uniform`', async () => {
    const text = algorithm(
      '{ learner: { type: mean }, exploration: { type: thompson } }',
      'guardrails: { minProbability: 0.5 }',
    )
    expect(await diagnose(text)).toEqual([
      '8:33 warning semantic a floor of 0.5 for each of 2 actions leaves nothing to choose: every action is alike | lower it, or use the learner `uniform`',
    ])
    expect((await places(text.replace('name: p', 'name: uniform')))[0]).toBe('3:19 semantic')
  })
})

/** A Deployment on such an environment, with evaluations, scenarios and a policy around it. */
function deployment(target: 'emulator' | 'vertex', lines: string): Record<string, string> {
  const gcp = `{ project: saga-prod, region: europe-west1, bucket: saga-dap, image: "x@sha256:${'0'.repeat(64)}" }`
  const world = 'world: { type: bernoulli, means: { none: 0.1, gold: 0.2 } }'
  const evaluation = (name: string, candidate: string) =>
    resource('Evaluation', name, `dataset: log\nestimators: [ips]\ncandidates: [{ name: a, ${candidate} }]`)
  const rule = (list: string, expr: string) => `  ${list}: [{ id: r, expr: "${expr}" }]\n`
  return {
    'file.yaml': resource('Deployment', 'd', `environment: e\n${lines}`),
    'e.yaml': resource('Environment', 'e', target === 'vertex' ? `target: vertex\ngcp: ${gcp}` : 'target: emulator'),
    'policies.yaml': `${examplePolicy(1)}---\n${resource('Policy', 'p', 'actions: [{ id: none }, { id: gold }]\nalgorithm: { learner: { type: uniform } }')}`,
    'log.yaml': resource('Dataset', 'log', 'files: [x]\nformat: dap'),
    'judged.yaml':
      evaluation('judged', 'policy: offer-1, snapshot: ./snapshots/a.json') +
      rule('gates', "candidate('a').estimate('ips').value > 0.0"),
    'other.yaml': evaluation('other', 'policy: p'),
    'played.yaml':
      resource(
        'Scenario',
        'played',
        'world: { type: bernoulli, means: { none: 0.1, gold-small: 0.2, bundle-mid: 0.3 } }\npopulation: { context: { platform: { constant: ios }, level: { constant: 1 }, spend30d: { constant: 0 } } }\npolicies: [offer-1]',
      ) + rule('expect', "policy('offer-1').reward.mean > 0.0"),
    'empty.yaml': resource('Scenario', 'empty', `${world}\npolicies: [p]`),
  }
}

describe('names', () => {
  it('are unique within a kind, and both places are named', async () => {
    expect(await diagnose({ 'a.yaml': examplePolicy(1), 'b.yaml': examplePolicy(1) })).toEqual([
      'b.yaml:4:9 duplicate there is another Policy `offer-1` | the first is at a.yaml:4',
    ])
  })

  it('of Deployments are unique within their environment, and all are found', async () => {
    const deployment = (environment: string) =>
      resource('Deployment', 'd', `environment: ${environment}\npolicy: offer-1`)
    const files = {
      'deployments/local/d.yaml': deployment('local'),
      'deployments/prod/d.yaml': deployment('prod'),
      'environments.yaml': ['local', 'prod']
        .map(name => resource('Environment', name, 'target: emulator'))
        .join('---\n'),
      'policies.yaml': examplePolicy(1),
    }
    const { diagnostics, all } = await loadRepository(Object.entries(files).map(([path, text]) => ({ path, text })))
    expect(diagnostics).toEqual([])
    expect(all('Deployment').map(({ name, spec }) => [name, spec.environment])).toEqual([
      ['d', 'local'],
      ['d', 'prod'],
    ])
    expect(new Set(all('Deployment').map(({ digest }) => digest)).size).toBe(2)
    expect(await diagnose({ ...files, 'more.yaml': deployment('prod') })).toEqual([
      'more.yaml:3:19 duplicate there is another Deployment `d` in the environment `prod` | the first is at deployments/prod/d.yaml:3',
    ])
  })

  it('of Deployments that do not say their environment do not bring anything down', async () => {
    const text = resource('Deployment', 'd', 'environment: {}\npolicy: offer-1')
    expect(await places({ 'a.yaml': text, 'b.yaml': text })).toEqual([
      'a.yaml:5:16 schema',
      'a.yaml:6:11 reference',
      'b.yaml:3:19 duplicate',
      'b.yaml:5:16 schema',
      'b.yaml:6:11 reference',
    ])
  })

  it('are found also where their own file has faults', async () => {
    const files = {
      'p.yaml': policyWith('l2: 1.0', 'l2: -1'),
      'file.yaml': resource('Deployment', 'd', 'environment: prod\npolicy: offer-1'),
    }
    expect(await places(files)).toEqual(['p.yaml:33:11 schema', '5:16 reference'])
  })
})

describe('a Scenario', () => {
  const policy = resource(
    'Policy',
    'p',
    `context:
  id: { type: string }
  level: { type: integer, default: 1 }
  os: { type: string, enum: [ios, web], default: ios }
unit: id
actions: [{ id: alpha }, { id: omega }]
algorithm: { learner: { type: beta }, exploration: { type: thompson } }`,
  )
  const scenario = (spec: string) => ({ 'p.yaml': policy, 'file.yaml': resource('Scenario', 's', spec) })
  const means = 'world: { type: bernoulli, means: { alpha: 0.1, omega: 0.2 } }\n'

  it.each([
    ['nothing wrong', `${means}policies: [p, uniform, oracle]`, []],
    ['a typo in a policy', `${means}policies: [p, unifrm]`, ['6:17 reference']],
    [
      'a typo in an action',
      'world: { type: bernoulli, means: { alpha: 0.1, omgea: 0.2 } }\npolicies: [p]',
      ['5:50 reference'],
    ],
    ['an action left out', 'world: { type: bernoulli, means: { alpha: 0.1 } }\npolicies: [p]', ['5:29 semantic']],
    ['a mean above 1', 'world: { type: bernoulli, means: { alpha: 1.5, omega: 0.2 } }\npolicies: [p]', ['5:45 schema']],
    ['checkpoints that fall', `${means}policies: [p]\ncheckpoints: [5, 5]`, ['7:20 semantic']],
    ['a checkpoint beyond the horizon', `${means}policies: [p]\nhorizon: 10\ncheckpoints: [5, 11]`, ['8:20 semantic']],
    ['a checkpoint at the horizon', `${means}policies: [p]\nhorizon: 10\ncheckpoints: [5, 10]`, []],
    [
      'a field that nobody has',
      `${means}policies: [p]\npopulation: { context: { levle: { constant: 1 } } }`,
      ['7:28 reference'],
    ],
    [
      'a misfit distribution',
      `${means}policies: [p]\npopulation: { context: { os: { poisson: { mean: 1 } } } }`,
      ['7:34 semantic'],
    ],
    [
      'two distributions',
      `${means}policies: [p]\npopulation: { context: { level: { poisson: { mean: 1 }, constant: 1 } } }`,
      ['7:35 schema'],
    ],
    [
      'weights that do not sum to 1',
      `${means}policies: [p]\npopulation: { context: { os: { categorical: { ios: 0.5, web: 0.4 } } } }`,
      ['7:34 semantic'],
    ],
    [
      'weights that sum to a millionth less',
      `${means}policies: [p]\npopulation: { context: { os: { categorical: { ios: 0.5, web: 0.499999 } } } }`,
      ['7:34 semantic'],
    ],
    [
      'a value outside an enum',
      `${means}policies: [p]\npopulation: { context: { os: { categorical: { ios: 0.5, wbe: 0.5 } } } }`,
      ['7:59 reference'],
    ],
    [
      'a binary learner in a world of numbers',
      'world: { type: linear, means: { alpha: 1, omega: 2 } }\npolicies: [p]',
      ['6:14 semantic'],
    ],
    [
      'a CEL term of no field',
      'world: { type: logistic, logits: { alpha: "0.1 * double(ctx.levl)", omega: 0 } }\npolicies: [p]',
      ['5:63 cel'],
    ],
    [
      'a CEL term that is no number',
      'world: { type: logistic, logits: { alpha: "ctx.os", omega: 0 } }\npolicies: [p]',
      ['5:46 cel'],
    ],
    [
      'weights that do not fit',
      'world: { type: logistic, logits: { alpha: { weights: { level: [1], os: { osi: 1 } } }, omega: 0 } }\npolicies: [p]',
      ['5:65 semantic', '5:76 reference'],
    ],
    [
      'a rule over a policy that is not played',
      `${means}policies: [p]\nexpect: [{ id: x, expr: "policy('q').regret.mean > 1" }]`,
      ['7:35 cel'],
    ],
    [
      'a rule twice',
      `${means}policies: [p]\nexpect: [{ id: x, expr: "true" }, { id: x, expr: "true" }]`,
      ['7:43 duplicate'],
    ],
  ])('with %s', async (_, spec, expected) => {
    expect(await places(scenario(spec))).toEqual(expected)
  })

  it('must say what every field without a default is, the unit excepted', async () => {
    const files = {
      ...scenario(`${means}policies: [p]`),
      'p.yaml': policy.replace(
        'os: { type: string, enum: [ios, web], default: ios }',
        'os: { type: string, enum: [ios, web] }',
      ),
    }
    expect(await diagnose(files)).toEqual([
      '6:14 semantic nothing says what `os` of `p` is in the simulated population | add `os` to `population.context`',
    ])
  })
})

describe('the other kinds', () => {
  const data = resource(
    'Dataset',
    'd',
    'files: [x.csv]\nformat: csv\nactions: { range: [10, 12] }\nmapping: { action: a, propensity: p, reward: r }',
  )
  const evaluation = (spec: string) => ({
    'd.yaml': data,
    'file.yaml': resource('Evaluation', 'e', `dataset: d\n${spec}`),
  })
  const candidates = 'candidates: [{ name: a, uniform: true }]\n'

  it.each([
    [
      'a Dataset outside the repository',
      resource('Dataset', 'd', 'files: [../x.csv, /tmp/y, a/../../z, ok/../a]\nformat: dap'),
      ['5:11 reference', '5:21 reference', '5:29 reference'],
    ],
    ['a Dataset without a mapping', resource('Dataset', 'd', 'files: [x]\nformat: csv'), ['6:11 semantic']],
    [
      'a Dataset with a mapping too many',
      resource('Dataset', 'd', 'files: [x]\nformat: dap\nmapping: { action: a, propensity: p, reward: r }'),
      ['7:3 semantic'],
    ],
    [
      'a Dataset whose range falls',
      resource('Dataset', 'd', 'files: [x]\nformat: dap\nactions: { range: [3, 1] }'),
      ['7:21 semantic'],
    ],
    [
      'a Dataset whose rewards leave one value',
      resource('Dataset', 'd', 'files: [x]\nformat: dap\nreward: { minimum: 1, maximum: 1 }'),
      ['7:22 semantic'],
    ],
    ['an Evaluation of no Dataset', resource('Evaluation', 'e', `dataset: d\n${candidates}`), ['5:12 reference']],
    [
      'a candidate that is two things',
      evaluation('candidates: [{ name: a, uniform: true, logging: true }]'),
      ['6:42 schema'],
    ],
    ['a candidate that is nothing', evaluation('candidates: [{ name: a }]'), ['6:16 schema']],
    ['a typo in a candidate', evaluation('candidates: [{ name: a, unifrm: true }]'), ['6:27 unknown-key']],
    [
      'a candidate twice',
      evaluation('candidates: [{ name: a, uniform: true }, { name: a, logging: true }]'),
      ['6:52 duplicate'],
    ],
    [
      'an action that the dataset does not have',
      evaluation('candidates: [{ name: a, fixed: "13" }]'),
      ['6:34 reference'],
    ],
    [
      'columns without {action}',
      evaluation('candidates: [{ name: a, probabilities: { columns: p } }]'),
      ['6:53 semantic'],
    ],
    [
      'an exploration that needs more than values',
      evaluation('candidates: [{ name: a, scores: { columns: "s_{action}" }, exploration: { type: ucb } }]'),
      ['6:83 schema'],
    ],
    [
      'a candidate that learnt nobody knows what',
      evaluation('candidates: [{ name: a, probabilities: { columns: "p_{action}" }, learntFrom: everything }]'),
      ['6:81 schema'],
    ],
    [
      'a candidate that learnt decisions of no time',
      evaluation(
        'candidates: [{ name: a, probabilities: { columns: "p_{action}" }, learntFrom: { until: 2026-02-30T99:00:00Z } }]',
      ),
      ['6:90 semantic', '6:90 semantic'],
    ],
    [
      'a candidate that learnt until before it began',
      evaluation(
        'candidates: [{ name: a, probabilities: { columns: "p_{action}" }, learntFrom: { from: 2026-02-01T00:00:00Z, until: 2026-01-01T00:00:00Z } }]',
      ),
      ['6:89 semantic', '6:89 semantic'],
    ],
    [
      'held out units of a log that has none',
      evaluation('candidates: [{ name: a, probabilities: { columns: "p_{action}" }, learntFrom: { heldOut: 0.2 } }]'),
      ['6:92 semantic'],
    ],
    [
      'what a policy without a snapshot learnt',
      evaluation('candidates: [{ name: a, policy: p, learntFrom: nothing }]'),
      ['6:35 reference', '6:38 semantic'],
    ],
    ['an estimator without its reward model', evaluation(`${candidates}estimators: [ips, dr]`), ['7:21 semantic']],
    ['an estimator that is not there yet', evaluation(`${candidates}estimators: [ips, dros]`), ['7:21 schema']],
    [
      'folds by units that the log does not have',
      evaluation(`${candidates}rewardModel: { type: tabular, crossFit: { by: unit } }`),
      ['7:49 semantic'],
    ],
    [
      'a gate over an unknown estimator',
      evaluation(`${candidates}gates: [{ id: g, expr: "candidate('a').estimate('dr').value > 0" }]`),
      ['7:51 cel'],
    ],
    [
      'a gate over a biased estimator',
      evaluation(
        `${candidates}estimators: [ips, dm]\nrewardModel: { type: tabular }\ngates: [{ id: g, expr: "candidate('a').estimate('dm').lift.lower > 0.0" }]`,
      ),
      ['9:26 warning semantic'],
    ],
    [
      'a parameter of an estimator that has none',
      evaluation(`${candidates}estimators: [ips, { type: snips, lambda: 2 }]`),
      ['7:44 semantic'],
    ],
    [
      'an estimator by the name of another',
      evaluation(`${candidates}estimators: [{ type: clipped-ips, lambda: 2, name: dr }]`),
      ['7:54 semantic'],
    ],
    [
      'two estimators of one name',
      evaluation(`${candidates}estimators: [{ type: clipped-ips, lambda: 2 }, { type: clipped-ips, lambda: 5 }]`),
      ['7:50 duplicate'],
    ],
    ['an Environment without its cloud', resource('Environment', 'x', 'target: vertex'), ['4:1 schema']],
    [
      'an Environment of no known target, and what is wrong with it wherever that is',
      resource('Environment', 'x', 'target: vertx\nprotect: [deletion]\ngcp: { project: my-project, region: 7 }'),
      ['5:11 schema', '6:13 schema', '7:3 schema', '7:3 schema', '7:39 schema'],
    ],
    [
      'an Environment with a misspelt target, which is said once',
      resource('Environment', 'x', 'tarket: emulator\nzone: a'),
      ['5:3 unknown-key', '6:3 unknown-key'],
    ],
    [
      'an image that is not pinned',
      resource(
        'Environment',
        'x',
        'target: vertex\ngcp: { project: my-project, region: europe-west1, bucket: abc, image: "a/b:latest" }',
      ),
      ['6:73 semantic'],
    ],
    [
      'a second Project',
      { 'dap.yaml': resource('Project', 'x', 'dataRoots: []'), 'file.yaml': resource('Project', 'y', 'dataRoots: []') },
      ['2:7 duplicate'],
    ],
  ])('%s', async (_, files, expected) => {
    expect(await places(files)).toEqual(expected)
  })

  it('may read below the data roots of the Project', async () => {
    const files = {
      'dap.yaml': resource('Project', 'x', 'dataRoots: [../logs, /mnt/d]'),
      'file.yaml': resource('Dataset', 'd', 'files: [../logs/x, /mnt/d/y, ../logs/../z, /mnt/dd/x]\nformat: dap'),
    }
    expect(await places(files)).toEqual(['5:32 reference', '5:46 reference'])
  })

  it.each([
    ['n2-standrad-4', 'n2-standard-4'],
    ['c3-highcpuu-8-lssd', 'c3-highcpu-8-lssd'],
    ['n2-standard-4', undefined],
    ['e2-micro', undefined],
    ['x9-novelty-4', undefined],
  ])('of the machine type %s means %s', async (machineType, meant) => {
    const text = resource(
      'Deployment',
      'd',
      `environment: e\npolicy: offer-1\nresources: { machineType: ${machineType} }`,
    )
    const found = await diagnose({
      'p.yaml': examplePolicy(1),
      'e.yaml': resource('Environment', 'e', 'target: emulator'),
      'file.yaml': text,
    })
    const warning = `7:29 warning semantic there is no machine type \`${machineType}\` that dap knows of | did you mean \`${meant}\`?`
    expect(found).toEqual(meant === undefined ? [] : [warning])
  })

  describe('say what was called otherwise', () => {
    const environments = (moved = '') =>
      ['e', 'f']
        .map((name, i) => resource('Environment', name, `target: emulator${i === 0 ? moved : ''}`))
        .join('---\n')
    const deployments = (...all: readonly (readonly [name: string, environment: string, moved: string])[]) => ({
      'policies.yaml': examplePolicy(1),
      'e.yaml': environments(),
      ...Object.fromEntries(
        all.map(([name, environment, moved], i) => [
          `${i}.yaml`,
          resource('Deployment', name, `environment: ${environment}\npolicy: offer-1${moved && `\nmoved: ${moved}`}`),
        ]),
      ),
    })

    it.each([
      ['{ deployment: a }', '`moved` says what it is called now | it says what it was called before'],
      ['{ environment: e }', '`moved` says what it is called now | it says what it was called before'],
      [
        '{ deployment: b }',
        '`moved` says that this was `e/b`, which is there still | take one of them out: two cannot have the same endpoint',
      ],
      [
        '{ environment: f }',
        '`moved` says that this was `f/a`, which is there still | take one of them out: two cannot have the same endpoint',
      ],
      ['{ deployment: c }', 'another Deployment was `e/c`, too | only one of them keeps the endpoint'],
      ['{ environment: f, deployment: c }', 'another Deployment was `f/c`, too | only one of them keeps the endpoint'],
    ])('of a Deployment: %s', async (moved, expected) => {
      const files = deployments(
        ['a', 'e', moved],
        ['b', 'e', ''],
        ['a', 'f', ''],
        ['d', 'e', '{ deployment: c }'],
        ['d2', 'f', '{ deployment: c }'],
      )
      expect((await diagnose(files)).filter(line => line.startsWith('0.yaml'))).toEqual([
        `0.yaml:7:3 semantic ${expected}`,
      ])
    })

    it('of a Deployment that is there no more', async () => {
      expect(await diagnose(deployments(['a', 'e', '{ deployment: old }'], ['old', 'f', '']))).toEqual([])
    })

    it('of an Environment: one that is there no more', async () => {
      const files = (moved: string) => ({ 'e.yaml': environments(`\nmoved: { environment: ${moved} }`) })
      expect(await diagnose(files('old'))).toEqual([])
      expect(await diagnose(files('f'))).toEqual([
        'e.yaml:6:25 semantic `moved` says that this was `f`, which is there still | take one of them out: two cannot have the same endpoints',
      ])
      const both = ['e', 'f'].map(name =>
        resource('Environment', name, 'target: emulator\nmoved: { environment: old }'),
      )
      expect(await diagnose({ 'e.yaml': both.join('---\n') })).toEqual(
        ['6', '13'].map(
          at => `e.yaml:${at}:25 semantic another Environment was \`old\`, too | only one of them keeps the endpoints`,
        ),
      )
    })
  })

  it('deploy nothing for a repository that has no id, and say so where there is something to deploy', async () => {
    const files = (spec: string) => ({
      ...deployment('emulator', 'policy: offer-1'),
      'dap.yaml': resource('Project', 'x', spec),
    })
    expect(await diagnose(files('folders: [.]'))).toEqual([
      'dap.yaml:4:1 warning semantic there are Deployments, and no `projectId` says whose they are: nothing can be deployed | `dap init --new-id` writes one',
    ])
    expect(await diagnose(files('projectId: q7m2vx4t9kd3hs8w'))).toEqual([])
    const { 'dap.yaml': alone } = files('folders: [.]')
    expect(await diagnose({ 'dap.yaml': alone })).toEqual([])
    for (const id of ['short', 'Q7M2VX4T9KD3HS8W', '12345678', '"a b c d e f"']) {
      expect(await places(files(`projectId: ${id}`))).toEqual(['dap.yaml:5:14 schema'])
    }
  })

  it('places the faults of a Deployment', async () => {
    const text = resource(
      'Deployment',
      'x',
      'environment: prod\npolicy: p\nresources: { minReplicas: 20 }\nrollout:\n  steps: [{ traffic: 0.5 }, { traffic: 0.3 }]\n  gates: [{ metric: latencyP99, max: 0ms }]\nevidence: [{ evaluation: e }, { scenario: s }]',
    )
    expect(await places(text)).toEqual([
      '5:16 reference',
      '6:11 reference',
      '7:29 semantic',
      '9:42 semantic',
      '10:5 semantic',
      '10:40 semantic',
      '11:28 reference',
      '11:45 reference',
    ])
    expect(await places(text.replace('traffic: 0.3', 'traffic: 0.8').replace('max: 0ms', 'max: 0.5'))).toEqual([
      '5:16 reference',
      '6:11 reference',
      '7:29 semantic',
      '9:42 semantic',
      '10:40 schema',
      '11:28 reference',
      '11:45 reference',
    ])
  })

  it('lets gates be watched: they need a hold, and on Vertex AI one that outlasts the lag of its metrics', async () => {
    const rollout = (steps: string, gates = '[{ metric: errorRate, max: 0.01 }]') =>
      `rollout: { steps: ${steps}, gates: ${gates} }`
    const deployed = (target: 'emulator' | 'vertex', lines: string) => deployment(target, `policy: offer-1\n${lines}`)
    const held = '[{ traffic: 0.1, hold: 5m }, { traffic: 0.5, hold: 6m }, { traffic: 1 }]'
    expect(await diagnose(deployed('vertex', rollout('[{ traffic: 0.1, hold: 0s }, { traffic: 1 }]')))).toEqual([
      '7:67 semantic gates are watched during a `hold`, and no step has one | give a step one, for example `{ traffic: 0.1, hold: 10m }`',
    ])
    expect(await diagnose(deployed('vertex', rollout(held)))).toEqual([
      '7:44 warning semantic the gates may see nothing in 5m: Cloud Monitoring is up to 6m behind | hold for `10m` or longer',
    ])
    expect(await diagnose(deployed('emulator', rollout(held)))).toEqual([])
    expect(await diagnose(deployed('vertex', rollout(held, '[]')))).toEqual([])
  })

  it('moves traffic by whole percents', async () => {
    const shares = Array.from({ length: 100 }, (_, i) => `{ traffic: ${(i + 1) / 100} }`)
    const steps = (from: number, to: number) =>
      `policy: offer-1\nrollout: { steps: [${shares.slice(from, to).join(', ')}, { traffic: 1 }] }`
    expect(await diagnose(deployment('vertex', steps(0, 49)))).toEqual([])
    expect(await diagnose(deployment('vertex', steps(50, 99)))).toEqual([])
    const odd = 'policy: offer-1\nrollout: { steps: [{ traffic: 0.125 }, { traffic: 1 }] }'
    expect(await diagnose(deployment('vertex', odd))).toEqual([
      '7:33 semantic traffic is split by whole percents, and `0.125` is none | write a fraction of two digits, such as `0.05`',
    ])
  })

  it('lets traffic only rise', async () => {
    const steps = (...traffic: readonly number[]) =>
      places(deployment('vertex', `policy: offer-1\nrollout: { steps: [${traffic.map(t => `{ traffic: ${t} }`)}] }`))
    expect(await steps(0.1, 0.5, 1)).toEqual([])
    expect(await steps(0.5, 0.5, 1)).toEqual(['7:50 semantic'])
    expect(await steps(0.5, 0.1, 1)).toEqual(['7:50 semantic'])
  })

  it('takes evidence only about what it deploys', async () => {
    const evidence = (lines: string) => deployment('vertex', `policy: offer-1\n${lines}`)
    expect(
      await diagnose(evidence('snapshot: snapshots/a.json\nevidence: [{ evaluation: judged }, { scenario: played }]')),
    ).toEqual([])
    expect(await diagnose(evidence('evidence: [{ evaluation: judged }]'))).toEqual([
      '7:28 semantic the evaluation `judged` does not judge `offer-1` without a snapshot | it needs a candidate `{ name: …, policy: offer-1 }`',
    ])
    expect(await diagnose(evidence('snapshot: b.json\nevidence: [{ evaluation: judged }]'))).toEqual([
      '8:28 semantic the evaluation `judged` does not judge `offer-1` with the snapshot `b.json` | it needs a candidate `{ name: …, policy: offer-1, snapshot: b.json }`',
    ])
    expect(await diagnose(evidence('evidence: [{ evaluation: other }, { scenario: empty }]'))).toEqual([
      '7:28 semantic the evaluation `other` does not judge `offer-1` | it needs a candidate `{ name: …, policy: offer-1 }`',
      '7:28 warning semantic the evaluation `other` has no gates: as evidence it always passes | give it one, or take it out of `evidence`',
      '7:49 semantic the scenario `empty` does not play `offer-1` | add `offer-1` to its `policies`',
      '7:49 warning semantic the scenario `empty` has no expectations: as evidence it always passes | give it one, or take it out of `evidence`',
    ])
  })
})
