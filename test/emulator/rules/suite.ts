import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Faults } from '../../../src/emulator/faults.ts'
import type { JsonObject, ModelServers, RpcError, ServedModel } from '../../../src/emulator/ports.ts'
import type { Quotas } from '../../../src/emulator/vertex/world.ts'

/** A control plane on a virtual clock, whichever way its methods are called. */
export interface Api {
  /** By the short name of a method. Rejects with an RpcError. */
  call(method: string, request: JsonObject): Promise<JsonObject>
  advance(ms: number): Promise<void>
  readonly faults: Faults
  readonly servers: FakeServers
  close(): Promise<void>
}

export type OpenApi = (options?: { readonly quotas?: Partial<Quotas> }) => Promise<Api>

export interface FakeServers extends ModelServers {
  /** Deployed model's id → what runs for it. */
  readonly running: Map<string, ServedModel>
  /** No server is ready before this is. */
  ready: Promise<void>
}

/** Ready at once; one whose environment has FAIL never is. */
export function fakeServers(): FakeServers {
  const running = new Map<string, ServedModel>()
  return {
    running,
    ready: Promise.resolve(),
    async start(model) {
      await this.ready
      if (model.env.FAIL) throw new Error(model.env.FAIL)
      running.set(model.deployedModelId, model)
      return {
        url: 'http://127.0.0.1:1',
        predictRoute: model.predictRoute,
        stop: async () => void running.delete(model.deployedModelId),
      }
    },
  }
}

export const PARENT = 'projects/demo/locations/europe-west1'
export const NUMBER = '[1-9][0-9]{11}'
const IMAGE = 'europe-west1-docker.pkg.dev/demo/dap/server:1'
const LONG = 60_000
export const ACCOUNT = 'runtime@demo.iam.gserviceaccount.com'

export const CONTAINER = { imageUri: IMAGE, predictRoute: '/v1/predict', healthRoute: '/health' }
export const MODEL = { displayName: 'offer', artifactUri: 'gs://bucket/bundles/1', containerSpec: CONTAINER }
export const RESOURCES = { machineSpec: { machineType: 'n2-standard-2' }, minReplicaCount: 1, maxReplicaCount: 2 }

/** What the call was refused with, and by which rule. */
export async function refused(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    const { code, details } = error as RpcError
    return `${code} ${((details[0]?.metadata ?? {}) as JsonObject).rule}`
  }
  return 'accepted'
}

export function steps(api: Api) {
  const call = api.call
  /** The operation that this call begins, when it is over. */
  async function finish(method: string, request: JsonObject): Promise<JsonObject> {
    const { name } = await call(method, request)
    await api.advance(LONG)
    return call('GetOperation', { name })
  }
  async function done(method: string, request: JsonObject): Promise<JsonObject> {
    const operation = await finish(method, request)
    if (operation.error) throw new Error(String((operation.error as JsonObject).message))
    return operation.response as JsonObject
  }
  return {
    finish,
    done,
    endpoint: (endpointId: string, fields: JsonObject = {}) =>
      done('CreateEndpoint', { parent: PARENT, endpointId, endpoint: { displayName: 'shop', ...fields } }),
    upload: (modelId: string, fields: JsonObject = {}) =>
      done('UploadModel', { parent: PARENT, modelId, model: { ...MODEL, ...fields } }),
    version: (model: string, fields: JsonObject = {}) =>
      done('UploadModel', { parent: PARENT, parentModel: model, model: { ...MODEL, ...fields } }),
    deploying: (endpoint: string, id: string, model: string, trafficSplit: JsonObject = {}): JsonObject => ({
      endpoint,
      deployedModel: { id, model, dedicatedResources: RESOURCES },
      trafficSplit,
    }),
    update: (endpoint: JsonObject, updateMask: string) => call('UpdateEndpoint', { endpoint, updateMask }),
    get: (name: string) => call('GetEndpoint', { name }),
  }
}

export const endpointName = (id: string) => `${PARENT}/endpoints/${id}`
export const modelName = (id: string) => `${PARENT}/models/${id}`
const ids = (documents: unknown) =>
  ((documents ?? []) as JsonObject[]).map(({ name }) => String(name).split('/').at(-1))

