import { beforeAll, describe, expect, it } from 'vitest'
import { nodeFiles } from '../../src/adapters/node/files.ts'
import { inputsOf } from '../../src/commands/evidence/inputs.ts'
import { openRepository } from '../../src/commands/opening/repository.ts'
import type { Host } from '../../src/host.ts'
import { around, graphOf } from '../../src/repo/graph.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import type { GraphResult } from '../../src/results.ts'
import { memoryFiles } from '../support/memory-files.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dap, PACKAGE_ROOT, repository } from '../support/run-dap.ts'
import { read } from './support.ts'

let shop: Readonly<Record<string, string>>

beforeAll(async () => {
  const made = await dap('init shop --template contextual-bandit')
  shop = Object.fromEntries(
    Object.entries(made.files).flatMap(([path, text]) =>
      path.startsWith('shop/') ? [[path.slice('shop/'.length), text]] : [],
    ),
  )
})

const graph = async (line: string, files = shop): Promise<GraphResult> =>
  JSON.parse((await dap(`graph ${line} --json`, files)).stdout)

describe('dap graph', () => {
  it('draws trees from what nothing needs, and nothing twice that has something below it', async () => {
    expect(read(await dap('graph', shop))).toMatchInlineSnapshot(`
      "exit 0
      deployment local/shop-offer
      ├─ environment local
      └─ policy shop-offer

      deployment prod/shop-offer
      ├─ environment prod
      ├─ policy shop-offer
      ├─ evaluation next-offer
      │  ├─ dataset last-month
      │  │  └─ policy shop-offer
      │  └─ policy shop-offer
      └─ scenario quiet-week
         ├─ policy shop-offer
         └─ policy shop-offer-context-free

      dataset served
      └─ policy shop-offer
      "
    `)
  })

  it('shows of a name what it needs and what needs it, for every resource that is called so', async () => {
    expect(read(await dap('graph policy/shop-offer', shop))).toMatchInlineSnapshot(`
      "exit 0
      policy shop-offer  policies/shop-offer.yaml
      needs nothing
      needed by
      ├─ deployment local/shop-offer
      ├─ deployment prod/shop-offer
      ├─ evaluation next-offer
      │  └─ deployment prod/shop-offer
      ├─ dataset last-month
      │  └─ evaluation next-offer  as above
      ├─ dataset served
      └─ scenario quiet-week
         └─ deployment prod/shop-offer
      "
    `)
    expect((await graph('shop-offer')).about).toEqual([
      'deployment/local/shop-offer',
      'deployment/prod/shop-offer',
      'policy/shop-offer',
    ])
    expect((await graph('prod/shop-offer')).about).toEqual(['deployment/prod/shop-offer'])
    expect((await graph('deployment/shop-offer')).about).toHaveLength(2)
    expect(read(await dap('graph shop-ofer', shop))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: no resource \`shop-ofer\`
      hint: did you mean \`shop-offer\`?
      "
    `)
  })

  it('draws mermaid', async () => {
    expect(read(await dap('graph next-offer --mermaid', shop))).toMatchInlineSnapshot(`
      "exit 0
      flowchart LR
        n0["deployment<br/>prod/shop-offer"]
        n1["evaluation<br/>next-offer"]
        n2["dataset<br/>last-month"]
        n3["policy<br/>shop-offer"]
        n0 --> n1
        n1 --> n2
        n1 --> n3
        n2 --> n3
        classDef asked stroke-width:3px
        class n1 asked
      "
    `)
    expect(await dap('graph --format svg', shop)).toMatchObject({ code: 3 })
  })

  it('draws what can be read of a repository with faults, names that nothing has among it, and ends with 1', async () => {
    const faulty = {
      'dap.yaml': resource('Project', 'shop', '{}'),
      'policies/a.yaml': 'kind: [\n',
      'policies/b.yaml': resource('Policy', 'offer', 'actions: 3'),
      'datasets/a.yaml': resource('Dataset', 'log', 'files: [a.jsonl]\nformat: dap\nactions: { policy: offer }'),
      'scenarios/a.yaml': resource(
        'Scenario',
        'week',
        'world: { type: bernoulli, means: { a: 0.1 } }\npolicies: [uniform, ofer]\nhorizon: 10',
      ),
    }
    expect(read(await dap('graph', faulty))).toMatchInlineSnapshot(`
      "exit 1
      dataset log
      └─ policy offer  has errors

      scenario week
      └─ policy ofer  missing

      3 errors: \`dap validate\` shows them
      "
    `)
    expect((await dap('graph --mermaid', faulty)).stdout).toMatchInlineSnapshot(`
      "flowchart LR
        n0["dataset<br/>log"]
        n1["scenario<br/>week"]
        n2["policy<br/>ofer<br/>missing"]
        n3["policy<br/>offer<br/>has errors"]
        n0 --> n3
        n1 --> n2
        classDef wrong stroke:#d1242f,stroke-dasharray:4
        class n2,n3 wrong
      "
    `)
    expect(await dap('graph', { 'dap.yaml': resource('Project', 'shop', '{}') })).toMatchObject({
      code: 0,
      stdout: 'nothing is here; `dap new KIND NAME` adds a resource\n',
    })
  })

  it('prints what is published', async () => {
    expectPublished('graph-result', await graph(''))
    expectPublished('graph-result', await graph('quiet-week'))
  })
})

