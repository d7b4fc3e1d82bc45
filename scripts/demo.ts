/**
 * The main job, as a user runs it: a repository from a template, checked, simulated and judged; then served, to units of the simulated
 * world, whose rewards train the next snapshot. In a temporary folder.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
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

/** `dap serve` in the background: where it listens, and how to stop it. */
async function serve(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  say('$ dap serve --port 0 --poll-ms 100 &')
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--poll-ms', '100'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  process.on('exit', () => child.kill('SIGKILL'))
  const url = await new Promise<string>(done => {
    let said = ''
    child.stderr.on('data', data => {
      process.stdout.write(String(data))
      said += data
      const url = /"url":"([^"]+)"/.exec(said)?.[1]
      if (url !== undefined) done(url)
    })
    child.on('exit', code => stopped('serve', code))
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

dap(['init', folder, '--template', 'contextual-bandit'])
dap(['validate'], folder)
dap(['simulate'], folder)
dap(['evaluate'], folder)

say('Now for real: a server that knows nothing yet, and 3,000 players who ask it what to offer.')
const { url, stop } = await serve()
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

process.stdout.write(`
That was a whole repository of decisions, in ${folder}
Next, from here:
  npx dap explain Policy.spec.algorithm
  npx dap log stats ${join(folder, 'logs')}
  npx dap decide shop-offer -C ${folder} --explain --context '{"playerId": "p1", "level": 30, "platform": "ios"}'
  edit ${join(folder, 'policies', 'shop-offer.yaml')}, then
  npx dap validate -C ${folder}
`)
