import { describe, expect, it } from 'vitest'
import type { Plan } from '../../src/deploy/wanted/plan.ts'
import type { AdoptResult, DeployResult, StatusResult } from '../../src/results.ts'
import { resource } from '../support/repository.ts'
import {
  changePolicy,
  DEPLOYMENT,
  deployedShop,
  jsonOf,
  offer,
  POLICY,
  ROLLOUT,
  read,
  type Shop,
  shop,
} from './support.ts'

const OURS = 'q7m2vx4t9kd3hs8w'
const THEIRS = 's5p99qts43rwvwch'

const planOf = async (made: Pick<Shop, 'dap'>, options = '') =>
  jsonOf<Plan>(await made.dap(`plan --json ${options}`), 'plan')
const statusOf = async (made: Pick<Shop, 'dap'>, options = '') =>
  jsonOf<StatusResult>(await made.dap(`status --json ${options}`), 'status-result')
const project = (projectId: string | null, name = 'shop') =>
  resource('Project', name, `${projectId === null ? '' : `projectId: ${projectId}\n`}defaults: { seed: 1 }`)
const done = async (made: Pick<Shop, 'dap'>, line: string) => {
  const session = await made.dap(line)
  if (session.code !== 0) throw new Error(`${line}: ${read(session)}`)
  return session
}

/** The part of what is printed that begins with a line, up to the next empty one. */
const paragraph = ({ stdout }: { readonly stdout: string }, start: string) => {
  const [, after = ''] = stdout.split(`\n${start}`)
  return `${start}${after.split('\n\n')[0]}`
}

const endpointsOf = async ({ cloud: { vertex } }: Shop, owner: string) =>
  (await vertex.listEndpoints()).filter(({ labels }) => labels['dap-project-id'] === owner)

/** As an ordinary `endpoint.update(labels={…})` of Google's Python SDK does it. */
async function wipe(made: Shop): Promise<void> {
  for (const { id, etag } of await endpointsOf(made, OURS)) {
    await made.cloud.vertex.updateEndpoint(id, { etag, labels: { team: 'games' } })
  }
}

/** Ours and another team's, with the same names, in one place: both are deployed. */
async function twoShops() {
  const ours = await deployedShop()
  const theirs = shop({ 'dap.yaml': project(THEIRS) }, ours.cloud)
  await done(theirs, 'deploy --yes')
  return { ours, theirs }
}

