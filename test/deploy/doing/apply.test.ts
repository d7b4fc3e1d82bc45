import { beforeEach, describe, expect, it } from 'vitest'
import { decodeLabels } from '../../../src/adapters/vertex/labels.ts'
import { type ApplyOptions, applyDeployment, type Order } from '../../../src/deploy/doing/apply.ts'
import { LOCK_TERM } from '../../../src/deploy/doing/locked-endpoint.ts'
import { applyAll } from '../../../src/deploy/operating/apply-all.ts'
import { collectGarbage, destroyDeployment } from '../../../src/deploy/operating/remove.ts'
import { rollbackDeployment } from '../../../src/deploy/operating/rollback.ts'
import type { RequestMetrics } from '../../../src/deploy/routes.ts'
import { actualOf, readActual } from '../../../src/deploy/wanted/actual.ts'
import type { Desired } from '../../../src/deploy/wanted/desired.ts'
import { diffDeployment } from '../../../src/deploy/wanted/diff.ts'
import { makePlan } from '../../../src/deploy/wanted/plan.ts'
import { bundleText, cloudAt, desiredState, type Edit, engineOf, OPTIONS, TARGET } from '../../support/deploying.ts'
import { type Faults, faulty, Killed, unavailable } from '../../support/faults.ts'
import { type MemoryCloud, memoryCloud } from '../../support/memory-vertex.ts'
import { editLabel } from '../../support/over-vertex.ts'

const GATED = { gates: [{ metric: 'errorRate', max: 0.01 }] } as const

const first = desiredState()
const second = desiredState({ policy: 'second' })
const { id } = first.endpoint
const whose = { deployment: 'offer', endpoint: id, shelf: first.model.id }

let world: MemoryCloud

beforeEach(() => {
  world = memoryCloud()
})

function apply(desired: Desired, { faults, ...options }: Partial<ApplyOptions & Order & { faults: Faults }> = {}) {
  const { approved, ...rest } = options
  return applyDeployment({ desired, approved, bundleText }, engine(faults), { ...OPTIONS, ...rest })
}

const engine = (faults: Faults = {}, signal?: AbortSignal) =>
  engineOf(faulty(world.cloud, faults), world.clock, { signal })

const live = async () => (await world.vertex.getEndpoint(id))!
const titles = ({ changes }: { changes: readonly { title: string }[] }) => changes.map(({ title }) => title)

const answers = (errors: number, requests = 1000): RequestMetrics => ({ requests, errors, latency: [] })

/** Every call of a run, by name. */
function counting(): { faults: Faults; calls: string[] } {
  const calls: string[] = []
  return { calls, faults: { before: (_, method) => void calls.push(method) } }
}

