import { describe, expect, it } from 'vitest'
import { applyDeployment } from '../../src/deploy/doing/apply.ts'
import { breakLock } from '../../src/deploy/doing/lock.ts'
import { LOCK_TERM } from '../../src/deploy/doing/locked-endpoint.ts'
import { collectGarbage } from '../../src/deploy/operating/remove.ts'
import type { Clock } from '../../src/deploy/patience.ts'
import type { Cloud } from '../../src/deploy/routes.ts'
import { type Rng, stream } from '../../src/math/rng.ts'
import { bundleText, desiredState, type Edit, engineOf, OPTIONS } from '../support/deploying.ts'
import { type Faults, faulty, Killed, unavailable } from '../support/faults.ts'

export interface World {
  readonly cloud: Cloud
  readonly clock: Clock
  /** The next model to be deployed never becomes ready. */
  failNextDeployment(): void | Promise<void>
  /** Somebody writes something of their own beside what dap remembers of an endpoint, if it is there. */
  edit(endpoint: string, text: string): Promise<void>
  close?(): Promise<void>
}

const FAULTS = ['unavailable', 'lost answer', 'flaky', 'kill', 'foreign edit', 'unready'] as const
type Fault = (typeof FAULTS)[number]

const ROLLOUT = { steps: [{ traffic: 0.1, hold: '20s' }, { traffic: 0.5, hold: '10s' }, { traffic: 1 }] }

/** Seeded runs: a history of deployments, a fault in one of them, and then an ordinary deploy, which must set everything right. */
export function chaosContract(name: string, create: () => World | Promise<World>, runs: number): void {
  describe(`whatever goes wrong at ${name}`, () => {
    it.each(FAULTS)(
      `an ordinary deploy sets it right: %s, ${Math.ceil(runs / FAULTS.length)} times`,
      async fault => {
        let hits = 0
        for (let seed = 0; seed < runs / FAULTS.length; seed++) {
          const world = await create()
          const story = await tell(world, fault, stream(seed, 'chaos', fault)).catch(error => {
            throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
          })
          await world.close?.()
          if (story.hit) hits++
        }
        // A short run ends before its fault.
        expect(hits).toBeGreaterThan(runs / FAULTS.length / 4)
      },
      60_000 + 1000 * runs,
    )
  })
}

async function tell(world: World, fault: Fault, rng: Rng): Promise<{ hit: boolean }> {
  const { cloud, clock } = world
  const edits = history(rng)
  const ids = edits.map(edit => desiredState(edit).deployed.id)
  const deploying = ids.flatMap((deployed, index) => (ids.indexOf(deployed) === index ? index : []))
  const harmable = fault === 'unready' ? deploying : [...edits.keys()]
  const harmed = harmable[Math.floor(rng.uniform() * harmable.length)]
  const at = Math.floor(rng.uniform() * rng.uniform() * 70)
  const { id } = desiredState().endpoint
  const reads = /^(get|list|releasesOf|running|requests|measure|settle)/
  const watched = faulty(cloud, {
    after: (_, method) => (reads.test(method) ? undefined : refuseBadTraffic(cloud, id)),
  })
  let hit = false

  for (const [index, edit] of edits.entries()) {
    const desired = desiredState(edit)
    if (index !== harmed) {
      const clean = await applyDeployment({ desired, bundleText }, engineOf(watched, clock), OPTIONS)
      expect(clean.state).toMatch(/^(applied|unchanged)$/)
      continue
    }
    const faults = faultsOf(fault, at, world, id, rng, () => {
      hit = true
    })
    const engine = engineOf(faulty(watched, faults), clock)
    try {
      const { state, reason } = await applyDeployment({ desired, bundleText }, engine, OPTIONS)
      if (fault === 'unready') {
        expect({ state, reason }).toEqual({ state: 'failed', reason: expect.stringContaining('never became ready') })
      } else expect({ state, reason }).toEqual({ state: expect.stringMatching(/^(applied|unchanged)$/), reason: null })
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      // The lock of a killed run is broken, or expires; what it has started may still run.
      if (rng.uniform() < 0.5 || !(await cloud.getRoute(id))) await clock.sleep(LOCK_TERM + 2000)
      else await breakLock(cloud, id, engine.run.id, { clock, rng }, engine.run)
      // Git may have moved on before anybody deploys again.
      if (index + 1 < edits.length && rng.uniform() < 0.5) continue
    }
    const repaired = await applyDeployment({ desired, bundleText }, engineOf(watched, clock), OPTIONS)
    expect({ state: repaired.state, reason: repaired.reason }).toEqual({
      state: expect.stringMatching(/^(applied|unchanged)$/),
      reason: null,
    })
    await expectApplied(world, edit)
  }
  await expectApplied(world, edits.at(-1)!)
  await expectNothingLeft(world, edits.at(-1)!)
  return { hit }
}

