import { describe, expect, it } from 'vitest'
import { examplePolicy } from '../../support/policies.ts'
import { resource } from '../../support/repository.ts'
import { dap } from '../../support/run-dap.ts'

const PROJECT = { 'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }') }
const POLICY = `apiVersion: dap/v1
kind: Policy
metadata: { name: offer }
spec:
  context: {}
  actions: [{ id: none }, { id: gold }]
  algorithm:
    learner: { type: mean }
    exploration: { type: epsilon-greedy }
`
const SCENARIO = resource(
  'Scenario',
  'week',
  `world: { type: bernoulli, means: { none: 0.1, gold: 0.6 } }
policies: [offer, uniform]
horizon: 200
replications: 20
expect:
  - { id: learns, expr: "policy('offer').regret.upper < policy('uniform').regret.lower" }
  - { id: too-much, expr: "policy('offer').reward.mean > 0.99" }`,
)

describe('validate', () => {
  it('shows every fault with its place, and exits with 1', async () => {
    const session = await dap('validate', {
      ...PROJECT,
      'policies/offer.yaml': POLICY.replace('type: mean', 'type: men').replace(
        'id: gold }',
        'id: gold, eligible: "1" }',
      ),
    })
    expect(session).toMatchObject({ code: 1, stderr: '' })
    expect(session.stdout).toMatchInlineSnapshot(`
      "policies/offer.yaml:6:50: error: the rule must give true or false, but gives an int [cel]
        5 │   context: {}
        6 │   actions: [{ id: none }, { id: gold, eligible: "1" }]
          │                                                  ^
        hint: compare it with something, for example \`1 > …\`

      policies/offer.yaml:8:22: error: \`type\` must be one of \`mean\`, \`beta\`, \`linear\`, \`logistic\`, \`hybrid\`, \`hashed\`, \`fixed\`, \`model\`, \`uniform\`, got the string \`men\` [schema]
        7 │   algorithm:
        8 │     learner: { type: men }
          │                      ^^^
        hint: did you mean \`mean\`?

      2 files checked: 2 errors
      "
    `)
  })

  it('reports only on the paths asked for, though it reads the whole repository', async () => {
    const files = { ...PROJECT, 'policies/a.yaml': 'x', 'policies/b.yaml': examplePolicy(2) }
    expect(await dap('validate policies/b.yaml', files)).toMatchObject({
      code: 0,
      stdout: '1 file checked: all valid\n',
    })
    expect(await dap('validate policies/c.yaml', files)).toMatchObject({ code: 3 })
  })

  it('looks into no folder outside the repository, and says so', async () => {
    const project = resource('Project', 'shop', 'folders: [../other, policies]')
    const { code, stdout } = await dap('validate', { 'dap.yaml': project, 'policies/a.yaml': examplePolicy(1) })
    expect(code).toBe(1)
    expect(stdout).toContain('dap.yaml:5:13: error: `../other` leaves the repository [semantic]')
    expect(stdout).toContain('2 files checked: 1 error')
  })

  it('warns of a folder that is listed and not there, and of no default one', async () => {
    const project = resource('Project', 'shop', 'folders: [polices, policies]')
    const files = { 'policies/a.yaml': examplePolicy(1) }
    const { code, stdout } = await dap('validate', { ...files, 'dap.yaml': project })
    expect(code).toBe(0)
    expect(stdout).toMatchInlineSnapshot(`
      "dap.yaml:5:13: warning: there is no folder \`polices\`, so nothing is read from it [reference]
        4 │ spec:
        5 │   folders: [polices, policies]
          │             ^^^^^^^
        hint: folders are relative to that of dap.yaml: mend the name, make the folder, or take it out

      2 files checked: 1 warning
      "
    `)
    expect(await dap('validate', { ...files, 'dap.yaml': resource('Project', 'shop', '{}') })).toMatchObject({
      code: 0,
      stdout: '2 files checked: all valid\n',
    })
  })

  it('checks files outside a repository as if they were one', async () => {
    expect(await dap('validate policy.yaml', { 'policy.yaml': POLICY })).toMatchObject({ code: 0 })
  })
})