describe('to apply', () => {
  it('creates what is not there, in order', async () => {
    const outcome = await apply(first)
    expect(outcome).toMatchObject({ state: 'applied', traffic: { [first.deployed.id]: 100 }, reason: null })
    expect(titles(outcome)).toMatchInlineSnapshot(`
      [
        "create endpoint dap-offer-de8f14fc",
        "upload bundle dap/bundles/offer-7941e7ca4d07/bundle.json",
        "upload a version of model dap-offer-de8f14fc",
        "deploy offer-6d976b188a44 without traffic",
        "move all traffic to offer-6d976b188a44",
        "promote offer-6d976b188a44",
      ]
    `)
  })

  it('does nothing the second time, and writes nothing', async () => {
    await apply(first)
    const { calls, faults } = counting()
    expect(await apply(first, { faults })).toMatchObject({ state: 'unchanged', changes: [] })
    expect(calls).toEqual(['listVersions', 'getEndpoint', 'listObjects'])
  })

  it('replaces a version step by step, and keeps the old one warm', async () => {
    await apply(first)
    const outcome = await apply(second)
    expect(titles(outcome)).toMatchInlineSnapshot(`
      [
        "upload bundle dap/bundles/offer-2a6bf5f2f7a6/bundle.json",
        "upload a version of model dap-offer-de8f14fc",
        "deploy offer-f6d4035bb985 without traffic",
        "move 10 % of traffic to offer-f6d4035bb985",
        "hold 10m",
        "move 50 % of traffic to offer-f6d4035bb985",
        "hold 10m",
        "move all traffic to offer-f6d4035bb985",
        "promote offer-f6d4035bb985",
      ]
    `)
    const endpoint = await live()
    expect(endpoint.traffic).toEqual({ [second.deployed.id]: 100 })
    expect(endpoint.labels).toMatchObject({ 'dap-stable': second.deployed.id, 'dap-previous': first.deployed.id })
    expect(endpoint.deployedModels).toHaveLength(2)
  })

  it('says every step of the way', async () => {
    const run = engine()
    await applyDeployment({ desired: first, bundleText }, run, OPTIONS)
    const deploy = run.events.filter(event => 'change' in event && event.change === 3)
    expect(deploy.map(event => ('stage' in event ? event.stage : event.event))).toMatchInlineSnapshot(`
      [
        "started",
        "operation",
        "STARTING_DEPLOYMENT",
        "ADDING_NODES_TO_CLUSTER",
        "STARTING_MODEL_SERVER",
        "FINISHING_UP",
        "done",
      ]
    `)
    expect(run.events.at(-1)).toMatchObject({ event: 'finished', state: 'applied' })
  })

  it('keeps its lock however long a model takes to deploy, or a step is held', async () => {
    world = memoryCloud({ deploy: 3_600_000 })
    await apply(first)
    const left: number[] = []
    const faults: Faults = {
      async after() {
        const { lock } = decodeLabels((await live()).labels).ours ?? {}
        if (lock !== undefined) left.push(lock.expires * 1000 - world.clock.now())
      },
    }
    const patient = desiredState({
      policy: 'second',
      rollout: { steps: [{ traffic: 0.5, hold: '2h' }, { traffic: 1 }] },
    })
    expect(await apply(patient, { faults })).toMatchObject({ state: 'applied' })
    expect(left.length).toBeGreaterThan(100)
    expect(Math.min(...left)).toBeGreaterThan(LOCK_TERM / 2)
  })

  it('does nothing that was not approved', async () => {
    await apply(first)
    const outcome = await apply(second, { approved: [] })
    expect(outcome).toMatchObject({
      state: 'conflict',
      reason: expect.stringContaining('which was not part of the plan'),
      changes: [],
    })
  })

  it('does what is left of what was approved', async () => {
    const { changes: approved } = diffDeployment(
      first,
      { endpoint: undefined, releases: [], bundle: false },
      { now: 0, releaseHold: false, target: TARGET },
    )
    await world.vertex.putObject(first.bundle.object, 'somebody else wrote it')
    expect(await apply(first, { approved })).toMatchObject({ state: 'applied' })
  })

  it('refuses what somebody else has changed, until that is accepted', async () => {
    await apply(first)
    const { etag } = await live()
    const scale = { ...first.scale, maxReplicas: 9 }
    await world.vertex.mutateDeployedModel(id, first.deployed.id, scale)
    await world.clock.sleep(100_000)
    await world.vertex.updateEndpoint(id, { etag: (await live()).etag, description: 'by hand' })
    expect(etag).not.toBe((await live()).etag)
    expect(await apply(first)).toMatchObject({
      state: 'conflict',
      reason: expect.stringContaining('description, resources.maxReplicas'),
    })
    expect(await apply(first, { acceptDrift: true })).toMatchObject({ state: 'applied' })
    expect((await live()).deployedModels[0].scale).toEqual(first.scale)
  })

  it('stops where somebody moves the traffic meanwhile, and gives the lock back', async () => {
    await apply(first)
    let calls = 0
    const outcome = await apply(second, {
      faults: {
        async before(_, method) {
          const endpoint = await live()
          if (method !== 'getEndpoint' || !endpoint.traffic[second.deployed.id] || calls++ > 0) return
          await world.vertex.updateEndpoint(id, {
            etag: endpoint.etag,
            traffic: { [first.deployed.id]: 20, [second.deployed.id]: 80 },
          })
        },
      },
    })
    expect(outcome).toMatchObject({
      state: 'conflict',
      reason: expect.stringContaining('somebody changed the traffic'),
    })
  })

  it('goes on where somebody edits a label meanwhile', async () => {
    await apply(first)
    const outcome = await apply(second, {
      faults: {
        before: (call, method) => (method === 'updateEndpoint' ? editLabel(world.cloud, id, `${call}`) : undefined),
      },
    })
    expect(outcome.state).toBe('failed')
    const calm = await apply(second, {
      faults: { before: call => (call % 11 === 0 ? editLabel(world.cloud, id, `${call}`) : undefined) },
    })
    expect(calm.state).toBe('applied')
  })
})