/** The rules that can be seen from outside. */
export function describeRules(how: string, open: OpenApi): void {
  let api: Api
  let s: ReturnType<typeof steps>
  let serial = 0
  /** Another one for every test. */
  let e: string
  let m: string

  beforeAll(async () => {
    api = await open()
    s = steps(api)
  })
  afterAll(() => api?.close())
  beforeEach(async () => {
    await api.advance(LONG)
    serial++
    e = endpointName(`e${serial}`)
    m = modelName(`m${serial}`)
  })
  const create = (fields: JsonObject = {}) => s.endpoint(`e${serial}`, fields)
  const upload = (fields: JsonObject = {}) => s.upload(`m${serial}`, fields)
  const deploy = (id: string, split: JsonObject = {}) => s.done('DeployModel', s.deploying(e, id, m, split))
  const both = async () => {
    await create()
    await upload()
  }

  describe(`names, ${how}`, () => {
    it('[name-form] refuses names of another form', async () => {
      expect(await refused(s.get('endpoints/1'))).toBe('3 name-form')
      expect(await refused(api.call('ListEndpoints', { parent: 'projects/demo' }))).toBe('3 name-form')
      expect(await refused(api.call('GetModel', { name: e }))).toBe('3 name-form')
    })
    it('[project-number] answers with the number of the project, and takes both', async () => {
      const { name } = await create()
      expect(name).toMatch(new RegExp(`^projects/${NUMBER}/locations/europe-west1/endpoints/e${serial}$`))
      expect((await s.get(String(name))).name).toBe(name)
      expect((await s.get(e)).name).toBe(name)
    })
    it('[not-found] does not find what is not there', async () => {
      expect(await refused(s.get(e))).toBe('5 not-found')
      expect(await refused(api.call('GetModel', { name: m }))).toBe('5 not-found')
      await upload()
      expect(await refused(api.call('GetModel', { name: `${m}@7` }))).toBe('5 not-found')
      await create()
      expect(await refused(api.call('UndeployModel', { endpoint: e, deployedModelId: '9' }))).toBe('5 not-found')
      expect(await refused(api.call('GetOperation', { name: `${e}/operations/1` }))).toBe('5 not-found')
      expect(await refused(api.call('DeployModel', s.deploying(e, '1', modelName('nobody'))))).toBe('5 not-found')
    })
    it('[location-mismatch] uploads a version only where its model is', async () => {
      await upload()
      const parent = 'projects/demo/locations/us-central1'
      expect(await refused(api.call('UploadModel', { parent, parentModel: m, model: MODEL }))).toBe(
        '3 location-mismatch',
      )
    })
  })

  describe(`fields, ${how}`, () => {
    it('[required] wants what is required', async () => {
      expect(await refused(api.call('CreateEndpoint', { parent: PARENT, endpoint: {} }))).toBe('3 required')
      expect(await refused(api.call('UploadModel', { parent: PARENT, model: { ...MODEL, displayName: '' } }))).toBe(
        '3 required',
      )
      expect(await refused(api.call('UploadModel', { parent: PARENT, model: { displayName: 'x' } }))).toBe('3 required')
      const { artifactUri, displayName } = MODEL
      const model = { artifactUri, displayName, containerSpec: {} }
      expect(await refused(api.call('UploadModel', { parent: PARENT, model }))).toBe('3 required')
    })
    it('[output-only] ignores what only the service sets', async () => {
      const made = await create({ name: 'mine', etag: 'mine', dedicatedEndpointDns: 'mine' })
      expect([made.name, made.etag, made.dedicatedEndpointDns ?? '']).not.toContain('mine')
    })
    it('[display-name] counts characters, not bytes', async () => {
      expect((await create({ displayName: '🎲'.repeat(128) })).displayName).toHaveLength(256)
      expect(await refused(s.endpoint('longer', { displayName: 'x'.repeat(129) }))).toBe('3 display-name')
    })
    it('[labels] takes lower case, digits, dashes and international letters, 64 of them', async () => {
      const labels = { team: 'größe-1_2', 資: '', long: 'x'.repeat(64) }
      expect((await create({ labels })).labels).toEqual(labels)
      for (const bad of [{ Team: 'x' }, { team: 'X' }, { team: 'a b' }, { team: 'x'.repeat(65) }, { 'a.b': 'x' }])
        expect(await refused(s.endpoint('bad', { labels: bad }))).toBe('3 labels')
    })
    it('[label-key] wants a letter first', async () => {
      expect(await refused(s.endpoint('bad', { labels: { '1st': 'x' } }))).toBe('3 label-key')
    })
    it('[label-count] takes 64 labels', async () => {
      const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, '']))
      expect(Object.keys((await create({ labels: labels(64) })).labels as JsonObject)).toHaveLength(64)
      expect(await refused(s.endpoint('bad', { labels: labels(65) }))).toBe('3 label-count')
    })
    it('[mask-required] changes what the mask names and nothing else', async () => {
      await create({ description: 'old', labels: { a: 'b' } })
      expect(await refused(s.update({ name: e, description: 'new' }, ''))).toBe('3 mask-required')
      const endpoint = await s.update({ name: e, description: 'new', displayName: 'other', labels: {} }, 'description')
      expect(endpoint).toMatchObject({ description: 'new', displayName: 'shop', labels: { a: 'b' } })
      expect((await s.update({ name: e }, 'labels')).labels ?? {}).toEqual({})
    })
    it('[mask-unknown] refuses fields that there are not', async () => {
      await create()
      expect(await refused(s.update({ name: e }, 'descripton'))).toBe('3 mask-unknown')
      expect(await refused(s.update({ name: e, labels: { a: 'b' } }, 'labels.a'))).toBe('3 mask-unknown')
    })
    it('[mask-all] takes * for all that can change', async () => {
      await create({ description: 'old', labels: { a: 'b' } })
      const endpoint = await s.update({ name: e, displayName: 'new' }, '*')
      expect([endpoint.displayName, endpoint.description ?? '', endpoint.labels ?? {}]).toEqual(['new', '', {}])
    })
    it('[immutable] does not change what is fixed', async () => {
      await create()
      for (const field of ['name', 'network', 'dedicatedEndpointEnabled', 'deployedModels', 'encryptionSpec'])
        expect([field, await refused(s.update({ name: e }, field))]).toEqual([field, '3 immutable'])
      await upload()
      const update = { model: { name: m, artifactUri: 'gs://other/place' }, updateMask: 'artifactUri' }
      expect(await refused(api.call('UpdateModel', update))).toBe('3 immutable')
    })
    it('[etag-mismatch] refuses an update of what it has not seen', async () => {
      const { etag } = await create()
      await s.update({ name: e, etag, description: 'mine' }, 'description')
      expect(await refused(s.update({ name: e, etag, description: 'late' }, 'description'))).toBe('10 etag-mismatch')
      expect((await s.get(e)).description).toBe('mine')
      await upload()
      const model = { name: m, etag: 'stale', description: 'late' }
      expect(await refused(api.call('UpdateModel', { model, updateMask: 'description' }))).toBe('10 etag-mismatch')
    })
    it('[etag-blind] overwrites without an etag', async () => {
      await create()
      expect((await s.update({ name: e, description: 'blind' }, 'description')).description).toBe('blind')
    })
    it('[etag-bump] gives another etag with every write', async () => {
      await both()
      const etags = [(await s.get(e)).etag]
      const remember = async () => etags.push((await s.get(e)).etag)
      await s.update({ name: e, description: 'x' }, 'description').then(remember)
      await deploy('1', { 0: 100 }).then(remember)
      const mutation = { endpoint: e, deployedModel: { id: '1', dedicatedResources: { maxReplicaCount: 3 } } }
      await s
        .done('MutateDeployedModel', { ...mutation, updateMask: 'dedicatedResources.maxReplicaCount' })
        .then(remember)
      await s.done('UndeployModel', { endpoint: e, deployedModelId: '1' }).then(remember)
      expect(new Set(etags).size).toBe(5)
      const read = async () => (await api.call('GetModel', { name: m })).etag
      const models = [await read()]
      await api.call('UpdateModel', { model: { name: m, description: 'x' }, updateMask: 'description' })
      models.push(await read())
      await api.call('MergeVersionAliases', { name: `${m}@1`, versionAliases: ['best'] })
      models.push(await read())
      await s.version(m)
      models.push(await read())
      expect(new Set(models).size).toBe(4)
    })
  })

  describe(`lists, ${how}`, () => {
    const parent = 'projects/lists/locations/europe-west1'
    const list = async (request: JsonObject) => ids((await api.call('ListEndpoints', { parent, ...request })).endpoints)
    beforeAll(async () => {
      await api.advance(LONG)
      for (const [endpointId, displayName, labels] of [
        ['a', 'zebra', { team: 'x' }],
        ['b', 'apple', { team: 'y', 'a-b': 'c' }],
        ['c', 'apple', {}],
      ] as const)
        await s.done('CreateEndpoint', { parent, endpointId, endpoint: { displayName, labels } })
    })
    it('[filter-syntax] filters by id and display name, in both spellings', async () => {
      expect(await list({ filter: 'endpoint=a' })).toEqual(['a'])
      expect(await list({ filter: 'endpoint!=a' })).toEqual(['b', 'c'])
      expect(await list({ filter: 'display_name="apple" AND endpoint!="b"' })).toEqual(['c'])
      expect(await list({ filter: 'displayName=apple' })).toEqual(['b', 'c'])
      expect(await list({ filter: 'base_model_name="text-bison"' })).toEqual([])
      for (const filter of [
        ...['colour=red', 'endpoint', 'endpoint<a', 'endpoint:a', 'labels.team:x', 'labels=team', 'base_model_name!=x'],
        ...['endpoint=a endpoint=b', 'endpoint=a AND', 'OR endpoint=a', 'NOT', '-', '(endpoint=a', 'endpoint=a)', '()'],
        ...['labels.team="x" OR display_name=!"old"', 'endpoint="a', 'endpoint=AND', 'constructor=a', '"endpoint"=a'],
        `${'('.repeat(10_000)}endpoint=a${')'.repeat(10_000)}`,
      ])
        expect([filter, await refused(list({ filter }))]).toEqual([filter, '3 filter-syntax'])
    })
    it('[filter-logic] joins comparisons, OR before AND', async () => {
      expect(await list({ filter: 'endpoint=a OR endpoint=c' })).toEqual(['a', 'c'])
      expect(await list({ filter: 'labels.team=x OR display_name!="apple" OR endpoint=b' })).toEqual(['a', 'b'])
      expect(await list({ filter: 'endpoint=a OR endpoint=b AND displayName=apple' })).toEqual(['b'])
      expect(await list({ filter: 'endpoint=a OR (endpoint=b AND displayName=apple)' })).toEqual(['a', 'b'])
      expect(await list({ filter: 'NOT labels.team=x' })).toEqual(['b', 'c'])
      expect(await list({ filter: '-labels:team' })).toEqual(['c'])
      expect(await list({ filter: 'NOT (endpoint=a OR endpoint=b)' })).toEqual(['c'])
      expect(await list({ filter: '-(endpoint=a)AND(endpoint = "c")' })).toEqual(['c'])
      expect(await list({ filter: " display_name = 'apple'  AND NOT endpoint='b' " })).toEqual(['c'])
    })
    it('[filter-labels] filters by value and by existence', async () => {
      expect(await list({ filter: 'labels.team=x' })).toEqual(['a'])
      expect(await list({ filter: 'labels.team!=x' })).toEqual(['b'])
      expect(await list({ filter: 'labels.team:*' })).toEqual(['a', 'b'])
      expect(await list({ filter: 'labels:team' })).toEqual(['a', 'b'])
      expect(await list({ filter: 'labels."a-b"="c"' })).toEqual(['b'])
      expect(await list({ filter: 'labels.team=x AND labels.team=y' })).toEqual([])
    })
    it('[order-by] orders by several fields, down as well', async () => {
      expect(await list({ orderBy: 'display_name, create_time desc' })).toEqual(['c', 'b', 'a'])
      expect(await list({ orderBy: 'create_time desc' })).toEqual(['c', 'b', 'a'])
      expect(await refused(list({ orderBy: 'name' }))).toBe('3 order-by')
    })
    it('[page-size] cuts pages', async () => {
      expect(await list({ pageSize: 2 })).toEqual(['a', 'b'])
      expect(await list({ pageSize: 5000 })).toEqual(['a', 'b', 'c'])
      expect(await refused(list({ pageSize: -1 }))).toBe('3 page-size')
    })
    it('[page-token] goes on where the page ended, for the same question only', async () => {
      const { nextPageToken } = await api.call('ListEndpoints', { parent, pageSize: 2 })
      expect(await list({ pageSize: 2, pageToken: nextPageToken })).toEqual(['c'])
      expect(await refused(list({ pageToken: nextPageToken, filter: 'endpoint!=b' }))).toBe('3 page-token')
      expect(await refused(list({ pageToken: 'nonsense' }))).toBe('3 page-token')
      const last = await api.call('ListEndpoints', { parent, pageSize: 2, pageToken: nextPageToken })
      expect(last.nextPageToken ?? '').toBe('')
    })
    it('[read-mask] answers with the fields that are asked for', async () => {
      const { endpoints } = await api.call('ListEndpoints', { parent, pageSize: 1, readMask: 'name,displayName' })
      const [{ name, displayName, etag, createTime }] = endpoints as JsonObject[]
      expect([ids([{ name }]), displayName, etag, createTime]).toEqual([['a'], 'zebra', undefined, undefined])
      expect(await refused(list({ readMask: 'nme' }))).toBe('3 mask-unknown')
    })
  })

  describe(`endpoints, ${how}`, () => {
    it('[endpoint-id] checks a chosen id', async () => {
      for (const id of ['A', 'a_b', 'a-', '1a', '01', '12345678901', `a${'b'.repeat(63)}`])
        expect([id, await refused(s.endpoint(id))]).toEqual([id, '3 endpoint-id'])
      for (const id of ['123456789', '1234567890', `a${'b'.repeat(62)}`])
        expect(String((await s.endpoint(id)).name).endsWith(`/${id}`)).toBe(true)
    })
    it('[endpoint-id-generated] makes an id', async () => {
      const { name } = await s.done('CreateEndpoint', { parent: PARENT, endpoint: { displayName: 'x' } })
      expect(name).toMatch(/\/endpoints\/\d+$/)
    })
    it('[endpoint-exists] takes an id once, also while it is being created', async () => {
      const again = () =>
        api.call('CreateEndpoint', { parent: PARENT, endpointId: `e${serial}`, endpoint: { displayName: 'x' } })
      await again()
      expect(await refused(again())).toBe('6 endpoint-exists')
      await api.advance(LONG)
      expect(await refused(again())).toBe('6 endpoint-exists')
    })
    it('[endpoint-unfinished] is not there before it is created', async () => {
      await api.call('CreateEndpoint', { parent: PARENT, endpointId: `e${serial}`, endpoint: { displayName: 'x' } })
      expect(await refused(s.get(e))).toBe('5 not-found')
      await api.advance(LONG)
      expect(await refused(s.get(e))).toBe('accepted')
    })
    it('[endpoint-delete-deployed] is deleted only when it is empty', async () => {
      await both()
      await deploy('1')
      expect(await refused(api.call('DeleteEndpoint', { name: e }))).toBe('9 endpoint-delete-deployed')
      await s.done('UndeployModel', { endpoint: e, deployedModelId: '1' })
      await s.done('DeleteEndpoint', { name: e })
      expect(await refused(s.get(e))).toBe('5 not-found')
    })
    it('[endpoint-delete-busy] is deleted only when nothing else runs, and then nothing else runs', async () => {
      await both()
      await api.call('DeployModel', s.deploying(e, '1', m))
      expect(await refused(api.call('DeleteEndpoint', { name: e }))).toBe('9 endpoint-delete-busy')
      await api.advance(LONG)
      await s.done('UndeployModel', { endpoint: e, deployedModelId: '1' })
      await api.call('DeleteEndpoint', { name: e })
      expect(await refused(api.call('DeployModel', s.deploying(e, '2', m)))).toBe('9 endpoint-delete-busy')
    })
    it('[dedicated-dns] gives a dedicated endpoint a host', async () => {
      expect((await create({ dedicatedEndpointEnabled: true })).dedicatedEndpointDns).toMatch(
        new RegExp(`^e${serial}\\.europe-west1-${NUMBER}\\.prediction\\.vertexai\\.goog$`),
      )
    })
    it('[network-psc] peers or connects, not both', async () => {
      const network = 'projects/1/global/networks/n'
      const privateServiceConnectConfig = { enablePrivateServiceConnect: true }
      expect(await refused(create({ network, privateServiceConnectConfig }))).toBe('3 network-psc')
    })
    it('[dedicated-psc] connects no dedicated endpoint', async () => {
      const privateServiceConnectConfig = { enablePrivateServiceConnect: true }
      expect(await refused(create({ dedicatedEndpointEnabled: true, privateServiceConnectConfig }))).toBe(
        '3 dedicated-psc',
      )
    })
    it('[logging-rate] samples a share in (0, 1]', async () => {
      for (const samplingRate of [0, 1.5, -1]) {
        const log = { enabled: true, samplingRate }
        expect(await refused(create({ predictRequestResponseLoggingConfig: log }))).toBe('3 logging-rate')
      }
    })
    it('[logging-update] changes the request log later', async () => {
      await create()
      const log = { enabled: true, samplingRate: 0.5, bigqueryDestination: { outputUri: 'bq://p.d.t' } }
      const endpoint = { name: e, predictRequestResponseLoggingConfig: log }
      expect(await s.update(endpoint, 'predictRequestResponseLoggingConfig')).toMatchObject({
        predictRequestResponseLoggingConfig: log,
      })
    })
    it('[update-long-running] changes the client connection, and only by its own method', async () => {
      const made = await create({ dedicatedEndpointEnabled: true })
      const clientConnectionConfig = { inferenceTimeout: '600s' }
      const endpoint = { name: e, clientConnectionConfig }
      expect(await refused(s.update(endpoint, 'clientConnectionConfig'))).toBe('3 update-long-running')
      const other = { ...endpoint, displayName: 'other' }
      expect(await refused(api.call('UpdateEndpointLongRunning', { endpoint: other }))).toBe('3 update-long-running')
      const updated = await s.done('UpdateEndpointLongRunning', { endpoint })
      expect(updated).toMatchObject({ name: made.name, clientConnectionConfig })
    })
    it('[inference-timeout] is a minute, or an hour on a dedicated endpoint', async () => {
      const config = (inferenceTimeout: string) => ({ clientConnectionConfig: { inferenceTimeout } })
      expect(await refused(create(config('61s')))).toBe('3 inference-timeout')
      expect(await refused(create({ dedicatedEndpointEnabled: true, ...config('3601s') }))).toBe('3 inference-timeout')
    })
  })

  describe(`traffic, ${how}`, () => {
    beforeEach(async () => {
      await both()
      await deploy('1', { 0: 100 })
    })
    const split = async () => (await s.get(e)).trafficSplit ?? {}
    const move = (trafficSplit: JsonObject) => s.update({ name: e, trafficSplit }, 'trafficSplit')

    it('[traffic-sum] sums to 100, or is empty', async () => {
      await deploy('2')
      expect(await refused(move({ 1: 50, 2: 49 }))).toBe('3 traffic-sum')
      expect(await refused(move({ 1: 50, 2: 51 }))).toBe('3 traffic-sum')
      expect(await refused(api.call('DeployModel', s.deploying(e, '3', m, { 0: 10, 1: 80 })))).toBe('3 traffic-sum')
      expect((await move({ 1: 50, 2: 50 })).trafficSplit).toEqual({ 1: 50, 2: 50 })
      expect((await move({})).trafficSplit ?? {}).toEqual({})
    })
    it('[traffic-range] takes percentages from 0 to 100', async () => {
      await deploy('2')
      expect(await refused(move({ 1: 150, 2: -50 }))).toBe('3 traffic-range')
    })
    it('[traffic-unknown] names deployed models only', async () => {
      expect(await refused(move({ 9: 100 }))).toBe('3 traffic-unknown')
      expect(await refused(move({ 0: 100 }))).toBe('3 traffic-unknown')
      await deploy('2')
      const undeploy = { endpoint: e, deployedModelId: '1', trafficSplit: { 0: 100 } }
      expect(await refused(api.call('UndeployModel', undeploy))).toBe('3 traffic-unknown')
      expect(await refused(s.endpoint('early', { trafficSplit: { 1: 100 } }))).toBe('3 traffic-unknown')
    })
    it('[traffic-zero-key] puts the new id in the place of 0', async () => {
      await deploy('77', { 0: 10, 1: 90 })
      expect(await split()).toEqual({ 77: 10, 1: 90 })
    })
    it('[empty-split] leaves the split as it is', async () => {
      await deploy('2')
      expect(await split()).toEqual({ 1: 100 })
    })
    it('[traffic-private] does not split where the endpoint is peered', async () => {
      const name = endpointName(`p${serial}`)
      await s.endpoint(`p${serial}`, { network: 'projects/1/global/networks/n' })
      await s.done('DeployModel', s.deploying(name, '1', m, { 0: 100 }))
      expect(await refused(api.call('DeployModel', s.deploying(name, '2', m, { 0: 10, 1: 90 })))).toBe(
        '9 traffic-private',
      )
    })
    it('[undeploy-traffic] undeploys only what gets none, or loses it by the request', async () => {
      await deploy('2')
      expect(await refused(api.call('UndeployModel', { endpoint: e, deployedModelId: '1' }))).toBe('9 undeploy-traffic')
      const still = { endpoint: e, deployedModelId: '1', trafficSplit: { 1: 100 } }
      expect(await refused(api.call('UndeployModel', still))).toBe('9 undeploy-traffic')
      await s.done('UndeployModel', { endpoint: e, deployedModelId: '1', trafficSplit: { 2: 100 } })
      expect(await split()).toEqual({ 2: 100 })
      expect(api.servers.running.has('1')).toBe(false)
    })
    it('[undeploy-traffic] fails when traffic came back in between', async () => {
      await deploy('2')
      const { name } = await api.call('UndeployModel', { endpoint: e, deployedModelId: '2' })
      await move({ 2: 100 })
      await api.advance(LONG)
      expect((await api.call('GetOperation', { name })).error).toMatchObject({ code: 9 })
      expect(await split()).toEqual({ 2: 100 })
    })
    it('[undeploy-last] leaves no traffic behind', async () => {
      await s.done('UndeployModel', { endpoint: e, deployedModelId: '1' })
      expect(await split()).toEqual({})
    })
    it('[undeploy-twice] undeploys once at a time', async () => {
      await deploy('2')
      await api.call('UndeployModel', { endpoint: e, deployedModelId: '2' })
      expect(await refused(api.call('UndeployModel', { endpoint: e, deployedModelId: '2' }))).toBe('9 undeploy-twice')
    })
    it('[deploy-split-stale] fails when the split names what has gone', async () => {
      await deploy('2')
      await api.call('UndeployModel', { endpoint: e, deployedModelId: '2' })
      const { error } = await s.finish('DeployModel', s.deploying(e, '3', m, { 0: 10, 2: 90 }))
      expect(error).toMatchObject({ code: 9 })
      expect(await split()).toEqual({ 1: 100 })
    })
  })

  describe(`deployed models, ${how}`, () => {
    beforeEach(both)
    const deployed = async () => ((await s.get(e)).deployedModels ?? []) as JsonObject[]
    const resources = (change: JsonObject) => ({
      endpoint: e,
      deployedModel: { id: '1', model: m, dedicatedResources: { ...RESOURCES, ...change } },
    })

    it('[deployed-id] has 1 to 10 digits', async () => {
      for (const id of ['a', '12345678901', '0', '-1'])
        expect([id, await refused(api.call('DeployModel', s.deploying(e, id, m)))]).toEqual([id, '3 deployed-id'])
      await deploy('1234567890')
      expect((await deployed()).map(({ id }) => id)).toEqual(['1234567890'])
    })
    it('[deployed-id-generated] makes an id', async () => {
      await deploy('')
      expect((await deployed())[0].id).toMatch(/^\d{1,10}$/)
    })
    it('[deployed-exists] takes an id once, also while it is being deployed', async () => {
      await api.call('DeployModel', s.deploying(e, '1', m))
      expect(await refused(api.call('DeployModel', s.deploying(e, '1', m)))).toBe('6 deployed-exists')
      await api.advance(LONG)
      expect(await refused(api.call('DeployModel', s.deploying(e, '1', m)))).toBe('6 deployed-exists')
    })
    it('[deployed-unfinished] is not in its endpoint before it is ready', async () => {
      await api.call('DeployModel', s.deploying(e, '1', m, { 0: 100 }))
      const { deployedModels, trafficSplit } = await s.get(e)
      expect([deployedModels ?? [], trafficSplit ?? {}]).toEqual([[], {}])
      await api.advance(LONG)
      expect(await deployed()).toMatchObject([{ id: '1', status: { availableReplicaCount: 1 } }])
    })
    it('[deployed-version] is the version that the name meant', async () => {
      await s.version(m, { versionAliases: ['golden'] })
      for (const [id, suffix] of [
        ['1', ''],
        ['2', '@2'],
        ['3', '@golden'],
      ])
        await s.done('DeployModel', s.deploying(e, id, m + suffix))
      await api.call('MergeVersionAliases', { name: `${m}@2`, versionAliases: ['default'] })
      expect((await deployed()).map(({ modelVersionId }) => modelVersionId)).toEqual(['1', '2', '2'])
    })
    it("[deployed-display-name] is the model's", async () => {
      await deploy('1')
      expect((await deployed())[0].displayName).toBe('offer')
    })
    it('[deployed-resources] says what it runs on', async () => {
      expect(await refused(api.call('DeployModel', { endpoint: e, deployedModel: { model: m } }))).toBe(
        '3 deployed-resources',
      )
    })
    it('[automatic-resources] does not choose resources itself', async () => {
      const deployedModel = { model: m, automaticResources: { minReplicaCount: 1 } }
      expect(await refused(api.call('DeployModel', { endpoint: e, deployedModel }))).toBe('3 automatic-resources')
    })
    it('[shared-resources] shares none', async () => {
      const deployedModel = { model: m, sharedResources: `${PARENT}/deploymentResourcePools/p` }
      expect(await refused(api.call('DeployModel', { endpoint: e, deployedModel }))).toBe('12 shared-resources')
    })
    it('[machine-type] knows machines by their form', async () => {
      for (const machineType of ['large', 'n2-standard', 'e2-medium'])
        expect(await refused(api.call('DeployModel', resources({ machineSpec: { machineType } })))).toBe(
          '3 machine-type',
        )
    })
    it('[machine-type-default] takes n1-standard-2', async () => {
      await s.done('DeployModel', resources({ machineSpec: {} }))
      expect((await deployed())[0]).toMatchObject({
        dedicatedResources: { machineSpec: { machineType: 'n1-standard-2' } },
      })
    })
    it('[replica-count] has at least one replica, and no more than the most', async () => {
      const bad = [{ minReplicaCount: 0 }, { minReplicaCount: 3 }, { requiredReplicaCount: 2 }]
      for (const change of bad)
        expect([change, await refused(api.call('DeployModel', resources(change)))]).toEqual([change, '3 replica-count'])
      await s.done('DeployModel', resources({ minReplicaCount: 3, maxReplicaCount: 0 }))
      expect((await deployed())[0]).toMatchObject({ dedicatedResources: { maxReplicaCount: 3 } })
    })
    const cpu = 'aiplatform.googleapis.com/prediction/online/cpu/utilization'
    it('[autoscaling-metric] scales by metrics that there are, each once', async () => {
      for (const metrics of [['cpu'], [cpu, cpu]]) {
        const autoscalingMetricSpecs = metrics.map(metricName => ({ metricName }))
        expect(await refused(api.call('DeployModel', resources({ autoscalingMetricSpecs })))).toBe(
          '3 autoscaling-metric',
        )
      }
    })
    it('[autoscaling-target] is a percentage, 60 if it is not said', async () => {
      const autoscalingMetricSpecs = [{ metricName: cpu, target: 101 }]
      expect(await refused(api.call('DeployModel', resources({ autoscalingMetricSpecs })))).toBe('3 autoscaling-target')
      await s.done('DeployModel', resources({ autoscalingMetricSpecs: [{ metricName: cpu }] }))
      expect((await deployed())[0]).toMatchObject({
        dedicatedResources: { autoscalingMetricSpecs: [{ metricName: cpu, target: 60 }] },
      })
    })
    it('[invoke-dedicated] invokes on a dedicated endpoint only', async () => {
      const model = modelName(`i${serial}`)
      await s.upload(`i${serial}`, { containerSpec: { imageUri: IMAGE, invokeRoutePrefix: '/*' } })
      expect(await refused(api.call('DeployModel', s.deploying(e, '1', model)))).toBe('9 invoke-dedicated')
      await s.endpoint(`d${serial}`, { dedicatedEndpointEnabled: true })
      await s.done('DeployModel', s.deploying(endpointName(`d${serial}`), '1', model))
    })
    it('[deploy-stages] tells every stage', async () => {
      const { name } = await api.call('DeployModel', s.deploying(e, '1', m))
      const seen: unknown[] = []
      for (let i = 0; i < 40; i++) {
        const { metadata } = await api.call('GetOperation', { name })
        const { deploymentStage } = metadata as JsonObject
        if (seen.at(-1) !== deploymentStage) seen.push(deploymentStage)
        await api.advance(50)
      }
      expect(seen).toEqual([
        'STARTING_DEPLOYMENT',
        'PREPARING_MODEL',
        'CREATING_SERVING_CLUSTER',
        'ADDING_NODES_TO_CLUSTER',
        'GETTING_CONTAINER_IMAGE',
        'STARTING_MODEL_SERVER',
        'FINISHING_UP',
        'SUCCESSFULLY_DEPLOYED',
      ])
    })
    it('[deploy-readiness] fails where the server is never ready, and changes nothing', async () => {
      const model = modelName(`f${serial}`)
      const env = [{ name: 'FAIL', value: 'no bundle' }]
      await s.upload(`f${serial}`, { containerSpec: { ...CONTAINER, env } })
      const before = await s.get(e)
      const { error, metadata } = await s.finish('DeployModel', s.deploying(e, '1', model, { 0: 100 }))
      expect(error).toMatchObject({ code: 9, message: expect.stringMatching(/never became ready: no bundle/) })
      expect(metadata).toMatchObject({ deploymentStage: 'FAILED_TO_DEPLOY' })
      expect(await s.get(e)).toEqual(before)
    })
    it('[mutate-fields] scales, and changes nothing else', async () => {
      await deploy('1')
      const mutate = (deployedModel: JsonObject, updateMask: string) =>
        s.done('MutateDeployedModel', { endpoint: e, deployedModel: { id: '1', ...deployedModel }, updateMask })
      for (const path of ['dedicatedResources.machineSpec', 'serviceAccount', 'model', 'dedicatedResources'])
        expect([path, await refused(mutate({}, path))]).toEqual([path, '3 mutate-fields'])
      await mutate(
        { dedicatedResources: { minReplicaCount: 2, maxReplicaCount: 5 } },
        'dedicatedResources.minReplicaCount,dedicatedResources.maxReplicaCount',
      )
      expect(await deployed()).toMatchObject([
        {
          dedicatedResources: { machineSpec: { machineType: 'n2-standard-2' }, minReplicaCount: 2, maxReplicaCount: 5 },
        },
      ])
    })
  })

  describe(`models, ${how}`, () => {
    const get = (suffix = '') => api.call('GetModel', { name: m + suffix })
    const merge = (version: string, ...versionAliases: string[]) =>
      api.call('MergeVersionAliases', { name: `${m}@${version}`, versionAliases })
    const aliases = async (suffix: string) => (await get(suffix)).versionAliases ?? []
    const refuse = (fields: JsonObject) =>
      refused(api.call('UploadModel', { parent: PARENT, modelId: `m${serial}`, model: { ...MODEL, ...fields } }))
    const container = (fields: JsonObject) => refuse({ containerSpec: { ...CONTAINER, ...fields } })

    it('[model-id] checks a chosen id', async () => {
      for (const id of ['1a', '-a', 'A', `a${'b'.repeat(63)}`])
        expect([id, await refused(s.upload(id))]).toEqual([id, '3 model-id'])
      expect((await s.upload(`_a-${serial}`)).modelVersionId).toBe('1')
    })
    it('[model-id-generated] makes an id', async () => {
      const { model } = await s.done('UploadModel', { parent: PARENT, model: MODEL })
      expect(model).toMatch(/\/models\/\d+$/)
    })
    it('[model-exists] takes an id once, also while it is being uploaded', async () => {
      await api.call('UploadModel', { parent: PARENT, modelId: `m${serial}`, model: MODEL })
      expect(await refuse({})).toBe('6 model-exists')
      await api.advance(LONG)
      expect(await refuse({})).toBe('6 model-exists')
    })
    it('[model-destination] makes a model or a version', async () => {
      await upload()
      const request = { parent: PARENT, modelId: 'other', parentModel: m, model: MODEL }
      expect(await refused(api.call('UploadModel', request))).toBe('3 model-destination')
    })
    it('[container-image] comes from a registry of Google', async () => {
      expect(await container({ imageUri: 'docker.io/library/nginx' })).toBe('3 container-image')
      expect(await container({ imageUri: 'eu.gcr.io/demo/server' })).toBe('accepted')
    })
    it('[artifact-uri] is in Cloud Storage', async () => {
      expect(await refuse({ artifactUri: '/tmp/bundle' })).toBe('3 artifact-uri')
      expect(await refuse({ artifactUri: 's3://bucket/bundle' })).toBe('3 artifact-uri')
    })
    it('[container-port] is a port', async () => {
      expect(await container({ ports: [{ containerPort: 70_000 }] })).toBe('3 container-port')
    })
    it('[container-route] begins with a slash', async () => {
      expect(await container({ predictRoute: 'predict' })).toBe('3 container-route')
    })
    it('[container-route-default] names the endpoint and the deployed model', async () => {
      await create()
      await upload({ containerSpec: { imageUri: IMAGE } })
      await deploy('4')
      const route = `/v1/endpoints/e${serial}/deployedModels/4:predict`
      expect(api.servers.running.get('4')).toMatchObject({ predictRoute: route, healthRoute: route, port: 8080 })
    })
    it('[invoke-route] is everything or nothing', async () => {
      expect(await container({ invokeRoutePrefix: '/*' })).toBe('3 invoke-route')
      expect(await container({ predictRoute: '', invokeRoutePrefix: '/x' })).toBe('3 invoke-route')
    })
    it('[deployment-timeout] is at most two hours', async () => {
      expect(await container({ deploymentTimeout: '7201s' })).toBe('3 deployment-timeout')
      expect(await container({ deploymentTimeout: '7200s' })).toBe('accepted')
    })
    it('[container-input-only] does not come back', async () => {
      await upload()
      expect(Object.keys(await get())).not.toContain('containerSpec')
      expect((await get()).artifactUri).toBe(MODEL.artifactUri)
    })
    it('[model-resources] can be deployed to dedicated resources', async () => {
      await upload()
      expect((await get()).supportedDeploymentResourcesTypes).toEqual(['DEDICATED_RESOURCES', 'SHARED_RESOURCES'])
    })
    it('[model-deployed-models] lists where each version is', async () => {
      await both()
      await s.version(m)
      await s.done('DeployModel', s.deploying(e, '5', `${m}@2`))
      expect((await get('@1')).deployedModels ?? []).toEqual([])
      expect(await get('@2')).toMatchObject({ deployedModels: [{ deployedModelId: '5' }] })
    })
    it('[version-increment] counts versions up, and gives no number twice', async () => {
      await upload()
      await s.version(m)
      await s.done('DeleteModelVersion', { name: `${m}@2` })
      expect((await s.version(m)).modelVersionId).toBe('3')
    })
    it('[version-default] keeps exactly one default', async () => {
      await upload()
      await s.version(m)
      expect([await aliases(''), await aliases('@2'), (await get()).versionId]).toEqual([['default'], [], '1'])
      await merge('2', 'default')
      expect([await aliases('@1'), await aliases('@2'), (await get()).versionId]).toEqual([[], ['default'], '2'])
      await s.version(m, { versionAliases: ['default'] })
      expect([await aliases('@2'), (await get()).versionId]).toEqual([[], '3'])
    })
    it('[version-default-removed] does not lose the default', async () => {
      await upload()
      expect(await refused(merge('1', '-default'))).toBe('3 version-default-removed')
    })
    it('[version-name] names the version that was asked for by its number', async () => {
      await upload()
      await s.version(m, { versionAliases: ['golden'] })
      const update = (name: string) =>
        api.call('UpdateModel', { model: { name, versionDescription: 'v' }, updateMask: 'versionDescription' })
      expect(ids((await api.call('ListModelVersions', { name: m })).models)).toEqual([`m${serial}@1`, `m${serial}@2`])
      const named = [get('@1'), get('@default'), get('@2'), get('@golden'), update(`${m}@golden`), merge('2', 'best')]
      expect(ids(await Promise.all(named))).toEqual([1, 1, 2, 2, 2, 2].map(version => `m${serial}@${version}`))
      // As ModelRegistry.update_version of the Python SDK does: what was read is sent back.
      expect(await update(String((await get('@golden')).name))).toMatchObject({
        versionId: '2',
        versionDescription: 'v',
      })
    })
    it('[version-name-absent] names the model where no version was asked for', async () => {
      const { model } = await upload()
      const { models } = await api.call('ListModels', { parent: PARENT, filter: `model=m${serial}` })
      expect(ids([{ name: model }, ...(models as JsonObject[]), await get()])).toEqual(Array(3).fill(`m${serial}`))
    })
    it("[version-display-name] is the model's", async () => {
      await upload()
      await s.version(m, { displayName: 'other', versionDescription: 'second' })
      expect(await get('@2')).toMatchObject({ displayName: 'offer', versionDescription: 'second' })
    })
    it('[alias-form] looks like no version', async () => {
      for (const alias of ['1', 'a', 'Golden', 'golden-', `a${'b'.repeat(128)}`])
        expect([alias, await refuse({ versionAliases: [alias] })]).toEqual([alias, '3 alias-form'])
      await upload()
      expect(await refused(merge('1', 'Golden'))).toBe('3 alias-form')
    })
    it('[alias-moves] belongs to one version', async () => {
      await upload({ versionAliases: ['golden'] })
      await s.version(m)
      await merge('2', 'golden')
      expect([await aliases('@1'), await aliases('@golden')]).toEqual([['default'], ['golden']])
      await merge('2', '-golden')
      expect(await aliases('@2')).toEqual([])
    })
    it('[alias-cancel] is neither given nor taken', async () => {
      await upload({ versionAliases: ['golden'] })
      await merge('1', '-golden', 'golden', 'best', '-best')
      expect(await aliases('')).toEqual(['golden', 'default'])
    })
    it('[alias-order] come in the order in which they were given', async () => {
      await upload({ versionAliases: ['testing', 'golden'] })
      expect(await aliases('')).toEqual(['testing', 'golden', 'default'])
      await s.version(m, { versionAliases: ['old', 'default', 'best'] })
      expect(await aliases('')).toEqual(['old', 'default', 'best'])
      await merge('2', 'zebra', '-old', 'apple')
      expect(await aliases('')).toEqual(['default', 'best', 'zebra', 'apple'])
    })
    it('[alias-by-alias] are given and taken at a version by its alias', async () => {
      await upload({ versionAliases: ['testing'] })
      await s.version(m)
      await merge('default', 'fresh')
      expect(await aliases('@1')).toEqual(['testing', 'default', 'fresh'])
      await merge('fresh', '-testing')
      expect(await aliases('@1')).toEqual(['default', 'fresh'])
      expect(await refused(merge('testing', 'best'))).toBe('5 not-found')
    })
    it('[version-explicit] names a version', async () => {
      await upload()
      const nameless = { name: m, versionAliases: ['best'] }
      expect(await refused(api.call('MergeVersionAliases', nameless))).toBe('3 version-explicit')
      for (const name of [m, `${m}@default`])
        expect(await refused(api.call('DeleteModelVersion', { name }))).toBe('3 version-explicit')
    })
    const label = (name: string, labels: JsonObject) =>
      api.call('UpdateModel', { model: { name, labels }, updateMask: 'labels' })
    it('[labels-merged] shows labels of the model with those of its default version', async () => {
      await upload({ labels: { digest: 'one' } })
      await s.version(m, { labels: { digest: 'two' } })
      await label(m, { team: 'shop', digest: 'model' })
      await label(`${m}@1`, { digest: 'three' })
      for (const suffix of ['', '@1']) expect((await get(suffix)).labels).toEqual({ team: 'shop', digest: 'three' })
      expect((await get('@2')).labels).toEqual({ digest: 'two' })
      const { models } = await api.call('ListModels', { parent: PARENT, filter: 'labels.digest=three' })
      expect(ids(models)).toEqual([`m${serial}`])
      await merge('2', 'default')
      expect((await get()).labels).toEqual({ team: 'shop', digest: 'two' })
      expect((await get('@1')).labels).toEqual({ digest: 'three' })
    })
    it('[labels-of-model] changes those of the default version, and of no other', async () => {
      await upload({ labels: { digest: 'one', old: 'x' } })
      await s.version(m, { labels: { digest: 'two' } })
      await label(m, { digest: 'model' })
      expect((await get()).labels).toEqual({ digest: 'model' })
      expect((await get('@1')).labels).toEqual({ digest: 'model' })
      expect((await get('@2')).labels).toEqual({ digest: 'two' })
    })
    it('[update-model-fields] updates the model or the version, each by its name', async () => {
      await upload()
      const update = (name: string, updateMask: string) =>
        api.call('UpdateModel', {
          model: { name, displayName: 'new', description: 'd', versionDescription: 'v' },
          updateMask,
        })
      for (const [name, mask] of [
        [m, 'versionDescription'],
        [`${m}@1`, 'description'],
        [m, 'description,versionDescription'],
      ])
        expect([mask, await refused(update(name, mask))]).toEqual([mask, '9 update-model-fields'])
      expect(await update(`${m}@-`, 'displayName,description')).toMatchObject({ displayName: 'new', description: 'd' })
      expect(await update(`${m}@1`, 'versionDescription')).toMatchObject({ versionDescription: 'v' })
    })
    it('[model-delete-deployed] is not deleted while it is deployed', async () => {
      await both()
      await api.call('DeployModel', s.deploying(e, '1', m))
      expect(await refused(api.call('DeleteModel', { name: m }))).toBe('9 model-delete-deployed')
      await api.advance(LONG)
      expect(await refused(api.call('DeleteModel', { name: m }))).toBe('9 model-delete-deployed')
      await s.version(m)
      expect(await refused(api.call('DeleteModelVersion', { name: `${m}@1` }))).toBe('9 model-delete-deployed')
      await s.done('DeleteModelVersion', { name: `${m}@2` })
      await s.done('UndeployModel', { endpoint: e, deployedModelId: '1' })
      await s.done('DeleteModel', { name: m })
      expect(await refused(get())).toBe('5 not-found')
    })
    it('[version-delete-only] keeps one version', async () => {
      await upload()
      expect(await refused(api.call('DeleteModelVersion', { name: `${m}@1` }))).toBe('9 version-delete-only')
    })
    it('[version-delete-default] keeps the default', async () => {
      await upload()
      await s.version(m)
      expect(await refused(api.call('DeleteModelVersion', { name: `${m}@1` }))).toBe('9 version-delete-default')
    })
    it('[model-delete-busy] starts nothing on what is being deleted', async () => {
      await both()
      await api.call('DeleteModel', { name: m })
      expect(await refused(api.call('DeployModel', s.deploying(e, '1', m)))).toBe('9 model-delete-busy')
      expect(await refused(s.version(m))).toBe('9 model-delete-busy')
      expect(await refused(api.call('DeleteModel', { name: m }))).toBe('9 model-delete-busy')
    })
    it('[copy-project] stays in the project', async () => {
      await upload()
      const parent = 'projects/other/locations/europe-west1'
      expect(await refused(api.call('CopyModel', { parent, sourceModel: m }))).toBe('3 copy-project')
    })
    it('[copy-original] names its original, in another location', async () => {
      await upload({ labels: { a: 'b' } })
      const parent = 'projects/demo/locations/us-central1'
      const { model } = await s.done('CopyModel', { parent, sourceModel: m, modelId: `copy${serial}` })
      const copy = await api.call('GetModel', { name: model })
      expect(copy).toMatchObject({ labels: { a: 'b' }, versionAliases: ['default'], artifactUri: MODEL.artifactUri })
      expect((copy.originalModelInfo as JsonObject).model).toBe(`${(await get()).name}@1`)
    })
  })

  describe(`operations, ${how}`, () => {
    it('[operation-name] is named after its resource', async () => {
      const { name } = await api.call('CreateEndpoint', {
        parent: PARENT,
        endpointId: `e${serial}`,
        endpoint: { displayName: 'x' },
      })
      expect(name).toMatch(
        new RegExp(`^projects/${NUMBER}/locations/europe-west1/endpoints/e${serial}/operations/[0-9]+$`),
      )
    })
    it('[operation-metadata] has the type of its method, and times', async () => {
      const operation = await s.finish('UploadModel', { parent: PARENT, modelId: `m${serial}`, model: MODEL })
      const { createTime, updateTime } = (operation.metadata as JsonObject).genericMetadata as JsonObject
      expect((operation.metadata as JsonObject)['@type']).toBe(
        'type.googleapis.com/google.cloud.aiplatform.v1.UploadModelOperationMetadata',
      )
      expect(Date.parse(String(updateTime)) - Date.parse(String(createTime))).toBe(300)
      expect((operation.response as JsonObject)['@type']).toBe(
        'type.googleapis.com/google.cloud.aiplatform.v1.UploadModelResponse',
      )
    })
    it('[operation-error] carries the reason', async () => {
      await both()
      api.faults.add({ on: 'DeployModel', fault: 'readiness' })
      const { done, error, response } = await s.finish('DeployModel', s.deploying(e, '1', m))
      expect([done, response]).toEqual([true, undefined])
      expect(error).toMatchObject({ code: 9, details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo' }] })
    })
    it('[operation-list] lists those of a resource that are not done', async () => {
      await both()
      const { name } = await api.call('DeployModel', s.deploying(e, '1', m))
      const list = async (name: string, filter = '') =>
        ((await api.call('ListOperations', { name, filter })).operations ?? []) as JsonObject[]
      expect((await list(e, 'done=false')).map(operation => operation.name)).toEqual([name])
      expect((await list(PARENT, 'done=false')).map(operation => operation.name)).toEqual([name])
      expect(await list(m, 'done=false')).toEqual([])
      expect(await list(m, 'done=true')).toHaveLength(1)
      await api.advance(LONG)
      expect(await list(e, 'done=false')).toEqual([])
      expect((await list(e)).map(operation => operation.done)).toEqual([true, true])
    })
    it('[operation-cancel] stops a deploy that then has changed nothing', async () => {
      await both()
      const { name } = await api.call('DeployModel', s.deploying(e, '6', m, { 0: 100 }))
      await api.advance(300)
      await api.call('CancelOperation', { name })
      await api.advance(LONG)
      const operation = await api.call('GetOperation', { name })
      expect(operation).toMatchObject({ done: true, error: { code: 1 } })
      expect((await s.get(e)).deployedModels ?? []).toEqual([])
      expect(api.servers.running.has('6')).toBe(false)
    })
    it('[operation-delete] forgets what is done', async () => {
      const { name } = await s.finish('UploadModel', { parent: PARENT, modelId: `m${serial}`, model: MODEL })
      await api.call('DeleteOperation', { name })
      expect(await refused(api.call('GetOperation', { name }))).toBe('5 not-found')
    })
    it('[operation-delete-running] does not forget what runs', async () => {
      const { name } = await api.call('UploadModel', { parent: PARENT, modelId: `m${serial}`, model: MODEL })
      expect(await refused(api.call('DeleteOperation', { name }))).toBe('9 operation-delete-running')
    })
  })

  describe(`quotas, ${how}`, () => {
    it('[quota-crud] counts requests by the minute', async () => {
      const small = await open({ quotas: { crudPerMinute: 3 } })
      const list = () => small.call('ListEndpoints', { parent: PARENT })
      for (let i = 0; i < 3; i++) await list()
      expect(await refused(list())).toBe('8 quota-crud')
      await small.call('ListEndpoints', { parent: 'projects/other/locations/europe-west1' })
      await small.advance(LONG)
      await list()
      await small.close()
    })
    it('[quota-operations] counts operations by the minute', async () => {
      const small = await open({ quotas: { operationsPerMinute: 1 } })
      const t = steps(small)
      const upload = (modelId: string) => small.call('UploadModel', { parent: PARENT, modelId, model: MODEL })
      await upload('a')
      expect(await refused(upload('b'))).toBe('8 quota-operations')
      await small.call('ListEndpoints', { parent: PARENT })
      await small.advance(LONG)
      expect((await t.upload('b')).modelVersionId).toBe('1')
      await small.close()
    })
    it('[quota-cpus] counts the most replicas, with or without traffic', async () => {
      const small = await open({ quotas: { cpus: 9 } })
      const t = steps(small)
      await t.endpoint('e')
      await t.upload('m')
      const deploy = (id: string) => t.deploying(endpointName('e'), id, modelName('m'))
      await small.call('DeployModel', deploy('1'))
      await small.call('DeployModel', deploy('2'))
      expect(await refused(small.call('DeployModel', deploy('3')))).toBe('8 quota-cpus')
      await small.advance(LONG)
      const mutate = (maxReplicaCount: number) =>
        small.call('MutateDeployedModel', {
          endpoint: endpointName('e'),
          deployedModel: { id: '1', dedicatedResources: { maxReplicaCount } },
          updateMask: 'dedicatedResources.maxReplicaCount',
        })
      expect(await refused(mutate(3))).toBe('8 quota-cpus')
      await mutate(1)
      await small.advance(LONG)
      await mutate(2)
      await small.close()
    })
  })
}
