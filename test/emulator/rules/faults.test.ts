import { expect, it } from 'vitest'
import type { JsonObject } from '../../../src/emulator/ports.ts'
import { type Direct, openDirect } from './direct.ts'
import { endpointName, modelName, PARENT, steps } from './suite.ts'

const E = endpointName('e')
const M = modelName('m')

async function prepared(): Promise<{ readonly api: Direct; readonly s: ReturnType<typeof steps> }> {
  const api = await openDirect()
  const s = steps(api)
  await s.endpoint('e')
  await s.upload('m')
  return { api, s }
}

it('refuses what is no fault, and says why', async () => {
  const { faults } = await openDirect()
  const wrong: readonly [unknown, RegExp][] = [
    ['readiness', /JSON object/],
    [{ on: 'DeployModel' }, /"fault" is one of readiness, stockout/],
    [{ on: 'DeployModel', fault: 'toString' }, /"fault" is one of/],
    [{ on: 'Deploy', fault: 'quota' }, /"on" of the fault quota is \* or one of .*DeployModel/],
    [{ on: 'GetEndpoint', fault: 'readiness' }, /"on" of the fault readiness is \* or one of DeployModel/],
    [{ on: '*', fault: 'quota', times: 0 }, /"times"/],
    [{ on: '*', fault: 'quota', after: 1.5 }, /"after"/],
    [{ on: '*', fault: 'quota', time: 2 }, /no "time"/],
    [{ on: '*', fault: 'quota', edit: {} }, /"edit" goes with/],
    [{ on: '*', fault: 'foreign-edit' }, /"edit" goes with/],
    [{ on: '*', fault: 'foreign-edit', edit: { etag: 'x' } }, /"edit" is an object of displayName/],
    [{ on: '*', fault: 'slow' }, /"factor" goes with/],
    [{ on: '*', fault: 'slow', factor: 0 }, /"factor" is a number above 0/],
  ]
  for (const [fault, why] of wrong) expect(() => faults.add(fault)).toThrow(why)
  expect(faults.list()).toEqual([])
})

it('happens as often as asked, after as many calls as asked, and is listed until then', async () => {
  const { api } = await prepared()
  const id = api.faults.add({ on: 'GetEndpoint', fault: 'unavailable', after: 1, times: 2 })
  const codes: unknown[] = []
  for (let i = 0; i < 5; i++)
    codes.push(
      await api.call('GetEndpoint', { name: E }).then(
        () => 0,
        error => error.code,
      ),
    )
  expect(codes).toEqual([0, 14, 14, 0, 0])
  expect(api.faults.list()).toEqual([])
  const other = api.faults.add({ on: '*', fault: 'quota' })
  expect(other).not.toBe(id)
  expect(api.faults.list()).toEqual([{ id: other, on: '*', fault: 'quota', times: 1, after: 0 }])
  api.faults.clear()
  expect(api.faults.take('storage.put')).toBeUndefined()
})

it('takes storage and predictions for points, too', async () => {
  const { faults } = await openDirect()
  faults.add({ on: 'storage.put', fault: 'unavailable' })
  expect(faults.take('storage.get')).toBeUndefined()
  expect(faults.take('storage.put')).toMatchObject({ fault: 'unavailable' })
  faults.add({ on: '*', fault: 'readiness' })
  expect(faults.take('Predict')).toBeUndefined()
})

it('unavailable and quota do nothing, also to a poll', async () => {
  const { api, s } = await prepared()
  for (const [fault, code] of [
    ['unavailable', 14],
    ['quota', 8],
  ]) {
    api.faults.add({ on: 'UpdateEndpoint', fault })
    await expect(s.update({ name: E, description: 'x' }, 'description')).rejects.toMatchObject({ code })
  }
  expect((await s.get(E)).description).toBeUndefined()
  const { name } = await api.call('DeployModel', s.deploying(E, '1', M))
  api.faults.add({ on: 'GetOperation', fault: 'unavailable' })
  await expect(api.call('GetOperation', { name })).rejects.toMatchObject({ code: 14 })
  await api.advance(60_000)
  expect((await api.call('GetOperation', { name })).response).toBeDefined()
})

it('lost-response does what was asked, and a second try finds it done', async () => {
  const { api, s } = await prepared()
  api.faults.add({ on: 'DeployModel', fault: 'lost-response' })
  await expect(api.call('DeployModel', s.deploying(E, '1', M))).rejects.toMatchObject({ code: 14 })
  await expect(api.call('DeployModel', s.deploying(E, '1', M))).rejects.toMatchObject({ code: 6 })
  const { operations } = await api.call('ListOperations', { name: E, filter: 'done=false' })
  expect(operations).toHaveLength(1)
})

it('readiness and stockout fail the deploy at its stage, and leave the endpoint as it was', async () => {
  const { api, s } = await prepared()
  const before = await s.get(E)
  for (const [fault, code, message] of [
    ['readiness', 9, /Model server never became ready/],
    ['stockout', 8, /Machine type temporarily unavailable/],
  ] as const) {
    api.faults.add({ on: 'DeployModel', fault })
    const { error } = await s.finish('DeployModel', s.deploying(E, '1', M, { 0: 100 }))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(await s.get(E)).toEqual(before)
    expect(api.servers.running.size).toBe(0)
  }
  await s.done('DeployModel', s.deploying(E, '1', M))
})

it('foreign-edit changes the endpoint just before the call, so that an etag is stale', async () => {
  const { api, s } = await prepared()
  await s.done('DeployModel', s.deploying(E, '1', M, { 0: 100 }))
  const { etag } = await s.get(E)
  api.faults.add({ on: 'UpdateEndpoint', fault: 'foreign-edit', edit: { trafficSplit: {}, labels: { by: 'hand' } } })
  await expect(s.update({ name: E, etag, description: 'x' }, 'description')).rejects.toMatchObject({ code: 10 })
  expect(await s.get(E)).toMatchObject({ trafficSplit: {}, labels: { by: 'hand' } })
})

it('foreign-edit during a poll edits the endpoint of the operation', async () => {
  const { api, s } = await prepared()
  const { name } = await api.call('DeployModel', s.deploying(E, '1', M))
  api.faults.add({ on: 'GetOperation', fault: 'foreign-edit', edit: { displayName: 'theirs' } })
  await api.call('GetOperation', { name })
  expect((await s.get(E)).displayName).toBe('theirs')
})

it('slow stretches an operation', async () => {
  const { api } = await prepared()
  api.faults.add({ on: 'CreateEndpoint', fault: 'slow', factor: 10 })
  const create: JsonObject = { parent: PARENT, endpointId: 'slow', endpoint: { displayName: 'x' } }
  const { name } = await api.call('CreateEndpoint', create)
  const done = async () => (await api.call('GetOperation', { name })).done
  await api.advance(1999)
  expect(await done()).toBe(false)
  await api.advance(1)
  expect(await done()).toBe(true)
})
