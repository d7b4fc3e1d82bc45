import { describe, expect, it } from 'vitest'
import { DapError } from '../../src/errors.ts'
import type { DoctorResult } from '../../src/results.ts'
import { memoryCloud } from '../support/memory-vertex.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dap, repository, type Setting } from '../support/run-dap.ts'
import { read } from './support.ts'

const DIGEST = 'ab'.repeat(32)

const gcp = (region = 'europe-west1', digest = DIGEST) =>
  `target: vertex\ngcp: { project: games-ml, region: ${region}, bucket: games-dap, image: example.org/dap@sha256:${digest} }`

const SHOP = {
  'dap.yaml': resource('Project', 'shop', '{}'),
  'package.json': JSON.stringify({
    dependencies: { '@dap-platform/dap': 'file:vendor/dap-platform-dap-0.0.0-test.tgz' },
  }),
  '.pre-commit-config.yaml': '',
  'hooks/pre-commit': '',
  'environments/prod.yaml': resource('Environment', 'prod', gcp()),
  'adc.json': JSON.stringify({ type: 'authorized_user', refresh_token: 'a-secret', client_secret: 'another-secret' }),
}

const SIGNED_IN: Setting = { hooks: '/repo/hooks', environment: { GOOGLE_APPLICATION_CREDENTIALS: '/repo/adc.json' } }

async function doctor(files: Readonly<Record<string, string>>, setting: Setting = {}, line = '') {
  const session = await repository(files, setting).dap(`doctor --json ${line}`)
  const result: DoctorResult = JSON.parse(session.stdout)
  expectPublished('doctor-result', result)
  expect(session.code).toBe(result.failed > 0 ? 1 : 0)
  return Object.fromEntries(
    result.checks.map(({ environment, id, state, found, mend }) => [
      environment === null ? id : `${environment} ${id}`,
      `${state}: ${found}${mend === null ? '' : ` | ${mend}`}`,
    ]),
  )
}

