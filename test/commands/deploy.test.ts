import { describe, expect, it, vi } from 'vitest'
import { CloudError } from '../../src/deploy/cloud-error.ts'
import type { Plan } from '../../src/deploy/wanted/plan.ts'
import type { DeployResult, StatusResult } from '../../src/results.ts'
import { overVertex } from '../support/over-vertex.ts'
import type { Session } from '../support/run-dap.ts'
import {
  answered,
  changePolicy,
  DEPLOYMENT,
  deployedShop,
  deployInHold,
  jsonOf,
  liveEndpoint,
  moveTraffic,
  offer,
  ROLLOUT,
  read,
  type Shop,
  shop,
} from './support.ts'

const resultOf = (session: Session) => jsonOf<DeployResult>(session, 'deploy-result')
const stateOf = (session: Session) => resultOf(session).deployments[0].state
const trafficOf = async ({ cloud }: Shop) =>
  Object.values((await liveEndpoint(cloud.vertex)).traffic).sort((a, b) => a - b)

/** What `dap status` calls it, with the exit code that --exit-code gives it. */
async function statusOf({ dap }: Shop) {
  const session = await dap('status --exit-code --json')
  return [jsonOf<StatusResult>(session, 'status-result').deployments[0].state, session.code]
}

const GATED = offer(
  'rollout: { steps: [{ traffic: 0.1, hold: 10m }, { traffic: 1 }], gates: [{ metric: errorRate, max: 0.01 }] }',
)

/** Its first version deployed, its second one about to be, behind a gate. */
async function gatedShop(rollout = GATED): Promise<Shop> {
  const made = await deployedShop({ [DEPLOYMENT]: rollout })
  changePolicy(made)
  return made
}

