import { beforeEach, describe, expect, it } from 'vitest'
import type { Cloud, NewDeployedModel, NewEndpoint, NewModelVersion, Waiting } from '../../src/deploy/cloud.ts'
import { type Clock, createWaiting } from '../../src/deploy/patience.ts'
import { stream } from '../../src/math/rng.ts'

export interface CloudSubject {
  readonly cloud: Cloud
  readonly clock: Clock
  close?(): Promise<void>
}

const ENDPOINT: NewEndpoint = {
  displayName: 'offer',
  description: 'of a test',
  labels: { 'dap-project': 'shop', team: 'x' },
  dedicated: false,
  requestLog: null,
}

const VERSION: NewModelVersion = {
  displayName: 'offer',
  description: 'of a test',
  labels: { 'dap-project': 'shop', 'dap-digest': 'one' },
  image: `us-central1-docker.pkg.dev/shop/dap/server@sha256:${'0'.repeat(64)}`,
  artifact: 'gs://dap-local/dap/bundles/offer-0123456789ab',
  predictRoute: '/predict',
  healthRoute: '/readyz',
  port: 8080,
  args: ['--log', 'stdout'],
}

const deployed = (id: string, version = '1'): NewDeployedModel => ({
  id,
  displayName: `offer-${id}`,
  model: 'dap-offer',
  version,
  machineType: 'n2-standard-2',
  serviceAccount: null,
  scale: { minReplicas: 1, maxReplicas: 2, targetCpu: 60 },
})

