import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import type { DeployResult } from '../../src/results.ts'
import { editFile, shopRepository, startEmulatorProcess } from '../support/emulator-process.ts'
import { gateTo } from '../support/gate.ts'
import { type VertexClients, vertexClients } from '../support/vertex-clients.ts'

const PARENT = 'projects/dap-local/locations/us-central1'
const KILLS = 5
/** Fewer than the shortest of the deploys sends and hears. */
const PIECES = 100

/** What Git says, one after the other: the text that is replaced in a file, and what with. */
const HISTORY = [
  { name: 'the first deploy', edits: [] },
  { name: 'a canary', edits: [['policies/shop-offer.yaml', 'minProbability: 0.02', 'minProbability: 0.05']] },
  { name: 'another canary', edits: [['policies/shop-offer.yaml', 'minProbability: 0.05', 'minProbability: 0.04']] },
] as const

it('a deploy that is killed again and again goes on, and no player notices', async () => {
  const folder = await shopRepository()
  const emulator = await startEmulatorProcess(folder, '--stage-ms', '40')
  onTestFinished(emulator.stop)
  const clients = await vertexClients(emulator.port)
  onTestFinished(clients.close)
  const rng = stream(1, 'deploy-kill')
  const player = playing(clients)
  onTestFinished(async () => void (await player.end()))
  let endpoint = ''

  for (const { name, edits } of HISTORY) {
    for (const [file, from, to] of edits) await editFile(folder, file, from, to)
    let killed = 0
    for (let attempt = 0; attempt < KILLS; attempt++) {
      const gate = await gateTo(emulator.url)
      const run = emulator.start(['deploy', '--yes', ...(attempt > 0 ? ['--resume'] : [])], { url: gate.url })
      // In the middle of a call that is done or not, and of which it has not heard.
      await Promise.race([gate.shutAfter(1 + Math.floor(rng.uniform() * PIECES)), run.ended])
      run.kill('SIGKILL')
      const { code, stderr } = await run.ended
      if (code === undefined) killed++
      else {
        expect({ name, code, stderr }).toMatchObject({ name, code: 0 })
        break
      }
    }
    expect({ name, killed }).not.toEqual({ name, killed: 0 })

    const resumed = await emulator.dap('deploy', '--resume', '--yes', '--json')
    expect({ name, code: resumed.code, stderr: resumed.stderr }).toMatchObject({ name, code: 0 })
    const [outcome] = resumed.json<DeployResult>().deployments
    expect(Object.values(outcome.traffic)).toEqual([100])
    endpoint = `${PARENT}/endpoints/${outcome.endpoint}`
    expect(await versionsOf(clients, endpoint)).toMatchObject({ twice: [] })
    player.begin(endpoint)
  }

  expect(await player.end()).toEqual([])
  expect(await emulator.dap('gc', '--yes')).toMatchObject({ code: 0 })
  // The one that serves, and the one before, warm for a rollback.
  const { deployed, versions } = await versionsOf(clients, endpoint)
  expect(versions).toEqual(['2', '3'])
  expect(deployed).toEqual(versions)
  expect(await emulator.dap('plan', '--exit-code')).toMatchObject({ code: 0 })
})

/** Asks for a decision every 50 ms once it begins, to its end, which tells what went wrong. */
function playing({ predict }: VertexClients) {
  const failures: string[] = []
  let answered = 0
  let stopped = false
  let playing: Promise<void> | undefined

  async function play(endpoint: string): Promise<void> {
    while (!stopped) {
      const playerId = `p${answered}`
      await predict(endpoint, [{ decisionId: playerId, context: { playerId } }]).then(
        () => answered++,
        (error: Error) => failures.push(error.message),
      )
      await sleep(50)
    }
  }
  return {
    begin(endpoint: string): void {
      playing ??= play(endpoint)
    },
    async end(): Promise<readonly string[]> {
      stopped = true
      await playing
      return answered > 0 ? failures : ['nothing was ever asked']
    },
  }
}

/** Of the only endpoint and the only model; `twice`: bundles that several versions are made of. */
async function versionsOf({ endpoints, models }: VertexClients, endpoint: string) {
  const [all] = await endpoints.listEndpoints({ parent: PARENT })
  expect(all.map(({ name }) => name?.split('/').at(-1))).toEqual([endpoint.split('/').at(-1)])
  const [listed] = await models.listModels({ parent: PARENT })
  expect(listed).toHaveLength(1)
  const [versions] = await models.listModelVersions({ name: listed[0].name })
  const digests = versions.map(({ labels }) => labels?.['dap-digest'])
  return {
    deployed: all[0].deployedModels?.map(each => each.modelVersionId).sort(),
    versions: versions.map(({ versionId }) => versionId).sort(),
    twice: digests.filter((digest, index) => digests.indexOf(digest) !== index),
  }
}
