import { beforeEach, describe, expect, it } from 'vitest'
import { applyDeployment } from '../../../src/deploy/doing/apply.ts'
import { breakLock, type EndpointLock, endpointLock, listLocks } from '../../../src/deploy/doing/lock.ts'
import { LOCK_TERM } from '../../../src/deploy/doing/locked-endpoint.ts'
import { destroyDeployment } from '../../../src/deploy/operating/remove.ts'
import { createWaiting, type Patience } from '../../../src/deploy/patience.ts'
import type { Run } from '../../../src/deploy/runs.ts'
import { recalled } from '../../../src/deploy/wanted/ownership.ts'
import { stream } from '../../../src/math/rng.ts'
import { bundleText, desiredState, engineOf, OPTIONS, runOf } from '../../support/deploying.ts'
import { faulty, unavailable } from '../../support/faults.ts'
import { type MemoryCloud, memoryCloud } from '../../support/memory-vertex.ts'
import { editLabel } from '../../support/over-vertex.ts'

const desired = desiredState()
const { id } = desired.endpoint
const identity = { project: 'shop', environment: 'local', deployment: 'offer' }

let world: MemoryCloud
let patience: Patience
let notes: string[]

beforeEach(async () => {
  world = memoryCloud()
  patience = { clock: world.clock, rng: stream(1, 'lock') }
  notes = []
  const { id: _, ...endpoint } = desired.endpoint
  await world.cloud.createRoute(id, { ...endpoint, memory: identity }, createWaiting(patience))
  await editLabel(world.cloud, id, 'x')
})

function lockOf(run: string, cloud = world.cloud, more: Partial<Run> = {}): EndpointLock {
  return endpointLock(id, {
    cloud,
    patience,
    run: runOf(run, { owner: `ci-${run}`, ...more }),
    recall: endpoint => recalled(endpoint, [], identity),
    onNote: text => notes.push(text),
    onLocked: () => {},
  })
}

const labels = async () => (await world.vertex.getEndpoint(id))!.labels

