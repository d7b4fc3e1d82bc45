import { describe, expect, it } from 'vitest'
import type { AdoptResult, DeployResult, LockResult, StatusResult } from '../../src/results.ts'
import { overVertex } from '../support/over-vertex.ts'
import type { Session, Setting } from '../support/run-dap.ts'
import {
  changePolicy,
  DEPLOYMENT,
  deployedShop,
  deployInHold,
  jsonOf,
  liveEndpoint,
  offer,
  ROLLOUT,
  read,
  type Shop,
  shop,
} from './support.ts'

const DAY = 86_400_000

const resultOf = (session: Session) => jsonOf<DeployResult>(session, 'deploy-result')
const endpointOf = ({ cloud }: Shop) => liveEndpoint(cloud.vertex)
/** Ids of those that are deployed. */
const modelsOf = async (made: Shop) => (await endpointOf(made)).deployedModels.map(({ id }) => id)

/** Two versions, one after the other; the first one is warm. */
async function replacedShop(): Promise<Shop> {
  const made = await deployedShop()
  changePolicy(made)
  const { code, stderr } = await made.dap('deploy --yes')
  if (code !== 0) throw new Error(stderr)
  return made
}

describe('status', () => {
  it('shows Git, last applied and live of every state, and ends with 2 only if told to', async () => {
    const made = shop()
    expect(read(await made.dap('status'))).toMatchInlineSnapshot(`
      "exit 0
      local against commit cccccccccccc

         deployment  state   version       role  traffic  replicas  machine
      +  offer       absent  nothing runs

      + offer  it has never been deployed

      1 absent; \`dap plan --env local\` says what would set it right
      "
    `)
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 2 })
    await made.dap('deploy --yes')
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
    changePolicy(made)
    expect(read(await made.dap('status --exit-code'))).toMatchInlineSnapshot(`
      "exit 2
      local against commit cccccccccccc

         deployment  state   version             role    traffic  replicas     machine
      ~  offer       behind  offer-cee88991039e  stable    100 %  1 of 1 to 4  n2-standard-2

      ~ offer  Git has another policy

      1 behind; \`dap plan --env local\` says what would set it right
      "
    `)
    const { deployments, synced, commit } = jsonOf<StatusResult>(await made.dap('status --json'), 'status-result')
    expect(synced).toBe(false)
    expect(deployments[0]).toMatchObject({
      state: 'behind',
      applied: { digest: expect.stringMatching(/^[0-9a-f]{32}$/), commit: commit?.id },
      lock: null,
    })
    expect(deployments[0].applied?.digest).not.toBe(deployments[0].git)
  })

  it('says which old version costs money, until when, and who is at work', async () => {
    const made = await replacedShop()
    expect((await made.dap('status')).stdout).toContain('idle, warm until 2026-11-24 02:56 UTC')
    await made.cloud.clock.sleep(2 * DAY)
    changePolicy(made)
    const abort = new AbortController()
    const { run } = await deployInHold(made, { signal: abort.signal })
    expect(read(await made.dap('status'))).toMatchInlineSnapshot(`
      "exit 0
      local against commit cccccccccccc

         deployment  state    version             role       traffic  replicas     machine
      →  offer       rolling  offer-28ee706c165f  stable        90 %  1 of 1 to 4  n2-standard-2
                              offer-6db5a30a782a  candidate     10 %  1 of 1 to 4  n2-standard-2

      → offer  its rollout is at 10 % of traffic
        locked by run 00000004 (ann-at-desk) until 2026-11-25 03:23 UTC

      1 rolling out; \`dap plan --env local\` says what would set it right
      "
    `)
    abort.abort()
    await run
  })
})

