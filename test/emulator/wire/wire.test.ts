import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startEmulator } from '../../../src/emulator/emulator.ts'
import { RpcError } from '../../../src/emulator/ports.ts'
import { vertexClients } from '../../support/vertex-clients.ts'

const PARENT = 'projects/demo/locations/europe-west1'
const FAST = { create: 5, update: 5, delete: 5, upload: 5, copy: 5, deployStage: 5, undeploy: 5, mutate: 5 }

/** As it goes over the wire. */
const json = async (answer: Response) => [answer.status, await answer.json()]

async function emulated(fallback: boolean) {
  const emulator = await startEmulator({ port: 0, seed: 1, timing: FAST, log: line => console.error(line) })
  onTestFinished(() => emulator.stop())
  const clients = await vertexClients(emulator.port, { fallback })
  onTestFinished(() => clients.close())
  return { emulator, ...clients }
}

describe.each([
  ['gRPC', false],
  ['REST', true],
])("Google's clients over %s", (_, fallback) => {
  it('make, read, list, change and delete an endpoint', async () => {
    const { endpoints } = await emulated(fallback)
    const [operation] = await endpoints.createEndpoint({
      parent: PARENT,
      endpointId: 'shop-offer',
      endpoint: { displayName: 'Shop offer', labels: { 'dap-managed': 'true' } },
    })
    const [made] = await operation.promise()
    expect(made).toMatchObject({ displayName: 'Shop offer', labels: { 'dap-managed': 'true' } })
    expect(made.name).toMatch(/^projects\/\d+\/locations\/europe-west1\/endpoints\/shop-offer$/)
    expect(Number(made.createTime?.seconds)).toBeGreaterThan(1.6e9)

    const [listed] = await endpoints.listEndpoints({ parent: PARENT, filter: 'labels.dap-managed=true', pageSize: 1 })
    expect(listed.map(({ name }) => name)).toEqual([made.name])

    const [changed] = await endpoints.updateEndpoint({
      endpoint: { name: made.name, etag: made.etag, labels: { a: 'b' }, displayName: 'ignored' },
      updateMask: { paths: ['labels'] },
    })
    expect(changed).toMatchObject({ labels: { a: 'b' }, displayName: 'Shop offer' })
    await expect(
      endpoints.updateEndpoint({
        endpoint: { name: made.name, etag: made.etag, labels: {} },
        updateMask: { paths: ['labels'] },
      }),
    ).rejects.toMatchObject({ code: 10 })
    await expect(endpoints.getEndpoint({ name: `${PARENT}/endpoints/other` })).rejects.toMatchObject({ code: 5 })

    const [deletion] = await endpoints.deleteEndpoint({ name: made.name })
    await deletion.promise()
    expect((await endpoints.listEndpoints({ parent: PARENT }))[0]).toEqual([])
  })
})

