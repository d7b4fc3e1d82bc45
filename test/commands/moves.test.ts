import { describe, expect, it } from 'vitest'
import { CloudError } from '../../src/deploy/cloud-error.ts'
import { resource } from '../support/repository.ts'
import { DEPLOYMENT, offer, ROLLOUT, type Shop, shop } from './support.ts'

const LOCAL = 'environments/local.yaml'
const GCP = `project: games-ml\n  bucket: games-dap\n  image: a/b/dap@sha256:${'5'.repeat(64)}`

/** Deployed to a region of a cloud project. */
const environment = (region: string, more = '') =>
  resource('Environment', 'local', `target: vertex\ngcp:\n  region: ${region}\n  ${GCP}${more}`)

async function deployed(): Promise<Shop> {
  const made = shop({ [LOCAL]: environment('europe-west1') })
  expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
  return made
}

const place = (region: string) => ({ target: 'vertex', project: 'games-ml', region, bucket: 'games-dap' }) as const

/** Of the lines of a plan or a status. */
const lines = (text: string, pattern: RegExp) =>
  text
    .split('\n')
    .filter(line => pattern.test(line))
    .map(line => line.trim())

describe('an environment in another region', () => {
  it('says what stays behind, creates, shifts and then removes it in order', async () => {
    const made = await deployed()
    const [old] = await made.cloud.vertex.listEndpoints()
    made.write(LOCAL, environment('us-central1'))
    // The bucket knows where it was: nobody has to say so.
    const planned = await made.dap('plan')
    expect(lines(planned.stdout, /^[+=]|\(games-ml/)).toEqual([
      '+ offer  create',
      `= endpoint ${old.id} (games-ml/europe-west1/offer)  it stays behind with its traffic, 100 % ${old.deployedModels[0].displayName}; \`--prune\` deletes it once what replaces it serves`,
    ])
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 2 })

    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
    const there = made.cloud.at(place('us-central1'))!
    expect(await there.vertex.listEndpoints()).toHaveLength(1)
    expect(await made.cloud.vertex.listEndpoints()).toEqual([expect.objectContaining({ traffic: old.traffic })])
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 2 })

    const pruned = await made.dap('deploy --prune --yes --json')
    expect(JSON.parse(pruned.stdout).deployments.map((each: { state: string }) => each.state)).toEqual([
      'unchanged',
      'applied',
    ])
    expect(await made.cloud.vertex.listEndpoints()).toEqual([])
    expect(await made.cloud.vertex.listModels()).toEqual([])
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
    // It is forgotten: nobody looks there any more.
    expect(await there.vertex.listObjects('dap/places/')).toEqual([
      expect.stringMatching(/^dap\/places\/q7m2vx4t9kd3hs8w\/local\/games-ml\/us-central1$/),
    ])
  })

  it('is found by `moved` where the bucket is another as well, and nothing goes before what replaces it serves', async () => {
    const made = await deployed()
    const [old] = await made.cloud.vertex.listEndpoints()
    for (const name of await made.cloud.vertex.listObjects('dap/places/')) await made.cloud.vertex.deleteObject(name)
    made.write(LOCAL, environment('us-central1'))
    expect((await made.dap('plan')).stdout).not.toContain('stays behind')
    made.write(LOCAL, environment('us-central1', '\nmoved: { region: europe-west1 }'))
    expect((await made.dap('plan')).stdout).toContain('it stays behind with its traffic')
    // What replaces it never gets ready: nothing is taken away.
    const there = made.cloud.at(place('us-central1'))!
    const { deployModel } = there.vertex
    Object.assign(there.vertex, {
      deployModel: async () => {
        throw new CloudError('FAILED_PRECONDITION', 'there is no quota')
      },
    })
    const failed = await made.dap('deploy --prune --yes --json')
    expect(JSON.parse(failed.stdout).deployments.map((each: { state: string; reason: string }) => each)).toMatchObject([
      { state: 'failed', reason: 'there is no quota' },
      { state: 'failed', reason: expect.stringContaining('is not deleted before what replaces it serves') },
    ])
    expect((await made.cloud.vertex.listEndpoints())[0].traffic).toEqual(old.traffic)
    Object.assign(there.vertex, { deployModel })
    const all = await made.dap('deploy --prune --yes --json')
    expect(all.code).toBe(0)
    expect(
      JSON.parse(all.stdout).deployments.map((each: { changes: { title: string }[] }) =>
        each.changes.map(({ title }) => title),
      ),
    ).toEqual([
      [
        expect.stringContaining('deploy offer'),
        expect.stringContaining('move all traffic'),
        expect.stringContaining('promote'),
      ],
      [
        'take all traffic away',
        `undeploy ${old.deployedModels[0].displayName}`,
        expect.stringContaining('delete endpoint'),
        expect.stringContaining('delete model'),
      ],
    ])
    expect(await made.cloud.vertex.listEndpoints()).toEqual([])
  })
})