describe('a failure', () => {
  it('of the server to become ready is final, leaves the traffic alone and says where to look', async () => {
    await apply(first)
    world.failNextDeployment()
    const { calls, faults } = counting()
    const outcome = await apply(second, { faults })
    expect(outcome).toMatchObject({
      state: 'failed',
      reason: `could not deploy ${second.deployed.displayName} without traffic: model server never became ready`,
      hint: 'the emulator prints what the server said',
      traffic: { [first.deployed.id]: 100 },
    })
    expect(calls.filter(call => call === 'deployModel')).toHaveLength(1)
    const { labels } = await live()
    expect([labels['dap-candidate'], labels['dap-lock']]).toEqual([undefined, undefined])
  })

  it('of permission is told once, and not tried again', async () => {
    const { CloudError } = await import('../../../src/deploy/cloud-error.ts')
    const outcome = await apply(first, {
      faults: {
        before(_, method) {
          if (method === 'createEndpoint')
            throw new CloudError('PERMISSION_DENIED', 'no permission', { hint: 'ask for it' })
        },
      },
    })
    expect(outcome).toMatchObject({ state: 'failed', reason: 'no permission', hint: 'ask for it', changes: [] })
  })

  it('to answer does not make anything twice', async () => {
    const asked = new Map<string, number>()
    const outcome = await apply(first, {
      faults: {
        after(_, method) {
          asked.set(method, (asked.get(method) ?? 0) + 1)
          if (asked.get(method) === 1) unavailable()
        },
      },
    })
    expect(outcome.state).toBe('applied')
    expect(asked.get('createEndpoint')).toBe(1)
    expect(asked.get('uploadModel')).toBe(1)
    expect(asked.get('deployModel')).toBe(1)
  })

  it('of dap itself is thrown on', async () => {
    const faults: Faults = {
      before(_, method) {
        if (method === 'uploadModel') throw new TypeError('a bug')
      },
    }
    await expect(apply(first, { faults })).rejects.toThrow('a bug')
    expect((await live()).labels['dap-lock']).toBeUndefined()
  })
})

describe('a run that is stopped', () => {
  it.each(['createEndpoint', 'uploadModel', 'deployModel'])(
    'after %s gives its lock back and can be resumed',
    async method => {
      const controller = new AbortController()
      const faults: Faults = { after: (_, called) => (called === method ? controller.abort() : undefined) }
      const stopped = await applyDeployment({ desired: first, bundleText }, engine(faults, controller.signal), OPTIONS)
      expect(stopped.state).toBe('interrupted')
      expect((await live()).labels['dap-lock']).toBeUndefined()
      expect(await apply(first, { resume: true })).toMatchObject({ state: 'applied' })
      expect(await world.vertex.listVersions(first.model.id)).toHaveLength(1)
      expect((await live()).deployedModels).toHaveLength(1)
    },
  )

  it('while it scales is no drift to the next run, which may want the old scale back', async () => {
    await apply(first)
    const faults: Faults = {
      after(_, method) {
        if (method === 'mutateDeployedModel') throw new Killed()
      },
    }
    await expect(apply(desiredState({ maxReplicas: 9 }), { faults })).rejects.toBeInstanceOf(Killed)
    await world.clock.sleep(LOCK_TERM)
    expect(await apply(first)).toMatchObject({ state: 'applied', reason: null })
    expect((await live()).deployedModels[0].scale).toEqual(first.scale)
  })

  it('in a hold does not begin the hold again', async () => {
    await apply(first)
    const since = world.clock.now()
    const kill = () => {
      throw new Killed()
    }
    let shifted: number | undefined
    const faults: Faults = {
      async before() {
        if (shifted === undefined && (await live()).traffic[second.deployed.id] === 10) shifted = world.clock.now()
        if (shifted !== undefined && world.clock.now() > shifted + 300_000) kill()
      },
    }
    await expect(apply(second, { faults })).rejects.toBeInstanceOf(Killed)
    await world.clock.sleep(LOCK_TERM)
    const resumed = world.clock.now()
    const outcome = await apply(second)
    expect(outcome).toMatchObject({ state: 'applied' })
    expect(titles(outcome)[0]).toBe('hold 10m')
    expect(outcome.changes[0].ms).toBe(0)
    expect(resumed).toBeGreaterThan(since)
  })
})

