import { describe, expect, it } from 'vitest'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { type Snapshot, snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dap } from '../support/run-dap.ts'

const PROJECT = resource('Project', 'shop', '{}')

const policyFile = (learner: string, actions = '[{ id: none }, { id: gold }]') =>
  resource(
    'Policy',
    'offer',
    `context: { level: { type: integer, default: 1 } }\nactions: ${actions}\nalgorithm: { learner: ${learner}, exploration: { type: thompson } }\nguardrails: { minProbability: 0.02 }\nreward: { name: purchase, type: binary, wait: 1h, default: 0 }`,
  )

/** The file of a snapshot of the policy in a file, after some lessons. */
async function snapshotOf(
  text: string,
  lessons: readonly [action: number, level: number, reward: number][],
): Promise<string> {
  const policy = await policyOf(text)
  const x = new Float64Array(policy.features.dimension)
  for (const [action, level, reward] of lessons) {
    policy.features.write({ level }, x)
    policy.learner.learn(action, x, reward)
  }
  const data = { dataset: 'last-month', digest: 'sha256:d', rows: lessons.length }
  return snapshotText(takeSnapshot(policy, { dap: '0.2.0', data }))
}

async function policyOf(text: string): Promise<Policy> {
  const { resources, diagnostics } = await loadRepository([{ path: 'policies/offer.yaml', text }])
  expect(diagnostics).toEqual([])
  const [{ name, spec, digest }] = resources
  return createPolicy(name, spec as Policy['spec'], digest)
}

const scrubbed = (text: string) => text.replaceAll(/[0-9a-f]{64}/g, '…')

const MEAN = policyFile('{ type: mean }')
const BETA = policyFile('{ type: beta }')
const LINEAR = policyFile('{ type: linear }')

describe('snapshot show', () => {
  it('shows what is known of each action', async () => {
    const file = await snapshotOf(BETA, [
      [0, 1, 0],
      [1, 1, 1],
      [1, 1, 1],
    ])
    const session = await dap('snapshot show s.json', { 's.json': file })
    expect(session).toMatchObject({ code: 0, stderr: '' })
    expect(scrubbed(session.stdout)).toMatchInlineSnapshot(`
      "snapshot  sha256:…
      policy    offer  sha256:…
      learner   {"prior":{"alpha":1,"beta":1},"type":"beta"}
      learnt    3 rewards
      from      last-month, 3 rows  sha256:d
      held out  not known
      made by   dap 0.2.0

      action  rewards   value     width
      none          1  0.3333  ± 0.2357
      gold          2    0.75  ± 0.1936
      "
    `)
    expectPublished(
      'snapshot-show-result',
      JSON.parse((await dap('snapshot show s.json --json', { 's.json': file })).stdout),
    )
  })

  it('says that nothing is known of an action that was never tried', async () => {
    const { stdout } = await dap('snapshot show s.json --json', { 's.json': await snapshotOf(MEAN, [[0, 1, 1]]) })
    expect(JSON.parse(stdout).actions).toEqual([
      { id: 'none', count: 1, value: 1, width: 1 },
      { id: 'gold', count: 0, value: null, width: null },
    ])
  })

  it('shows the coefficients of a linear learner by feature', async () => {
    // One reward of 1 at level 1, l2 = 1: A = [[2, 1], [1, 2]], θ = A⁻¹ (1, 1) = (1/3, 1/3), widths √(2/3).
    const file = await snapshotOf(LINEAR, [[1, 1, 1]])
    const session = await dap('snapshot show s.json --json', { 's.json': file })
    const [none, gold] = JSON.parse(session.stdout).actions
    expect(none.coefficients).toEqual([
      { feature: 'intercept', value: 0, width: 1 },
      { feature: 'level', value: 0, width: 1 },
    ])
    for (const { value, width } of gold.coefficients) {
      expect(value).toBeCloseTo(1 / 3, 12)
      expect(width).toBeCloseTo(Math.sqrt(2 / 3), 12)
    }
    expectPublished('snapshot-show-result', JSON.parse(session.stdout))
    expect(scrubbed((await dap('snapshot show s.json', { 's.json': file })).stdout)).toMatchInlineSnapshot(`
      "snapshot  sha256:…
      policy    offer  sha256:…
      learner   {"intercept":true,"l2":1,"type":"linear"}
      learnt    1 reward
      from      last-month, 1 row  sha256:d
      held out  not known
      made by   dap 0.2.0

      action  rewards  feature    coefficient     width
      none          0  intercept            0       ± 1
                       level                0       ± 1
      gold          1  intercept       0.3333  ± 0.8165
                       level           0.3333  ± 0.8165
      "
    `)
  })

  it('refuses what is no snapshot', async () => {
    const show = (text: string) => dap('snapshot show s.json', { 's.json': text })
    expect(await show('{}')).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'error: `s.json` is not a snapshot: the snapshot\'s schema is missing; this dap reads "dap.snapshot/v1"\nhint: `dap train` writes snapshots, as does `dap serve --learn`\n',
    })
    expect((await show('{')).stderr).toMatch(/^error: `s.json` is not JSON/)
    const snapshot = JSON.parse(await snapshotOf(LINEAR, [])) as Snapshot
    expect((await show(JSON.stringify({ ...snapshot, features: ['a'] }))).stderr).toMatch(
      /^error: `s.json` is not a snapshot: `state.theta` is not a list of 2 numbers/,
    )
    expect((await dap('snapshot show gone.json')).code).toBe(1)
  })
})

