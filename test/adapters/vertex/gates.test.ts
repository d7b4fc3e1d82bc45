import { describe, expect, it, onTestFinished } from 'vitest'
import { vertexCloud } from '../../../src/adapters/vertex/cloud.ts'
import { applyDeployment } from '../../../src/deploy/doing/apply.ts'
import type { Desired } from '../../../src/deploy/wanted/desired.ts'
import { virtualClock } from '../../../src/emulator/clock.ts'
import { startEmulator } from '../../../src/emulator/emulator.ts'
import { echo, FAST, servers } from '../../emulator/deployed.ts'
import { bundleText, desiredState, engineOf, OPTIONS, TARGET } from '../../support/deploying.ts'

const rollout = {
  steps: [{ traffic: 0.5, hold: '60s' }, { traffic: 1 }],
  gates: [
    { metric: 'errorRate', max: 0.05 },
    // Longer than the emulator waits for an answer: how fast this machine is decides nothing.
    { metric: 'latencyP99', max: '61s' },
  ],
} as const

/** Of players, in each second that passes: enough in a minute, by half of the traffic, for a gate to pass. */
const REQUESTS = 20

/** The emulator, whose model servers answer one of `unwell` deployed models in four with an error. Its time passes while the run sleeps. */
async function emulated(unwell: ReadonlySet<string>) {
  const time = virtualClock()
  let requests = 0
  /** What players ask. */
  let url: string | undefined
  const emulator = await startEmulator({
    port: 0,
    seed: 1,
    clock: time,
    timing: FAST,
    servers: () =>
      servers((body, model) =>
        unwell.has(model.deployedModelId) && ++requests % 4 === 0 ? { status: 500, body: '{}' } : echo(body, model),
      ),
  })
  onTestFinished(emulator.stop)
  const cloud = await vertexCloud(TARGET.place, () => emulator.url)
  const { project, region } = TARGET.place
  const body = JSON.stringify({ instances: [{ playerId: 'p1' }] })
  const clock = {
    now: time.now,
    async sleep(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        for (let i = 0; i < REQUESTS && url !== undefined; i++)
          await (await fetch(url, { method: 'POST', body })).text()
        await time.advance(Math.min(left, 1000))
      }
    },
  }
  const apply = async (desired: Desired) => {
    const engine = engineOf(cloud, clock)
    const outcome = await applyDeployment({ desired, bundleText }, engine, OPTIONS)
    return { ...outcome, events: engine.events }
  }
  const play = (endpoint: string) => {
    url = `${emulator.url}/v1/projects/${project}/locations/${region}/endpoints/${endpoint}:predict`
  }
  return { cloud, apply, play }
}

describe('gates on what the cloud measures', () => {
  const first = desiredState({ rollout })
  const second = desiredState({ policy: 'second', rollout })

  it('let a healthy version through at the end of its hold', async () => {
    const { apply, play } = await emulated(new Set())
    expect(await apply(first)).toMatchObject({ state: 'applied' })
    play(first.endpoint.id)
    expect(await apply(second)).toMatchObject({ state: 'applied', traffic: { [second.deployed.id]: 100 } })
  })

  it('fail a version that answers with errors, early, and all traffic is back where it was', async () => {
    const { apply, play, cloud } = await emulated(new Set([second.deployed.id]))
    expect(await apply(first)).toMatchObject({ state: 'applied' })
    play(first.endpoint.id)
    const outcome = await apply(second)
    expect(outcome).toMatchObject({ state: 'rolled-back', traffic: { [first.deployed.id]: 100 } })
    expect(outcome.reason).toContain('errorRate')
    const last = outcome.events.findLast(({ event }) => event === 'gates')
    expect(last).toMatchObject({ step: 0, leftMs: expect.any(Number) })
    expect((last as { leftMs: number }).leftMs).toBeGreaterThan(0)
    const live = await cloud.getRoute(first.endpoint.id)
    expect(live?.workloads.map(({ id }) => id)).toEqual([first.deployed.id])
    expect(await apply(second)).toMatchObject({ state: 'held', changes: [] })
  })
})
