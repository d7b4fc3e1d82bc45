/**
 * The main job, as a user runs it: a repository from a template, checked, simulated and judged; then served, to units of the simulated
 * world, whose rewards train the next snapshot; then deployed to an emulator of Vertex AI, canaried and rolled back. In a temporary folder.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../bin/dap.js', import.meta.url))
const folder = join(await mkdtemp(join(tmpdir(), 'dap-demo-')), 'shop')

function say(text: string): void {
  process.stdout.write(`\n${text}\n\n`)
}

function stopped(what: string, status: number | null): never {
  process.stderr.write(`\nthe demo stopped: dap ${what} ended with ${status}\n`)
  process.exit(status ?? 1)
}

function dap(args: readonly string[], cwd?: string): void {
  say(`$ dap ${args.join(' ')}`)
  const { status } = spawnSync(process.execPath, [bin, ...args], { cwd, stdio: 'inherit' })
  if (status !== 0) stopped(args[0], status)
}

interface Running {
  readonly url: string
  stop(): Promise<void>
}

/** A dap that runs in the background until it is stopped: where it listens is what `pattern` finds in what it says. */
async function background(words: readonly string[], pattern: RegExp): Promise<Running> {
  say(`$ dap ${words.join(' ')} &`)
  const child = spawn(process.execPath, [bin, ...words], { cwd: folder, stdio: ['ignore', 'inherit', 'pipe'] })
  process.on('exit', () => child.kill('SIGKILL'))
  const url = await new Promise<string>(done => {
    let said = ''
    child.stderr.on('data', data => {
      process.stdout.write(String(data))
      said += data
      const url = pattern.exec(said)?.[1]
      if (url !== undefined) done(url)
    })
    child.on('exit', code => stopped(words[0], code))
  })
  return {
    url,
    async stop() {
      child.removeAllListeners('exit')
      const over = new Promise<void>(done => child.on('exit', () => done()))
      child.kill('SIGTERM')
      await over
    },
  }
}

/** The deployment's policy with what it has learnt. */
async function appendSnapshot(path: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace(/^( *)policy: shop-offer$/m, '$&\n$1snapshot: snapshots/shop-offer.json'))
}

/** One prediction, by the REST interface that Vertex AI has. */
async function predict(): Promise<void> {
  const [endpoint] = await endpoints()
  const body = JSON.stringify({ instances: [{ context: { playerId: 'p1', level: 30, platform: 'ios' } }] })
  say(`$ curl $DAP_VERTEX_ENDPOINT/v1/${endpoint}:predict -d '${body}'`)
  const answer = await fetch(`${cloud.url}/v1/${endpoint}:predict`, { method: 'POST', body })
  process.stdout.write(`${JSON.stringify(await answer.json(), null, 2)}\n`)
  if (!answer.ok) stopped('emulator', 1)
}

async function endpoints(): Promise<string[]> {
  const answer = await fetch(`${cloud.url}/v1/projects/dap-local/locations/us-central1/endpoints`)
  const { endpoints } = (await answer.json()) as { readonly endpoints: readonly { readonly name: string }[] }
  return endpoints.map(({ name }) => name)
}

dap(['init', folder, '--template', 'contextual-bandit'])
dap(['validate'], folder)
dap(['simulate'], folder)
dap(['evaluate'], folder)

say('Now for real: a server that knows nothing yet, and 3,000 players who ask it what to offer.')
const { url, stop } = await background(
  ['serve', '--port', '0', '--poll-ms', '100', '--drain-ms', '0'],
  /"url":"([^"]+)"/,
)
dap(['play', '--server', url, '--decisions', '3000', '--seed', '1'], folder)
dap(['log', 'check', 'logs'], folder)

say('In this world every reward has come already, so the wait of 72 hours is taken as over.')
const later = new Date(Date.now() + 96 * 3600 * 1000).toISOString()
dap(['train', 'shop-offer', '--dataset', 'served', '--until', later], folder)

say('The server has loaded the snapshot meanwhile. 3,000 other players:')
await new Promise(done => setTimeout(done, 500))
dap(['play', '--server', url, '--decisions', '3000', '--seed', '2'], folder)
say('$ kill %1')
await stop()
dap(['decide', '--replay', 'logs'], folder)

say('And out of the laptop: Vertex AI, emulated. The first deployment knows nothing yet.')
const cloud = await background(
  ['emulator', '--port', '0', '--data', join(folder, '.emulator')],
  /DAP_VERTEX_ENDPOINT=(http:\S+)/,
)
process.env['DAP_VERTEX_ENDPOINT'] = cloud.url
dap(['deploy', '--env', 'local', '--yes'], folder)
await predict()

say('What was learnt goes out next: one line of deployments/local/shop-offer.yaml, and a canary.')
const deployment = join(folder, 'deployments', 'local', 'shop-offer.yaml')
await appendSnapshot(deployment)
dap(['plan'], folder)
dap(['deploy', '--yes'], folder)
await predict()

say('Somebody wants the old one back: one write.')
dap(['rollback', 'shop-offer', '--yes'], folder)
await predict()
dap(['status'], folder)
await cloud.stop()

process.stdout.write(`
That was a whole repository of decisions, in ${folder}
Next, from here:
  npx --no-install dap explain Policy.spec.algorithm
  npx --no-install dap log stats ${join(folder, 'logs')}
  npx --no-install dap decide shop-offer -C ${folder} --explain --context '{"playerId": "p1", "level": 30, "platform": "ios"}'
  edit ${join(folder, 'policies', 'shop-offer.yaml')}, then
  npx --no-install dap validate -C ${folder}
`)
