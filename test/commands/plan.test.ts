import { describe, expect, it } from 'vitest'
import type { VertexApi } from '../../src/adapters/vertex/api.ts'
import { CloudError } from '../../src/deploy/cloud-error.ts'
import type { Plan } from '../../src/deploy/wanted/plan.ts'
import { bundleText, createBundle } from '../../src/policy/bundle.ts'
import { resourceDigest } from '../../src/policy/digest.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { overVertex } from '../support/over-vertex.ts'
import { resource } from '../support/repository.ts'
import { COMMIT } from '../support/run-dap.ts'
import {
  changePolicy,
  DEPLOYMENT,
  deployedShop,
  jsonOf,
  liveEndpoint,
  moveTraffic,
  offer,
  POLICY,
  ROLLOUT,
  read,
  type Shop,
  shop,
} from './support.ts'

describe('plan', () => {
  it('shows what a first deploy would do, and calls the cloud to read alone', async () => {
    const { dap, cloud } = shop()
    expect(read(await dap('plan'))).toMatchInlineSnapshot(`
      "exit 0
      Plan of shop for local: the emulator
      commit cccccccccccc, good until 2026-11-30 02:13 UTC, digest 593de82e16e4

      + offer  create
        policy                 9116bdf1d250
        image                  000000000000
        resources.machineType  n2-standard-2
        resources.minReplicas  1
        resources.maxReplicas  4
        resources.targetCpu    0.6
        1. create endpoint dap-offer-de8f14fc  there is none yet
        2. upload bundle dap/bundles/offer-621a7bb6cb00/bundle.json  the bucket does not have it
        3. upload a version of model dap-offer-de8f14fc  no version has this content
        4. deploy offer-cee88991039e without traffic  nothing is deployed yet
        5. move all traffic to offer-cee88991039e  there is nothing to compare it with
        6. promote offer-cee88991039e  it is recorded as applied

      1 to create
      "
    `)
    expect(await cloud.vertex.listEndpoints()).toEqual([])
    expect(await cloud.vertex.listObjects('')).toEqual([])
  })

  it('ends with 2 where there is something to do, and only with --exit-code', async () => {
    const { dap } = shop()
    expect((await dap('plan')).code).toBe(0)
    expect((await dap('plan --exit-code')).code).toBe(2)
    await dap('deploy --yes')
    const nothing = await dap('plan --exit-code')
    expect(read(nothing)).toMatchInlineSnapshot(`
      "exit 0
      Plan of shop for local: the emulator
      commit cccccccccccc, good until 2026-11-30 02:24 UTC, digest fca8ff180d12

      = 1 unchanged: offer

      Nothing to do: what runs is what Git says.
      "
    `)
  })

  it('says what an edit replaces and what it changes in place', async () => {
    const made = await deployedShop()
    changePolicy(made)
    made.edit(DEPLOYMENT, 'maxReplicas: 4', 'maxReplicas: 6')
    made.edit('environments/local.yaml', 'target: emulator', 'target: emulator\n  prices: { n2-standard-2: 0.1 }')
    expect(read(await made.dap('plan'))).toMatchInlineSnapshot(`
      "exit 0
      Plan of shop for local: the emulator
      commit cccccccccccc, good until 2026-11-30 02:24 UTC, digest ca3c2f12e524

      ± offer  replace
        policy                 9116bdf1d250 → 4e3d3d38a355  replaces
          guardrails.minProbability  0.02 → 0.021
        resources.maxReplicas  4 → 6
        1. upload bundle dap/bundles/offer-ef11825dad17/bundle.json  the bucket does not have it
        2. upload a version of model dap-offer-de8f14fc  no version has this content
        3. deploy offer-28ee706c165f without traffic  it is to replace offer-cee88991039e
        4. move 10 % of traffic to offer-28ee706c165f, hold 10m  step 1 of 3
        5. move 50 % of traffic to offer-28ee706c165f, hold 10m  step 2 of 3
        6. move all traffic to offer-28ee706c165f  step 3 of 3
        7. promote offer-28ee706c165f  it is recorded as applied
        overlap   two versions for up to 24h 20m: +12 vCPUs of quota, 1 to 6 × n2-standard-2, cost 2.433 to 14.6

      1 to replace
      "
    `)
    made.write(DEPLOYMENT, made.read(DEPLOYMENT).replace('maxReplicas: 6', 'maxReplicas: 4'))
    made.edit(POLICY, 'minProbability: 0.021', 'minProbability: 0.02')
    made.edit(DEPLOYMENT, 'minReplicas: 1', 'minReplicas: 2')
    const scaled = jsonOf<Plan>(await made.dap('plan --json'), 'plan')
    expect(scaled.deployments[0].changes.map(({ kind }) => kind)).toEqual(['mutate-model', 'promote'])
  })

  it('looks at those deployments alone that are named', async () => {
    const { dap } = shop({ 'deployments/local/other.yaml': offer(ROLLOUT, 'other') })
    const all = jsonOf<Plan>(await dap('plan --json'), 'plan')
    expect(all.deployments.map(({ deployment }) => deployment)).toEqual(['offer', 'other'])
    const one = await dap('plan --only other')
    expect(one.stdout).toContain('the emulator, only other\n')
    expect(one.stdout).toContain('1 to create')
    const both = jsonOf<Plan>(await dap('plan --only other --only offer --json'), 'plan')
    expect(both.only).toEqual(['offer', 'other'])
  })

  it('suggests a name for one that nothing has', async () => {
    const { dap } = shop()
    expect(read(await dap('plan --only ofer'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: no deployment \`ofer\` in the environment \`local\`
      hint: did you mean \`offer\`?
      "
    `)
    expect(read(await dap('plan --only something-else'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: no deployment \`something-else\` in the environment \`local\`
      hint: one of \`offer\`
      "
    `)
    expect(read(await dap('plan --env lcal'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: no environment \`lcal\`
      hint: did you mean \`local\`?
      "
    `)
    expect(read(await dap('plan --env prod'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: no environment \`prod\`
      hint: one of \`local\`
      "
    `)
  })

  it('is refused while a file has errors, since what it declares would pass for an orphan', async () => {
    const made = shop({ 'deployments/local/other.yaml': offer(ROLLOUT, 'other') })
    await made.dap('deploy --yes')
    made.edit('deployments/local/other.yaml', 'minReplicas', 'minReplicaz')
    for (const line of ['plan', 'plan --prune', 'deploy --prune --yes', 'status']) {
      expect(await made.dap(line), line).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^deployments\/local\/other.yaml:.* error: unknown key `minReplicaz` [\s\S]*\nerror: `deployments\/local\/other.yaml` has errors\nhint: dap validate deployments\/local\/other.yaml\n$/,
        ),
      })
    }
    expect(await made.dap('plan --only offer')).toMatchObject({ code: 0 })
    const other = await made.dap('plan --only other')
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown key `minReplicaz`') })
  })

  it('is blocked by what somebody else has moved, in three columns', async () => {
    const made = await deployedShop()
    changePolicy(made)
    await made.dap('deploy --yes')
    const { traffic } = await liveEndpoint(made.cloud.vertex)
    const [old] = (await liveEndpoint(made.cloud.vertex)).deployedModels
    await moveTraffic(made.cloud.vertex, { [old.id]: 30, [Object.keys(traffic)[0]]: 70 })
    expect(read(await made.dap('plan --exit-code'))).toMatchInlineSnapshot(`
      "exit 1
      Plan of shop for local: the emulator
      commit cccccccccccc, good until 2026-11-30 02:56 UTC, digest df1796cd17b2

      ! offer  update, blocked
        1. move all traffic to offer-28ee706c165f  traffic is not where it should be
        drift    Git                       last applied              live
        traffic  100 % offer-28ee706c165f  100 % offer-28ee706c165f  70 % offer-28ee706c165f, 30 % offer-cee88991039e
        note      the old version offer-cee88991039e is warm until 2026-11-24T02:56:34.000Z; then \`dap gc\` removes it
        blocked: somebody else has changed traffic
          hint: \`--accept-drift\` sets it right; or write it into Git

      1 to update, 1 blocked
      "
    `)
    expect(await made.dap('plan --accept-drift')).toMatchObject({ code: 0 })
  })

  it('lists orphans, deletes them with --prune, and none that is protected', async () => {
    const made = await deployedShop()
    made.write(DEPLOYMENT, offer(ROLLOUT, 'other'))
    expect(read(await made.dap('plan'))).toMatchInlineSnapshot(`
      "exit 0
      Plan of shop for local: the emulator
      commit cccccccccccc, good until 2026-11-30 02:24 UTC, digest 00def0e59b5c

      + other  create
        policy                 9116bdf1d250
        image                  000000000000
        resources.machineType  n2-standard-2
        resources.minReplicas  1
        resources.maxReplicas  4
        resources.targetCpu    0.6
        1. create endpoint dap-other-763f2080  there is none yet
        2. upload a version of model dap-other-763f2080  no version has this content
        3. deploy other-e85fae278b1d without traffic  nothing is deployed yet
        4. move all traffic to other-e85fae278b1d  there is nothing to compare it with
        5. promote other-e85fae278b1d  it is recorded as applied

      orphans, which no Deployment in Git declares
        = endpoint dap-offer-de8f14fc (offer)  it still has traffic, 100 % offer-cee88991039e; \`moved: { deployment: offer }\` keeps it; \`--prune --override-protection offer\` deletes it all the same

      1 to create
      "
    `)
    expect(await made.dap('plan --only other --prune')).not.toMatchObject({ stdout: expect.stringContaining('orphan') })
    made.edit('environments/local.yaml', 'target: emulator', 'target: emulator\n  protect: [delete]')
    const kept = jsonOf<Plan>(await made.dap('plan --prune --json'), 'plan')
    expect(kept.orphans).toMatchInlineSnapshot(`
      [
        {
          "changes": [],
          "deployment": "offer",
          "environment": "local",
          "etag": "etag-10",
          "id": "dap-offer-de8f14fc",
          "kept": "the environment protects it: \`protect: [delete]\`; \`--override-protection offer\` deletes it all the same",
          "kind": "endpoint",
          "names": {
            "8681625886": "offer-cee88991039e",
          },
          "place": null,
        },
      ]
    `)
    const doomed = jsonOf<Plan>(await made.dap('plan --prune --override-protection offer --json'), 'plan')
    expect(doomed.orphans[0].changes.map(({ kind }) => kind)).toEqual([
      'shift-traffic',
      'undeploy-model',
      'delete-endpoint',
      'delete-model',
    ])
  })
})

describe('what has changed in a policy', () => {
  const withinOf = (plan: Plan) => plan.deployments[0].fields.find(({ field }) => field === 'policy')?.within

  /** What a plan of another version says, when `changed` has been done to the bundle of the first. */
  async function plannedAfter(changed: (made: Shop, bundle: string) => unknown): Promise<Plan> {
    const made = await deployedShop()
    const [bundle] = await made.cloud.vertex.listObjects('dap/bundles/')
    await changed(made, bundle)
    changePolicy(made)
    return jsonOf<Plan>(await made.dap('plan --json'), 'plan')
  }
  async function policyIn(made: Shop) {
    const repository = await loadRepository([{ path: POLICY, text: made.read(POLICY) }])
    return repository.get('Policy', 'offer')!
  }
  const putAnother =
    (text: string) =>
    async ({ cloud: { vertex } }: Shop, bundle: string) => {
      await vertex.deleteObject(bundle)
      await vertex.putObject(bundle, text)
    }

  it('is read from the bundle of what serves, and survives in the plan file', async () => {
    const made = await deployedShop()
    changePolicy(made)
    await made.dap('plan --out plan.json')
    const plan = jsonOf<Plan>(await made.dap('plan show plan.json --json'), 'plan')
    expect(withinOf(plan)).toEqual({
      fields: [{ field: 'guardrails.minProbability', before: '0.02', after: '0.021' }],
      more: 0,
    })
    expect((await made.dap('plan show plan.json --format markdown')).stdout).toContain(
      '<br>&nbsp; `guardrails.minProbability` `0.02 → 0.021`',
    )
    expect(await made.dap('deploy plan.json')).toMatchObject({ code: 0 })
  })

  it('is the first eight fields and the number of the others', async () => {
    const made = await deployedShop()
    const actions = Array.from({ length: 10 }, (_, i) => `, { id: more-${i} }`).join('')
    made.edit(POLICY, '{ id: gold }', `{ id: gold }${actions}`)
    made.edit(
      'scenarios/week.yaml',
      'means: { none: 0.1, gold: 0.6',
      `means: { none: 0.1, gold: 0.6${actions.replaceAll(/\{ id: (more-\d) \}/g, '$1: 0.1')}`,
    )
    const { stdout } = await made.dap('plan')
    expect(stdout).toContain('    actions.more-7  none → { id: more-7 }\n    and 2 more\n')
    expect(stdout).not.toContain('more-8')
  })

  it('says by how much a snapshot knows more', async () => {
    const made = shop({ [DEPLOYMENT]: offer(`snapshot: snapshots/offer.json\n${ROLLOUT}`) })
    const { name, spec, digest } = await policyIn(made)
    const learn = (count: number, to: string) => {
      const policy = createPolicy(name, spec, digest)
      for (let i = 0; i < count; i++) policy.learner.learn(i % 2, new Float64Array(0), 1)
      const data = { dataset: 'served', digest: 'f'.repeat(64), rows: count, to }
      made.write('snapshots/offer.json', snapshotText(takeSnapshot(policy, { data })))
    }
    learn(10, '2026-11-20T00:00:00Z')
    await made.dap('deploy --yes')
    learn(25, '2026-11-23T00:00:00Z')
    expect((await made.dap('plan')).stdout).toMatch(
      /^ {2}snapshot {2}\w{12} → \w{12} {2}replaces\n {4}count {2}10 → 25\n {4}data\.to {2}"2026-11-20T00:00:00Z" → "2026-11-23T00:00:00Z"\n {2}1\./m,
    )
  })

  it.each<readonly [string, (made: Shop, bundle: string) => unknown]>([
    ['there is no bundle', ({ cloud: { vertex } }, bundle) => vertex.deleteObject(bundle)],
    ['it is no JSON', putAnother('{')],
    ['it is nothing', putAnother('')],
    ['it is nested without end', putAnother('['.repeat(100_000))],
    [
      'it is too large',
      async (made, bundle) => {
        const text = await made.cloud.vertex.getObject(bundle, Number.POSITIVE_INFINITY)
        await putAnother(`${text}${' '.repeat(16 * 1024 * 1024)}`)(made, bundle)
      },
    ],
    ['it is no bundle', putAnother('{"schema":"dap.bundle/v1","policy":{"spec":null}}')],
    [
      'it is a bundle of something else',
      async (made, bundle) => {
        const { spec } = await policyIn(made)
        const other = createPolicy('other', spec, resourceDigest('Policy', 'other', spec))
        const text = bundleText(createBundle(other, null, '9.9.9'))
        await putAnother(text)(made, bundle)
      },
    ],
    [
      'it may not be read',
      ({ cloud }) => {
        const refused = () => Promise.reject(new CloudError('PERMISSION_DENIED', 'PERMISSION_DENIED: no'))
        Object.assign(cloud.vertex, { getObject: refused })
      },
    ],
  ])('is left to digests where %s', async (_, changed) => {
    const plan = await plannedAfter(changed)
    expect(plan.deployments[0].action).toBe('replace')
    expect(plan.deployments[0].fields.map(({ field }) => field)).toEqual(['policy'])
    expect(withinOf(plan)).toBeUndefined()
  })

  it('costs one read for each deployment whose policy differs, a few at a time, and none elsewhere', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `p-${i}`)
    const policyOf = (name: string) => POLICY.replace('offer', name)
    const made = shop(
      Object.fromEntries(
        names.flatMap(name => [
          [policyOf(name), shop().read(POLICY).replaceAll('offer', name)],
          [DEPLOYMENT.replace('offer', name), offer(ROLLOUT, name).replace('policy: offer', `policy: ${name}`)],
        ]),
      ),
    )
    await made.dap('deploy --yes')
    const { vertex } = made.cloud
    const calls: string[] = []
    let reading = 0
    let most = 0
    const counted = new Proxy(vertex, {
      get(target, key: keyof VertexApi) {
        const method = target[key]
        if (typeof method !== 'function') return method
        return async (...args: never[]) => {
          calls.push(key)
          if (key === 'getObject') most = Math.max(most, ++reading)
          const answer = await (method as (...args: never[]) => Promise<unknown>)(...args)
          if (key === 'getObject') reading--
          return answer
        }
      },
    })
    const setting = { cloud: { ...made.cloud, cloud: overVertex(counted) } }
    await made.dap('plan', setting)
    expect(calls.sort()).toEqual(['listEndpoints', 'listModels', 'listObjects', 'listObjects'])

    made.edit(DEPLOYMENT, 'maxReplicas: 4', 'maxReplicas: 6')
    await made.dap('plan', setting)
    expect(calls).not.toContain('getObject')

    for (const name of names.slice(0, 12)) made.edit(policyOf(name), '0.02', '0.03')
    calls.length = 0
    const { stdout } = await made.dap('plan', setting)
    expect(stdout.match(/minProbability {2}0\.02 → 0\.03/g)).toHaveLength(12)
    expect(calls.filter(call => call === 'getObject')).toHaveLength(12)
    expect(most).toBe(8)
  })
})

describe('evidence', () => {
  const ASKED = { [DEPLOYMENT]: offer(`${ROLLOUT}\nevidence: [{ scenario: week, maxAge: 7d }]`) }

  it('blocks a plan until it is recorded for exactly this policy, and the block says by which command', async () => {
    const made = shop(ASKED)
    const missing = await made.dap('plan')
    expect(missing.code).toBe(1)
    expect(missing.stdout).toContain(
      '  evidence  scenario week missing\n  blocked: scenario `week`: it has not been recorded\n    hint: `dap simulate week --record`\n',
    )
    expect(read(await made.dap('deploy --yes'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: the plan cannot be applied: offer: scenario \`week\`: it has not been recorded
      hint: \`dap simulate week --record\`
      "
    `)

    expect(await made.dap('simulate week --record')).toMatchObject({ code: 0 })
    expect((await made.dap('plan')).stdout).toMatch(
      /^ {2}evidence {2}scenario week passed {2}regret [\d.]+ \[[\d.]+, [\d.]+\]$/m,
    )
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })

    changePolicy(made)
    expect((await made.dap('plan')).stdout).toContain('blocked: scenario `week`: policy `offer` has changed since\n')
    await made.dap('simulate week --record')
    expect(await made.dap('plan')).toMatchObject({ code: 0 })
    await made.cloud.clock.sleep(8 * 86_400_000)
    expect((await made.dap('plan')).stdout).toContain('blocked: scenario `week`: it is older than 7d\n')
  })

  it('that was recorded as failed blocks it, too, and says which expectation', async () => {
    const made = shop(ASKED)
    made.edit('scenarios/week.yaml', '.regret.upper <', '.regret.upper + 1000.0 <')
    expect(await made.dap('simulate week --record')).toMatchObject({ code: 1 })
    expect(read(await made.dap('deploy --yes'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: the plan cannot be applied: offer: scenario \`week\`: it does not hold: learns
      hint: \`dap simulate week --record\`
      "
    `)
  })

  it('does not stand in the way where nothing is to be done', async () => {
    const made = await deployedShop()
    made.write(DEPLOYMENT, ASKED[DEPLOYMENT])
    expect(await made.dap('plan --exit-code')).toMatchObject({ code: 0 })
  })
})

describe('a plan as a file', () => {
  it('is the same bytes for the same inputs but for its header, and its schema accepts it', async () => {
    const made = shop({ 'deployments/local/other.yaml': offer(ROLLOUT, 'other') })
    const first = await made.dap('plan --out plans/a.json')
    expect(first.stdout).toMatch(/\nkept in plans\/a\.json: dap deploy plans\/a\.json\n$/)
    await made.cloud.clock.sleep(60_000)
    await made.dap('plan --out plans/b.json', { commit: { ...COMMIT, dirty: true } })
    const [a, b] = ['plans/a.json', 'plans/b.json'].map(made.read)
    expect(a).not.toBe(b)
    const headless = (text: string) => JSON.stringify({ ...JSON.parse(text), header: null })
    expect(headless(a)).toBe(headless(b))
    expect(jsonOf<Plan>({ stdout: a }, 'plan').header).toEqual({
      dap: '0.0.0-test',
      created: '2026-11-23T02:13:20.000Z',
      expires: '2026-11-30T02:13:20.000Z',
      commit: COMMIT,
    })
  })

  it('can be shown at any time as text, as JSON and as the comment of a pull request', async () => {
    const made = shop()
    const { stdout } = await made.dap('plan')
    await made.dap('plan --out plan.json')
    await made.cloud.clock.sleep(30 * 86_400_000)
    expect(await made.dap('plan show plan.json')).toMatchObject({ code: 0, stdout })
    expect(await made.dap('plan show plan.json --exit-code')).toMatchObject({ code: 2, stdout })
    const json = await made.dap('plan show plan.json --format json')
    expect(jsonOf<Plan>(json, 'plan')).toEqual(JSON.parse(made.read('plan.json')))
    expect(await made.dap('plan show plan.json --json')).toMatchObject({ code: 0, stdout: json.stdout })
    expect((await made.dap('plan show plan.json --format markdown')).stdout).toMatchInlineSnapshot(`
      "<!-- dap plan local -->
      ### Plan for \`local\`: 1 to create

      | | deployment | action | what differs |
      |---|---|---|---|
      | + | \`offer\` | create | \`policy\` \`9116bdf1d250\`<br>\`image\` \`000000000000\`<br>\`resources.machineType\` \`n2-standard-2\`<br>\`resources.minReplicas\` \`1\`<br>\`resources.maxReplicas\` \`4\`<br>\`resources.targetCpu\` \`0.6\` |

      <details><summary>+ <code>offer</code>: 6 changes</summary>

      1. create endpoint dap-offer-de8f14fc: there is none yet
      2. upload bundle dap/bundles/offer-621a7bb6cb00/bundle\\.json: the bucket does not have it
      3. upload a version of model dap-offer-de8f14fc: no version has this content
      4. deploy offer-cee88991039e without traffic: nothing is deployed yet
      5. move all traffic to offer-cee88991039e: there is nothing to compare it with
      6. promote offer-cee88991039e: it is recorded as applied

      </details>

      Digest \`593de82e16e4\`, commit \`cccccccccccccccccccccccccccccccccccccccc\`, good until 2026-11-30 02\\:13 UTC.
      "
    `)
  })

  it('is refused where it is none', async () => {
    const made = shop()
    await made.dap('plan --out plan.json')
    const plan = made.read('plan.json')
    made.write('broken.json', plan.slice(0, 100))
    made.write(
      'edited.json',
      plan.replace('"maxReplicas":4', '"maxReplicas":40').replace('"maxReplicas": 4', '"maxReplicas": 40'),
    )
    made.write('other.json', '{"schema":"dap.plan/v9"}')
    expect(read(await made.dap('plan show plan.json --format html'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: no format \`html\`
      hint: one of text, json, sarif, junit, github, markdown
      "
    `)
    expect(read(await made.dap('plan show broken.json'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: \`broken.json\` is not JSON: the fault is at line 7, column 3
      "
    `)
    expect(read(await made.dap('plan show edited.json'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: \`edited.json\` is no plan: the plan is not what its digest says: it was edited
      hint: \`dap plan --out plan.json\` writes one
      "
    `)
    expect(read(await made.dap('plan show other.json'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: \`other.json\` is no plan: the plan's schema is "dap.plan/v9"; this dap reads "dap.plan/v1"
      hint: \`dap plan --out plan.json\` writes one
      "
    `)
    expect(read(await made.dap('plan show nothing.json'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: cannot read \`/repo/nothing.json\`: it does not exist
      "
    `)
    expect(await made.dap('deploy edited.json')).toMatchObject({ code: 1 })
  })

  it('holds of a policy its digest, and what has changed in it', async () => {
    const made = shop({
      [POLICY]: resource(
        'Policy',
        'offer',
        'actions: [{ id: none }, { id: hush-hush }]\nalgorithm:\n  learner: { type: beta }\n  exploration: { type: thompson }',
      ),
    })
    made.remove('scenarios/week.yaml')
    await made.dap('plan --out plan.json')
    expect(made.read('plan.json')).not.toContain('hush-hush')
    await made.dap('deploy --yes')
    made.edit(POLICY, 'type: thompson', 'type: softmax, temperature: 0.5')
    await made.dap('plan --out plan.json')
    expect(made.read('plan.json')).toContain('algorithm.exploration.temperature')
    expect(made.read('plan.json')).not.toContain('hush-hush')
  })
})