describe('a Deployment', () => {
  const names = async ({ cloud: { vertex } }: Shop) =>
    (await vertex.listEndpoints()).map(({ id, labels }) => [id, `${labels['dap-env']}/${labels['dap-deployment']}`])

  it('that is renamed keeps its endpoint where `moved` says so, and is told of what stays behind where not', async () => {
    const made = shop()
    await made.dap('deploy --yes')
    const [[id]] = await names(made)
    made.remove(DEPLOYMENT)
    made.write('deployments/local/banner.yaml', offer(ROLLOUT, 'banner'))
    const without = await made.dap('plan')
    expect(lines(without.stdout, /^[+=]|endpoint dap-offer/)).toEqual([
      '+ banner  create',
      expect.stringContaining(`= endpoint ${id} (offer)  it still has traffic`),
    ])
    made.write('deployments/local/banner.yaml', offer(`${ROLLOUT}\nmoved: { deployment: offer }`, 'banner'))
    const plan = await made.dap('plan')
    expect(lines(plan.stdout, /^[+~=]|label/)).toEqual([
      '~ banner  update',
      `1. label endpoint ${id}  Git calls it otherwise`,
    ])
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
    expect(await names(made)).toEqual([[id, 'local/banner']])
    // Whether it says so any longer or not.
    expect(await made.dap('plan --exit-code')).toMatchObject({ code: 0 })
    made.write('deployments/local/banner.yaml', offer(ROLLOUT, 'banner'))
    expect(await made.dap('plan --exit-code')).toMatchObject({ code: 0 })
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
  })

  it('keeps its endpoint where its Environment is renamed, and another policy is no reason to make another one', async () => {
    const made = shop()
    await made.dap('deploy --yes')
    const [[id]] = await names(made)
    made.remove(LOCAL)
    made.remove(DEPLOYMENT)
    made.write('environments/dev.yaml', resource('Environment', 'dev', 'target: emulator'))
    made.write('deployments/dev/offer.yaml', offer().replace('environment: local', 'environment: dev'))
    const without = await made.dap('plan --env dev')
    expect(lines(without.stdout, /^[+=]|= endpoint/)).toEqual([
      '+ offer  create',
      expect.stringContaining(`= endpoint ${id} (local/offer)  it still has traffic`),
    ])
    expect(await made.dap('status --env dev --exit-code')).toMatchObject({ code: 2 })
    made.write(
      'environments/dev.yaml',
      resource('Environment', 'dev', 'target: emulator\nmoved: { environment: local }'),
    )
    expect(await made.dap('deploy --env dev --yes')).toMatchObject({ code: 0 })
    expect(await names(made)).toEqual([[id, 'dev/offer']])
    expect(await made.dap('status --env dev --exit-code')).toMatchObject({ code: 0 })
  })

  it('keeps everything when the Project is renamed', async () => {
    const made = shop()
    await made.dap('deploy --yes')
    const before = await names(made)
    made.edit('dap.yaml', 'name: shop', 'name: storefront')
    const plan = await made.dap('plan')
    expect(lines(plan.stdout, /^ +(project|description|[1-9]\.)/)).toEqual([
      expect.stringMatching(/^project +shop → storefront/),
      expect.stringMatching(/^description .* of shop/),
      expect.stringContaining('label endpoint'),
      expect.stringContaining('update endpoint'),
      expect.stringContaining('promote'),
    ])
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
    expect(await names(made)).toEqual(before)
  })
})

describe('a copy of a repository', () => {
  const from = (origin: string) => ({ origin })

  it('is told that it is one, whichever way its origin is written, until it has an id of its own', async () => {
    const made = shop()
    expect(await made.dap('deploy --yes', from('git@github.com:Games/shop.git'))).toMatchObject({ code: 0 })
    const told = async (origin: string | null) =>
      (await made.dap('plan', { origin })).stdout.includes('`dap init --new-id` parts them')
    for (const same of ['https://token:x@github.com/games/shop', 'ssh://git@github.com:22/games/shop.git/', null]) {
      expect(await told(same)).toBe(false)
    }
    expect(await told('git@github.com:games/casino.git')).toBe(true)
    expect(await told('/srv/git/shop.git')).toBe(true)
    expect((await made.cloud.vertex.listEndpoints())[0].labels['dap-origin']).toMatch(/^[0-9a-f]{16}$/)

    const old = made.read('dap.yaml')
    expect(await made.dap('init --new-id')).toMatchObject({ code: 0 })
    expect(made.read('dap.yaml')).toBe(old.replace(/projectId: .*/, /projectId: .*/.exec(made.read('dap.yaml'))![0]))
    const plan = await made.dap('plan', from('git@github.com:games/casino.git'))
    expect(lines(plan.stdout, /^[+=]|of other|endpoint dap/)).toEqual([
      '+ offer  create',
      expect.stringContaining('1. create endpoint dap-offer-'),
      'of other repositories, under the same names: not touched',
      expect.stringContaining('(offer)  of project shop, projectId q7m2vx4t9kd3hs8w'),
    ])
  })
})