describe('deploy', () => {
  it('does nothing without somebody who agrees', async () => {
    const { dap, cloud } = shop()
    expect(read(await dap('deploy'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: nobody can be asked here whether to go on
      hint: --yes says so beforehand
      "
    `)
    const agree = vi.fn(() => false)
    const refused = await dap('deploy', { agree })
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('\n+ offer  create\n')
    expect(refused.stderr).toMatch(/\n\n1 to create\n\nerror: nothing was changed\n$/)
    expect(agree.mock.calls).toEqual([['apply this plan?']])
    expect(await cloud.vertex.listEndpoints()).toEqual([])
    expect(Object.keys(refused.files).filter(path => path.startsWith('.dap'))).toEqual([])
    expect(await dap('deploy', { agree: () => true })).toMatchObject({ code: 0 })
  })

  it('asks nothing where there is nothing to do', async () => {
    const { dap } = await deployedShop()
    expect(read(await dap('deploy'))).toMatchInlineSnapshot(`
      "exit 0
      1 unchanged
      "
    `)
  })

  it('says what it has done, and leaves the names of the operations in its journal', async () => {
    const { dap } = shop()
    const session = await dap('deploy --yes')
    expect(read(session)).toMatchInlineSnapshot(`
      "exit 0
      ✓ offer  applied
        create endpoint dap-offer-de8f14fc                        5s
        upload bundle dap/bundles/offer-621a7bb6cb00/bundle.json  0s
        upload a version of model dap-offer-de8f14fc              1m 32s
        deploy offer-cee88991039e without traffic                 10m 2s
        move all traffic to offer-cee88991039e                    0s
        promote offer-cee88991039e                                0s
        traffic  100 % offer-cee88991039e

      1 applied
      "
    `)
    const [path] = Object.keys(session.files).filter(each => each.startsWith('.dap/journal/'))
    expect(path).toBe('.dap/journal/local-1795400000000-00000001.jsonl')
    const lines = session.files[path]
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.flatMap(({ event, operation }) => (event === 'operation' ? operation : []))).toHaveLength(3)
    expect(new Set(lines.map(({ run }) => run))).toEqual(new Set(['00000001']))
  })

  it('moves traffic step by step, and holds each of them', async () => {
    const made = await deployedShop()
    changePolicy(made)
    const before = made.cloud.clock.now()
    const session = await made.dap('deploy --yes --json')
    expect(session.code).toBe(0)
    expect(resultOf(session).deployments[0].changes.map(({ title }) => title)).toEqual([
      expect.stringContaining('upload bundle'),
      expect.stringContaining('upload a version'),
      expect.stringContaining('deploy offer-'),
      expect.stringContaining('move 10 % of traffic to offer-'),
      'hold 10m',
      expect.stringContaining('move 50 % of traffic to offer-'),
      'hold 10m',
      expect.stringContaining('move all traffic to offer-'),
      expect.stringContaining('promote offer-'),
    ])
    expect(made.cloud.clock.now() - before).toBeGreaterThanOrEqual(20 * 60_000)
    expect(await statusOf(made)).toEqual(['synced', 0])
    expect((await made.dap('status')).stdout).toMatchInlineSnapshot(`
      "local against commit cccccccccccc

         deployment  state   version             role      traffic  replicas     machine
      =  offer       synced  offer-cee88991039e  previous      0 %  1 of 1 to 4  n2-standard-2  idle, warm until 2026-11-24 02:56 UTC
                             offer-28ee706c165f  stable      100 %  1 of 1 to 4  n2-standard-2

      Everything runs as Git says: 1 deployment.
      "
    `)
  })

  it('does one step a call with --step, and its exit code is that of success', async () => {
    const made = await deployedShop()
    changePolicy(made)
    const seen: unknown[] = []
    for (let calls = 0; seen.at(-1) !== 'applied'; calls++) {
      if (calls > 10) throw new Error('it never comes to an end')
      const session = await made.dap('deploy --yes --step --json')
      expect(session.code).toBe(0)
      seen.push(...(await trafficOf(made)).filter(share => share > 0 && share < 100).slice(0, 1), stateOf(session))
      await made.cloud.clock.sleep(601_000)
    }
    expect(seen).toEqual([10, 'rolling', 50, 'rolling', 'applied'])
  })
})

describe('a plan that was approved', () => {
  it('is deployed without a question', async () => {
    const { dap } = shop()
    await dap('plan --out plan.json')
    const session = await dap('deploy plan.json --json')
    expect(session.code).toBe(0)
    expect(resultOf(session).plan).toBe(JSON.parse(session.files['plan.json']).digest)
    expect(await dap('deploy plan.json')).toMatchObject({ code: 0, stdout: '1 unchanged\n' })
  })

  it('is deployed where its endpoint was written to without a difference, and a note says so', async () => {
    const made = await deployedShop()
    changePolicy(made)
    await made.dap('plan --out plan.json')
    const { vertex } = made.cloud
    const { id, etag, labels } = await liveEndpoint(vertex)
    await vertex.updateEndpoint(id, { etag, labels: { ...labels, team: 'growth' } })
    const session = await made.dap('deploy plan.json')
    expect(session.code).toBe(0)
    const notes = session.events.flatMap(event => ('event' in event && event.event === 'note' ? event.text : []))
    expect(notes).toEqual(['its endpoint was written to since it was planned; what is to be done is the same'])
    expect((await liveEndpoint(vertex)).labels.team).toBe('growth')
  })

  it('is stale once Git says something else', async () => {
    const made = await deployedShop()
    changePolicy(made)
    await made.dap('plan --out plan.json')
    changePolicy(made)
    expect(read(await made.dap('deploy plan.json'))).toMatchInlineSnapshot(`
      "exit 4
      --- stderr
      error: the plan is stale: offer: Git says something else than when the plan was made
      hint: \`dap plan --out\` makes another one
      "
    `)
  })

  it('is stale once the cloud is another', async () => {
    const made = await deployedShop()
    changePolicy(made)
    await made.dap('deploy --yes')
    const { deployedModels } = await liveEndpoint(made.cloud.vertex)
    changePolicy(made)
    await made.dap('plan --out plan.json')
    await moveTraffic(made.cloud.vertex, { [deployedModels[0].id]: 60, [deployedModels[1].id]: 40 })
    expect(read(await made.dap('deploy plan.json'))).toMatchInlineSnapshot(`
      "exit 4
      --- stderr
      error: the plan is stale: offer: somebody else has changed traffic
      hint: \`dap plan --out\` makes another one
      "
    `)
    expect(await trafficOf(made)).toEqual([40, 60])
  })

  it('expires', async () => {
    const made = shop()
    await made.dap('plan --out plan.json')
    await made.cloud.clock.sleep(7 * 86_400_000)
    expect(read(await made.dap('deploy plan.json'))).toMatchInlineSnapshot(`
      "exit 4
      --- stderr
      error: the plan has expired: 2026-11-30T02:13:20.000Z
      hint: \`dap plan --out\` makes another one
      "
    `)
  })

  it('says itself what it is about: no option beside it does', async () => {
    const { dap } = shop()
    await dap('plan --out plan.json')
    expect(read(await dap('deploy plan.json --env local'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: a plan's file and --env cannot both say what is to be done
      hint: \`dap plan\` takes it, and writes it into the plan
      "
    `)
    for (const option of [
      '--only offer',
      '--accept-drift',
      '--prune',
      '--release-hold',
      '--override-protection offer',
    ]) {
      expect(await dap(`deploy plan.json ${option}`), option).toMatchObject({ code: 3 })
    }
  })
})

describe('drift', () => {
  it('stops a deploy, until --accept-drift sets it right', async () => {
    const made = await deployedShop()
    const { id, deployedModels } = await liveEndpoint(made.cloud.vertex)
    await made.cloud.vertex.mutateDeployedModel(id, deployedModels[0].id, {
      minReplicas: 3,
      maxReplicas: 4,
      targetCpu: 60,
    })
    await made.cloud.clock.sleep(120_000)
    expect(await statusOf(made)).toEqual(['drifted', 2])
    expect(read(await made.dap('deploy --yes'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: the plan cannot be applied: offer: somebody else has changed resources.minReplicas
      hint: \`--accept-drift\` sets it right; or write it into Git
      "
    `)
    expect((await liveEndpoint(made.cloud.vertex)).deployedModels[0].scale.minReplicas).toBe(3)
    expect(await made.dap('deploy --yes --accept-drift')).toMatchObject({ code: 0 })
    expect((await liveEndpoint(made.cloud.vertex)).deployedModels[0].scale.minReplicas).toBe(1)
    expect(await statusOf(made)).toEqual(['synced', 0])
  })
})

describe('gates', () => {
  it('that pass let traffic go on', async () => {
    const made = await gatedShop()
    made.cloud.measure(() => answered(5000, 2))
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
    expect(await statusOf(made)).toEqual(['synced', 0])
  })

  it('that fail bring all traffic back, and hold that version until Git changes', async () => {
    const made = await gatedShop()
    const { traffic } = await liveEndpoint(made.cloud.vertex)
    made.cloud.measure(() => answered(1000, 100))
    expect(read(await made.dap('deploy --yes'))).toMatchInlineSnapshot(`
      "exit 1
      ← offer  rolled back: errorRate is 10 % of 1000 requests, 1 % is allowed
        upload bundle dap/bundles/offer-ef11825dad17/bundle.json  0s
        upload a version of model dap-offer-de8f14fc              1m 32s
        deploy offer-28ee706c165f without traffic                 10m 2s
        move 10 % of traffic to offer-28ee706c165f                0s
        move all traffic to offer-cee88991039e                    0s
        undeploy offer-28ee706c165f                               32s
        traffic  100 % offer-cee88991039e
        next: revert the change in Git, or mend it; \`dap deploy --env local --only offer --release-hold\` brings the same version back

      1 rolled back
      "
    `)
    expect((await liveEndpoint(made.cloud.vertex)).traffic).toEqual(traffic)
    expect(await statusOf(made)).toEqual(['held', 2])

    const again = await made.dap('deploy --yes --json')
    expect([again.code, stateOf(again)]).toEqual([0, 'held'])
    expect((await liveEndpoint(made.cloud.vertex)).traffic).toEqual(traffic)

    made.cloud.measure(() => answered(5000, 2))
    changePolicy(made)
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
    expect(await statusOf(made)).toEqual(['synced', 0])
  })

  it('that fail pause a rollout whose file says so', async () => {
    const made = await gatedShop(GATED.replace('max: 0.01 }]', 'max: 0.01 }], onFailure: pause'))
    made.cloud.measure(() => answered(1000, 100))
    const session = await made.dap('deploy --yes --json')
    expect([session.code, stateOf(session)]).toEqual([6, 'paused'])
    expect(await trafficOf(made)).toEqual([10, 90])
  })

  it('that cannot tell pause the rollout until somebody looks again', async () => {
    const made = await gatedShop()
    expect(read(await made.dap('deploy --yes'))).toMatchInlineSnapshot(`
      "exit 6
      ! offer  paused: errorRate cannot be told: there were no requests
        upload bundle dap/bundles/offer-ef11825dad17/bundle.json  0s
        upload a version of model dap-offer-de8f14fc              1m 32s
        deploy offer-28ee706c165f without traffic                 10m 2s
        move 10 % of traffic to offer-28ee706c165f                0s
        traffic  90 % offer-cee88991039e, 10 % offer-28ee706c165f
        next: \`dap deploy --env local --only offer --resume\` looks again, \`--skip-gates\` goes on without, \`dap rollback offer --env local\` goes back

      1 paused
      "
    `)
    expect(await statusOf(made)).toEqual(['paused', 2])
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 6 })
    expect(await made.dap('deploy --yes --resume')).toMatchObject({ code: 6 })
    expect(await trafficOf(made)).toEqual([10, 90])
    made.cloud.measure(() => answered(5000, 2))
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 6 })
    expect(await made.dap('deploy --yes --resume')).toMatchObject({ code: 0 })
    expect(await statusOf(made)).toEqual(['synced', 0])
  })

  it('are set aside with --skip-gates', async () => {
    const made = await gatedShop()
    await made.dap('deploy --yes')
    expect(await made.dap('deploy --yes --skip-gates')).toMatchObject({ code: 0 })
    expect(await statusOf(made)).toEqual(['synced', 0])
  })
})

describe('a cloud that refuses', () => {
  it('leaves traffic where it is when a model never becomes ready', async () => {
    const made = await deployedShop()
    const { traffic } = await liveEndpoint(made.cloud.vertex)
    changePolicy(made)
    made.cloud.failNextDeployment()
    expect(read(await made.dap('deploy --yes'))).toMatchInlineSnapshot(`
      "exit 5
      ✗ offer  failed: could not deploy offer-28ee706c165f without traffic: model server never became ready
        upload bundle dap/bundles/offer-ef11825dad17/bundle.json  0s
        upload a version of model dap-offer-de8f14fc              1m 32s
        traffic  100 % offer-cee88991039e
        hint: the emulator prints what the server said

      1 failed
      "
    `)
    expect((await liveEndpoint(made.cloud.vertex)).traffic).toEqual(traffic)
    expect(await statusOf(made)).toEqual(['behind', 2])
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
  })

  it('does not keep other deployments from being done', async () => {
    const made = shop({ 'deployments/local/other.yaml': offer(ROLLOUT, 'other') })
    made.cloud.failNextDeployment()
    const session = await made.dap('deploy --yes --parallel 1 --json')
    expect(session.code).toBe(5)
    expect(resultOf(session).deployments.map(({ state }) => state)).toEqual(['failed', 'applied'])
  })
})

describe('a run that is stopped', () => {
  /** Stopped in the hold of its first step. */
  async function stopped(made: Shop) {
    const abort = new AbortController()
    const { run } = await deployInHold(made, { signal: abort.signal })
    abort.abort()
    return run
  }

  it('says so, gives its lock back, and the next one goes on where it was', async () => {
    const made = await deployedShop()
    changePolicy(made)
    expect(read(await stopped(made))).toMatchInlineSnapshot(`
      "exit 130
      ! offer  interrupted: the run was stopped
        upload bundle dap/bundles/offer-ef11825dad17/bundle.json  0s
        upload a version of model dap-offer-de8f14fc              1m 32s
        deploy offer-28ee706c165f without traffic                 10m 2s
        move 10 % of traffic to offer-28ee706c165f                0s
        traffic  90 % offer-cee88991039e, 10 % offer-28ee706c165f
        next: \`dap deploy --env local --only offer --resume\` goes on

      1 interrupted
      "
    `)
    expect(await made.dap('lock ls')).toMatchObject({ code: 0, stdout: 'no deployment of local is locked\n' })
    expect(await statusOf(made)).toEqual(['rolling', 2])
    const plan = jsonOf<Plan>(await made.dap('plan --json'), 'plan')
    expect(plan.deployments[0].action).toBe('continue')
    const resumed = await made.dap('deploy --yes --resume --json')
    expect(resumed.code).toBe(0)
    expect(resultOf(resumed).deployments[0].changes.map(({ title }) => title.split(' ')[0])).toEqual([
      'hold',
      'move',
      'hold',
      'move',
      'promote',
    ])
  })

  it('can be gone back from', async () => {
    const made = await deployedShop()
    const { traffic } = await liveEndpoint(made.cloud.vertex)
    changePolicy(made)
    await stopped(made)
    expect(await made.dap('rollback offer --yes')).toMatchObject({ code: 0 })
    expect((await liveEndpoint(made.cloud.vertex)).traffic).toEqual(traffic)
    expect(await statusOf(made)).toEqual(['held', 2])
  })
})

describe('orphans', () => {
  it('are deleted by --prune alone, and not where the environment protects them', async () => {
    const made = await deployedShop()
    made.write(DEPLOYMENT, offer(ROLLOUT, 'other'))
    await made.dap('deploy --yes')
    expect(await made.cloud.vertex.listEndpoints()).toHaveLength(2)
    made.edit('environments/local.yaml', 'target: emulator', 'target: emulator\n  protect: [delete]')
    expect(await made.dap('deploy --yes --prune')).toMatchObject({ code: 0 })
    expect(await made.cloud.vertex.listEndpoints()).toHaveLength(2)
    expect(read(await made.dap('deploy --yes --prune --override-protection offer'))).toMatchInlineSnapshot(`
      "exit 0
      ✓ offer  applied
        take all traffic away               0s
        undeploy offer-cee88991039e         32s
        delete endpoint dap-offer-de8f14fc  8s
        delete model dap-offer-de8f14fc     8s

      1 applied, 1 unchanged
      "
    `)
    expect(await made.cloud.vertex.listEndpoints()).toHaveLength(1)
  })

  /** What may happen to a file, while the Deployment is meant to stay. */
  it.each([
    ['moved out of the folders', (path: string) => [path.replace('deployments/', 'moved/'), offer(ROLLOUT)]],
    ['emptied', (path: string) => [path, '']],
    ['commented out', (path: string) => [path, offer(ROLLOUT).replaceAll(/^/gm, '# ')]],
    ['hidden', (path: string) => [path.replace('offer.yaml', '.offer.yaml'), offer(ROLLOUT)]],
    ['given another ending', (path: string) => [`${path}.bak`, offer(ROLLOUT)]],
  ])('keep their traffic until they are named, where the file was %s', async (_, change) => {
    const made = await deployedShop()
    made.remove(DEPLOYMENT)
    const [path, text] = change(DEPLOYMENT)
    made.write(path, text)
    const traffic = async () => (await liveEndpoint(made.cloud.vertex)).traffic
    const before = await traffic()
    const { code, events } = await made.dap('deploy --prune --yes')
    expect(code).toBe(0)
    expect(events).toContainEqual(
      expect.objectContaining({
        deployment: 'offer',
        event: 'note',
        text: expect.stringMatching(/^it stays: it still has traffic/),
      }),
    )
    const planned = await made.dap('plan --prune --out plan.json')
    expect(planned.stdout).toContain('it still has traffic, 100 % offer-')
    expect(await made.dap('deploy plan.json')).toMatchObject({ code: 0 })
    expect(await traffic()).toEqual(before)

    const asked: string[] = []
    const answering = (...answers: boolean[]) => ({
      agree(question: string) {
        asked.push(question)
        return answers[asked.length - 1]
      },
    })
    expect(await made.dap('deploy --prune', answering(false))).toMatchObject({ code: 0 })
    expect(asked).toEqual([expect.stringMatching(/no Deployment declares offer, .*\(100 % offer-\w+\): delete it\?/)])
    expect(await traffic()).toEqual(before)
    asked.length = 0
    expect(await made.dap('deploy --prune', answering(true, false))).toMatchObject({ code: 1 })
    expect(asked[1]).toBe('apply this plan?')
    expect(await traffic()).toEqual(before)

    await made.dap('plan --prune --override-protection offer --out plan.json')
    expect(await made.dap('deploy plan.json')).toMatchObject({ code: 0 })
    expect(await made.cloud.vertex.listEndpoints()).toEqual([])
  })
})

describe('a cloud that cannot be asked', () => {
  it('is no bug of dap: exit 5, its own words and no stack trace', async () => {
    const made = shop()
    const refuse = () =>
      Promise.reject(
        new CloudError('PERMISSION_DENIED', 'permission denied on dap-local', { hint: 'gcloud auth login' }),
      )
    const cloud = { ...made.cloud, cloud: overVertex({ ...made.cloud.vertex, listEndpoints: refuse }) }
    for (const line of [
      'plan',
      'deploy --yes',
      'status',
      'rollback offer --yes',
      'gc --yes',
      'destroy offer --yes',
      'lock ls',
    ]) {
      expect(await made.dap(line, { cloud }), line).toMatchObject({
        code: 5,
        stdout: '',
        stderr: 'error: permission denied on dap-local\nhint: gcloud auth login\n',
      })
    }
  })
})