describe('snapshot diff', () => {
  it('shows the largest change first', async () => {
    const files = {
      'a.json': await snapshotOf(BETA, [[0, 1, 0]]),
      'b.json': await snapshotOf(policyFile('{ type: beta }', '[{ id: none }, { id: gold }, { id: gems }]'), [
        [0, 1, 0],
        [1, 1, 1],
        [1, 1, 1],
      ]),
    }
    const session = await dap('snapshot diff a.json b.json', files)
    expect(session).toMatchObject({ code: 0, stderr: '' })
    expect(scrubbed(session.stdout)).toMatchInlineSnapshot(`
      "before  sha256:…
      after   sha256:…

      fact           before                                                                   after
      policy.digest  sha256:…  sha256:…
      count          1                                                                        3
      data.rows      1                                                                        3

      action         what     before  after  change
      gems    added  rewards    none      0
                     value      none    0.5
      gold           rewards       0      2      +2
                     value       0.5   0.75   +0.25
      "
    `)
    const { stdout } = await dap('snapshot diff a.json b.json --json', files)
    expectPublished('snapshot-diff-result', JSON.parse(stdout))
    expect(JSON.parse(stdout).actions.map(({ id }: { id: string }) => id)).toEqual(['gems', 'gold'])
  })

  it('orders coefficients and actions by how far they moved', async () => {
    const files = {
      'a.json': await snapshotOf(LINEAR, []),
      'b.json': await snapshotOf(LINEAR, [
        [0, 9, 0.1],
        [1, 9, 5],
      ]),
    }
    const session = await dap('snapshot diff a.json b.json --json', files)
    const { actions } = JSON.parse(session.stdout)
    expect(actions.map(({ id }: { id: string }) => id)).toEqual(['gold', 'none'])
    expect(actions[0].coefficients.map(({ feature }: { feature: string }) => feature)).toEqual(['level', 'intercept'])
    expectPublished('snapshot-diff-result', JSON.parse(session.stdout))
    expect((await dap('snapshot diff a.json b.json', files)).stdout).toContain('level')
  })

  it('says so where there is none, whatever the layout of the files', async () => {
    const text = await snapshotOf(MEAN, [[0, 1, 1]])
    const files = { 'a.json': text, 'b.json': JSON.stringify(JSON.parse(text)) }
    const session = await dap('snapshot diff a.json b.json', files)
    expect(session.code).toBe(0)
    expect(session.stdout).toMatch(/^no difference: both are sha256:[0-9a-f]{64}\n$/)
  })
})

