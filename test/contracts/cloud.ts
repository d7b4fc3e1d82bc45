import { beforeEach, describe, expect, it } from 'vitest'
import type { Facts, Lock, Memory } from '../../src/deploy/memory.ts'
import type { Parts } from '../../src/deploy/parts.ts'
import { type Clock, createWaiting, type Waiting } from '../../src/deploy/patience.ts'
import type { Cloud, NewRelease, NewRoute, NewWorkload, Route } from '../../src/deploy/routes.ts'
import { type Rng, stream } from '../../src/math/rng.ts'

export interface CloudSubject {
  readonly cloud: Cloud
  readonly clock: Clock
  /** Somebody writes something of their own beside what dap remembers of a route. */
  edit(route: string, text: string): Promise<void>
  /** Somebody takes away what dap remembers of a route, or a part of that. */
  wipe(route: string, rng: Rng): Promise<void>
  close?(): Promise<void>
}

const WHOSE = { owner: 'q7m2vx4t9kd3hs8w', project: 'shop', environment: 'prod', deployment: 'offer' }

const FACTS: Facts = {
  ...{ digest: '0'.repeat(32), commit: `${'c'.repeat(40)}-dirty`, origin: '0123456789abcdef' },
  ...{ stable: '1000000001', candidate: '1000000002', candidateDigest: '1'.repeat(32), warmUntil: 1795400000 },
  ...{ previous: '1000000003', previousDigest: '2'.repeat(32), previousVersion: '3', hold: '3'.repeat(32) },
  scale: { minReplicas: 2, maxReplicas: 10, targetCpu: 60 },
  step: { index: 1, since: 1795400000, state: 'holding' },
}

const LOCK: Lock = {
  ...{ run: '0000beef', expires: 1795400900, owner: 'anna-laptop' },
  process: { host: '3fa9c1d2e4b50617', pid: 4711, started: '5e0b77f1-1234567' },
}

const MEMORY: Memory = { ...WHOSE, ...FACTS, traffic: { '1000000001': 90, '1000000002': 10 }, lock: LOCK }

const ROUTE: NewRoute = {
  ...{ displayName: 'offer', description: 'of a test', dedicated: false, requestLog: null },
  memory: WHOSE,
}

const parts = (digest: string): Parts => ({
  ...{ digest: digest.repeat(32), bundle: 'b'.repeat(32), policy: 'c'.repeat(32) },
  ...{ image: 'd'.repeat(32), snapshot: null },
})

const RELEASE: Omit<NewRelease, 'parts'> = {
  ...{ displayName: 'offer', description: 'of a test', whose: WHOSE, commit: 'c'.repeat(40) },
  image: `us-central1-docker.pkg.dev/shop/dap/server@sha256:${'0'.repeat(64)}`,
  artifact: 'gs://dap-local/dap/bundles/offer-0123456789ab',
  ...{ predictRoute: '/predict', healthRoute: '/readyz', port: 8080, args: ['--log', 'stdout'] },
}

const workload = (id: string): NewWorkload => ({
  ...{ id, displayName: `offer-${id}`, shelf: 'dap-offer', release: '1' },
  ...{ machineType: 'n2-standard-2', serviceAccount: null },
  scale: { minReplicas: 1, maxReplicas: 2, targetCpu: 60 },
})

