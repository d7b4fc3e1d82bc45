import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { JsonObject, StateStore } from '../../../src/emulator/ports.ts'
import { loadState, saver } from '../../../src/emulator/state.ts'
import { type Direct, openDirect } from './direct.ts'
import { endpointName, MODEL, modelName, PARENT, RESOURCES, refused, steps } from './suite.ts'

const E = endpointName('e')
const M = modelName('m')

async function withDeployed(...splits: readonly JsonObject[]): Promise<Direct> {
  const api = await openDirect()
  const s = steps(api)
  await s.endpoint('e')
  await s.upload('m')
  for (const [i, split] of splits.entries()) await s.done('DeployModel', s.deploying(E, String(i + 1), M, split))
  return api
}

const thrown = (call: () => unknown) => refused(Promise.resolve().then(call))

it('[unimplemented] says what the emulator has', async () => {
  const { control } = await openDirect()
  const call = control.call('google.cloud.aiplatform.v1.ModelService/ExportModel', {})
  await expect(call).rejects.toThrow(/does not have .*ExportModel.*EndpointService\/DeployModel/)
  expect(await refused(control.call('constructor', {}))).toBe('12 unimplemented')
})

it('[traffic-absent] routes by the split, in its shares, and the same for the same seed', async () => {
  const draws = async () => {
    const { control } = await withDeployed({ 0: 100 }, { 0: 30, 1: 70 }, {})
    return Array.from({ length: 10_000 }, () => control.route(E).deployedModelId)
  }
  const [first, second] = [await draws(), await draws()]
  expect(second).toEqual(first)
  const share = (id: string) => first.filter(drawn => drawn === id).length / 10_000
  // Five standard deviations of a share of 10,000.
  expect(Math.abs(share('2') - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / 10_000))
  expect([share('3'), share('1') + share('2')]).toEqual([0, 1])
})

it('[predict-answer] routes to what a client may know: names with the number, the version, the display name', async () => {
  const { control } = await withDeployed({ 0: 100 })
  expect(control.route(E)).toMatchObject({ deployedModelId: '1', modelVersionId: '1', modelDisplayName: 'offer' })
  expect(control.route(E).model).toMatch(/^projects\/\d{12}\/locations\/europe-west1\/models\/m$/)
})

it('[route-no-traffic] answers nothing without traffic', async () => {
  const { control } = await withDeployed({})
  expect(await thrown(() => control.route(E))).toBe('9 route-no-traffic')
  expect(await thrown(() => control.route(endpointName('nobody')))).toBe('5 not-found')
})

it('[operation-wait] waits until the operation is done, or until its timeout', async () => {
  const api = await openDirect()
  const { name } = await api.call('UploadModel', { parent: PARENT, modelId: 'm', model: MODEL })
  const soon = api.call('WaitOperation', { name, timeout: '0.1s' })
  const late = api.call('WaitOperation', { name, timeout: '10s' })
  await api.advance(100)
  expect((await soon).done).toBe(false)
  await api.advance(200)
  expect((await late).done).toBe(true)
  expect((await api.call('WaitOperation', { name })).done).toBe(true)
})

it('[operation-cancel] a deploy that is cancelled while its server starts leaves no server behind', async () => {
  const api = await withDeployed()
  let ready = () => {}
  api.servers.ready = new Promise<void>(resolve => {
    ready = resolve
  })
  const { name } = await api.call('DeployModel', steps(api).deploying(E, '1', M))
  await api.advance(10_000)
  await api.call('CancelOperation', { name })
  expect(await refused(api.call('DeployModel', steps(api).deploying(E, '1', M)))).toBe('6 deployed-exists')
  ready()
  await api.advance(0)
  expect(await api.call('GetOperation', { name })).toMatchObject({
    error: { code: 1 },
    metadata: { deploymentStage: 'DEPLOYMENT_TERMINATED' },
  })
  expect(api.servers.running.size).toBe(0)
  await steps(api).done('DeployModel', steps(api).deploying(E, '1', M))
})

it('[operation-resume] goes on after a restart, at any stage', async () => {
  for (let stage = 0; stage < 7; stage++) {
    const before = await withDeployed({ 0: 100 })
    const { name } = await before.call('DeployModel', steps(before).deploying(E, '2', M, { 0: 50, 1: 50 }))
    await before.advance(stage * 140 + 70)
    const after = await before.restart()
    await after.advance(60_000)
    expect(await after.call('GetOperation', { name })).toMatchObject({
      done: true,
      metadata: { deploymentStage: 'SUCCESSFULLY_DEPLOYED' },
    })
    expect(await after.call('GetEndpoint', { name: E })).toMatchObject({ trafficSplit: { 1: 50, 2: 50 } })
    expect([...after.servers.running.keys()].sort()).toEqual(['1', '2'])
    await after.close()
    expect(after.servers.running.size).toBe(0)
  }
})