describe('gates', () => {
  const gated = desiredState({ policy: 'second', rollout: GATED })

  it('that pass let the rollout go on', async () => {
    await apply(first)
    world.measure(() => answers(1))
    expect(await apply(gated)).toMatchObject({ state: 'applied' })
  })

  it('that fail move all traffic back in one write, early, and hold the version back', async () => {
    await apply(first)
    world.measure(() => answers(100))
    const { calls, faults } = counting()
    const outcome = await apply(gated, { faults })
    expect(outcome).toMatchObject({
      state: 'rolled-back',
      reason: 'errorRate is 10 % of 1000 requests, 1 % is allowed',
      traffic: { [first.deployed.id]: 100 },
    })
    expect(titles(outcome).slice(-3)).toEqual([
      `move 10 % of traffic to ${gated.deployed.displayName}`,
      `move all traffic to ${first.deployed.displayName}`,
      `undeploy ${gated.deployed.displayName}`,
    ])
    expect(calls.filter(call => call === 'requests')).toHaveLength(1)
    expect(await apply(gated)).toMatchObject({ state: 'held', changes: [] })
    world.measure(() => answers(0))
    expect(await apply(gated, { releaseHold: true })).toMatchObject({ state: 'applied' })
  })

  it('that fail pause the rollout where that is asked for', async () => {
    await apply(first)
    world.measure(() => answers(100))
    const pausing = desiredState({ policy: 'second', rollout: { ...GATED, onFailure: 'pause' } })
    expect(await apply(pausing)).toMatchObject({ state: 'paused', traffic: { [first.deployed.id]: 90 } })
    expect(await apply(pausing)).toMatchObject({ state: 'paused', reason: 'step 1 is paused' })
    expect(await apply(pausing, { resume: true })).toMatchObject({
      state: 'paused',
      reason: expect.stringContaining('10 %'),
    })
    expect(await apply(pausing, { skipGates: true })).toMatchObject({ state: 'applied' })
  })

  it('that cannot tell pause at the end of the hold, and are looked at again at once', async () => {
    await apply(first)
    world.measure(() => answers(0, 20))
    const { calls, faults } = counting()
    const started = world.clock.now()
    const paused = await apply(gated, { faults })
    expect(paused).toMatchObject({ state: 'paused', reason: expect.stringContaining('errorRate cannot be told yet') })
    expect(world.clock.now() - started).toBeGreaterThanOrEqual(599_000)
    expect(titles(paused).at(-1)).toBe(`move 10 % of traffic to ${gated.deployed.displayName}`)
    // Every 30 s; labels keep whole seconds, so the last of them may be cut in two.
    expect(calls.filter(call => call === 'requests').length).toBeOneOf([21, 22])
    world.measure(() => answers(0))
    const before = world.clock.now()
    const resumed = await apply(gated, { resume: true })
    expect(resumed).toMatchObject({ state: 'applied' })
    expect(resumed.changes[0]).toMatchObject({ title: 'hold 10m', ms: 0 })
    expect(world.clock.now()).toBeGreaterThan(before)
  })

  it('are read from the moment the step began', async () => {
    await apply(first)
    const windows: number[] = []
    world.measure((_, from) => {
      windows.push(from)
      return answers(0)
    })
    await apply(gated)
    expect(new Set(windows).size).toBe(2)
  })
})