describe('two repositories of one name in one place', () => {
  it('deploy beside each other, and show what is the other’s without touching it', async () => {
    const { ours, theirs } = await twoShops()
    expect(await ours.cloud.vertex.listEndpoints()).toHaveLength(2)
    const before = await endpointsOf(ours, THEIRS)
    expect(paragraph(await ours.dap('plan'), 'of other')).toMatchInlineSnapshot(`
      "of other repositories, under the same names: not touched
        = endpoint dap-offer-ecffcf7f (offer)  of project shop, projectId s5p99qts43rwvwch
        hint: \`dap adopt ID --override-owner PROJECT_ID\` takes one over"
    `)
    expect(paragraph(await ours.dap('status'), 'of other')).toContain(`projectId ${THEIRS}`)
    expect(await planOf(ours)).toMatchObject({
      deployments: [{ action: 'none' }],
      orphans: [],
      foreign: [{ id: before[0].id, environment: 'local', deployment: 'offer', project: 'shop', owner: THEIRS }],
    })
    expect(await ours.dap('status --exit-code')).toMatchObject({ code: 0 })

    // Nothing of a repository that has deployed and then lost its file is taken for ours.
    ours.remove(DEPLOYMENT)
    for (const line of ['deploy --prune --override-protection offer --yes', 'gc --yes']) await done(ours, line)
    expect(await endpointsOf(ours, OURS)).toEqual([])
    expect(await endpointsOf(ours, THEIRS)).toEqual(before)
    expect(await theirs.dap('status --exit-code')).toMatchObject({ code: 0 })
  })

  it('are not told apart by a copied projectId: another one makes a copy a repository of its own', async () => {
    const { ours } = await twoShops()
    expect(await ours.dap('init --new-id')).toMatchObject({ code: 0 })
    const { deployments, foreign } = await planOf(ours)
    expect(deployments).toMatchObject([{ action: 'create' }])
    expect(foreign.map(({ owner }) => owner).sort()).toEqual([OURS, THEIRS])
  })

  it('take nothing from each other but by `adopt --override-owner`, which blocks the other one', async () => {
    const { ours, theirs } = await twoShops()
    const [{ id }] = await endpointsOf(ours, THEIRS)
    ours.remove(DEPLOYMENT)
    await done(ours, 'deploy --prune --override-protection offer --yes')
    ours.write(DEPLOYMENT, offer())
    expect(read(await ours.dap(`adopt ${id} --name offer --yes`))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: \`dap-offer-ecffcf7f\` belongs to deployment \`offer\` of another repository, shop
      hint: \`--override-owner s5p99qts43rwvwch\` takes it away from there
      "
    `)
    expect(await ours.dap(`adopt ${id} --name offer --override-owner shop --yes`)).toMatchObject({ code: 1 })
    const adopted = jsonOf<AdoptResult>(
      await ours.dap(`adopt ${id} --name offer --override-owner ${THEIRS} --yes --json`),
      'adopt-result',
    )
    // It serves the same version of dap's: nothing is lost, and nothing is replaced.
    expect(adopted).toMatchObject({ deployment: 'offer', file: null, lost: [] })
    await done(ours, 'deploy --yes')
    expect(await endpointsOf(ours, OURS)).toMatchObject([{ id }])
    expect(await planOf(ours)).toMatchObject({ deployments: [{ action: 'none', endpoint: id }], foreign: [] })

    expect(read(await theirs.dap('plan'))).toContain(
      `  blocked: endpoint ${id} belongs to another repository, shop\n    hint: \`dap adopt ${id} --override-owner ${OURS}\` takes it back`,
    )
    expect(await theirs.dap('deploy --yes')).toMatchObject({ code: 1 })
    expect(await theirs.dap('status --exit-code')).toMatchObject({ code: 2 })
    expect(await theirs.dap('deploy --prune --yes --override-protection offer')).not.toMatchObject({ code: 0 })
    expect(await endpointsOf(ours, OURS)).toMatchObject([{ id }])
    // It is not theirs again when somebody takes the labels away.
    await wipe(ours)
    expect(await planOf(theirs)).toMatchObject({ foreign: [{ id, owner: OURS }] })
    expect(await planOf(ours)).toMatchObject({ foreign: [], deployments: [{ changes: [{ kind: 'label-endpoint' }] }] })
    await done(ours, 'deploy --yes')
    expect(await ours.dap('status --exit-code')).toMatchObject({ code: 0 })
  })

  it('take a model along with its endpoint at once: no wipe gives it back', async () => {
    const { ours, theirs } = await twoShops()
    const [{ id }] = await endpointsOf(ours, THEIRS)
    ours.write('deployments/local/other.yaml', offer(ROLLOUT, 'other'))
    await done(ours, `adopt ${id} --name other --override-owner ${THEIRS} --yes`)
    const models = await ours.cloud.vertex.listModels()
    expect(models.map(({ labels }) => labels['dap-project-id'])).toEqual([OURS, OURS])
    await ours.cloud.vertex.updateEndpoint(id, {
      etag: (await ours.cloud.vertex.getEndpoint(id))!.etag,
      labels: { team: 'games' },
    })
    expect((await planOf(ours)).deployments[1]).toMatchObject({ deployment: 'other', endpoint: id })
    expect((await planOf(theirs)).deployments[0].changes).not.toContainEqual(
      expect.objectContaining({ kind: 'label-endpoint' }),
    )
  })
})

