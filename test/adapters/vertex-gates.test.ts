import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { vertexCloud } from '../../src/adapters/vertex.ts'
import { applyDeployment } from '../../src/deploy/apply.ts'
import type { Desired } from '../../src/deploy/desired.ts'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { echo, FAST, servers } from '../emulator/deployed.ts'
import { bundleText, desiredState, engineOf, OPTIONS, TARGET } from '../support/deploying.ts'

const rollout = {
  steps: [{ traffic: 0.5, hold: '60s' }, { traffic: 1 }],
  gates: [
    { metric: 'errorRate', max: 0.05 },
    { metric: 'latencyP99', max: '5s' },
  ],
} as const

/** The emulator, whose model servers answer one of `unwell` deployed models in four with an error. */
async function emulated(unwell: ReadonlySet<string>) {
  let requests = 0
  const emulator = await startEmulator({
    port: 0,
    seed: 1,
    timing: FAST,
    servers: () =>
      servers((body, model) =>
        unwell.has(model.deployedModelId) && ++requests % 4 === 0 ? { status: 500, body: '{}' } : echo(body, model),
      ),
  })
  onTestFinished(emulator.stop)
  const cloud = await vertexCloud(TARGET.place, () => emulator.url)
  const { project, region } = TARGET.place
  const apply = async (desired: Desired) => {
    const engine = engineOf(cloud, { now: Date.now, sleep: (ms, signal) => sleep(ms, undefined, { signal }) })
    const outcome = await applyDeployment({ desired, bundleText }, engine, OPTIONS)
    return { ...outcome, events: engine.events }
  }
  /** Requests to the endpoint, eight at a time, until stopped. */
  const players = (endpoint: string) => {
    let playing = true
    const url = `${emulator.url}/v1/projects/${project}/locations/${region}/endpoints/${endpoint}:predict`
    const body = JSON.stringify({ instances: [{ playerId: 'p1' }] })
    const all = Array.from({ length: 8 }, async () => {
      while (playing) await (await fetch(url, { method: 'POST', body })).text()
    })
    return async () => {
      playing = false
      await Promise.all(all)
    }
  }
  return { cloud, apply, players }
}

describe('gates on what the cloud measures', () => {
  const first = desiredState({ rollout })
  const second = desiredState({ policy: 'second', rollout })

  it('let a healthy version through at the end of its hold', async () => {
    const { apply, players } = await emulated(new Set())
    const held = {
      ...second,
      rollout: {
        ...second.rollout,
        steps: [
          { percent: 50, holdMs: 6000 },
          { percent: 100, holdMs: 0 },
        ],
      },
    }
    expect(await apply(first)).toMatchObject({ state: 'applied' })
    const stop = players(first.endpoint.id)
    onTestFinished(stop)
    expect(await apply(held)).toMatchObject({ state: 'applied', traffic: { [second.deployed.id]: 100 } })
  })

  it('fail a version that answers with errors, early, and all traffic is back where it was', async () => {
    const { apply, players, cloud } = await emulated(new Set([second.deployed.id]))
    expect(await apply(first)).toMatchObject({ state: 'applied' })
    const stop = players(first.endpoint.id)
    onTestFinished(stop)
    const outcome = await apply(second)
    expect(outcome).toMatchObject({ state: 'rolled-back', traffic: { [first.deployed.id]: 100 } })
    expect(outcome.reason).toContain('errorRate')
    const last = outcome.events.findLast(({ event }) => event === 'gates')
    expect(last).toMatchObject({ step: 0, leftMs: expect.any(Number) })
    expect((last as { leftMs: number }).leftMs).toBeGreaterThan(0)
    const live = await cloud.getEndpoint(first.endpoint.id)
    expect(live?.deployedModels.map(({ id }) => id)).toEqual([first.deployed.id])
    expect(await apply(second)).toMatchObject({ state: 'held', changes: [] })
  })
})