/** What deploying relies on. Each test has a cloud of its own, with nothing in it. */
export function cloudContract(name: string, create: () => CloudSubject | Promise<CloudSubject>): void {
  describe(`${name} is a cloud`, () => {
    let cloud: Cloud
    let subject: CloudSubject

    beforeEach(async () => {
      subject = await create()
      cloud = subject.cloud
      return () => subject.close?.()
    })

    const waiting = (onBegun?: (name: string) => void): Waiting =>
      createWaiting({ clock: subject.clock, rng: stream(1, 'contract') }, { onBegun })
    const endpoint = async () => (await cloud.getEndpoint('dap-offer'))!
    const createEndpoint = (id = 'dap-offer') => cloud.createEndpoint(id, ENDPOINT, waiting())
    const upload = (digest = 'one') =>
      cloud.uploadModel('dap-offer', { ...VERSION, labels: { ...VERSION.labels, 'dap-digest': digest } }, waiting())
    const deploy = (id: string, version?: string) => cloud.deployModel('dap-offer', deployed(id, version), waiting())
    const undeploy = (id: string) => cloud.undeployModel('dap-offer', id, waiting())

    /** Begins what takes its time, and is killed then. */
    async function abandoned(begin: (waiting: Waiting) => Promise<void>): Promise<string> {
      let name = ''
      const killed = new Error('killed')
      const begun = (what: string) => {
        name = what
        throw killed
      }
      await expect(begin({ ...waiting(), begun })).rejects.toBe(killed)
      return name
    }

    /** An endpoint with two models, the first of which serves. */
    async function two(): Promise<void> {
      await createEndpoint()
      await upload()
      await deploy('1000000001')
      const { etag } = await endpoint()
      await cloud.updateEndpoint('dap-offer', { etag, traffic: { '1000000001': 100 } })
      await deploy('1000000002')
    }

    describe('endpoints', () => {
      it('are created as they were asked for', async () => {
        expect(await cloud.getEndpoint('dap-offer')).toBeUndefined()
        await createEndpoint()
        expect(await endpoint()).toMatchObject({ ...ENDPOINT, id: 'dap-offer', traffic: {}, deployedModels: [] })
      })

      it('are not created twice, neither after they are there nor before', async () => {
        await abandoned(waiting => cloud.createEndpoint('dap-offer', ENDPOINT, waiting))
        await expect(createEndpoint()).rejects.toMatchObject({ status: 'ALREADY_EXISTS' })
        await cloud.settle({ endpoint: 'dap-offer', model: 'dap-offer' }, waiting())
        await expect(createEndpoint()).rejects.toMatchObject({ status: 'ALREADY_EXISTS' })
      })

      it('are listed, all of them', async () => {
        expect(await cloud.listEndpoints()).toEqual([])
        await createEndpoint()
        await cloud.createEndpoint('of-others', { ...ENDPOINT, labels: {} }, waiting())
        expect((await cloud.listEndpoints()).map(({ id }) => id).sort()).toEqual(['dap-offer', 'of-others'])
      })

      it('are written by one of two who have read the same', async () => {
        await createEndpoint()
        const { etag } = await endpoint()
        const written = await cloud.updateEndpoint('dap-offer', { etag, labels: { by: 'one' } })
        expect(written.etag).not.toBe(etag)
        expect(await endpoint()).toMatchObject({ etag: written.etag, labels: { by: 'one' } })
        await expect(cloud.updateEndpoint('dap-offer', { etag, labels: { by: 'two' } })).rejects.toMatchObject({
          status: 'ABORTED',
        })
        expect((await endpoint()).labels).toEqual({ by: 'one' })
      })

      it('keep what an update does not name', async () => {
        await createEndpoint()
        const { etag } = await endpoint()
        const after = await cloud.updateEndpoint('dap-offer', { etag, description: 'another' })
        expect(after).toMatchObject({ ...ENDPOINT, description: 'another' })
      })

      it('change and lose their request log', async () => {
        await createEndpoint()
        const requestLog = { sample: 0.5, table: 'bq://shop.log.requests' }
        const logged = await cloud.updateEndpoint('dap-offer', { etag: (await endpoint()).etag, requestLog })
        expect(logged.requestLog).toEqual(requestLog)
        const { etag } = await endpoint()
        expect((await cloud.updateEndpoint('dap-offer', { etag, requestLog: null })).requestLog).toBeNull()
      })

      it('are deleted once they are empty', async () => {
        await two()
        await expect(cloud.deleteEndpoint('dap-offer', waiting())).rejects.toMatchObject({
          status: 'FAILED_PRECONDITION',
        })
        await undeploy('1000000002')
        await undeploy('1000000001')
        await cloud.deleteEndpoint('dap-offer', waiting())
        expect(await cloud.getEndpoint('dap-offer')).toBeUndefined()
      })
    })

    describe('deployed models', () => {
      it('begin without traffic, and are not there before they are ready', async () => {
        await createEndpoint()
        await upload()
        const before: (readonly unknown[])[] = []
        const looking: Waiting = {
          ...waiting(),
          async pause() {
            before.push((await endpoint()).deployedModels)
            await subject.clock.sleep(1000)
          },
        }
        await cloud.deployModel('dap-offer', deployed('1000000001'), looking)
        for (const models of before) expect(models).toEqual([])
        const { traffic, deployedModels } = await endpoint()
        expect(Object.values(traffic).filter(percent => percent > 0)).toEqual([])
        expect(deployedModels).toMatchObject([deployed('1000000001')])
      })

      it('leave the traffic of others alone when they are deployed', async () => {
        await two()
        expect((await endpoint()).traffic['1000000001']).toBe(100)
      })

      it('are not deployed twice under one id', async () => {
        await two()
        await expect(deploy('1000000002')).rejects.toMatchObject({
          status: 'ALREADY_EXISTS',
        })
      })

      it('get traffic that sums to 100, and only if they are there', async () => {
        await two()
        const shift = async (traffic: Record<string, number>) =>
          cloud.updateEndpoint('dap-offer', { etag: (await endpoint()).etag, traffic })
        expect((await shift({ '1000000001': 90, '1000000002': 10 })).traffic).toEqual({
          '1000000001': 90,
          '1000000002': 10,
        })
        await expect(shift({ '1000000001': 90 })).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' })
        await expect(shift({ '1000000009': 100 })).rejects.toMatchObject({ name: 'CloudError' })
        expect((await endpoint()).traffic).toEqual({ '1000000001': 90, '1000000002': 10 })
      })

      it('are not undeployed while they have traffic, but for the last one', async () => {
        await two()
        await expect(undeploy('1000000001')).rejects.toMatchObject({
          status: 'FAILED_PRECONDITION',
        })
        await undeploy('1000000002')
        await undeploy('1000000001')
        expect(await endpoint()).toMatchObject({ traffic: {}, deployedModels: [] })
      })

      it('change their scale in place', async () => {
        await two()
        const scale = { minReplicas: 2, maxReplicas: 5, targetCpu: 70 }
        await cloud.mutateDeployedModel('dap-offer', '1000000001', scale, waiting())
        const model = (await endpoint()).deployedModels.find(({ id }) => id === '1000000001')
        expect(model).toMatchObject({ ...deployed('1000000001'), scale })
      })
    })

    describe('models', () => {
      it('have versions, oldest first, each with labels of its own; the first is the default', async () => {
        expect(await cloud.listVersions('dap-offer')).toEqual([])
        await upload('one')
        await upload('two')
        const versions = await cloud.listVersions('dap-offer')
        expect(versions.map(({ version, labels }) => [version, labels['dap-digest']])).toEqual([
          ['1', 'one'],
          ['2', 'two'],
        ])
        expect(versions.map(({ aliases }) => aliases.includes('default'))).toEqual([true, false])
      })

      it('are listed, in their default version', async () => {
        await upload('one')
        await upload('two')
        await cloud.setDefaultVersion('dap-offer', '2')
        await cloud.setDefaultVersion('dap-offer', '2')
        const models = await cloud.listModels()
        expect(models.map(({ model, version }) => [model, version])).toEqual([['dap-offer', '2']])
      })

      it('have labels of a version written whole, by one of two who have read the same', async () => {
        await upload('one')
        await upload('two')
        const [first, second] = await cloud.listVersions('dap-offer')
        await cloud.updateVersion('dap-offer', '2', { etag: second.etag, labels: { by: 'one' } })
        const stale = cloud.updateVersion('dap-offer', '1', { etag: first.etag, labels: { by: 'two' } })
        await expect(stale).rejects.toMatchObject({ status: 'ABORTED' })
        const labels = (await cloud.listVersions('dap-offer')).map(version => version.labels)
        expect(labels).toEqual([first.labels, { by: 'one' }])
        const [{ etag }] = await cloud.listModels()
        await cloud.updateVersion('dap-offer', '1', { etag, labels: { by: 'three' } })
        expect((await cloud.listModels()).map(version => version.labels)).toEqual([{ by: 'three' }])
      })

      it('lose a version that is not deployed, and not the last one', async () => {
        await two()
        await expect(cloud.deleteVersion('dap-offer', '1', waiting())).rejects.toMatchObject({
          status: 'FAILED_PRECONDITION',
        })
        await upload('two')
        await cloud.deleteVersion('dap-offer', '2', waiting())
        expect((await cloud.listVersions('dap-offer')).map(({ version }) => version)).toEqual(['1'])
      })

      it('are deleted whole once nothing of them is deployed', async () => {
        await two()
        await expect(cloud.deleteModel('dap-offer', waiting())).rejects.toMatchObject({ status: 'FAILED_PRECONDITION' })
        await undeploy('1000000002')
        await undeploy('1000000001')
        await cloud.deleteModel('dap-offer', waiting())
        expect(await cloud.listVersions('dap-offer')).toEqual([])
      })
    })

    describe('what a killed run has begun', () => {
      const at = { endpoint: 'dap-offer', model: 'dap-offer' }
      const found = async () => {
        const names: string[] = []
        await cloud.settle(
          at,
          waiting(name => names.push(name)),
        )
        return names
      }

      it('is waited for by whoever comes next, under the same names, and is done then', async () => {
        await createEndpoint()
        await upload()
        const begun = await abandoned(waiting => cloud.deployModel('dap-offer', deployed('1000000001'), waiting))
        const another = await abandoned(waiting => cloud.uploadModel('dap-offer', VERSION, waiting))
        expect([begun, another]).toEqual(expect.arrayContaining(await found()))
        expect((await endpoint()).deployedModels).toMatchObject([deployed('1000000001')])
        expect(await cloud.listVersions('dap-offer')).toHaveLength(2)
        expect(await found()).toEqual([])
      })

      it('is found before it is there', async () => {
        const endpoint = await abandoned(waiting => cloud.createEndpoint('dap-offer', ENDPOINT, waiting))
        const model = await abandoned(waiting => cloud.uploadModel('dap-offer', VERSION, waiting))
        expect([endpoint, model]).toEqual(expect.arrayContaining(await found()))
        expect(await cloud.getEndpoint('dap-offer')).toBeDefined()
        expect(await cloud.listVersions('dap-offer')).toHaveLength(1)
      })
    })

    describe('objects', () => {
      it('are written once, listed by prefix and deleted, the second time to no effect', async () => {
        await cloud.putObject('dap/bundles/a/bundle.json', '1')
        await cloud.putObject('dap/bundles/a/bundle.json', '1')
        await cloud.putObject('dap/bundles/b/bundle.json', '2')
        expect(await cloud.listObjects('dap/bundles/')).toEqual([
          'dap/bundles/a/bundle.json',
          'dap/bundles/b/bundle.json',
        ])
        expect(await cloud.listObjects('dap/bundles/b')).toEqual(['dap/bundles/b/bundle.json'])
        await cloud.deleteObject('dap/bundles/a/bundle.json')
        await cloud.deleteObject('dap/bundles/a/bundle.json')
        expect(await cloud.listObjects('dap/')).toEqual(['dap/bundles/b/bundle.json'])
      })

      it('are read whole, or not at all where there is none or a larger one', async () => {
        const text = `${'ä'.repeat(200_000)}\n`
        await cloud.putObject('dap/bundles/a/bundle.json', text)
        await cloud.putObject('dap/bundles/empty/bundle.json', '')
        expect(await cloud.getObject('dap/bundles/a/bundle.json', 400_001)).toBe(text)
        expect(await cloud.getObject('dap/bundles/a/bundle.json', 400_000)).toBeUndefined()
        expect(await cloud.getObject('dap/bundles/a/bundle.json', 10)).toBeUndefined()
        expect(await cloud.getObject('dap/bundles/empty/bundle.json', 10)).toBe('')
        expect(await cloud.getObject('dap/bundles/b/bundle.json', 10)).toBeUndefined()
      })
    })
  })
}
