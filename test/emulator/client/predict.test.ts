import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import { CODES } from '../../../src/emulator/rules.ts'
import { type VertexClients, vertexClients } from '../../support/vertex-clients.ts'
import { CONTAINER, endpointName, MODEL, modelName, PARENT, RESOURCES } from '../rules/suite.ts'

const FAST = { create: 0, update: 0, delete: 0, upload: 0, copy: 0, deployStage: 0, undeploy: 0, mutate: 0 }

/** Answers how many instances it was sent. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const { instances } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    response.end(JSON.stringify({ predictions: [instances.length] }))
  })
})
let emulator: Emulator
let clients: VertexClients

beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const start = async () => ({ url, predictRoute: CONTAINER.predictRoute, stop: async () => {} })
  emulator = await startEmulator({ port: 0, seed: 7, timing: FAST, servers: () => ({ start }) })
  clients = await vertexClients(emulator.port)
  const [upload] = await clients.models.uploadModel({ parent: PARENT, modelId: 'm', model: MODEL })
  await upload.promise()
})
afterAll(async () => {
  await clients.close()
  await emulator.stop()
  server.close()
})

async function endpointWith(endpointId: string, ...splits: readonly Record<string, number>[]): Promise<string> {
  const endpoint = endpointName(endpointId)
  const dedicatedEndpointEnabled = endpointId === 'dedicated'
  const [creation] = await clients.endpoints.createEndpoint({
    parent: PARENT,
    endpointId,
    endpoint: { displayName: endpointId, dedicatedEndpointEnabled },
  })
  await creation.promise()
  for (const [i, trafficSplit] of splits.entries()) {
    const deployedModel = { id: String(i + 1), model: modelName('m'), dedicatedResources: RESOURCES }
    const [deployment] = await clients.endpoints.deployModel({ endpoint, deployedModel, trafficSplit })
    await deployment.promise()
  }
  return endpoint
}

it('[predict-answer] says who answered', async () => {
  const endpoint = await endpointWith('answer', { 0: 100 })
  expect(await clients.predict(endpoint, [{}, {}])).toMatchObject({
    predictions: [2],
    deployedModelId: '1',
    modelVersionId: '1',
    modelDisplayName: 'offer',
    model: expect.stringMatching(/^projects\/\d{12}\/locations\/europe-west1\/models\/m$/),
  })
})

it('[traffic-absent] goes where the traffic goes', async () => {
  const endpoint = await endpointWith('split', { 0: 100 }, { 0: 50, 1: 50 }, {})
  const counts = { 1: 0, 2: 0, 3: 0 }
  for (let i = 0; i < 60; i++) counts[(await clients.predict(endpoint, [])).deployedModelId as '1']++
  expect(counts).toMatchObject({ 1: expect.any(Number), 3: 0 })
  expect(Math.min(counts[1], counts[2])).toBeGreaterThan(10)
})

it('[route-no-traffic] answers nothing without traffic', async () => {
  const endpoint = await endpointWith('none', {})
  await expect(clients.predict(endpoint, [{}])).rejects.toMatchObject({ code: CODES.FAILED_PRECONDITION })
  await expect(clients.predict(endpointName('nobody'), [{}])).rejects.toMatchObject({ code: CODES.NOT_FOUND })
})

it('[payload-limit] takes 1.5 MB, and 10 MB where it is dedicated', async () => {
  const large = [{ text: 'x'.repeat(1_500_000) }]
  const shared = await endpointWith('shared', { 0: 100 })
  await expect(clients.predict(shared, large)).rejects.toMatchObject({ code: CODES.INVALID_ARGUMENT })
  const dedicated = await endpointWith('dedicated', { 0: 100 })
  expect((await clients.predict(dedicated, large)).predictions).toEqual([1])
})
