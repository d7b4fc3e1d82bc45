import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startEmulator } from '../src/emulator/emulator.ts'
import { examplePolicy } from '../test/support/policies.ts'
import { inTurn, median, runNode, verdict } from './measure.ts'

const dap = fileURLToPath(new URL('../bin/dap.js', import.meta.url))
const DEPLOYMENTS = 500

/** No model server runs: what is measured asks for no prediction. */
const server = { url: 'http://127.0.0.1:9', predictRoute: '/predict', stop: async () => {} }

/** `dap plan` of 500 deployments that are all deployed, on the emulator; and of one. */
export async function bench(): Promise<void> {
  const calls = new Map<string, number>()
  const emulator = await startEmulator({
    port: 0,
    seed: 1,
    onCall: method => calls.set(method, (calls.get(method) ?? 0) + 1),
    servers: () => ({ start: async () => server }),
    timing: { create: 0, update: 0, delete: 0, upload: 0, copy: 0, deployStage: 0, undeploy: 0, mutate: 0 },
    quotas: { crudPerMinute: 1e9, operationsPerMinute: 1e9, cpus: 1e9 },
  })
  const env = { ...process.env, DAP_VERTEX_ENDPOINT: emulator.url }
  const folders = await Promise.all([DEPLOYMENTS, 1].map(repository))
  try {
    for (const cwd of folders) {
      const words = [dap, 'deploy', '--yes', '--parallel', '16', '--json']
      await promisify(execFile)(process.execPath, words, { cwd, env, maxBuffer: 1 << 28 })
    }
    process.env['DAP_VERTEX_ENDPOINT'] = emulator.url
    const plan = (cwd: string) => () => runNode([dap, 'plan', '--exit-code'], { cwd })
    const [many, one] = await inTurn(5, folders.map(plan))
    const seconds = median(many.map(run => run.seconds))
    const alone = median(one.map(run => run.seconds))
    console.log(
      `plan of ${DEPLOYMENTS} deployments, nothing to do: ${seconds.toFixed(2)} s (budget 3 s: ${verdict(seconds < 3)})`,
    )
    console.log(
      `  at the peak: ${median(many.map(run => run.megabytes)).toFixed(0)} MB; of one deployment: ${alone.toFixed(2)} s`,
    )
    calls.clear()
    await plan(folders[0])()
    console.log(`  calls: ${[...calls].map(([method, count]) => `${count} ${method.split('/')[1]}`).join(', ')}`)
  } finally {
    await emulator.stop()
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  }
}

async function repository(deployments: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-'))
  for (const each of ['policies', 'deployments', 'environments']) await mkdir(join(folder, each))
  const head = (kind: string, name: string) => `apiVersion: dap/v1\nkind: ${kind}\nmetadata: { name: ${name} }\n`
  await writeFile(
    join(folder, 'dap.yaml'),
    `${head('Project', `bench-${deployments}`)}spec: { projectId: bench000${deployments}, folders: [policies, deployments, environments] }\n`,
  )
  await writeFile(
    join(folder, 'environments', 'local.yaml'),
    `${head('Environment', 'local')}spec: { target: emulator }\n`,
  )
  for (let i = 0; i < deployments; i++) {
    await writeFile(join(folder, 'policies', `offer-${i}.yaml`), examplePolicy(i))
    await writeFile(
      join(folder, 'deployments', `offer-${i}.yaml`),
      `${head('Deployment', `offer-${i}`)}spec:\n  environment: local\n  policy: offer-${i}\n`,
    )
  }
  return folder
}