describe('a repository that deployed before there were ids', () => {
  it('keeps its endpoint, which gets the id by a change that the plan names', async () => {
    const made = await deployedShop()
    // What an older dap has left.
    const [{ id, etag, labels }] = await endpointsOf(made, OURS)
    const { 'dap-project-id': _, 'dap-seal': __, ...older } = labels
    await made.cloud.vertex.updateEndpoint(id, { etag, labels: older })
    for (const version of await made.cloud.vertex.listVersions(id)) {
      const own = Object.entries(version.labels).filter(([label]) => !/^dap-(project-id|endpoint.*)$/.test(label))
      await made.cloud.vertex.updateVersion(id, '1', { etag: version.etag, labels: Object.fromEntries(own) })
    }
    made.write('dap.yaml', project(null))
    for (const line of ['plan', 'deploy --yes', 'status', 'rollback offer --yes', 'gc --yes', 'destroy offer --yes']) {
      expect(read(await made.dap(line)), line).toMatch(/^exit 3\n--- stderr\nerror: `dap.yaml` has no `projectId`/)
    }
    expect(read(await made.dap('init --new-id'))).toMatch(/^exit 0\ndap\.yaml: projectId is [a-z][a-z2-9]{15}\n/)
    const projectId = /projectId: (\w+)/.exec(made.read('dap.yaml'))![1]
    expect(paragraph(await made.dap('plan'), '~ offer')).toBe(
      `~ offer  update\n  projectId  ${projectId}\n  1. label endpoint ${id}  it is older than the ids of projects`,
    )
    await done(made, 'deploy --yes')
    expect(await endpointsOf(made, projectId)).toMatchObject([{ id }])
    expect(await made.dap('plan --exit-code')).toMatchObject({ code: 0 })
    // Another repository of the same name no longer takes it for its own.
    const other = shop({ 'dap.yaml': project(THEIRS) }, made.cloud)
    expect(await planOf(other)).toMatchObject({ deployments: [{ action: 'create' }], foreign: [{ id }] })
  })
})

