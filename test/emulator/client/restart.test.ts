import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { virtualClock } from '../../../src/emulator/clock.ts'
import { startEmulator } from '../../../src/emulator/emulator.ts'
import { vertexClients } from '../../support/vertex-clients.ts'
import { endpointName, fakeServers, MODEL, modelName, PARENT, RESOURCES } from '../rules/suite.ts'

/** google.cloud.aiplatform.v1.DeploymentStage */
const ADDING_NODES_TO_CLUSTER = 8

it('[operation-resume] an operation goes on where the emulator stopped, for a client that only knows its name', async () => {
  const data = await mkdtemp(join(tmpdir(), 'dap-test-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  const clock = virtualClock()
  const open = async () => {
    const emulator = await startEmulator({ port: 0, seed: 7, data, clock, servers: fakeServers })
    const { endpoints, models, close } = await vertexClients(emulator.port)
    return {
      endpoints,
      models,
      async close() {
        await close()
        await emulator.stop()
      },
    }
  }

  const before = await open()
  await before.endpoints.createEndpoint({ parent: PARENT, endpointId: 'e', endpoint: { displayName: 'e' } })
  await before.models.uploadModel({ parent: PARENT, modelId: 'm', model: MODEL })
  await clock.advance(1000)
  const [{ name }] = await before.endpoints.deployModel({
    endpoint: endpointName('e'),
    deployedModel: { id: '1', model: modelName('m'), dedicatedResources: RESOURCES },
    trafficSplit: { 0: 100 },
  })
  await clock.advance(500)
  await before.close()

  const after = await open()
  const running = await after.endpoints.checkDeployModelProgress(name as string)
  expect(running.done).toBe(false)
  expect(running.metadata).toMatchObject({ deploymentStage: ADDING_NODES_TO_CLUSTER })
  await clock.advance(1000)
  expect((await after.endpoints.checkDeployModelProgress(name as string)).done).toBe(true)
  const [endpoint] = await after.endpoints.getEndpoint({ name: endpointName('e') })
  expect(endpoint.trafficSplit).toEqual({ 1: 100 })
  await after.close()
})