describe('--step', () => {
  it('takes one step of the rollout at a time, and one look at a hold', async () => {
    await apply(first)
    const states: [string, number][] = []
    for (let call = 0; call < 5; call++) {
      const { state, traffic } = await apply(second, { step: true })
      states.push([state, traffic[second.deployed.id]])
      expect((await live()).labels['dap-lock']).toBeUndefined()
      if (call !== 0) await world.clock.sleep(601_000)
    }
    expect(states).toEqual([
      ['rolling', 10],
      ['rolling', 10],
      ['rolling', 50],
      ['applied', 100],
      ['unchanged', 100],
    ])
  })
})

describe('to roll back', () => {
  it('is one write while the old version is warm', async () => {
    await apply(first)
    await apply(second)
    const { calls, faults } = counting()
    const outcome = await rollbackDeployment(whose, engine(faults))
    expect(outcome).toMatchObject({ state: 'rolled-back', traffic: { [first.deployed.id]: 100 } })
    expect(calls.filter(call => !/^(get|list)/.test(call))).toEqual([
      // What is going to be remembered first; then the hold on its version; then what is remembered by the new default version.
      'updateVersion',
      'updateEndpoint',
      'updateVersion',
      'setDefaultVersion',
      'updateVersion',
    ])
    expect((await live()).labels['dap-lock']).toBeUndefined()
    expect(await apply(second)).toMatchObject({ state: 'held', changes: [] })
  })

  it('goes back once, also where the answer was lost', async () => {
    await apply(first)
    await apply(second)
    let lost = false
    const faults: Faults = {
      after(_, method) {
        if (method !== 'updateEndpoint' || lost) return
        lost = true
        unavailable()
      },
    }
    await rollbackDeployment(whose, engine(faults))
    expect((await live()).traffic).toEqual({ [first.deployed.id]: 100 })
  })

  it('deploys the old version again once it is cold', async () => {
    await apply(first)
    await apply(second)
    await world.clock.sleep(25 * 3_600_000)
    expect(titles(await collectGarbage(whose, undefined, engine()))).toEqual([`undeploy ${first.deployed.displayName}`])
    const outcome = await rollbackDeployment(whose, engine())
    expect(outcome).toMatchObject({ state: 'rolled-back', traffic: { [first.deployed.id]: 100 } })
    expect(await world.vertex.listVersions(first.model.id)).toHaveLength(2)
    expect(await apply(second)).toMatchObject({ state: 'held', changes: [] })
  })

  it('is refused while another run deploys, and where there is nothing to go back to', async () => {
    await apply(first)
    await expect(rollbackDeployment(whose, engine())).rejects.toMatchObject({
      message: 'there is nothing to roll `offer` back to',
    })
    const running = apply(second)
    await world.clock.sleep(800_000)
    expect(await rollbackDeployment(whose, engine())).toMatchObject({ state: 'conflict', changes: [] })
    await running
  })
})