it('[route-starting] starts the servers of deployed models again after a restart', async () => {
  const before = await withDeployed({ 0: 100 })
  let resolve = () => {}
  before.servers.ready = new Promise<void>(ready => {
    resolve = ready
  })
  const after = await before.restart()
  expect(await thrown(() => after.control.route(E))).toBe('14 route-starting')
  resolve()
  await after.advance(0)
  expect(after.control.route(E).deployedModelId).toBe('1')
})

it('stops a server that is ready again only after its model was undeployed, or the emulator was stopped', async () => {
  for (const end of ['undeploy', 'close']) {
    const before = await withDeployed({ 0: 100 })
    let ready = () => {}
    before.servers.ready = new Promise<void>(resolve => {
      ready = resolve
    })
    const after = await before.restart()
    if (end === 'close') await after.close()
    else await steps(after).done('UndeployModel', { endpoint: E, deployedModelId: '1' })
    ready()
    await after.advance(0)
    expect([end, after.servers.running.size]).toEqual([end, 0])
  }
})

it('keeps everything but the counts of quotas over a restart', async () => {
  const before = await withDeployed({ 0: 100 })
  const shown = async (api: Direct) => [
    await api.call('ListEndpoints', { parent: PARENT }),
    await api.call('ListModelVersions', { name: M }),
    await api.call('ListOperations', { name: PARENT }),
  ]
  const expected = await shown(before)
  expect(await shown(await before.restart())).toEqual(expected)
})

it('keeps what it promises over any sequence of requests', async () => {
  const id = fc.constantFrom('1', '2', '3')
  const split = fc.constantFrom<JsonObject>({}, { 0: 100 }, { 1: 100 }, { 0: 40, 1: 60 }, { 2: 30, 3: 70 }, { 1: 99 })
  const request = fc.oneof(
    fc.record({ do: fc.constant('deploy' as const), id, split }),
    fc.record({ do: fc.constant('undeploy' as const), id, split }),
    fc.record({ do: fc.constant('move' as const), split }),
    fc.record({ do: fc.constant('delete' as const) }),
    fc.record({ do: fc.constant('cancel' as const) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 1500 }) }),
    fc.record({ do: fc.constant('restart' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 25 }), async requests => {
      let api = await withDeployed()
      const began: string[] = []
      for (const r of requests) {
        const call = async (method: string, request: JsonObject) => {
          const { name } = await api.call(method, request)
          began.push(String(name))
        }
        if (r.do === 'wait') await api.advance(r.ms)
        else if (r.do === 'restart') api = await api.restart()
        else if (r.do === 'deploy')
          await call('DeployModel', {
            endpoint: E,
            deployedModel: { id: r.id, model: M, dedicatedResources: RESOURCES },
            trafficSplit: r.split,
          }).catch(() => {})
        else if (r.do === 'undeploy')
          await call('UndeployModel', { endpoint: E, deployedModelId: r.id, trafficSplit: r.split }).catch(() => {})
        else if (r.do === 'cancel') {
          for (const name of began.slice(-1)) await api.call('CancelOperation', { name })
        } else if (r.do === 'delete') await call('DeleteEndpoint', { name: E }).catch(() => {})
        else
          await api
            .call('UpdateEndpoint', { endpoint: { name: E, trafficSplit: r.split }, updateMask: 'trafficSplit' })
            .catch(() => {})
        await checkEndpoint(api)
      }
      await api.advance(60_000)
      for (const name of began) expect((await api.call('GetOperation', { name })).done).toBe(true)
      const endpoint = await checkEndpoint(api)
      expect([...api.servers.running.keys()].sort()).toEqual(deployedIds(endpoint).sort())
      await api.close()
    }),
    { numRuns: 60, seed: 1 },
  )
})

const deployedIds = (endpoint: JsonObject | undefined) =>
  ((endpoint?.deployedModels ?? []) as JsonObject[]).map(({ id }) => String(id))

async function checkEndpoint(api: Direct): Promise<JsonObject | undefined> {
  const { endpoints } = await api.call('ListEndpoints', { parent: PARENT })
  const [endpoint] = endpoints as JsonObject[]
  if (!endpoint) return undefined
  const split = endpoint.trafficSplit as Record<string, number>
  const ids = deployedIds(endpoint)
  expect(Object.keys(split).filter(id => !ids.includes(id))).toEqual([])
  expect([0, 100]).toContain(Object.values(split).reduce((sum, percent) => sum + percent, 0))
  return endpoint
}

it('saves one state at a time, the last one in any case, and says when it cannot', async () => {
  const saved: number[] = []
  let open = 0
  let broken = false
  const store: StateStore = {
    load: async () => undefined,
    async save(state) {
      expect(++open).toBe(1)
      await new Promise(resolve => setImmediate(resolve))
      open--
      if (broken) throw new Error('disk full')
      saved.push(Number(state.serial))
    },
  }
  const state = await loadState(store)
  const save = saver(state, store)
  const writes = [1, 2, 3].map(serial => {
    state.serial = serial
    return save()
  })
  await Promise.all(writes)
  state.serial = 4
  await save()
  expect(saved.at(-1)).toBe(4)
  expect(saved.length).toBeLessThan(4)
  broken = true
  await expect(save()).rejects.toThrow('disk full')
  broken = false
  await save()
})