describe('a lock', () => {
  it('is a label that says who holds it until when, and leaves the labels of others alone', async () => {
    const lock = lockOf('0000000a')
    await lock.read()
    await lock.acquire()
    expect(lock.held).toBe(true)
    const expires = Math.ceil((world.clock.now() + LOCK_TERM) / 1000)
    expect(await labels()).toMatchObject({
      'dap-lock': `0000000a-${expires}`,
      'dap-lock-owner': 'ci-0000000a',
      team: 'x',
    })
    await lock.release()
    expect(Object.keys(await labels())).toEqual(['team', 'dap-project', 'dap-env', 'dap-deployment', 'dap-seal'])
  })

  it('is refused to a second run, which hears who holds it and what to do', async () => {
    const [first, second] = [lockOf('0000000a'), lockOf('0000000b')]
    await first.read()
    await first.acquire()
    await second.read()
    await expect(second.acquire()).rejects.toMatchObject({
      message: '`offer` is locked by ci-0000000a (run 0000000a), which is process 10 of this machine, and still runs',
      hint: 'wait for it, or stop it; once it is gone, `dap deploy --resume` and `dap rollback` take its lock over',
      exitCode: 4,
    })
  })

  it('goes to one of two that read the endpoint at the same time', async () => {
    const [first, second] = [lockOf('0000000a'), lockOf('0000000b')]
    await Promise.all([first.read(), second.read()])
    const taken = await Promise.allSettled([first.acquire(), second.acquire()])
    expect(taken.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(taken[1]).toMatchObject({ reason: { status: 'ABORTED' } })
  })

  it('is taken over once it has expired, and the first run writes nothing more', async () => {
    const [first, second] = [lockOf('0000000a'), lockOf('0000000b')]
    await first.read()
    await first.acquire()
    await world.clock.sleep(LOCK_TERM + 1000)
    await second.read()
    await second.acquire()
    expect(notes).toEqual(['took over the expired lock of ci-0000000a (run 0000000a)'])
    await expect(first.renew()).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining('taken away') })
    await first.release()
    expect((await labels())['dap-lock']).toContain('0000000b')
  })

  it('is renewed at a third of its term, not before', async () => {
    const lock = lockOf('0000000a')
    await lock.read()
    await lock.acquire()
    const first = (await labels())['dap-lock']
    await world.clock.sleep(LOCK_TERM / 3 - 1)
    await lock.renew()
    expect((await labels())['dap-lock']).toBe(first)
    await world.clock.sleep(1)
    await lock.renew()
    expect((await labels())['dap-lock']).not.toBe(first)
  })

  it('is held where the answer to its taking was lost', async () => {
    const lock = lockOf(
      '0000000a',
      faulty(world.cloud, { after: (_, method) => (method === 'updateEndpoint' ? unavailable() : undefined) }),
    )
    await lock.read()
    await expect(lock.acquire()).rejects.toMatchObject({ status: 'UNAVAILABLE' })
    await lock.read()
    expect(lock.held).toBe(true)
  })

  it('survives somebody who edits a label', async () => {
    const lock = lockOf('0000000a')
    await lock.read()
    await lock.acquire()
    await editLabel(world.cloud, id, 'y')
    await world.clock.sleep(LOCK_TERM / 3)
    await lock.renew()
    expect(await labels()).toMatchObject({ team: 'y', 'dap-lock': expect.stringContaining('0000000a') })
  })

  it('is not given back once another run has it: nothing is written', async () => {
    const writes: string[] = []
    const watched = faulty(world.cloud, {
      before: (_, method) => (method === 'updateEndpoint' ? void writes.push(method) : undefined),
    })
    const [first, second] = [lockOf('0000000a', watched), lockOf('0000000b')]
    await first.read()
    await first.acquire()
    await breakLock(world.cloud, id, '0000000a', patience, runOf('0000000c'))
    await second.read()
    await second.acquire()
    const before = await world.vertex.getEndpoint(id)
    writes.splice(0)
    await first.release(labels => ({ ...labels, hold: 'f'.repeat(32) }))
    expect(writes).toEqual([])
    expect(await world.vertex.getEndpoint(id)).toEqual(before)
  })

  it('is not given back when another run takes it between the look and the write', async () => {
    const second = lockOf('0000000b')
    let armed = false
    const watched = faulty(world.cloud, {
      async before(_, method) {
        if (!armed || method !== 'updateEndpoint') return
        armed = false
        await breakLock(world.cloud, id, '0000000a', patience, runOf('0000000c'))
        await second.read()
        await second.acquire()
      },
    })
    const first = lockOf('0000000a', watched)
    await first.read()
    await first.acquire()
    armed = true
    await first.release()
    expect(armed).toBe(false)
    expect((await labels())['dap-lock']).toContain('0000000b')
  })

  it('is given back where the answer to its taking was lost, and the run ends before it looks again', async () => {
    let cut = true
    const lock = lockOf(
      '0000000a',
      faulty(world.cloud, {
        after: (_, method) => (cut && method === 'updateEndpoint' ? unavailable() : undefined),
      }),
    )
    await lock.read()
    await expect(lock.acquire()).rejects.toMatchObject({ status: 'UNAVAILABLE' })
    cut = false
    await lock.release()
    expect(await labels()).not.toHaveProperty('dap-lock')
  })

  it('is looked for before a call that no etag guards, unless that was just done', async () => {
    const lock = lockOf('0000000a')
    await lock.read()
    await lock.acquire()
    await breakLock(world.cloud, id, '0000000a', patience, runOf('0000000c'))
    await lock.assure()
    await world.clock.sleep(5000)
    await expect(lock.assure()).rejects.toMatchObject({ exitCode: 4 })
  })

  it('says that it could not be given back, and that it expires', async () => {
    const cut = { on: false }
    const lock = lockOf('0000000a', faulty(world.cloud, { before: () => (cut.on ? unavailable() : undefined) }))
    await lock.read()
    await lock.acquire()
    cut.on = true
    const before = world.clock.now()
    await lock.release()
    expect(notes).toEqual([expect.stringContaining('the lock could not be given back')])
    expect(world.clock.now() - before).toBeLessThanOrEqual(5000)
  })
})