describe('locks', () => {
  /** While a run of somebody else holds its first step. */
  async function busy(owner = 'bob-at-laptop') {
    const made = await deployedShop()
    changePolicy(made)
    return { made, ...(await deployInHold(made, { owner })) }
  }

  it('keep a second run from anything, until they are broken; the first one then writes nothing more', async () => {
    const { made, run, goOn } = await busy()
    const before = await endpointOf(made)
    expect(read(await made.dap('deploy --yes'))).toMatchInlineSnapshot(`
      "exit 4
      ! offer  in conflict: \`offer\` is locked by bob-at-laptop (run 00000002), which is process 2 of this machine, and still runs
        traffic  90 % offer-cee88991039e, 10 % offer-28ee706c165f
        hint: wait for it, or stop it; once it is gone, \`dap deploy --resume\` and \`dap rollback\` take its lock over

      1 in conflict
      "
    `)
    expect(await made.dap('deploy --yes --resume')).toMatchObject({ code: 4 })
    expect(await made.dap('destroy offer --yes')).toMatchObject({ code: 4 })
    expect((await endpointOf(made)).traffic).toEqual(before.traffic)
    expect((await made.dap('plan')).stdout).toContain(
      'note      bob-at-laptop (run 00000002) is at it, until 2026-11-23T',
    )

    const list = await made.dap('lock ls')
    expect(read(list)).toMatchInlineSnapshot(`
      "exit 0
      deployment  run       owner          expires
      offer       00000002  bob-at-laptop  2026-11-23 02:51 UTC
      "
    `)
    const { locks } = jsonOf<LockResult>(await made.dap('lock ls --json'), 'lock-result')
    expect(locks).toMatchObject([{ deployment: 'offer', run: '00000002', owner: 'bob-at-laptop', expired: false }])

    const broken = await made.dap('lock break offer --json')
    expect(jsonOf<LockResult>(broken, 'lock-result')).toMatchObject({ command: 'break', locks: [{ run: '00000002' }] })
    expect(await made.dap('lock break offer')).toMatchObject({ code: 1 })
    goOn()
    const loser = await run
    expect(read(loser)).toMatchInlineSnapshot(`
      "exit 4
      ! offer  in conflict: the lock of \`dap-offer-de8f14fc\` was taken away: nobody holds it now
        upload bundle dap/bundles/offer-ef11825dad17/bundle.json  0s
        upload a version of model dap-offer-de8f14fc              1m 32s
        deploy offer-28ee706c165f without traffic                 10m 2s
        move 10 % of traffic to offer-28ee706c165f                0s
        traffic  90 % offer-cee88991039e, 10 % offer-28ee706c165f
        hint: \`dap status\` shows what runs; \`dap plan\` what is left

      1 in conflict
      "
    `)
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0 })
    expect((await endpointOf(made)).labels).not.toHaveProperty('dap-lock')
  })

  it('say whose they were when they are broken', async () => {
    const { made, run, goOn } = await busy()
    expect(await made.dap('lock break offer')).toMatchObject({
      code: 0,
      stdout: 'broke the lock of offer: run 00000002 of bob-at-laptop\n',
    })
    goOn()
    await run
    expect(read(await made.dap('lock break offer'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: \`offer\` is not locked
      hint: dap lock ls --env local
      "
    `)
  })

  it('of a process of this machine that is gone are taken over by --resume, whoever it was, and by nothing else', async () => {
    const { made, run, goOn } = await busy()
    const gone: Setting = { stateOf: () => 'gone' }
    expect(read(await made.dap('deploy --yes', gone))).toMatchInlineSnapshot(`
      "exit 4
      ! offer  in conflict: \`offer\` is locked by bob-at-laptop (run 00000002) until 2026-11-23T02:51:34.000Z, and its process is gone
        traffic  90 % offer-cee88991039e, 10 % offer-28ee706c165f
        hint: dap deploy --env local --only offer --resume takes the lock over and goes on, \`dap rollback offer\` takes it over and goes back

      1 in conflict
      "
    `)
    expect(await made.dap('destroy offer --yes', gone)).toMatchObject({ code: 4 })
    const session = await made.dap('deploy --yes --resume', gone)
    expect(session.code).toBe(0)
    expect(session.events).toContainEqual({
      type: 'deploy',
      deployment: 'offer',
      event: 'note',
      text: 'took over the lock of bob-at-laptop (run 00000002), whose process is gone',
    })
    goOn()
    expect((await run).code).toBe(4)
  })

  it('of a process that is gone keep nobody from going back', async () => {
    const { made, run, goOn } = await busy()
    const back = await made.dap('rollback offer --yes --json', { stateOf: () => 'gone' })
    expect([back.code, resultOf(back).deployments[0].state]).toEqual([0, 'rolled-back'])
    const { traffic, labels } = await endpointOf(made)
    expect(Object.values(traffic)).toEqual([100])
    expect(Object.keys(labels).filter(label => label.startsWith('dap-lock'))).toEqual([])
    goOn()
    expect((await run).code).toBe(4)
  })

  it('of a process that is gone go with --resume also where nothing is left to do', async () => {
    const made = await deployedShop()
    const asked: unknown[] = []
    const stateOf = (process: unknown) => {
      asked.push(process)
      return 'gone' as const
    }
    const { id, etag, labels } = await endpointOf(made)
    const lock = {
      'dap-lock': `0000beef-${Math.ceil(made.cloud.clock.now() / 1000) + 600}`,
      'dap-lock-owner': 'bob',
      'dap-lock-process': `${'f'.repeat(16)}-4711-5e0b77f1-99`,
    }
    await made.cloud.vertex.updateEndpoint(id, { etag, labels: { ...labels, ...lock } })
    expect(await made.dap('deploy --yes --resume', { stateOf })).toMatchObject({ code: 0 })
    expect(asked).toContainEqual({ host: 'f'.repeat(16), pid: 4711, started: '5e0b77f1-99' })
    expect(Object.keys((await endpointOf(made)).labels).filter(label => label.startsWith('dap-lock'))).toEqual([])
  })

  it.each([
    ['running', '(run 00000002), which is process 2 of this machine, and still runs', 'wait for it, or stop it'],
    [
      'elsewhere',
      '(run 00000002) on another machine or in another container until 2026-11-23T',
      'dap lock break offer',
    ],
    ['unknown', '(run 00000002) until 2026-11-23T', 'dap lock break offer'],
  ] as const)(
    'are not taken over by --resume where their process is %s, not even by the same person',
    async (state, who, next) => {
      const { made, run, goOn } = await busy('ann-at-desk')
      const { stdout, code, events } = await made.dap('deploy --yes --resume', { stateOf: () => state })
      expect({ code, notes: events.filter(event => event.type === 'deploy' && event.event === 'note') }).toEqual({
        code: 4,
        notes: [],
      })
      expect(stdout).toContain(`\`offer\` is locked by ann-at-desk ${who}`)
      expect(stdout).toMatch(new RegExp(`hint: .*${next}`))
      goOn()
      expect((await run).code).toBe(0)
    },
  )

  it('of a dap that did not write its process are not taken over by --resume', async () => {
    const { made, run, goOn } = await busy('ann-at-desk')
    const { id, etag, labels } = await endpointOf(made)
    const { 'dap-lock-process': _, ...older } = labels
    await made.cloud.vertex.updateEndpoint(id, { etag, labels: older })
    const { code, stdout } = await made.dap('deploy --yes --resume', { stateOf: () => 'gone' })
    expect(code).toBe(4)
    expect(stdout).toContain('nobody here can tell whether that run goes on')
    expect(stdout).toContain('dap lock break offer --env local')
    goOn()
    expect((await run).code).toBe(0)
  })

  it('of a run that was killed expire, and whoever deploys next goes on', async () => {
    const { made, run, goOn } = await busy()
    await made.cloud.clock.sleep(16 * 60_000)
    expect((await made.dap('lock ls')).stdout).toContain('expired: the next run takes it over')
    const session = await made.dap('deploy --yes --json')
    expect(session.code).toBe(0)
    const [first] = resultOf(session).deployments[0].changes
    expect(first.title).toBe('hold 10m')
    goOn()
    expect((await run).code).toBe(4)
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
  })

  it('keep a rollback waiting, too, until they are broken', async () => {
    const { made, run, goOn } = await busy()
    expect(await made.dap('rollback offer --yes')).toMatchObject({ code: 4 })
    expect(await made.dap('lock break offer')).toMatchObject({ code: 0 })
    expect(await made.dap('rollback offer --yes')).toMatchObject({ code: 0 })
    goOn()
    expect(await run).toMatchObject({ code: 4 })
  })
})