describe('labels that somebody took away', () => {
  it('in the middle of a canary are drift with a repair, and it goes on', async () => {
    const made = await deployedShop()
    changePolicy(made)
    await done(made, 'deploy --step --yes')
    await wipe(made)
    expect(read(await made.dap('status --exit-code'))).toMatchInlineSnapshot(`
      "exit 2
      local against commit cccccccccccc

         deployment  state    version             role       traffic  replicas     machine
      !  offer       drifted  offer-cee88991039e  stable        90 %  1 of 1 to 4  n2-standard-2
                              offer-28ee706c165f  candidate     10 %  1 of 1 to 4  n2-standard-2

      ! offer  somebody has taken away dap's labels; what they said is known all the same
        drift   Git   last applied  live
        labels  none  dap's         none

      1 drifted; \`dap plan --env local\` says what would set it right
      "
    `)
    expect(await planOf(made)).toMatchObject({
      deployments: [
        {
          action: 'continue',
          blocked: [],
          drift: [{ field: 'labels', live: null }],
          changes: [{ kind: 'label-endpoint' }, { kind: 'hold' }, {}, {}, {}, {}],
        },
      ],
    })
    const session = await done(made, 'deploy --yes')
    expect(session.events).toContainEqual({
      type: 'deploy',
      deployment: 'offer',
      event: 'note',
      text: 'somebody had taken away the labels of dap; they are put back',
    })
    expect((await endpointsOf(made, OURS))[0].labels).toMatchObject({ team: 'games' })
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
    await wipe(made)
    expect(await made.dap('rollback offer --yes')).toMatchObject({ code: 0 })
  })

  it('lift no hold, and leave `rollback`, `gc`, `adopt`, `lock` and `destroy` what they do', async () => {
    const made = await deployedShop()
    changePolicy(made)
    await done(made, 'deploy --yes')
    await wipe(made)
    await done(made, 'rollback offer --yes')
    await wipe(made)
    expect(paragraph(await made.dap('plan'), '~ offer')).toMatchInlineSnapshot(`
      "~ offer  update, its version held
        1. label endpoint dap-offer-de8f14fc  its labels were taken away; they are put back
        drift   Git   last applied  live
        labels  none  dap's         none
        note      what Git says was rolled back and is held; \`--release-hold\` brings it back
        note      offer-28ee706c165f is deployed, and nothing needs it; \`dap gc\` removes it"
    `)
    made.edit(DEPLOYMENT, 'maxReplicas: 4', 'maxReplicas: 6')
    const { deployments } = jsonOf<DeployResult>(await made.dap('deploy --yes --json'), 'deploy-result')
    expect(
      deployments.map(({ state, changes }) => [state, ...changes.map(({ title }) => title.split(' ')[0])]),
    ).toEqual([['held', 'change', 'promote']])
    const [{ id, traffic, deployedModels }] = await endpointsOf(made, OURS)
    expect(deployedModels.find(model => traffic[model.id] === 100)).toMatchObject({
      version: '1',
      scale: { maxReplicas: 6 },
    })
    await wipe(made)
    expect(await statusOf(made)).toMatchObject({ deployments: [{ state: 'held', drift: [{ field: 'labels' }] }] })
    await done(made, 'gc --yes')
    await done(made, `adopt ${id} --name offer --yes`)
    // As it was remembered.
    expect((await endpointsOf(made, OURS))[0].labels).toMatchObject({
      'dap-hold': expect.stringMatching(/^[0-9a-f]{32}$/),
      'dap-digest': expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    expect(await planOf(made)).toMatchObject({ deployments: [{ held: true, changes: [] }] })
    await wipe(made)
    await done(made, 'deploy --release-hold --yes')
    expect(await statusOf(made)).toMatchObject({ synced: true })
    await wipe(made)
    await done(made, 'destroy offer --yes')
    expect(await made.cloud.vertex.listEndpoints()).toEqual([])
    expect(await made.cloud.vertex.listModels()).toEqual([])
  })
})

describe('a new name', () => {
  const renamed = async (moved = '') => {
    const made = await deployedShop()
    made.remove(DEPLOYMENT)
    made.write('deployments/local/banner.yaml', offer(`${ROLLOUT}\n${moved}`, 'banner'))
    return made
  }

  it('of the project changes labels and the description', async () => {
    const made = await deployedShop()
    made.write('dap.yaml', project(OURS, 'storefront'))
    expect(paragraph(await made.dap('plan'), '~ offer')).toMatchInlineSnapshot(`
      "~ offer  update
        project      shop → storefront
        description  Managed by dap: deployment offer of shop, environment local. → Managed by dap: deployment offer of storefront, environment local.
        1. label endpoint dap-offer-de8f14fc  Git calls it otherwise
        2. update endpoint dap-offer-de8f14fc  Git says otherwise
        3. promote offer-cee88991039e  it is recorded as applied"
    `)
    await done(made, 'deploy --yes')
    expect(await endpointsOf(made, OURS)).toMatchObject([{ labels: { 'dap-project': 'storefront' } }])
    expect(await made.dap('plan --exit-code')).toMatchObject({ code: 0 })
  })

  it('of a Deployment keeps its endpoint where `moved` says what it was, and then without', async () => {
    const made = await renamed('moved: { deployment: offer }')
    const [{ id, deployedModels }] = await endpointsOf(made, OURS)
    expect(paragraph(await made.dap('plan'), '~ banner')).toMatchInlineSnapshot(`
      "~ banner  update
        deployment   offer → banner
        displayName  offer → banner
        description  Managed by dap: deployment offer of shop, environment local. → Managed by dap: deployment banner of shop, environment local.
        1. label endpoint dap-offer-de8f14fc  Git calls it otherwise
        2. update endpoint dap-offer-de8f14fc  Git says otherwise
        3. promote offer-cee88991039e  it is recorded as applied"
    `)
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 2 })
    await done(made, 'deploy --yes')
    expect(await endpointsOf(made, OURS)).toMatchObject([{ id, displayName: 'banner', deployedModels }])
    made.write('deployments/local/banner.yaml', offer(ROLLOUT, 'banner'))
    expect(await made.dap('plan --exit-code')).toMatchObject({ code: 0 })
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
    changePolicy(made)
    await done(made, 'deploy --yes')
    await done(made, 'rollback banner --yes')
    expect(await endpointsOf(made, OURS)).toHaveLength(1)
  })

  it('of a Deployment leaves an orphan without `moved`, which costs money until it is gone', async () => {
    const made = await renamed()
    expect(paragraph(await made.dap('plan'), 'orphans')).toMatchInlineSnapshot(`
      "orphans, which no Deployment in Git declares
        = endpoint dap-offer-de8f14fc (offer)  it still has traffic, 100 % offer-cee88991039e; \`moved: { deployment: offer }\` keeps it; \`--prune --override-protection offer\` deletes it all the same"
    `)
    await done(made, 'deploy --yes')
    expect(read(await made.dap('status --exit-code'))).toMatchInlineSnapshot(`
      "exit 2
      local against commit cccccccccccc

         deployment  state   version              role    traffic  replicas     machine
      =  banner      synced  banner-7d0109910ff5  stable    100 %  1 of 1 to 4  n2-standard-2

      orphans, which no Deployment in Git declares
        = endpoint dap-offer-de8f14fc (offer)  it still has traffic, 100 % offer-cee88991039e; \`--prune --override-protection offer\` deletes it all the same

      1 synced, 1 orphan; \`dap plan --env local\` says what would set it right
      "
    `)
    expect(await statusOf(made)).toMatchObject({ synced: false, deployments: [{ state: 'synced' }] })
    await done(made, 'deploy --prune --override-protection offer --yes')
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
  })

  const environmentRenamed = async (moved = '') => {
    const made = await deployedShop()
    made.remove('environments/local.yaml')
    made.write('environments/dev.yaml', resource('Environment', 'dev', `target: emulator\n${moved}`))
    made.edit(DEPLOYMENT, 'environment: local', 'environment: dev')
    return made
  }

  it('of an Environment keeps all its endpoints where `moved` says what it was', async () => {
    const made = await environmentRenamed('moved: { environment: local }')
    const [{ id }] = await endpointsOf(made, OURS)
    expect((await planOf(made, '--env dev')).deployments).toMatchObject([
      { endpoint: id, action: 'update', fields: [{ field: 'environment', before: 'local', after: 'dev' }, {}] },
    ])
    await done(made, 'deploy --env dev --yes')
    expect(await made.dap('status --env dev --exit-code')).toMatchObject({ code: 0 })
    expect(await endpointsOf(made, OURS)).toMatchObject([{ id, labels: { 'dap-env': 'dev' } }])
  })

  it('of an Environment leaves orphans without `moved`, by their old names', async () => {
    const made = await environmentRenamed()
    const declared = made.read(DEPLOYMENT)
    made.remove(DEPLOYMENT)
    expect((await planOf(made, '--env dev')).orphans).toMatchObject([{ environment: 'local', deployment: 'offer' }])
    expect(await made.dap('status --env dev --exit-code')).toMatchObject({ code: 2 })
    made.write(DEPLOYMENT, declared)
    expect(paragraph(await made.dap('plan --env dev'), 'orphans')).toMatchInlineSnapshot(`
      "orphans, which no Deployment in Git declares
        = endpoint dap-offer-de8f14fc (local/offer)  it still has traffic, 100 % offer-cee88991039e; \`moved: { environment: local }\` keeps it; \`--prune --override-protection local/offer\` deletes it all the same"
    `)
    await done(made, 'deploy --env dev --yes')
    expect(await made.dap('status --env dev --exit-code')).toMatchObject({ code: 2 })
    // There is an endpoint of the new name: it is too late for `moved`.
    expect((await made.dap('status --env dev')).stdout).not.toContain('moved')
    await done(made, 'deploy --env dev --prune --override-protection local/offer --yes')
    expect(await made.dap('status --env dev --exit-code')).toMatchObject({ code: 0 })
    expect(await endpointsOf(made, OURS)).toHaveLength(1)
  })

  it('of what still is there elsewhere is refused with its place', async () => {
    const made = await deployedShop()
    made.write('deployments/local/banner.yaml', offer(`${ROLLOUT}\nmoved: { deployment: offer }`, 'banner'))
    expect(await made.dap('plan')).toMatchObject({ code: 1 })
    expect((await made.dap('validate')).stdout).toContain(
      'deployments/local/banner.yaml:9:3: error: `moved` says that this was `local/offer`, which is there still',
    )
  })
})

