import { describe, expect, it } from 'vitest'
import type { EndpointUpdate, VertexApi } from '../../../src/adapters/vertex/api.ts'
import { applyDeployment } from '../../../src/deploy/doing/apply.ts'
import { breakLock } from '../../../src/deploy/doing/lock.ts'
import { LOCK_TERM } from '../../../src/deploy/doing/locked-endpoint.ts'
import type { LockProcess } from '../../../src/deploy/memory.ts'
import type { Cloud } from '../../../src/deploy/routes.ts'
import type { ProcessState } from '../../../src/deploy/runs.ts'
import { type Rng, stream } from '../../../src/math/rng.ts'
import { bundleText, desiredState, engineOf, OPTIONS } from '../../support/deploying.ts'
import { faulty, Killed, unavailable } from '../../support/faults.ts'
import { type MemoryCloud, memoryCloud } from '../../support/memory-vertex.ts'
import { overVertex } from '../../support/over-vertex.ts'

const { id } = desiredState().endpoint
const ROLLOUT = { steps: [{ traffic: 0.5, hold: '2m' }, { traffic: 1 }] }
const UNGUARDED = /^(deployModel|undeployModel|mutateDeployedModel|uploadModel|setDefaultVersion|delete)/

/** Who holds the lock of the endpoint now. */
const holder = async ({ cloud, clock }: MemoryCloud) => {
  const lock = (await cloud.getRoute(id))?.memory?.lock
  return lock === undefined || lock.expires * 1000 <= clock.now() ? undefined : lock.run
}

/**
 * The cloud as one run has it: reads take up to four minutes, writes up to ten seconds each way, and some of them are not answered. A write
 * that is carried out through the lock of another run, whose process is not gone, is a wrong.
 */
function watched(
  world: MemoryCloud,
  run: () => string,
  rng: Rng,
  wrongs: string[],
  {
    dead,
    breaking,
    killAt,
  }: { readonly dead: ReadonlySet<string>; readonly breaking: boolean; readonly killAt: number },
): Cloud {
  const { vertex, clock } = world
  const wrong = (method: string, other: string | undefined) => {
    if (other !== undefined && other !== run() && !dead.has(other)) wrongs.push(`${run()} ${method} under ${other}`)
  }
  const checked: VertexApi = {
    ...vertex,
    async updateEndpoint(endpoint: string, update: EndpointUpdate) {
      const before = await vertex.getEndpoint(endpoint)
      const other = await holder(world)
      const after = await vertex.updateEndpoint(endpoint, update)
      // The write has gone through, so `before` is what it replaced.
      if (before?.etag === update.etag) wrong('updateEndpoint', other)
      return after
    },
  }
  const late = (method: string) => clock.sleep(Math.ceil(rng.uniform() * (UNGUARDED.test(method) ? 2000 : 10_000)))
  return faulty(overVertex(checked), {
    async before(call, method) {
      if (call >= killAt) throw new Killed()
      const slow = /^(get|list|running)/.test(method) && rng.uniform() < 0.1
      await (slow ? clock.sleep(Math.ceil(rng.uniform() * 240_000)) : late(method))
      if (rng.uniform() < 0.03) unavailable()
      if (!breaking && UNGUARDED.test(method) && (await holder(world)) !== run())
        wrongs.push(`${run()} ${method} without the lock`)
    },
    async after(_, method) {
      await late(method)
      if (rng.uniform() < 0.03) unavailable()
    },
  })
}

async function tell(seed: number, breaking: boolean): Promise<{ states: string[]; wrongs: string[] }> {
  const rng = stream(seed, 'interleaved', String(breaking))
  const world = memoryCloud({ deploy: 60_000 })
  const { cloud, clock } = world
  await applyDeployment({ desired: desiredState({ rollout: ROLLOUT }), bundleText }, engineOf(cloud, clock), OPTIONS)
  const wrongs: string[] = []
  const dead = new Set<string>()
  const stateOf = ({ pid }: LockProcess): ProcessState =>
    dead.has(pid.toString(16).padStart(8, '0')) ? 'gone' : 'running'
  let over = 0

  const run = async (policy: string) => {
    let name = ''
    const killAt = rng.uniform() < 0.2 ? Math.floor(rng.uniform() * 60) : Number.POSITIVE_INFINITY
    const mine = stream(seed, 'run', policy)
    const resumes = rng.uniform() < 0.5
    const engine = engineOf(
      watched(world, () => name, mine, wrongs, { dead, breaking, killAt }),
      clock,
      {
        resumes,
        stateOf,
      },
    )
    name = engine.run.id
    await clock.sleep(Math.ceil(rng.uniform() * rng.uniform() * 900_000))
    const desired = desiredState({ policy, rollout: ROLLOUT })
    try {
      return (await applyDeployment({ desired, bundleText }, engine, { ...OPTIONS, acceptDrift: true })).state
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      dead.add(name)
      return 'killed'
    } finally {
      over++
    }
  }
  const breakSome = async () => {
    while (over < 2) {
      await clock.sleep(Math.ceil(rng.uniform() * 3_600_000))
      const found = await holder(world)
      if (found !== undefined)
        await breakLock(cloud, id, found, { clock, rng }, engineOf(cloud, clock).run).catch(() => {})
    }
  }
  const states = await Promise.all([run('second'), run('third'), ...(breaking ? [breakSome()] : [])])
  const last = await holder(world)
  if (last !== undefined && !dead.has(last)) wrongs.push(`${last} kept the lock`)
  await clock.sleep(LOCK_TERM + 2000)
  const after = await applyDeployment(
    { desired: desiredState({ policy: 'third', rollout: ROLLOUT }), bundleText },
    engineOf(cloud, clock),
    { ...OPTIONS, acceptDrift: true },
  )
  if (after.state !== 'applied' && after.state !== 'unchanged') wrongs.push(`then ${after.state}: ${after.reason}`)
  return { states: states.flatMap(state => state ?? []), wrongs }
}

describe('two runs at the same endpoint, in any order, slow and cut off now and then, one of them killed now and then', () => {
  it.each([
    ['', false],
    [' while locks are broken at any time', true],
  ])('write nothing through the lock of the other%s', async (_, breaking) => {
    const seen = new Map<string, number>()
    for (let seed = 0; seed < Number(process.env.CHAOS_RUNS ?? 100); seed++) {
      const { states, wrongs } = await tell(seed, breaking)
      expect({ seed, wrongs }).toEqual({ seed, wrongs: [] })
      for (const state of states) seen.set(state, (seen.get(state) ?? 0) + 1)
    }
    // All of it happened.
    for (const state of ['applied', 'conflict', 'killed']) expect(seen.get(state)).toBeGreaterThan(2)
  })
})