describe('locks of an environment', () => {
  it('are listed with their owners, and one is broken by its run', async () => {
    const lock = lockOf('0000000a')
    await lock.read()
    await lock.acquire()
    const whose = { projectId: 'q7m2vx4t9kd3hs8w', project: 'shop', environment: 'local' }
    expect(await listLocks(world.cloud, whose, world.clock.now())).toMatchObject([
      { deployment: 'offer', endpoint: id, lock: { run: '0000000a', owner: 'ci-0000000a' }, expired: false },
    ])
    expect(await listLocks(world.cloud, { ...whose, environment: 'prod' }, world.clock.now())).toEqual([])
    expect(await listLocks(world.cloud, { ...whose, project: 'casino' }, world.clock.now())).toEqual([])
    await expect(breakLock(world.cloud, id, '0000000b', patience, runOf('0000000c'))).rejects.toMatchObject({
      exitCode: 4,
    })
    await breakLock(world.cloud, id, '0000000a', patience, runOf('0000000c'))
    expect(await listLocks(world.cloud, whose, world.clock.now())).toEqual([])
    await expect(lock.read()).rejects.toMatchObject({ message: expect.stringContaining('nobody holds it now') })
  })
})

describe('two deploys at the same time', () => {
  it('take nothing away once the lock is lost, however long the cloud took to answer before that', async () => {
    const { cloud, clock } = memoryCloud()
    await applyDeployment({ desired, bundleText }, engineOf(cloud, clock), OPTIONS)
    const whose = { deployment: 'offer', endpoint: id, shelf: desired.model.id }
    const calls: string[] = []
    const slow = faulty(cloud, {
      async before(_, method) {
        calls.push(method)
        // The lock is taken and the traffic gone; the next change is a call without an etag.
        const written = calls.filter(each => each === 'updateEndpoint').length
        if (method !== 'listVersions' || written < 2) return
        await breakLock(cloud, id, engine.run.id, { clock, rng: engine.rng }, engine.run)
        await clock.sleep(60_000)
      },
    })
    const engine = engineOf(slow, clock)
    expect(await destroyDeployment(whose, undefined, engine)).toMatchObject({ state: 'conflict', changes: [{}] })
    expect(calls.filter(method => /^(undeploy|delete)/.test(method))).toEqual([])
  })

  it('of something new: one creates it, the other is refused, and nothing is there twice', async () => {
    const { cloud, clock } = memoryCloud()
    const [one, other] = [engineOf(cloud, clock), engineOf(cloud, clock)]
    const outcomes = await Promise.all(
      [one, other].map(engine => applyDeployment({ desired, bundleText }, engine, OPTIONS)),
    )
    expect(outcomes.map(({ state }) => state).sort()).toEqual(['applied', 'conflict'])
    expect(await cloud.releasesOf(desired.model.id)).toHaveLength(1)
    expect((await cloud.getRoute(id))?.workloads).toHaveLength(1)
  })

  it('of an edit: the second stops before it has written anything', async () => {
    const { cloud, clock } = memoryCloud()
    await applyDeployment({ desired, bundleText }, engineOf(cloud, clock), OPTIONS)
    const edited = desiredState({ policy: 'second' })
    const first = applyDeployment({ desired: edited, bundleText }, engineOf(cloud, clock), OPTIONS)
    await clock.sleep(30_000)
    const second = await applyDeployment({ desired: edited, bundleText }, engineOf(cloud, clock), OPTIONS)
    expect(second).toMatchObject({ state: 'conflict', changes: [] })
    expect(await first).toMatchObject({ state: 'applied' })
  })
})
