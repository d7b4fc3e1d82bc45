import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type {
  NewDeployedModel,
  NewEndpoint,
  NewModelVersion,
  Operation,
  VertexApi,
} from '../../../src/adapters/vertex/api.ts'
import { vertexApi } from '../../../src/adapters/vertex/requests.ts'
import type { Place } from '../../../src/deploy/routes.ts'
import { type VirtualClock, virtualClock } from '../../../src/emulator/clock.ts'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'

const PLACE: Place = { target: 'emulator', project: 'dap-local', region: 'us-central1', bucket: 'dap-local' }

const ENDPOINT: NewEndpoint = {
  displayName: 'shop-offer',
  description: 'made by dap',
  labels: { 'dap-project': 'shop', 'dap-lock': 'a' },
  dedicated: true,
  requestLog: { sample: 0.25, table: 'bq://games.logs.offers' },
}
const VERSION: NewModelVersion = {
  displayName: 'shop-offer',
  description: 'first',
  labels: { 'dap-project': 'shop', 'dap-model': 'a1' },
  image: 'dap/server@sha256:00',
  artifact: 'gs://dap-local/dap/bundles/x',
  predictRoute: '/predict',
  healthRoute: '/readyz',
  port: 8080,
  args: ['--log', 'stdout'],
}
const DEPLOYED: NewDeployedModel = {
  id: '12345',
  displayName: 'shop-offer-a1',
  model: 'dap-shop',
  version: '1',
  machineType: 'n2-standard-2',
  serviceAccount: 'runtime@dap-local.iam.gserviceaccount.com',
  scale: { minReplicas: 1, maxReplicas: 2, targetCpu: 70 },
}

let clock: VirtualClock
let emulator: Emulator
let cloud: VertexApi

beforeAll(async () => {
  clock = virtualClock()
  emulator = await startEmulator({ port: 0, seed: 1, clock, quotas: { crudPerMinute: 1e6, operationsPerMinute: 1e6 } })
  cloud = await vertexApi(PLACE, () => emulator.url)
})
afterEach(() => emulator.faults.clear())
afterAll(() => emulator.stop())

async function settled(started: Promise<Operation>): Promise<Operation> {
  const { name } = await started
  await clock.advance(60_000)
  const operation = await cloud.getOperation(name)
  expect(operation).toMatchObject({ name, done: true })
  return operation
}