describe('dap doctor', () => {
  it('says of each thing whether it is there, prints no secret, and ends with 0', async () => {
    const session = await repository(SHOP, { ...SIGNED_IN, cloud: memoryCloud() }).dap('doctor')
    expect(read(session)).toMatchInlineSnapshot(`
      "exit 0
      ok           dap          0.0.0-test
      ok           node         24.1.0
      ok           npm          11.0.0
      ok           git          git version 2.47.0
      ok           memory       8.0 GB free
      ok           disk         8.0 GB free
      ok           repository   2 files, all valid
      ok           pin          package.json pins 0.0.0-test
      ok           pre-commit   the hook is installed
      ok           data         0 datasets, their files are there
      ok           snapshots    those of deployments are there

      environment prod
      ok           settings     project games-ml, bucket games-dap
      ok           region       europe-west1
      ok           image        pinned by sha256:abababababab…
      ok           credentials  authorized_user in /repo/adc.json
      ok           endpoints    0 endpoints can be listed
      ok           bucket       games-dap can be read
      not checked  quota        dap reads no quotas; a deploy that goes beyond one says which

      nothing failed
      "
    `)
    expect(session.stdout).not.toContain('secret')
  })

  it('says what is wrong, how to mend it, and ends with 1', async () => {
    const files = {
      ...SHOP,
      'package.json': '{}',
      'adc.json': '{"private_key": "a-secret"',
      'hooks/pre-commit': '',
      'environments/prod.yaml': resource('Environment', 'prod', gcp('europe-wast1', '0'.repeat(64))),
      'environments/odd.yaml': resource('Environment', 'odd', gcp('europe-west1', 'abc')),
      'datasets/log.yaml': resource('Dataset', 'log', 'files: [data]\nformat: dap'),
    }
    const machine = { node: '22.3.0', memory: 5e8 }
    const session = await repository(files, {
      ...SIGNED_IN,
      hooks: '/elsewhere',
      programs: { npm: '10.1.0' },
      machine,
      columns: 80,
    }).dap('doctor')
    expect(read(session)).toMatchInlineSnapshot(`
      "exit 1
      ok           dap          0.0.0-test
      failed       node         22.3.0 is older than 22.12
                                mend: install a newer Node
      ok           npm          10.1.0
      warning      git          not installed: a deployment records the commit that it
                                was made from
                                mend: install git
      warning      memory       0.5 GB free, and logs are read with up to 1 GB
                                mend: \`--memory\` lets evaluate and train take
                                      less
      ok           disk         8.0 GB free
      failed       repository   1 error
                                mend: \`dap validate\` shows them
      warning      pin          package.json does not depend on @dap-platform/dap
                                mend: add it to its dependencies, with its exact
                                      version
      warning      pre-commit   the hook is not installed: a commit checks nothing
                                mend: \`pre-commit install\`
      warning      data         log: data file \`data\` does not exist
                                mend: put the data there, or mend \`files\`; a log
                                      of \`dap serve\` comes with its first
                                      decision
      ok           snapshots    those of deployments are there

      environment odd
      failed       settings     1 error
                                mend: \`dap validate environments/odd.yaml\` shows
                                      them

      environment prod
      ok           settings     project games-ml, bucket games-dap
      warning      region       dap does not know of endpoints in europe-wast1
                                mend: did you mean \`europe-west1\`?
      warning      image        the digest is all zeros: no image has been built
                                mend: \`dap image build --env prod --push\` builds
                                      one, and prints the digest to pin
      failed       credentials  /repo/adc.json: it is not JSON
                                mend: \`gcloud auth application-default login\`,
                                      or in CI workload identity;
                                      GOOGLE_APPLICATION_CREDENTIALS names
                                      another file
      not checked  endpoints    there are no credentials
      not checked  bucket       there are no credentials
      not checked  quota        dap reads no quotas; a deploy that goes beyond one
                                says which

      4 failed, 7 warnings
      "
    `)
    for (const line of session.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('says that a cloud refuses, as the cloud does; and asks none offline, without credentials, or that was not meant', async () => {
    const cloud = memoryCloud()
    const said = new DapError('PERMISSION_DENIED: aiplatform.endpoints.list', { hint: 'ask for the role' })
    const denied: typeof cloud.cloud = {
      ...cloud.cloud,
      listRoutes: () => Promise.reject(said),
      patiently: () => denied,
    }
    const denying = { ...cloud, at: () => undefined, cloud: denied }
    const refusing: Setting = { ...SIGNED_IN, cloud: denying }
    expect(await doctor(SHOP, refusing)).toMatchObject({
      'prod endpoints': 'failed: PERMISSION_DENIED: aiplatform.endpoints.list | ask for the role',
      'prod bucket': 'ok: games-dap can be read',
    })
    expect(await doctor(SHOP, { ...SIGNED_IN, cloud })).toMatchObject({
      'prod endpoints': 'ok: 0 endpoints can be listed',
      'prod bucket': 'ok: games-dap can be read',
      'prod quota': expect.stringMatching(/^not-checked: /),
    })
    expect(await doctor(SHOP, refusing, '--offline')).toMatchObject({ 'prod endpoints': 'not-checked: --offline' })
    expect(await doctor(SHOP, { ...SIGNED_IN, environment: {} })).toMatchObject({
      'prod credentials': expect.stringMatching(/^warning: no file /),
      'prod bucket': 'not-checked: there are no credentials',
    })
    const two = { ...SHOP, 'environments/local.yaml': resource('Environment', 'local', 'target: emulator') }
    expect(Object.keys(await doctor(two, SIGNED_IN, '--offline --env local')).filter(id => id.includes(' '))).toEqual([
      'local emulator',
    ])
    expect(await repository(two).dap('doctor --env lcal')).toMatchObject({
      code: 3,
      stderr: 'error: no environment `lcal`\nhint: did you mean `local`?\n',
    })
  })

  it.each([
    ['authorized_user', 'ok'],
    ['service_account', 'ok'],
    ['external_account', 'ok'],
    ['"a-secret"', 'failed'],
  ])('reads of credentials the type alone: %s is %s', async (type, state) => {
    const adc = JSON.stringify({ type, private_key: 'a-secret' })
    const found = (await doctor({ ...SHOP, 'adc.json': adc }, SIGNED_IN, '--offline'))['prod credentials']
    expect(found).toMatch(new RegExp(`^${state}: `))
    expect(found).not.toContain('secret')
  })

  it.each([
    ['0.0.0-test', 'ok'],
    ['file:vendor/dap-platform-dap-0.0.0-test.tgz', 'ok'],
    ['0.0.1', 'warning'],
    ['^0.0.0-test', 'warning'],
    ['latest', 'warning'],
  ])('of the pin %s: %s', async (pin, state) => {
    const manifest = JSON.stringify({ devDependencies: { '@dap-platform/dap': pin } })
    expect((await doctor({ ...SHOP, 'package.json': manifest }, SIGNED_IN, '--offline'))['pin']).toMatch(`${state}: `)
  })

  it('looks at the machine alone where there is no repository', async () => {
    expect(read(await dap('doctor'))).toMatchInlineSnapshot(`
      "exit 0
      ok           dap         0.0.0-test
      ok           node        24.1.0
      ok           npm         11.0.0
      ok           git         git version 2.47.0
      ok           memory      8.0 GB free
      ok           disk        8.0 GB free
      not checked  repository  there is no \`dap.yaml\` in this folder or above it
                               mend: \`dap init DIR\` makes a repository

      nothing failed
      "
    `)
  })
})