it('ids of endpoints may be digits alone, which new ones get and old ones keep', async () => {
  const environment = (ids: string) =>
    resource(
      'Environment',
      'local',
      `target: vertex\ngcp: { project: games-ml, region: us-central1, bucket: games, image: "x@sha256:${'0'.repeat(64)}"${ids} }`,
    )
  const made = shop({ 'environments/local.yaml': environment(', endpointIds: numeric') })
  await done(made, 'deploy --yes')
  const [{ id }] = await endpointsOf(made, OURS)
  expect(id).toMatch(/^[1-9]\d{9}$/)
  expect(await made.dap('plan --exit-code')).toMatchObject({ code: 0 })
  await wipe(made)
  expect((await planOf(made)).deployments).toMatchObject([{ endpoint: id, action: 'update' }])
  made.write('environments/local.yaml', environment(''))
  made.write('deployments/local/other.yaml', offer(ROLLOUT, 'other'))
  await done(made, 'deploy --yes')
  expect((await endpointsOf(made, OURS)).map(each => each.id).sort()).toEqual([
    id,
    expect.stringMatching(/^dap-other-[0-9a-f]{8}$/),
  ])
  expect(made.read(POLICY)).toContain('0.02')
})

describe('labels that somebody edits', () => {
  const edit = async (made: Shop, change: (labels: Record<string, string>) => Record<string, string>) => {
    const [{ id, etag, labels }] = await made.cloud.vertex.listEndpoints()
    await made.cloud.vertex.updateEndpoint(id, { etag, labels: change({ ...labels }) })
    return id
  }
  const without = (label: string) => (labels: Record<string, string>) => {
    delete labels[label]
    return labels
  }
  /** At the first step of a rollout. */
  async function canary(): Promise<Shop> {
    const made = await deployedShop()
    changePolicy(made)
    while ((await made.cloud.vertex.listEndpoints())[0].labels['dap-step'] === undefined) {
      expect(await made.dap('deploy --yes --step')).toMatchObject({ code: 0 })
    }
    return made
  }

  it.each(['dap-candidate', 'dap-stable', 'dap-step', 'dap-project-id', 'dap-env', 'dap-digest', 'dap-seal'])(
    'one by one change nothing of what is to be done: without %s',
    async label => {
      const made = await canary()
      const before = (await planOf(made)).deployments[0].changes
      await edit(made, without(label))
      const { changes, drift } = (await planOf(made)).deployments[0]
      expect(drift).toMatchObject([{ field: 'labels', overwrites: false }])
      expect(changes.filter(({ kind }) => kind !== 'label-endpoint')).toEqual(before)
      const back = await made.dap('rollback offer --yes')
      expect(back).toMatchObject({ code: 0 })
      expect((await planOf(made)).deployments[0]).toMatchObject({ held: true })
    },
  )

  it('make nobody else the owner: not even of the same names', async () => {
    const made = await deployedShop()
    const id = await edit(made, without('dap-project-id'))
    const other = shop({ 'dap.yaml': project(THEIRS) }, made.cloud)
    const before = await made.cloud.vertex.listEndpoints()
    await other.dap('destroy offer --yes')
    await other.dap('deploy --prune --only offer --step')
    expect(await made.cloud.vertex.getEndpoint(id)).toEqual(before[0])
    expect((await planOf(other)).foreign).toMatchObject([{ id, owner: OURS }])
    expect((await planOf(made)).deployments[0]).toMatchObject({ endpoint: id, drift: [{ field: 'labels' }] })
    expect(await made.cloud.vertex.listEndpoints()).toHaveLength(1)
  })

  it('on the model as well leave a rollout that nobody remembers: it is held from the start, and can be gone back from', async () => {
    const forget = async (made: Shop) => {
      const id = await edit(made, () => ({}))
      for (const { version, aliases } of await made.cloud.vertex.listVersions(id)) {
        const [{ etag }] = await made.cloud.vertex.listVersions(id)
        if (aliases.includes('default')) await made.cloud.vertex.updateVersion(id, version, { etag, labels: {} })
      }
      return id
    }
    const made = await canary()
    const id = await forget(made)
    expect((await planOf(made)).deployments[0].changes.map(({ kind }) => kind)).toEqual([
      'label-endpoint',
      'hold',
      'shift-traffic',
      'hold',
      'shift-traffic',
      'promote',
    ])
    const other = await canary()
    await forget(other)
    expect(await other.dap('rollback offer --yes')).toMatchObject({ code: 0 })
    const { traffic } = (await other.cloud.vertex.getEndpoint(id))!
    expect(Object.values(traffic)).toEqual([100])
    expect((await planOf(other)).deployments[0]).toMatchObject({ held: true })
  })

  it('that hold back a machine are remembered by its version', async () => {
    const made = await deployedShop()
    made.write(DEPLOYMENT, offer().replace('resources: {', 'resources: { machineType: n2-standard-8,'))
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
    expect(await made.dap('rollback offer --yes')).toMatchObject({ code: 0 })
    await edit(made, labels => ({ ...labels, 'dap-hold': 'zzz' }))
    expect((await planOf(made)).deployments[0]).toMatchObject({ held: true })
    // Another hold takes the place of its label.
    changePolicy(made)
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
    expect(await made.dap('rollback offer --yes')).toMatchObject({ code: 0 })
    made.edit('policies/offer.yaml', 'minProbability: 0.021', 'minProbability: 0.02')
    expect((await planOf(made)).deployments[0]).toMatchObject({ held: true })
    expect(await made.dap('deploy --yes --release-hold')).toMatchObject({ code: 0 })
    expect((await planOf(made)).deployments[0]).toMatchObject({ held: false, changes: [] })
  })
})
