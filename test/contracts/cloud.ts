import { beforeEach, describe, expect, it } from 'vitest'
import type { Cloud, NewDeployedModel, NewEndpoint, NewModelVersion, Operation } from '../../src/deploy/cloud.ts'
import { type Clock, settle } from '../../src/deploy/patience.ts'
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

    /** The operation when it is done. */
    const done = (operation: Operation) =>
      settle(cloud, operation, { clock: subject.clock, rng: stream(1, 'contract') })
    const endpoint = async () => (await cloud.getEndpoint('dap-offer'))!
    const createEndpoint = async () => done(await cloud.createEndpoint('dap-offer', ENDPOINT))
    const upload = async (digest = 'one') =>
      done(await cloud.uploadModel('dap-offer', { ...VERSION, labels: { ...VERSION.labels, 'dap-digest': digest } }))
    const deploy = async (id: string, version?: string) =>
      done(await cloud.deployModel('dap-offer', deployed(id, version)))

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
      it('are created by an operation, as they were asked for', async () => {
        expect(await cloud.getEndpoint('dap-offer')).toBeUndefined()
        expect(await createEndpoint()).toMatchObject({ done: true })
        expect(await endpoint()).toMatchObject({ ...ENDPOINT, id: 'dap-offer', traffic: {}, deployedModels: [] })
      })

      it('are not created twice, neither after the operation nor while it runs', async () => {
        const running = await cloud.createEndpoint('dap-offer', ENDPOINT)
        await expect(cloud.createEndpoint('dap-offer', ENDPOINT)).rejects.toMatchObject({ status: 'ALREADY_EXISTS' })
        await done(running)
        await expect(cloud.createEndpoint('dap-offer', ENDPOINT)).rejects.toMatchObject({ status: 'ALREADY_EXISTS' })
      })

      it('are listed, all of them', async () => {
        expect(await cloud.listEndpoints()).toEqual([])
        await createEndpoint()
        await done(await cloud.createEndpoint('of-others', { ...ENDPOINT, labels: {} }))
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
        await expect(cloud.deleteEndpoint('dap-offer')).rejects.toMatchObject({ status: 'FAILED_PRECONDITION' })
        await done(await cloud.undeployModel('dap-offer', '1000000002'))
        await done(await cloud.undeployModel('dap-offer', '1000000001'))
        await done(await cloud.deleteEndpoint('dap-offer'))
        expect(await cloud.getEndpoint('dap-offer')).toBeUndefined()
      })
    })

    describe('deployed models', () => {
      it('begin without traffic, and are not there before they are ready', async () => {
        await createEndpoint()
        await upload()
        const running = await cloud.deployModel('dap-offer', deployed('1000000001'))
        if (!running.done) expect((await endpoint()).deployedModels).toEqual([])
        expect((await done(running)).error).toBeUndefined()
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
        await expect(cloud.deployModel('dap-offer', deployed('1000000002'))).rejects.toMatchObject({
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
        await expect(cloud.undeployModel('dap-offer', '1000000001')).rejects.toMatchObject({
          status: 'FAILED_PRECONDITION',
        })
        await done(await cloud.undeployModel('dap-offer', '1000000002'))
        await done(await cloud.undeployModel('dap-offer', '1000000001'))
        expect(await endpoint()).toMatchObject({ traffic: {}, deployedModels: [] })
      })

      it('change their scale in place', async () => {
        await two()
        const scale = { minReplicas: 2, maxReplicas: 5, targetCpu: 70 }
        await done(await cloud.mutateDeployedModel('dap-offer', '1000000001', scale))
        const model = (await endpoint()).deployedModels.find(({ id }) => id === '1000000001')
        expect(model).toMatchObject({ ...deployed('1000000001'), scale })
      })
    })

    describe('models', () => {
      it('have versions, oldest first, each with labels of its own; the first is the default', async () => {
        expect(await cloud.listVersions('dap-offer')).toEqual([])
        expect((await upload('one')).version).toBe('1')
        expect((await upload('two')).version).toBe('2')
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
        await expect(cloud.deleteVersion('dap-offer', '1')).rejects.toMatchObject({ status: 'FAILED_PRECONDITION' })
        await upload('two')
        await done(await cloud.deleteVersion('dap-offer', '2'))
        expect((await cloud.listVersions('dap-offer')).map(({ version }) => version)).toEqual(['1'])
      })

      it('are deleted whole once nothing of them is deployed', async () => {
        await two()
        await expect(cloud.deleteModel('dap-offer')).rejects.toMatchObject({ status: 'FAILED_PRECONDITION' })
        await done(await cloud.undeployModel('dap-offer', '1000000002'))
        await done(await cloud.undeployModel('dap-offer', '1000000001'))
        await done(await cloud.deleteModel('dap-offer'))
        expect(await cloud.listVersions('dap-offer')).toEqual([])
      })
    })

    describe('operations', () => {
      it('that run are found by their endpoint or model, and no longer when they are done', async () => {
        await createEndpoint()
        await upload()
        const running = await cloud.deployModel('dap-offer', deployed('1000000001'))
        const names = async (resource: Parameters<Cloud['runningOperations']>[0]) =>
          (await cloud.runningOperations(resource)).map(({ name }) => name)
        if (!running.done) expect(await names({ endpoint: 'dap-offer' })).toEqual([running.name])
        const another = await cloud.uploadModel('dap-offer', VERSION)
        if (!another.done) expect(await names({ model: 'dap-offer' })).toEqual([another.name])
        await done(running)
        await done(another)
        expect(await names({ endpoint: 'dap-offer' })).toEqual([])
        expect(await names({ model: 'dap-offer' })).toEqual([])
      })

      it('that create something are found by its id, before it is there', async () => {
        const endpoint = await cloud.createEndpoint('dap-offer', ENDPOINT)
        const running = await cloud.runningOperations({ endpoint: 'dap-offer' })
        if (!endpoint.done) expect(running.map(({ name }) => name)).toEqual([endpoint.name])
        const model = await cloud.uploadModel('dap-offer', VERSION)
        const uploads = await cloud.runningOperations({ model: 'dap-offer' })
        if (!model.done) expect(uploads.map(({ name }) => name)).toEqual([model.name])
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