describe('the REST interface', () => {
  const ERROR = { error: { code: expect.any(Number), message: expect.any(String), status: expect.any(String) } }

  it('takes either spelling of a name, and answers in one', async () => {
    const { emulator } = await emulated(false)
    const place = `${emulator.url}/v1/${PARENT}/endpoints`
    const endpoint = { display_name: 'Shop', labels: { a_b: 'c' }, dedicatedEndpointEnabled: true }
    const begun = await fetch(`${place}?endpoint_id=shop`, { method: 'POST', body: JSON.stringify(endpoint) })
    const { name } = (await begun.json()) as { name: string }
    expect(name).toMatch(/^projects\/\d+\/locations\/europe-west1\/endpoints\/shop\/operations\/\d+$/)
    const waited = await fetch(`${emulator.url}/v1/${name}:wait`, { method: 'POST', body: '{"timeout": "5s"}' })
    expect(await waited.json()).toMatchObject({ done: true })
    for (const version of ['v1', 'ui']) {
      const operation = await fetch(`${emulator.url}/${version}/${name}`)
      expect(await operation.json()).toMatchObject({
        done: true,
        metadata: { '@type': 'type.googleapis.com/google.cloud.aiplatform.v1.CreateEndpointOperationMetadata' },
        response: {
          '@type': 'type.googleapis.com/google.cloud.aiplatform.v1.Endpoint',
          displayName: 'Shop',
          labels: { a_b: 'c' },
        },
      })
    }
    const changed = await fetch(`${place}/shop?updateMask=description`, {
      method: 'PATCH',
      body: '{"description": "d"}',
    })
    expect(await json(changed)).toMatchObject([200, { description: 'd', displayName: 'Shop' }])
    const listed = await fetch(`${place}?pageSize=5&$alt=json;enum-encoding=int&readMask=name,display_name`)
    const { endpoints } = (await listed.json()) as { endpoints: object[] }
    expect(endpoints).toEqual([{ name: name.replace(/\/operations.*/, ''), displayName: 'Shop' }])
    expect(await json(await fetch(`${emulator.url}/v1/${PARENT}/operations`))).toMatchObject([200, {}])
  })

  it('says what is wrong in the form and the words of Google', async () => {
    const { emulator } = await emulated(false)
    const place = `${emulator.url}/v1/${PARENT}/endpoints`
    const post = (body: string, query = '') => fetch(`${place}${query}`, { method: 'POST', body }).then(json)
    const says = (message: string) => [400, { error: { code: 400, message, status: 'INVALID_ARGUMENT' } }]
    const payload = (what: string) => says(`Invalid JSON payload received. ${what}`)
    expect(await post('{"displayNam": "x"}')).toEqual(
      payload(`Unknown name "displayNam" at 'endpoint': Cannot find field.`),
    )
    expect(await post('{"constructor": "x"}')).toEqual(
      payload(`Unknown name "constructor" at 'endpoint': Cannot find field.`),
    )
    expect(await post('{"displayName": 7}')).toEqual(payload("Invalid value at 'endpoint.displayName' (string), 7"))
    expect(await post('{"labels": ["x"]}')).toEqual(payload(`Invalid value at 'endpoint.labels' (Map), ["x"]`))
    expect(await post('{"createTime": "yesterday"}')).toEqual(
      payload(`Invalid value at 'endpoint.createTime' (google.protobuf.Timestamp), "yesterday"`),
    )
    expect(await post('{"displayName": "x"}', '?endpointIdd=a')).toMatchObject([400, ERROR])
    expect(await post('{')).toMatchObject([400, ERROR])
    expect(await json(await fetch(`${place}/other`))).toMatchObject([
      404,
      { error: { code: 404, status: 'NOT_FOUND' } },
    ])
    expect(await json(await fetch(`${emulator.url}/v1/${PARENT}/indexes`))).toMatchObject([501, ERROR])
    expect(await json(await fetch(`${place}/b`))).toMatchObject([404, { error: { status: 'NOT_FOUND' } }])
    const page = await fetch(place, { headers: { origin: 'https://example.com' } })
    expect(await json(page)).toMatchObject([403, { error: { status: 'PERMISSION_DENIED' } }])
    const streaming = await fetch(`${place}/shop:streamRawPredict`, { method: 'POST', body: '{}' })
    expect(await json(streaming)).toMatchObject([501, { error: { status: 'UNIMPLEMENTED' } }])
  })
})

describe('the gRPC interface', () => {
  it('carries the details of a status, and knows what it does not have', async () => {
    const { emulator, endpoints, predictions } = await emulated(false)
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'STOCKOUT', domain: 'dap', metadata: { a: 'b' } },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.500s' },
    ]
    const { call } = emulator.control
    Object.assign(emulator.control, { call: () => Promise.reject(new RpcError(8, 'no machines', details)) })
    await expect(endpoints.getEndpoint({ name: `${PARENT}/endpoints/shop` })).rejects.toMatchObject({
      code: 8,
      reason: 'STOCKOUT',
      errorInfoMetadata: { a: 'b' },
    })
    Object.assign(emulator.control, { call })
    await expect(predictions.explain({ endpoint: `${PARENT}/endpoints/shop` })).rejects.toMatchObject({ code: 12 })
  })

  it('shares its port with HTTP, also for who sends a byte at a time', async () => {
    const { emulator } = await emulated(false)
    const socket = connect(emulator.port, '127.0.0.1')
    socket.setNoDelay(true)
    for (const byte of `PUT /admin/faults HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`) {
      socket.write(byte)
      await new Promise(next => setImmediate(next))
    }
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 501 /)
  })
})