/** What deploying relies on, wherever that is to. Each test has a place of its own, with nothing in it. */
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
    const route = async () => (await cloud.getRoute('dap-offer'))!
    const createRoute = () => cloud.createRoute('dap-offer', ROUTE, waiting())
    const add = (digest = 'a') => cloud.addRelease('dap-offer', { ...RELEASE, parts: parts(digest) }, waiting())
    const start = (id: string) => cloud.startWorkload('dap-offer', workload(id), waiting())
    const stop = (id: string) => cloud.stopWorkload('dap-offer', id, waiting())

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

    /** A route with two workloads, the first of which serves. */
    async function two(): Promise<void> {
      await createRoute()
      await add()
      await start('1000000001')
      await cloud.updateRoute(await route(), { traffic: { '1000000001': 100 } })
      await start('1000000002')
    }

    describe('routes', () => {
      it('are created as they were asked for', async () => {
        expect(await cloud.getRoute('dap-offer')).toBeUndefined()
        await createRoute()
        expect(await route()).toMatchObject({ ...ROUTE, id: 'dap-offer', intact: true, traffic: {}, workloads: [] })
      })

      it('are not created twice, neither after they are there nor before', async () => {
        await abandoned(waiting => cloud.createRoute('dap-offer', ROUTE, waiting))
        await expect(createRoute()).rejects.toMatchObject({ status: 'ALREADY_EXISTS' })
        await cloud.settle({ route: 'dap-offer', shelf: 'dap-offer' }, waiting())
        await expect(createRoute()).rejects.toMatchObject({ status: 'ALREADY_EXISTS' })
      })

      it('are listed, all of them', async () => {
        expect(await cloud.listRoutes()).toEqual([])
        await createRoute()
        await cloud.createRoute('of-others', ROUTE, waiting())
        expect((await cloud.listRoutes()).map(({ id }) => id).sort()).toEqual(['dap-offer', 'of-others'])
        expect((await cloud.listRoutes()).find(({ id }) => id === 'dap-offer')).toEqual(await route())
      })

      it('are written by one of two who have read the same', async () => {
        await createRoute()
        const read = await route()
        const written = await cloud.updateRoute(read, { description: 'by one' })
        expect(written.version).not.toBe(read.version)
        expect(await route()).toEqual(written)
        await expect(cloud.updateRoute(read, { description: 'by two' })).rejects.toMatchObject({ status: 'ABORTED' })
        expect((await route()).description).toBe('by one')
      })

      it('keep what an update does not name', async () => {
        await createRoute()
        const after = await cloud.updateRoute(await route(), { description: 'another' })
        expect(after).toMatchObject({ ...ROUTE, description: 'another' })
      })

      it('change and lose their request log', async () => {
        await createRoute()
        const requestLog = { sample: 0.5, table: 'bq://shop.log.requests' }
        const logged = await cloud.updateRoute(await route(), { requestLog })
        expect(logged.requestLog).toEqual(requestLog)
        expect((await cloud.updateRoute(logged, { requestLog: null })).requestLog).toBeNull()
      })

      it('are deleted once they are empty', async () => {
        await two()
        const gone = () => cloud.deleteRoute('dap-offer', waiting())
        await expect(gone()).rejects.toMatchObject({ status: 'FAILED_PRECONDITION' })
        await stop('1000000002')
        await stop('1000000001')
        await gone()
        expect(await cloud.getRoute('dap-offer')).toBeUndefined()
      })
    })

    describe('what is remembered of a route', () => {
      const remembered = async (memory: Memory) => cloud.updateRoute(await route(), { memory })

      it('is read as it was written, whole', async () => {
        await createRoute()
        expect(await remembered(MEMORY)).toMatchObject({ memory: MEMORY, intact: true })
        expect(await remembered(WHOSE)).toMatchObject({ memory: WHOSE, intact: true })
        expect((await route()).memory).toEqual(WHOSE)
      })

      it('stays as it is beside what somebody else writes, and that beside it', async () => {
        await createRoute()
        await remembered(MEMORY)
        await subject.edit('dap-offer', 'y')
        const edited = await route()
        expect(edited).toMatchObject({ memory: MEMORY, intact: true })
        const others = ({ raw }: Route) => Object.values(raw).includes('y')
        const { stable: _, ...less } = MEMORY
        expect(others(await remembered(less))).toBe(others(edited))
      })

      it('may be taken away by anybody, which is known, and is put back by a write', async () => {
        for (let seed = 0; seed < 8; seed++) {
          const id = `route-${seed}`
          await cloud.createRoute(id, { ...ROUTE, memory: MEMORY }, waiting())
          await subject.wipe(id, stream(seed, 'wipe'))
          const wiped = (await cloud.getRoute(id))!
          if (!wiped.intact) expect(wiped.memory).not.toEqual(MEMORY)
          expect(await cloud.updateRoute(wiped, { memory: MEMORY })).toMatchObject({ memory: MEMORY, intact: true })
        }
      })

      it('loses its lock without a word about the rest', async () => {
        const { lock: _, ...unlocked } = MEMORY
        await createRoute()
        const free = await cloud.updateRoute(await remembered(MEMORY), { unlock: true })
        expect(free).toMatchObject({ memory: unlocked, intact: true })
        await cloud.createRoute('wiped', { ...ROUTE, memory: MEMORY }, waiting())
        await subject.wipe('wiped', stream(1, 'wipe'))
        const wiped = (await cloud.getRoute('wiped'))!
        const after = await cloud.updateRoute(wiped, { unlock: true })
        expect(after.intact).toBe(wiped.intact)
        expect(after.memory?.lock).toBeUndefined()
        expect(after.memory && { ...after.memory, lock: wiped.memory?.lock }).toEqual(wiped.memory)
      })
    })

    describe('workloads', () => {
      it('begin without traffic, and are not there before they are ready', async () => {
        await createRoute()
        await add()
        const before: (readonly unknown[])[] = []
        const looking: Waiting = {
          ...waiting(),
          async pause() {
            before.push((await route()).workloads)
            await subject.clock.sleep(1000)
          },
        }
        await cloud.startWorkload('dap-offer', workload('1000000001'), looking)
        for (const workloads of before) expect(workloads).toEqual([])
        const { traffic, workloads } = await route()
        expect(Object.values(traffic).filter(percent => percent > 0)).toEqual([])
        expect(workloads).toMatchObject([workload('1000000001')])
      })

      it('leave the traffic of others alone when they are started', async () => {
        await two()
        expect((await route()).traffic['1000000001']).toBe(100)
      })

      it('are not started twice under one id', async () => {
        await two()
        await expect(start('1000000002')).rejects.toMatchObject({ status: 'ALREADY_EXISTS' })
      })

      it('get traffic that sums to 100, and only if they are there, in one write with what is remembered', async () => {
        await two()
        const shift = async (traffic: Record<string, number>) =>
          cloud.updateRoute(await route(), { traffic, memory: { ...WHOSE, traffic } })
        const traffic = { '1000000001': 90, '1000000002': 10 }
        expect(await shift(traffic)).toMatchObject({ traffic, memory: { traffic } })
        await expect(shift({ '1000000001': 90 })).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' })
        await expect(shift({ '1000000009': 100 })).rejects.toMatchObject({ name: 'CloudError' })
        expect(await route()).toMatchObject({ traffic, memory: { traffic } })
      })

      it('are not stopped while they have traffic, but for the last one', async () => {
        await two()
        await expect(stop('1000000001')).rejects.toMatchObject({ status: 'FAILED_PRECONDITION' })
        await stop('1000000002')
        await stop('1000000001')
        expect(await route()).toMatchObject({ traffic: {}, workloads: [] })
      })

      it('change their scale in place', async () => {
        await two()
        const scale = { minReplicas: 2, maxReplicas: 5, targetCpu: 70 }
        await cloud.scaleWorkload('dap-offer', '1000000001', scale, waiting())
        const scaled = (await route()).workloads.find(({ id }) => id === '1000000001')
        expect(scaled).toMatchObject({ ...workload('1000000001'), scale })
      })
    })

    describe('releases', () => {
      const onShelf = () => cloud.releasesOf('dap-offer')

      it('stand on a shelf, oldest first, each with what it is made of; the first is the current one', async () => {
        expect(await onShelf()).toEqual([])
        await add('a')
        await add('b')
        const releases = await onShelf()
        expect(releases.map(({ id, current }) => [id, current])).toEqual([
          ['1', true],
          ['2', false],
        ])
        for (const [index, digest] of ['a', 'b'].entries()) {
          expect(releases[index]).toMatchObject({ whose: WHOSE, digest: digest.repeat(32), parts: parts(digest) })
          expect(releases[index]).toMatchObject({ copy: undefined, held: { whole: false, workloads: [] } })
        }
      })

      it('are listed, the current one of each shelf', async () => {
        await add('a')
        await add('b')
        await cloud.setCurrent('dap-offer', '2')
        await cloud.setCurrent('dap-offer', '2')
        expect((await cloud.listReleases()).map(({ shelf, id }) => [shelf, id])).toEqual([['dap-offer', '2']])
        expect((await onShelf()).map(({ current }) => current)).toEqual([false, true])
      })

      it('say what is noted of them, by one of two who have read the same, and keep the rest', async () => {
        await add('a')
        await add('b')
        const [first, second] = await onShelf()
        const copy = { route: 'dap-offer', facts: FACTS }
        await cloud.noteRelease(second, { held: { whole: true, workloads: ['1000000001'] } })
        const late = cloud.noteRelease(second, { copy })
        await expect(late).rejects.toMatchObject({ status: 'ABORTED' })
        const [, held] = await onShelf()
        expect(held).toMatchObject({ copy: undefined, held: { whole: true, workloads: ['1000000001'] } })
        await cloud.noteRelease(held, { copy, whose: { ...WHOSE, deployment: 'banner' } })
        expect((await onShelf())[1]).toMatchObject({
          ...{ copy, intact: true, held: held.held, parts: second.parts },
          whose: { ...WHOSE, deployment: 'banner' },
        })
        const less = { route: 'dap-offer', facts: { stable: '1000000001' } }
        await cloud.noteRelease((await onShelf())[1], { copy: less, held: { whole: false, workloads: [] } })
        expect((await onShelf())[1]).toMatchObject({ copy: less, held: { whole: false, workloads: [] } })
        expect((await onShelf())[0]).toMatchObject({ copy: first.copy, parts: first.parts })
      })

      it('go where they are not deployed, but for the last one of a shelf', async () => {
        await two()
        const drop = (id: string) => cloud.deleteRelease('dap-offer', id, waiting())
        await expect(drop('1')).rejects.toMatchObject({ status: 'FAILED_PRECONDITION' })
        await add('b')
        await drop('2')
        expect((await onShelf()).map(({ id }) => id)).toEqual(['1'])
      })

      it('go with their shelf, once none of it is deployed', async () => {
        await two()
        const clear = () => cloud.deleteShelf('dap-offer', waiting())
        await expect(clear()).rejects.toMatchObject({ status: 'FAILED_PRECONDITION' })
        await stop('1000000002')
        await stop('1000000001')
        await clear()
        expect(await onShelf()).toEqual([])
      })
    })

    describe('what a killed run has begun', () => {
      const at = { route: 'dap-offer', shelf: 'dap-offer' }
      const found = async () => {
        const names: string[] = []
        await cloud.settle(
          at,
          waiting(name => names.push(name)),
        )
        return names
      }

      it('is waited for by whoever comes next, under the same names, and is done then', async () => {
        await createRoute()
        await add()
        const begun = await abandoned(waiting => cloud.startWorkload('dap-offer', workload('1000000001'), waiting))
        const another = await abandoned(waiting =>
          cloud.addRelease('dap-offer', { ...RELEASE, parts: parts('b') }, waiting),
        )
        expect([begun, another]).toEqual(expect.arrayContaining(await found()))
        expect((await route()).workloads).toMatchObject([workload('1000000001')])
        expect(await cloud.releasesOf('dap-offer')).toHaveLength(2)
        expect(await found()).toEqual([])
      })

      it('is found before it is there', async () => {
        const made = await abandoned(waiting => cloud.createRoute('dap-offer', ROUTE, waiting))
        const added = await abandoned(waiting =>
          cloud.addRelease('dap-offer', { ...RELEASE, parts: parts('a') }, waiting),
        )
        expect([made, added]).toEqual(expect.arrayContaining(await found()))
        expect(await cloud.getRoute('dap-offer')).toBeDefined()
        expect(await cloud.releasesOf('dap-offer')).toHaveLength(1)
      })
    })

    describe('artefacts', () => {
      it('are written once, listed by prefix and deleted, the second time to no effect', async () => {
        await cloud.putArtefact('dap/bundles/a/bundle.json', '1')
        await cloud.putArtefact('dap/bundles/a/bundle.json', '1')
        await cloud.putArtefact('dap/bundles/b/bundle.json', '2')
        expect(await cloud.listArtefacts('dap/bundles/')).toEqual([
          'dap/bundles/a/bundle.json',
          'dap/bundles/b/bundle.json',
        ])
        expect(await cloud.listArtefacts('dap/bundles/b')).toEqual(['dap/bundles/b/bundle.json'])
        await cloud.deleteArtefact('dap/bundles/a/bundle.json')
        await cloud.deleteArtefact('dap/bundles/a/bundle.json')
        expect(await cloud.listArtefacts('dap/')).toEqual(['dap/bundles/b/bundle.json'])
      })

      it('are read whole, or not at all where there is none or a larger one', async () => {
        const text = `${'ä'.repeat(200_000)}\n`
        await cloud.putArtefact('dap/bundles/a/bundle.json', text)
        await cloud.putArtefact('dap/bundles/empty/bundle.json', '')
        expect(await cloud.getArtefact('dap/bundles/a/bundle.json', 400_001)).toBe(text)
        expect(await cloud.getArtefact('dap/bundles/a/bundle.json', 400_000)).toBeUndefined()
        expect(await cloud.getArtefact('dap/bundles/a/bundle.json', 10)).toBeUndefined()
        expect(await cloud.getArtefact('dap/bundles/empty/bundle.json', 10)).toBe('')
        expect(await cloud.getArtefact('dap/bundles/b/bundle.json', 10)).toBeUndefined()
      })
    })
  })
}