describe('bundle', () => {
  const repository = (policy: string) => ({ 'dap.yaml': PROJECT, 'policies/offer.yaml': policy })

  it('packs a policy without a snapshot, and says so', async () => {
    const session = await dap('bundle', repository(MEAN))
    expect(session).toMatchObject({ code: 0, stderr: '' })
    expect(scrubbed(session.stdout).replace(/-[0-9a-f]{12}\//, '-…/')).toMatchInlineSnapshot(`
      "bundles/offer-…/bundle.json
      bundle    sha256:…
      policy    offer  sha256:…
      snapshot  none: nothing has been learnt yet
      "
    `)
    const { path, digest } = JSON.parse((await dap('bundle offer --json', repository(MEAN))).stdout)
    expect(path).toBe(`bundles/offer-${digest.slice(7, 19)}/bundle.json`)
    expect(JSON.parse(session.files[path])).toMatchObject({ schema: 'dap.bundle/v1', digest, snapshot: null })
  })

  it('takes the snapshot of the usual place, or the one that is named, byte for byte the same each time', async () => {
    const [usual, named] = [await snapshotOf(MEAN, [[0, 1, 1]]), await snapshotOf(MEAN, [[1, 1, 0]])]
    const files = { ...repository(MEAN), 'snapshots/offer.json': usual, 'other.json': named }
    const run = async (line: string) => {
      const session = await dap(line, files)
      expectPublished('bundle-result', JSON.parse(session.stdout))
      const result = JSON.parse(session.stdout)
      return { result, text: session.files[result.path] }
    }
    const [first, again] = [await run('bundle --json'), await run('bundle --json')]
    expect(again).toEqual(first)
    expect(first.result.snapshot.path).toBe('snapshots/offer.json')
    expect(JSON.parse(first.text).snapshot).toEqual(JSON.parse(usual))
    expectPublished('bundle', JSON.parse(first.text))
    const other = await run('bundle --json --snapshot other.json --out dist/bundles')
    expect(other.result.path).toMatch(/^dist\/bundles\/offer-/)
    expect(JSON.parse(other.text).snapshot).toEqual(JSON.parse(named))
  })

  it('refuses a snapshot of other actions, unless it is to be migrated', async () => {
    const wider = policyFile('{ type: mean }', '[{ id: gems }, { id: gold }]')
    const files = { ...repository(wider), 'snapshots/offer.json': await snapshotOf(MEAN, [[1, 1, 1]]) }
    expect(await dap('bundle', files)).toMatchObject({
      code: 1,
      stderr:
        'error: snapshot `snapshots/offer.json` does not fit policy `offer`: actions that the snapshot does not know: gems; actions that the policy no longer has: none\nhint: train a new one; `--migrate` carries over what is sound where only actions changed\n',
    })
    const session = await dap('bundle --migrate --json', files)
    const { migrated, path } = JSON.parse(session.stdout)
    expect(migrated).toEqual({ added: ['gems'], removed: ['none'] })
    expectPublished('bundle-result', JSON.parse(session.stdout))
    expect(JSON.parse(session.files[path]).snapshot).toMatchObject({ actions: ['gems', 'gold'], count: 1 })
    expect((await dap('bundle --migrate', files)).stdout).toContain('new actions: gems; forgotten: none')
  })

  it('refuses a policy with errors, and a name that there is not', async () => {
    expect((await dap('bundle', repository(MEAN.replace('type: mean', 'type: meen')))).code).not.toBe(0)
    expect(await dap('bundle ofer', repository(MEAN))).toMatchObject({ code: 3 })
  })
})