/** Methods that the emulator is asked for meanwhile. */
async function asked(work: () => Promise<unknown>): Promise<string[]> {
  const call = vi.spyOn(emulator.control, 'call')
  await work()
  const methods = call.mock.calls.map(([method]) => method.replace(/^.*\//, ''))
  call.mockRestore()
  return methods
}

const failure = (promise: Promise<unknown>) => promise.then(() => undefined, String)

describe('a deployment on the emulator, through the real client', () => {
  it('begins with an endpoint, which reads back as it was written', async () => {
    expect(await cloud.getEndpoint('dap-shop')).toBeUndefined()
    expect((await settled(cloud.createEndpoint('dap-shop', ENDPOINT))).error).toBeUndefined()
    const endpoint = await cloud.getEndpoint('dap-shop')
    expect(endpoint).toMatchObject({ id: 'dap-shop', ...ENDPOINT, traffic: {}, deployedModels: [] })
    expect(endpoint?.host).toMatch(/^dap-shop\.us-central1-\d+\.prediction\.vertexai\.goog$/)
    expect(await failure(cloud.createEndpoint('dap-shop', ENDPOINT))).toMatch(/^CloudError: ALREADY_EXISTS: /)
  })

  it('changes of the endpoint what is given, and only if it is as it was read', async () => {
    const { etag } = (await cloud.getEndpoint('dap-shop')) ?? { etag: '' }
    const updated = await cloud.updateEndpoint('dap-shop', {
      etag,
      labels: { 'dap-project': 'shop' },
      requestLog: null,
    })
    expect(updated).toMatchObject({ ...ENDPOINT, labels: { 'dap-project': 'shop' }, requestLog: null })
    expect(updated.etag).not.toBe(etag)
    expect(await failure(cloud.updateEndpoint('dap-shop', { etag, description: '' }))).toMatch(/^CloudError: ABORTED: /)
  })

  it('goes on with versions of a model, oldest first, of which the first is the default until another is', async () => {
    expect(await cloud.listVersions('dap-shop')).toEqual([])
    expect(await settled(cloud.uploadModel('dap-shop', VERSION))).toMatchObject({ version: '1' })
    const second = { ...VERSION, labels: { ...VERSION.labels, 'dap-model': 'b2' } }
    expect(await settled(cloud.uploadModel('dap-shop', second))).toMatchObject({ version: '2' })
    await cloud.setDefaultVersion('dap-shop', '2')
    const versions = await cloud.listVersions('dap-shop')
    expect(versions.map(({ version, aliases, labels }) => [version, aliases, labels['dap-model']])).toEqual([
      ['1', [], 'a1'],
      ['2', ['default'], 'b2'],
    ])
    expect((await cloud.listModels()).map(({ model, version }) => [model, version])).toEqual([['dap-shop', '2']])
  })

  it('deploys at no traffic, in stages that another process sees, too', async () => {
    const { name } = await cloud.deployModel('dap-shop', DEPLOYED)
    await clock.advance(1)
    expect(await cloud.runningOperations({ endpoint: 'dap-shop' })).toEqual([
      { name, done: false, stage: expect.stringMatching(/^[A-Z_]+$/) },
    ])
    expect((await cloud.getEndpoint('dap-shop'))?.deployedModels).toEqual([])
    await clock.advance(60_000)
    expect(await cloud.getOperation(name)).toEqual({ name, done: true })
    expect(await cloud.runningOperations({ endpoint: 'dap-shop' })).toEqual([])
    const endpoint = await cloud.getEndpoint('dap-shop')
    expect(endpoint?.traffic).toEqual({})
    expect(endpoint?.deployedModels).toMatchObject([DEPLOYED])
    expect(Math.abs((endpoint?.deployedModels[0].created ?? 0) - clock.now())).toBeLessThan(120_000)
  })

  it('moves traffic, scales and takes back', async () => {
    const { etag } = (await cloud.getEndpoint('dap-shop')) ?? { etag: '' }
    expect((await cloud.updateEndpoint('dap-shop', { etag, traffic: { '12345': 100 } })).traffic).toEqual({
      '12345': 100,
    })
    const scale = { minReplicas: 2, maxReplicas: 5, targetCpu: 40 }
    await settled(cloud.mutateDeployedModel('dap-shop', '12345', scale))
    const deployed = (await cloud.getEndpoint('dap-shop'))?.deployedModels
    expect(deployed).toMatchObject([{ ...DEPLOYED, scale }])
    expect(await failure(cloud.deleteVersion('dap-shop', '1'))).toMatch(/^CloudError: FAILED_PRECONDITION: /)
    await settled(cloud.undeployModel('dap-shop', '12345'))
    expect(await cloud.getEndpoint('dap-shop')).toMatchObject({ deployedModels: [], traffic: {} })
    await settled(cloud.deleteVersion('dap-shop', '1'))
    await settled(cloud.deleteModel('dap-shop'))
    await settled(cloud.deleteEndpoint('dap-shop'))
    expect(await cloud.getEndpoint('dap-shop')).toBeUndefined()
  })
})

describe('the bucket', () => {
  it('keeps the first text of a name', async () => {
    const name = 'dap/bundles/shop-offer-0123456789ab/bundle.json'
    await cloud.putObject(name, '{"a": 1}')
    await cloud.putObject(name, '{"a": 1}')
    await cloud.putObject('elsewhere/x', 'x')
    expect(await cloud.listObjects('dap/')).toEqual([name])
    await cloud.deleteObject(name)
    await cloud.deleteObject(name)
    expect(await cloud.listObjects('dap/')).toEqual([])
  })

  it('does not try again by itself', async () => {
    emulator.faults.add({ on: 'storage.put', fault: 'unavailable', times: 1 })
    expect(await failure(cloud.putObject('dap/y', '{}'))).toMatch(/^CloudError: UNAVAILABLE: /)
    expect(await cloud.listObjects('dap/')).toEqual([])
  })
})

it('requests are none where nothing was asked', async () => {
  expect(await cloud.requests('dap-shop', '12345', clock.now() - 60_000, clock.now())).toEqual({
    requests: 0,
    errors: 0,
    latency: [{ upToMs: Number.POSITIVE_INFINITY, count: 0 }],
  })
})

describe('calls that the emulator sees', () => {
  it('are one a method, and one more for the first version of a model', async () => {
    expect(await asked(() => cloud.getEndpoint('none'))).toEqual(['GetEndpoint'])
    expect(await asked(() => cloud.listEndpoints())).toEqual(['ListEndpoints'])
    expect(await asked(() => cloud.uploadModel('dap-new', VERSION))).toEqual(['UploadModel', 'UploadModel'])
    await clock.advance(60_000)
    expect(await asked(() => cloud.uploadModel('dap-new', VERSION))).toEqual(['UploadModel'])
    await clock.advance(60_000)
  })

  it('are one for a poll that fails: the next poll is the caller’s', async () => {
    const { name } = await cloud.createEndpoint('dap-polled', ENDPOINT)
    emulator.faults.add({ on: 'GetOperation', fault: 'unavailable', times: 1 })
    expect(await asked(() => failure(cloud.getOperation(name)))).toEqual(['GetOperation'])
    await clock.advance(60_000)
    expect(await cloud.getOperation(name)).toEqual({ name, done: true })
    await settled(cloud.deleteEndpoint('dap-polled'))
  })

  it('are one for every hundred of a list', async () => {
    const parent = `projects/${PLACE.project}/locations/${PLACE.region}`
    for (let i = 0; i < 201; i++) {
      const endpoint = { displayName: `e${i}`, labels: { 'dap-project': 'many' } }
      const request = { parent, endpointId: `dap-many-${i}`, endpoint }
      await emulator.control.call('google.cloud.aiplatform.v1.EndpointService/CreateEndpoint', request)
    }
    await clock.advance(60_000)
    let ids: string[] = []
    const calls = await asked(async () => {
      ids = (await cloud.listEndpoints()).map(({ id }) => id)
    })
    expect(new Set(ids).size).toBe(201)
    expect(calls).toEqual(new Array(3).fill('ListEndpoints'))
  })
})