describe('rollback', () => {
  it('asks, and moves all traffic back in one write while the old version is warm', async () => {
    const made = await replacedShop()
    const [first, second] = await modelsOf(made)
    const asked: string[] = []
    const answer = (value: boolean) => (question: string) => {
      asked.push(question)
      return value
    }
    const refused = await made.dap('rollback offer', { agree: answer(false) })
    expect(read(refused)).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      all traffic of offer goes back to offer-cee88991039e, in one write

      error: nothing was changed
      "
    `)
    expect((await endpointOf(made)).traffic).toEqual({ [second]: 100 })
    const before = made.cloud.clock.now()
    expect(read(await made.dap('rollback offer', { agree: answer(true) }))).toMatchInlineSnapshot(`
      "exit 0
      ← offer  rolled back
        move all traffic to offer-cee88991039e  0s
        traffic  100 % offer-cee88991039e
        next: revert the change in Git, or mend it; \`dap deploy --env local --only offer --release-hold\` brings the same version back

      1 rolled back
      --- stderr
      all traffic of offer goes back to offer-cee88991039e, in one write

      "
    `)
    expect(asked).toEqual(['roll back?', 'roll back?'])
    expect((await endpointOf(made)).traffic).toEqual({ [first]: 100 })
    expect(made.cloud.clock.now() - before).toBeLessThan(10_000)
  })

  it('holds what was rolled back, is quiet once Git is reverted, and --release-hold brings it back', async () => {
    const made = await replacedShop()
    const [first, second] = await modelsOf(made)
    const back = await made.dap('rollback offer --yes --json')
    expect(resultOf(back)).toMatchObject({ command: 'rollback', passed: true, deployments: [{ state: 'rolled-back' }] })
    expect((await made.dap('plan')).stdout).toContain(
      '← offer  held\n  note      what Git says was rolled back and is held',
    )
    const held = await made.dap('deploy --yes --json')
    expect([held.code, resultOf(held).deployments[0].state]).toEqual([0, 'held'])
    expect((await endpointOf(made)).traffic).toEqual({ [first]: 100 })

    made.edit('policies/offer.yaml', 'minProbability: 0.021', 'minProbability: 0.02')
    expect((await made.dap('plan --exit-code')).code).toBe(0)
    expect((await made.dap('deploy')).stdout).toBe('1 unchanged\n')

    changePolicy(made)
    expect(await made.dap('deploy --yes --release-hold')).toMatchObject({ code: 0 })
    expect((await endpointOf(made)).traffic).toEqual({ [second]: 100 })
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
  })

  it('deploys the old version again once it is cold', async () => {
    const made = await replacedShop()
    const [first, second] = await modelsOf(made)
    await made.cloud.clock.sleep(DAY)
    expect(await made.dap('gc --yes')).toMatchObject({ code: 0 })
    expect(await modelsOf(made)).toEqual([second])
    expect(read(await made.dap('rollback offer --yes'))).toMatchInlineSnapshot(`
      "exit 0
      ← offer  rolled back
        deploy offer-cee88991039e without traffic  10m 2s
        move all traffic to offer-cee88991039e     0s
        promote offer-cee88991039e                 0s
        traffic  100 % offer-cee88991039e
        next: revert the change in Git, or mend it; \`dap deploy --env local --only offer --release-hold\` brings the same version back

      1 rolled back
      "
    `)
    expect((await endpointOf(made)).traffic).toEqual({ [first]: 100 })
    expect(await made.dap('deploy --yes')).toMatchObject({ code: 0, stdout: expect.stringContaining('1 on hold') })
  })

  it('says so where there is nothing to go back to, and for a name that nothing has', async () => {
    const made = await deployedShop()
    expect(read(await made.dap('rollback offer --yes'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: there is nothing to roll \`offer\` back to
      hint: revert the change in Git, then \`dap deploy\`
      "
    `)
    expect(read(await made.dap('rollback ofer --yes'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: no deployment \`ofer\` in the environment \`local\`
      hint: did you mean \`offer\`?
      "
    `)
    expect(await made.dap('rollback offer')).toMatchObject({ code: 1 })
    expect(await made.dap('rollback')).toMatchObject({ code: 3 })
  })
})

describe('gc', () => {
  it('leaves what is warm, and removes it when its window is over', async () => {
    const made = await replacedShop()
    const [first, second] = await modelsOf(made)
    expect(await made.dap('gc')).toMatchObject({ code: 0, stdout: '1 unchanged\n' })
    expect(await modelsOf(made)).toEqual([first, second])
    await made.cloud.clock.sleep(DAY)
    expect((await made.dap('plan')).stdout).toContain('is no longer needed; `dap gc` removes it')
    expect(await made.dap('gc')).toMatchObject({ code: 3 })
    const asked = await made.dap('gc', { agree: () => false })
    expect(read(asked)).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      offer
        undeploy offer-cee88991039e: its rollback window is over

      error: nothing was changed
      "
    `)
    const done = await made.dap('gc --yes --json')
    expect(resultOf(done)).toMatchObject({ command: 'gc', passed: true, deployments: [{ state: 'applied' }] })
    expect(await modelsOf(made)).toEqual([second])
    expect(await made.dap('status --exit-code')).toMatchObject({ code: 0 })
  })
})

describe('destroy', () => {
  it('asks, and deletes all of it', async () => {
    const made = await replacedShop()
    expect(await made.dap('destroy offer')).toMatchObject({ code: 3 })
    const asked = await made.dap('destroy offer', { agree: () => false })
    expect(read(asked)).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      offer
        take all traffic away: it is to be destroyed
        undeploy offer-cee88991039e: it is to be destroyed
        undeploy offer-28ee706c165f: it is to be destroyed
        delete endpoint dap-offer-de8f14fc: it is to be destroyed
        delete model dap-offer-de8f14fc: it is to be destroyed

      error: nothing was changed
      "
    `)
    expect(await made.cloud.vertex.listEndpoints()).toHaveLength(1)
    const done = await made.dap('destroy offer --yes --json')
    expect(resultOf(done)).toMatchObject({ command: 'destroy', passed: true, deployments: [{ state: 'applied' }] })
    expect(await made.cloud.vertex.listEndpoints()).toEqual([])
    expect(await made.cloud.vertex.listModels()).toEqual([])
    expect(await made.dap('plan --exit-code')).toMatchObject({ code: 2 })
  })

  it('does not touch what the environment protects, unless its name is said again', async () => {
    const made = await deployedShop({
      'environments/local.yaml':
        'apiVersion: dap/v1\nkind: Environment\nmetadata: { name: local }\nspec: { target: emulator, protect: [undeploy] }\n',
    })
    expect(read(await made.dap('destroy offer --yes'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: \`offer\` is not destroyed: the environment protects it: \`protect: [undeploy]\`; \`--override-protection offer\` deletes it all the same
      "
    `)
    expect(await made.dap('destroy offer --yes --override-protection other')).toMatchObject({ code: 1 })
    expect(await made.dap('destroy offer --yes --override-protection offer')).toMatchObject({ code: 0 })
  })
})

describe('adopt', () => {
  /** An endpoint that somebody has made at a console, with a model that serves on it. */
  async function foreign(labels: Readonly<Record<string, string>> = { team: 'growth' }) {
    const made = shop()
    const { vertex, clock } = made.cloud
    await vertex.createEndpoint('4711', {
      displayName: 'old-shop',
      description: '',
      labels,
      dedicated: true,
      requestLog: null,
    })
    await vertex.uploadModel('handmade', {
      displayName: 'handmade',
      description: '',
      labels: {},
      image: 'server:1',
      artifact: 'gs://bucket/handmade',
      predictRoute: '/predict',
      healthRoute: '/health',
      port: 8080,
      args: [],
    })
    await clock.sleep(120_000)
    await vertex.deployModel('4711', {
      id: '77',
      displayName: 'handmade-v1',
      model: 'handmade',
      version: '1',
      machineType: 'n1-standard-4',
      serviceAccount: null,
      scale: { minReplicas: 1, maxReplicas: 3, targetCpu: 70 },
    })
    await clock.sleep(700_000)
    const endpoint = (await vertex.getEndpoint('4711'))!
    await vertex.updateEndpoint('4711', { etag: endpoint.etag, traffic: { 77: 100 } })
    return made
  }

  it('writes labels and the file of the Deployment, which a plan then replaces step by step', async () => {
    const made = await foreign()
    expect(await made.dap('adopt 4711')).toMatchObject({ code: 3 })
    const refused = await made.dap('adopt 4711', { agree: () => false })
    expect(read(refused)).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      4711 becomes deployment old-shop of local
        handmade-v1 serves something that dap has not made: the first deploy replaces it

      error: nothing was changed
      "
    `)
    expect((await made.cloud.vertex.getEndpoint('4711'))!.labels).toEqual({ team: 'growth' })

    expect(read(await made.dap('adopt endpoints/4711 --yes'))).toMatchInlineSnapshot(`
      "exit 0
      4711 is deployment old-shop of local now; deployments/local/old-shop.yaml says what it is
        handmade-v1 serves something that dap has not made: the first deploy replaces it

      next: dap plan --env local --only old-shop
      "
    `)
    expect((await made.cloud.vertex.getEndpoint('4711'))!.labels).toMatchObject({
      team: 'growth',
      'dap-project': 'shop',
      'dap-env': 'local',
      'dap-deployment': 'old-shop',
      'dap-stable': '77',
    })
    expect(made.read('deployments/local/old-shop.yaml')).toMatchInlineSnapshot(`
      "apiVersion: dap/v1
      kind: Deployment
      metadata:
        name: old-shop
      spec:
        environment: local
        policy: offer
        resources:
          machineType: n1-standard-4
          minReplicas: 1
          maxReplicas: 3
          targetCpu: 0.7
        endpoint:
          type: dedicated
      "
    `)
    expect(await made.dap('validate')).toMatchObject({ code: 0 })
    expect(read(await made.dap('plan --only old-shop'))).toMatchInlineSnapshot(`
      "exit 0
      Plan of shop for local: the emulator, only old-shop
      commit cccccccccccc, good until 2026-11-30 02:27 UTC, digest 1f807b0c693f

      ± old-shop  replace
        version      handmade-v1 → old-shop-30a8fa39f9f0  replaces
        description  none → Managed by dap: deployment old-shop of shop, environment local.
        1. update endpoint 4711  Git says otherwise
        2. upload bundle dap/bundles/offer-621a7bb6cb00/bundle.json  the bucket does not have it
        3. upload a version of model dap-old-shop-57689a6f  no version has this content
        4. deploy old-shop-30a8fa39f9f0 without traffic  it is to replace handmade-v1
        5. move all traffic to old-shop-30a8fa39f9f0  step 1 of 1
        6. promote old-shop-30a8fa39f9f0  it is recorded as applied
        overlap   two versions for up to 24h: +12 vCPUs of quota, 1 to 3 × n1-standard-4

      1 to replace
      "
    `)
    expect(await made.dap('deploy --only old-shop --yes')).toMatchObject({ code: 0 })
    expect(Object.values((await made.cloud.vertex.getEndpoint('4711'))!.traffic)).toContain(100)
  })

  it('writes no file for a Deployment that Git declares already, and has no endpoint yet', async () => {
    const made = await foreign()
    expect(read(await made.dap('adopt 4711 --name offer --yes'))).toMatchInlineSnapshot(`
      "exit 0
      4711 is deployment offer of local now
        handmade-v1 serves something that dap has not made: the first deploy replaces it
        its display name "old-shop" becomes "offer"

      next: dap plan --env local --only offer
      "
    `)
  })

  it('prints its result as JSON, under another name if there is need of one', async () => {
    const made = await foreign()
    expect(await made.dap('adopt 4711 --name No_Name! --yes')).toMatchObject({ code: 3 })
    const { deployment, file } = jsonOf<AdoptResult>(
      await made.dap('adopt 4711 --name shop-b --yes --json'),
      'adopt-result',
    )
    expect({ deployment, file }).toEqual({ deployment: 'shop-b', file: 'deployments/local/shop-b.yaml' })
  })

  it('leaves alone what belongs to another deployment, and what is not there', async () => {
    const made = await foreign({ 'dap-project': 'casino', 'dap-env': 'prod', 'dap-deployment': 'slots' })
    expect(read(await made.dap('adopt 4711 --yes'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: \`4711\` belongs to deployment \`slots\` of another repository, casino
      hint: \`--override-owner casino\` takes it away from there
      "
    `)
    expect(read(await made.dap('adopt 4712 --yes'))).toMatchInlineSnapshot(`
      "exit 3
      --- stderr
      error: no endpoint \`4712\` in dap-local, us-central1
      "
    `)
    expect(await made.dap('adopt https://example.com --yes')).toMatchObject({ code: 3 })
  })

  it('is a conflict where somebody writes to the endpoint at the same time', async () => {
    const made = await foreign()
    const { vertex } = made.cloud
    const updateEndpoint: typeof vertex.updateEndpoint = async (id, update) => {
      await vertex.updateEndpoint(id, { etag: update.etag, displayName: 'somebody-else' })
      return vertex.updateEndpoint(id, update)
    }
    const session = await made.dap('adopt 4711 --yes', {
      cloud: { ...made.cloud, cloud: overVertex({ ...vertex, updateEndpoint }) },
    })
    expect(read(session)).toMatchInlineSnapshot(`
      "exit 4
      --- stderr
      error: somebody else wrote to \`4711\` meanwhile
      hint: \`dap adopt\` once more looks at what it is now
      "
    `)
    expect(session.files).not.toHaveProperty(['deployments/local/old-shop.yaml'])
  })
})

it('a deployment that Git no longer has can be destroyed by its name', async () => {
  const made = await deployedShop()
  made.write(DEPLOYMENT, offer(ROLLOUT, 'other'))
  expect(await made.dap('destroy offer --yes')).toMatchObject({ code: 0 })
  expect(await made.cloud.vertex.listEndpoints()).toEqual([])
})