describe('the graph', () => {
  const sources = (files: Readonly<Record<string, string>>) =>
    Object.entries(files).flatMap(([path, text]) =>
      /^(?!\.|node_modules).*\.yaml$/.test(path) ? [{ path, text }] : [],
    )

  it('has the references that validate looks up: a resource that goes is missed by both, in the same places', async () => {
    const whole = await loadRepository(sources(shop))
    expect(whole.diagnostics).toEqual([])
    let missed = 0
    for (const { id, kind, name, file } of graphOf(whole).nodes) {
      const text = shop[file!].replace(new RegExp(`(name: ['"]?)${name}\\b(?!-)`), '$1quite-another')
      const { diagnostics, ...without } = await loadRepository(sources({ ...shop, [file!]: text }))
      const message = `there is no ${kind} \`${name}\``
      const said = diagnostics.filter(each => each.message === message).map(each => each.file)
      const { nodes, edges } = graphOf({ ...without, diagnostics })
      const naming = edges.filter(({ to }) => to === id).map(({ from }) => nodes.find(node => node.id === from)!.file)
      if (kind !== 'Deployment')
        expect(nodes.some(node => node.id === id && node.state === 'missing')).toBe(naming.length > 0)
      expect([...new Set(said)].sort()).toEqual([...new Set(naming)].sort())
      missed += naming.length
    }
    expect(missed).toBeGreaterThan(8)
  })

  it('reaches from a Scenario and an Evaluation every resource that their results depend on', async () => {
    const files = memoryFiles(Object.fromEntries(Object.entries(shop).map(([path, text]) => [`/repo/${path}`, text])), {
      prefix: PACKAGE_ROOT,
      files: nodeFiles(),
    })
    const host = { cwd: '/repo', files, environment: () => undefined } as unknown as Host
    const opened = await openRepository(host)
    const whole = graphOf(opened.repository)
    for (const kind of ['Scenario', 'Evaluation'] as const) {
      for (const { name } of opened.repository.all(kind)) {
        const id = `${kind.toLowerCase()}/${name}`
        const { edges } = around(whole, [id])
        const below = new Set([id])
        for (const at of below) for (const { from, to } of edges) if (from === at) below.add(to)
        const inputs = (await inputsOf(host, opened, kind, name)).map(input => `${input.kind}/${input.name}`)
        const named = inputs.filter(input => /^(policy|dataset|scenario|evaluation)\//.test(input))
        expect([...below].sort()).toEqual([...new Set(named)].sort())
      }
    }
  })
})

describe('dap list', () => {
  it('shows each kind with its state', async () => {
    expect(read(await dap('list', shop))).toMatchInlineSnapshot(`
      "exit 0
      Project  file
      shop     dap.yaml

      Environment  place                file
      local        emulator             environments/local.yaml
      prod         vertex europe-west1  environments/prod.yaml

      Policy                   file
      shop-offer               policies/shop-offer.yaml
      shop-offer-context-free  policies/shop-offer.yaml

      Scenario    evidence          file
      quiet-week  nothing recorded  scenarios/quiet-week.yaml

      Dataset     data     file
      last-month  1 file   datasets/last-month.yaml
      served      no data  datasets/served.yaml

      Evaluation  evidence          file
      next-offer  nothing recorded  evaluations/next-offer.yaml

      Deployment        policy      file
      local/shop-offer  shop-offer  deployments/local/shop-offer.yaml
      prod/shop-offer   shop-offer  deployments/prod/shop-offer.yaml
      "
    `)
    for (const line of (await dap('list', shop)).stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('shows one kind, in any case, as one or many', async () => {
    const { stdout } = await dap('list policies', shop)
    expect(stdout).toMatchInlineSnapshot(`
      "Policy                   file
      shop-offer               policies/shop-offer.yaml
      shop-offer-context-free  policies/shop-offer.yaml
      "
    `)
    expect(await dap('list Policy', shop)).toMatchObject({ code: 0, stdout })
    expect(await dap('list polcies', shop)).toMatchObject({
      code: 3,
      stderr: 'error: unknown kind `polcies`\nhint: did you mean `Policy`?\n',
    })
  })

  it('says of evidence whether it holds still, by what it depends on', async () => {
    const { dap, edit } = repository(shop)
    expect(await dap('simulate quiet-week --record')).toMatchObject({ code: 0 })
    expect((await dap('list scenario')).stdout).toMatchInlineSnapshot(`
      "Scenario    evidence           file
      quiet-week  passed 2026-12-01  scenarios/quiet-week.yaml
      "
    `)
    edit('policies/shop-offer.yaml', 'fallback:', '# a comment changes nothing\n    fallback:')
    expect((await dap('list scenario')).stdout).toContain('passed 2026-12-01')
    edit('policies/shop-offer.yaml', 'minProbability: 0.02', 'minProbability: 0.03')
    const { stdout } = await dap('list scenario --json')
    expect(JSON.parse(stdout).resources[0].evidence).toEqual({
      state: 'stale',
      at: '2026-12-01T00:00:00.000Z',
      reason: 'policy `shop-offer` has changed since',
    })
    edit('evidence/scenario-quiet-week.json', '"passed": true', '"passed": false')
    expect((await dap('list scenario')).stdout).toContain('unknown')
  })

  it('lists what can be read of a repository with faults, counts them, and ends with 1', async () => {
    const faulty = {
      ...shop,
      'policies/broken.yaml': 'kind: [\n',
      'policies/odd.yaml': `${resource('Policy', 'odd', 'actions: 3')}---\napiVersion: dap/v1\nkind: Policy\n`,
      'deployments/prod/shop-offer.yaml': shop['deployments/prod/shop-offer.yaml'].replace(
        'policy: shop-offer',
        'policy: shop-offer\n  snapshot: snapshots/none.json',
      ),
      'deployments/prod/odd.yaml': resource('Deployment', 'odd', 'environment: prod\npolicy: 3'),
    }
    expect(read(await dap('list', faulty))).toMatchInlineSnapshot(`
      "exit 1
      Project  file
      shop     dap.yaml

      Environment  place                file
      local        emulator             environments/local.yaml
      prod         vertex europe-west1  environments/prod.yaml

      Policy                             file
      odd                      2 errors  policies/odd.yaml
      shop-offer                         policies/shop-offer.yaml
      shop-offer-context-free            policies/shop-offer.yaml
      without a name           2 errors  policies/odd.yaml

      Scenario    evidence          file
      quiet-week  nothing recorded  scenarios/quiet-week.yaml

      Dataset     data     file
      last-month  1 file   datasets/last-month.yaml
      served      no data  datasets/served.yaml

      Evaluation  evidence          file
      next-offer  nothing recorded  evaluations/next-offer.yaml

      Deployment        policy      file
      prod/odd          1 error     deployments/prod/odd.yaml
      local/shop-offer  shop-offer  deployments/local/shop-offer.yaml
      prod/shop-offer   1 error     deployments/prod/shop-offer.yaml

      7 errors: \`dap validate\` shows them
      "
    `)
    expectPublished('list-result', JSON.parse((await dap('list --json', faulty)).stdout))
  })

  it('needs a repository', async () => {
    expect(await dap('list')).toMatchObject({ code: 3 })
  })
})