/** Two to four states of Git, each an edit of the one before. */
function history(rng: Rng): Edit[] {
  const edits: Edit[] = [{ rollout: ROLLOUT }]
  const length = 2 + Math.floor(rng.uniform() * 3)
  while (edits.length < length) {
    const last = edits.at(-1)!
    const policies = ['first', 'second', 'third'].filter(policy => policy !== (last.policy ?? 'first'))
    const changes: Edit[] = [
      { policy: policies[Math.floor(rng.uniform() * 2)] },
      { maxReplicas: 2 + Math.floor(rng.uniform() * 8) },
      { machineType: `n2-standard-${2 ** (1 + Math.floor(rng.uniform() * 3))}` },
      { description: `edited ${edits.length} times` },
    ]
    edits.push({ ...last, ...changes[Math.floor(rng.uniform() * changes.length)] })
  }
  return edits
}

function faultsOf(fault: Fault, at: number, world: World, id: string, rng: Rng, onHit: () => void): Faults {
  const once = (body: () => void | Promise<void>) => (call: number) => {
    if (call !== at) return
    onHit()
    return body()
  }
  const often = () => {
    onHit()
    if (rng.uniform() < 0.1) unavailable()
  }
  const fail = () => {
    onHit()
    return world.failNextDeployment()
  }
  switch (fault) {
    case 'unavailable':
      return { before: once(unavailable) }
    case 'lost answer':
      return { after: once(unavailable) }
    // A fifth of all calls is not answered, half of those are done all the same.
    case 'flaky':
      return { before: often, after: often }
    case 'foreign edit':
      return { before: once(() => world.edit(id, `team-${at}`)) }
    case 'unready':
      return { before: call => (call === 0 ? fail() : undefined) }
    case 'kill': {
      const dead = () => {
        onHit()
        throw new Killed()
      }
      // Before the call, or after it was done.
      return at % 2 === 0
        ? { before: call => (call >= at ? dead() : undefined) }
        : { before: call => (call > at ? dead() : undefined), after: call => (call >= at ? dead() : undefined) }
    }
  }
}

/** Once the rollback window is over, what serves is all that garbage collection leaves deployed. */
async function expectNothingLeft({ cloud, clock }: World, edit: Edit): Promise<void> {
  const { deployment, endpoint, model, deployed } = desiredState(edit)
  await clock.sleep(25 * 3_600_000)
  const whose = { deployment, endpoint: endpoint.id, shelf: model.id }
  const collected = await collectGarbage(whose, undefined, engineOf(cloud, clock))
  expect(collected.state).toMatch(/^(applied|unchanged)$/)
  const live = await cloud.getRoute(endpoint.id)
  expect(live?.workloads.map(({ id }) => id)).toEqual([deployed.id])
  await expectApplied({ cloud, clock }, edit)
}

/** Traffic goes to models that are ready, after every write. */
async function refuseBadTraffic(cloud: Cloud, id: string): Promise<void> {
  const endpoint = await cloud.getRoute(id)
  const ready = new Set(endpoint?.workloads.map(model => model.id))
  const lost = Object.entries(endpoint?.traffic ?? {}).filter(([model, percent]) => percent > 0 && !ready.has(model))
  if (lost.length > 0) throw new Error(`traffic goes to ${lost}, which is not ready`)
}

async function expectApplied({ cloud, clock }: Pick<World, 'cloud' | 'clock'>, edit: Edit): Promise<void> {
  const desired = desiredState(edit)
  const again = await applyDeployment({ desired, bundleText }, engineOf(cloud, clock), OPTIONS)
  expect({ state: again.state, changes: again.changes }).toEqual({ state: 'unchanged', changes: [] })
  const routes = await cloud.listRoutes()
  expect(routes).toHaveLength(1)
  const [{ traffic, workloads, memory, ...rest }] = routes
  expect(traffic).toEqual({ [desired.deployed.id]: 100 })
  // Where there was nothing to do, the lock of a killed run was not even taken over.
  expect(memory?.lock?.expires ?? 0).toBeLessThanOrEqual(clock.now() / 1000)
  expect(memory?.candidate).toBeUndefined()
  expect(workloads.find(({ id }) => id === desired.deployed.id)).toMatchObject({
    ...desired.deployed,
    scale: desired.scale,
  })
  expect(rest).toMatchObject({ ...desired.endpoint })
  const releases = await cloud.releasesOf(desired.model.id)
  const digests = releases.map(({ digest }) => digest)
  expect(new Set(digests).size).toBe(digests.length)
  const current = releases.filter(({ current }) => current)
  expect(current.map(({ digest }) => digest)).toEqual([desired.model.digest])
}