describe('to take away', () => {
  it('leaves what serves and what a rollback needs', async () => {
    await apply(first)
    await apply(second)
    expect(await collectGarbage(whose, undefined, engine())).toMatchObject({ state: 'unchanged' })
    await apply(desiredState({ policy: 'third' }))
    await world.clock.sleep(25 * 3_600_000)
    expect(titles(await collectGarbage(whose, undefined, engine()))).toMatchInlineSnapshot(`
      [
        "undeploy offer-f6d4035bb985",
        "delete version 1 of model dap-offer-de8f14fc",
      ]
    `)
    expect((await live()).deployedModels).toHaveLength(1)
  })

  it('a whole deployment leaves nothing, also where an answer is lost', async () => {
    await apply(first)
    const seen = new Set<string>()
    const faults: Faults = {
      after(_, method) {
        if (seen.has(method) || /^(get|list|running)/.test(method)) return
        seen.add(method)
        unavailable()
      },
    }
    expect(await destroyDeployment(whose, undefined, engine(faults))).toMatchObject({ state: 'applied', traffic: {} })
    expect(await world.vertex.getEndpoint(id)).toBeUndefined()
    expect(await world.vertex.listVersions(first.model.id)).toEqual([])
  })

  it('a whole deployment is refused where it is protected', async () => {
    await apply(first)
    const guarded = engineOf(world.cloud, world.clock, { target: { ...TARGET, protect: ['delete'] } })
    expect(await destroyDeployment(whose, undefined, guarded)).toMatchObject({ state: 'failed', changes: [] })
    expect(await destroyDeployment(whose, undefined, guarded, ['offer'])).toMatchObject({ state: 'applied' })
  })
})

describe('a plan of several deployments', () => {
  const plan = async (edits: readonly Edit[], pruned: readonly string[] = []) => {
    const here = edits.map(({ deployment = 'offer' }) => ({ deployment, before: [] }))
    const everywhere = new Set(here.map(({ deployment }) => `local/${deployment}`))
    const declared = { here, everywhere, environments: new Set(['local']) }
    const actual = await readActual(world.cloud, TARGET, here)
    const deployments = edits.map(edit => ({ desired: desiredState(edit), evidence: [] }))
    return makePlan({
      dap: '0.1.0',
      now: world.clock.now(),
      commit: null,
      target: TARGET,
      only: null,
      acceptDrift: false,
      prune: pruned.length > 0,
      releaseHold: false,
      overrideProtection: pruned,
      deployments,
      declared,
      actual,
      behind: [],
      notes: [],
      origin: null,
    })
  }
  const options = { ...OPTIONS, concurrency: 4, bundleText, cloudAt }
  const five = ['a', 'b', 'c', 'd', 'e'].map(deployment => ({ deployment }))

  it('is applied side by side, and one that fails does not stop the others', async () => {
    world.failNextDeployment()
    const started = world.clock.now()
    const outcomes = await applyAll(await plan(five), engine(), options)
    expect(outcomes.map(({ deployment, state }) => `${deployment} ${state}`).sort()).toEqual([
      expect.stringMatching(/^a /),
      expect.stringMatching(/^b /),
      expect.stringMatching(/^c /),
      expect.stringMatching(/^d /),
      expect.stringMatching(/^e /),
    ])
    expect(outcomes.filter(({ state }) => state === 'failed')).toHaveLength(1)
    expect(outcomes.filter(({ state }) => state === 'applied')).toHaveLength(4)
    // Each takes about twelve minutes.
    expect(world.clock.now() - started).toBeLessThan(3 * 720_000)
  })

  it('deletes orphans where it was told to prune', async () => {
    await applyAll(await plan(five.slice(0, 2)), engine(), options)
    const kept = await applyAll(await plan(five.slice(0, 1)), engine(), options)
    expect(kept.map(({ state }) => state)).toEqual(['unchanged'])
    const pruned = await applyAll(await plan(five.slice(0, 1), ['b']), engine(), options)
    expect(pruned.map(({ deployment, state }) => [deployment, state])).toEqual([
      ['a', 'unchanged'],
      ['b', 'applied'],
    ])
    expect(await world.vertex.listEndpoints()).toHaveLength(1)
    expect(await world.vertex.listModels()).toHaveLength(1)
  })

  it('is followed by a plan without changes', async () => {
    await applyAll(await plan(five), engine(), options)
    const again = await plan(five)
    expect(again.deployments.flatMap(({ changes }) => changes)).toEqual([])
    const actual = await readActual(world.cloud, TARGET, [])
    expect(actualOf(actual, desiredState({ deployment: 'a' })).releases).toHaveLength(1)
  })
})