describe('simulate', () => {
  const files = { ...PROJECT, 'policies/offer.yaml': POLICY, 'scenarios/week.yaml': SCENARIO }

  it('shows policies, differences and expectations, with the numbers that broke one, and exits with 1', async () => {
    const { code, stdout, events } = await dap('simulate', files)
    expect(code).toBe(1)
    expect(stdout).toMatchInlineSnapshot(`
      "week: 20 replications of 200 decisions, seed 1

      policy   mean reward  95 % interval     regret  95 % interval   best action  95 % interval
      offer          0.577  [0.5618, 0.5922]    6.05  [5.105, 6.995]         94 %  [93 %, 94.9 %]
      uniform        0.363  [0.3496, 0.3764]   49.83  [48.34, 51.31]       50.2 %  [48.7 %, 51.7 %]

      difference to offer  mean reward  95 % interval       regret  95 % interval
      uniform                   -0.214  [-0.2268, -0.2012]  +43.77  [+42.15, +45.4]

      passed  learns
      failed  too-much
              policy('offer').reward.mean > 0.99
              policy('offer').reward.mean is 0.577
      1 of 2 expectations failed
      "
    `)
    expect(events.at(-1)).toEqual({ type: 'progress', unit: 'replications', done: 20, total: 20 })
  })

  it('takes another seed, horizon and number of replications from the command line', async () => {
    const { stdout } = await dap('simulate week --seed 3 --horizon 50 --replications 4 --json', files)
    expect(JSON.parse(stdout)).toMatchObject({ seed: 3, horizon: 50, replications: 4 })
  })

  it('says which files keep it from running', async () => {
    const broken = { ...files, 'policies/offer.yaml': POLICY.replace('type: mean', 'type: men') }
    expect(await dap('simulate', broken)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^policies\/offer.yaml:\d+:\d+: error: `type` must be one of .*\n(.*│.*\n)+ {2}hint: .*\n\nerror: `policies\/offer.yaml` has errors\nhint: dap validate policies\/offer.yaml\n$/,
      ),
    })
  })

  it('needs a project file without errors, since defaults come from it', async () => {
    expect((await dap('simulate', { ...files, 'dap.yaml': 'x: [' })).stderr).toContain('`dap.yaml` has errors')
  })

  it('runs although a file that it does not need is broken', async () => {
    expect(await dap('simulate week', { ...files, 'policies/other.yaml': 'x' })).toMatchObject({
      stderr: '',
    })
  })

  it('guesses what a mistyped name meant', async () => {
    expect((await dap('simulate wek', files)).stderr).toBe('error: no scenario `wek`\nhint: did you mean `week`?\n')
  })
})

describe('explain', () => {
  it('documents a field with its type, default and bounds', async () => {
    expect((await dap('explain Policy.spec.guardrails.minProbability')).stdout).toMatchInlineSnapshot(`
      "Policy.spec.guardrails.minProbability  number, at least 0, at most 0.5

      The floor f of every eligible action, mixed in additively over the K eligible ones: p ← f + (1 −
      K·f)·p.

      default: 0

      example: 0.02
      "
    `)
  })

  it('finds an algorithm by the name of its paper', async () => {
    expect((await dap('explain policy.spec.algorithm')).stdout).toContain('LinUCB')
  })

  it('guesses what a mistyped path meant', async () => {
    expect(await dap('explain Policy.spec.guardrials')).toMatchObject({
      code: 3,
      stderr: 'error: `Policy.spec` has no field `guardrials`\nhint: did you mean `guardrails`?\n',
    })
  })
})

describe('schema', () => {
  it('prints the schema of a kind, and writes those of all kinds for editors', async () => {
    const { stdout } = await dap('schema policy')
    expect(JSON.parse(stdout)).toMatchObject({ title: 'Policy' })
    const { files } = await dap('schema --out schemas')
    expect(Object.keys(files).sort()).toEqual(
      [
        'action-set',
        'dataset',
        'deployment',
        'environment',
        'evaluation',
        'model',
        'policy',
        'project',
        'scenario',
      ].map(kind => `schemas/${kind}.schema.json`),
    )
  })
})

describe('new', () => {
  it('makes a scenario that plays the first policy in a world of its actions and context', async () => {
    const { code, files } = await dap('new scenario first', { ...PROJECT, 'policies/p.yaml': examplePolicy(1) })
    expect(code).toBe(0)
    expect(files['scenarios/first.yaml']).toMatchInlineSnapshot(`
      "apiVersion: dap/v1
      kind: Scenario
      metadata:
        name: first
      spec:
        world:
          type: bernoulli
          means: { none: 0.05, gold-small: 0.067, bundle-mid: 0.083 }
        population:
          context:
            level: { uniform: { min: 1, max: 11 } }
            platform: { categorical: { ios: 0.5, android: 0.5 } }
            spend30d: { uniform: { min: 0, max: 10 } }
        policies: [offer-1, uniform]
        horizon: 1000
        replications: 100
        seed: 1
      "
    `)
    expect(await dap('validate', files)).toMatchObject({ code: 0, stdout: '3 files checked: all valid\n' })
  })

  it('makes one deployment of a name for each environment', async () => {
    const environments = ['local', 'prod'].map(name => resource('Environment', name, 'target: emulator')).join('---\n')
    const files = { ...PROJECT, 'policies/p.yaml': examplePolicy(1), 'environments/all.yaml': environments }
    const first = await dap('new deployment shop', files)
    const second = await dap('new deployment shop --env prod', first.files)
    expect(second.files['deployments/local/shop.yaml']).toContain('environment: local\n  policy: offer-1\n')
    expect(second.files['deployments/prod/shop.yaml']).toContain('environment: prod\n')
    expect(await dap('validate', second.files)).toMatchObject({ code: 0 })
    expect((await dap('new deployment shop', second.files)).stderr).toBe(
      'error: there is a deployment `shop` already\nhint: in the environment `local`; --env names another\n',
    )
    expect((await dap('new deployment x --env pord', second.files)).stderr).toContain('did you mean `prod`?')
    expect(await dap('new policy x --env prod', files)).toMatchObject({ code: 3 })
  })

  it('overwrites nothing', async () => {
    const files = { ...PROJECT, 'policies/p.yaml': '# mine\n' }
    const session = await dap('new policy p', files)
    expect(session).toMatchObject({
      code: 1,
      stderr: 'error: `policies/p.yaml` exists already\nhint: nothing was written\n',
    })
    expect(session.files['policies/p.yaml']).toBe('# mine\n')
  })
})
