import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nodeFiles } from '../../src/adapters/node/files.ts'
import { emulatorExecCommand } from '../../src/commands/emulator/exec.ts'
import { emulatorFaultCommand } from '../../src/commands/emulator/fault.ts'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { dapServers } from '../../src/emulator/plane/model-servers.ts'
import type { Host } from '../../src/host.ts'
import { bundleText, createBundle } from '../../src/policy/bundle.ts'
import { resourceDigest } from '../../src/policy/digest.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { policySpec } from '../policy/support.ts'
import { eventually } from '../support/eventually.ts'
import { expectPublished } from '../support/published.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { vertexClients } from '../support/vertex-clients.ts'
import { deploy, FAST } from './deployed.ts'

const BIN = join(PACKAGE_ROOT, 'bin', 'dap.js')
const SLOW = 60_000

function bundle(): string {
  const spec = policySpec()
  return bundleText(createBundle(createPolicy('offer', spec, resourceDigest('Policy', 'offer', spec)), null, '0.2.0'))
}

async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-emulator-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function emulated(data: string) {
  const said: string[] = []
  const log = (line: string) => void said.push(line)
  const emulator = await startEmulator({
    ...{ port: 0, seed: 1, data, timing: FAST, log },
    servers: place => dapServers({ bin: BIN, storage: place.url, data: place.data, log }),
  })
  const clients = await vertexClients(emulator.port)
  let open = true
  const close = async () => {
    if (!open) return
    open = false
    await clients.close()
    await emulator.stop()
  }
  onTestFinished(close)
  return { emulator, clients, said, close }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The process of the deployed model 11, as it told when it began to listen. */
async function pidOf(data: string): Promise<number> {
  const lines = (await readFile(join(data, 'logs', 'shop', '11.stderr'), 'utf8')).trimEnd().split('\n')
  const listening = lines.findLast(line => line.includes('"listening"')) ?? '{}'
  return (JSON.parse(listening) as { pid: number }).pid
}

describe('a deployed model', () => {
  it(
    'is a `dap serve` whose decisions have propensities and are logged, that comes back when it is killed and when the emulator was stopped',
    async () => {
      const data = await dataFolder()
      const first = await emulated(data)
      const { storage } = first.clients
      await storage.bucket('saga-dap').file('models/bundle.json').save(bundle(), { resumable: false })
      const { endpoint } = await deploy(first.clients, { traffic: { '11': 100 }, args: ['serve', '--log', 'stdout'] })
      const instance = (id: string) => ({ decisionId: id, context: { playerId: 'p1', platform: 'ios' } })
      const { predictions } = await first.clients.predict(endpoint, [instance('d1'), instance('d2')])
      expect(predictions).toMatchObject([
        { decisionId: 'd1', action: expect.any(String), propensity: expect.any(Number) },
        { decisionId: 'd2' },
      ])
      const logged = async () => {
        const lines = (await readFile(join(data, 'logs', 'shop', '11.jsonl'), 'utf8')).trimEnd().split('\n')
        return lines.map(line => (JSON.parse(line) as { decisionId: string }).decisionId)
      }
      await eventually(async () => expect(await logged()).toEqual(['d1', 'd2']))

      const { url } = first.emulator.control.route(endpoint).server
      const pid = await pidOf(data)
      process.kill(pid, 'SIGKILL')
      await eventually(async () => expect(isAlive(pid)).toBe(false))
      await eventually(() => first.clients.predict(endpoint, [instance('d3')]))
      expect(first.said).toEqual([expect.stringContaining('deployed model 11 ended (SIGKILL)')])
      await first.close()
      await expect(fetch(url)).rejects.toThrow()

      const second = await emulated(data)
      const [kept] = await second.clients.endpoints.getEndpoint({ name: endpoint })
      expect(kept.trafficSplit).toEqual({ '11': 100 })
      await eventually(() => second.clients.predict(endpoint, [instance('d4')]))
      await second.close()
      expect(await logged()).toEqual(['d1', 'd2', 'd3', 'd4'])
    },
    SLOW,
  )

  it(
    'that cannot start fails its deployment, with the last words of its server',
    async () => {
      const { clients } = await emulated(await dataFolder())
      await expect(deploy(clients, { traffic: { '11': 100 } })).rejects.toThrow(/there is no bundle\.json in `gs:/)
    },
    SLOW,
  )

  it(
    'ends when its emulator is killed',
    async () => {
      const data = await dataFolder()
      await mkdir(join(data, 'models'))
      await writeFile(join(data, 'models', 'bundle.json'), bundle())
      const module = pathToFileURL(join(PACKAGE_ROOT, 'src', 'emulator', 'plane', 'model-servers.ts')).href
      const script = `
        const { dapServers } = await import(${JSON.stringify(module)})
        const servers = dapServers({ bin: ${JSON.stringify(BIN)}, storage: 'http://127.0.0.1:9', data: ${JSON.stringify(data)}, log() {} })
        await servers.start({ endpointId: 'shop', deployedModelId: '11', artifactUri: ${JSON.stringify(join(data, 'models'))},
          imageUri: '', args: [], env: {}, predictRoute: '/predict', healthRoute: '/readyz', port: 8080 })
        console.log('healthy')
        setInterval(() => {}, 1000)`
      const parent = execa(process.execPath, ['--input-type=module', '-e', script], { reject: false, stdin: 'ignore' })
      await new Promise<void>((done, fail) => {
        parent.stdout.once('data', () => done())
        parent.then(({ stderr }) => fail(new Error(stderr)), fail)
      })
      const pid = await pidOf(data)
      expect(isAlive(pid)).toBe(true)
      parent.kill('SIGKILL')
      await parent
      await eventually(async () => expect(isAlive(pid)).toBe(false))
    },
    SLOW,
  )
})

function hostOf(environment: Readonly<Record<string, string>>): Host {
  return {
    ...{ cwd: tmpdir(), packageRoot: PACKAGE_ROOT, files: nodeFiles(), signal: new AbortController().signal },
    environment: (name: string) => environment[name] ?? process.env[name],
    output: { out: async () => {}, err: async () => {} },
  } as unknown as Host
}

describe('`dap emulator exec`', () => {
  async function run(...words: readonly string[]): Promise<unknown> {
    const host = hostOf({})
    return emulatorExecCommand.run(await emulatorExecCommand.options(words, { fast: true }, host), host, () => {})
  }

  it('runs a command with the variables and this dap, gives its exit code, and is gone after it', async () => {
    const folder = await dataFolder()
    const out = join(folder, 'out')
    const script = `dap --version > ${out}; echo $DAP_VERTEX_ENDPOINT $STORAGE_EMULATOR_HOST >> ${out}; exit 7`
    expect(await run('sh', '-c', script)).toEqual({ exitCode: 7 })
    const [version, urls] = (await readFile(out, 'utf8')).split('\n')
    expect(version).toMatch(/^\d+\.\d+\.\d+/)
    expect(urls).toMatch(/^(http:\/\/127\.0\.0\.1:\d+) \1$/)
    await expect(fetch(urls.split(' ')[0])).rejects.toThrow()
  })

  it("leads Google's clients there who know nothing of it, as they are for production", async () => {
    const out = join(await dataFolder(), 'out')
    const script = `
      import { EndpointServiceClient } from '@google-cloud/aiplatform/build/src/v1/endpoint_service_client.js'
      import { Storage } from '@google-cloud/storage'
      delete process.env.STORAGE_EMULATOR_HOST
      const parent = 'projects/demo/locations/europe-west1'
      const said = []
      const endpoints = new EndpointServiceClient({ apiEndpoint: 'europe-west1-aiplatform.googleapis.com' })
      const [operation] = await endpoints.createEndpoint({ parent, endpoint: { displayName: 'shop' } })
      said.push((await operation.promise())[0].displayName, (await endpoints.listEndpoints({ parent }))[0].length)
      await endpoints.close()
      const bucket = new Storage().bucket('saga-dap')
      await bucket.file('a.txt').save('one', { resumable: false })
      await bucket.file('b.txt').save('two', { resumable: true })
      for (const file of ['a.txt', 'b.txt']) said.push(String((await bucket.file(file).download())[0]))
      said.push((await fetch('https://www.googleapis.com/nothing')).status)
      console.log(said.join(' '))`
    const line = 'cd "$0" && node --input-type=module -e "$1" > "$2"'
    expect(await run('sh', '-c', line, PACKAGE_ROOT, script, out)).toEqual({ exitCode: 0 })
    expect(await readFile(out, 'utf8')).toBe('shop 1 one two 501\n')
  })

  it('says which part of its data folder cannot be written', async () => {
    const data = await dataFolder()
    await writeFile(join(data, 'clients'), 'a file')
    const host = hostOf({})
    for (const folder of [data, join(data, 'clients', 'deeper')]) {
      const options = await emulatorExecCommand.options(['true'], { data: folder }, host)
      await expect(emulatorExecCommand.run(options, host, () => {})).rejects.toMatchObject({
        name: 'DapError',
        message: expect.stringMatching(/^the emulator cannot write `.*clients.*` \((EEXIST|ENOTDIR)\)$/),
        hint: '--data takes another folder',
      })
    }
  })

  it('says which command does not exist', async () => {
    await expect(run('no-such-command-here')).rejects.toThrow('there is no command `no-such-command-here`')
  })

  it('gives the code of a shell where a signal ended the command', async () => {
    expect(await run('sh', '-c', 'kill -TERM $$')).toEqual({ exitCode: 143 })
  })
})

describe('`dap emulator fault`', () => {
  it('adds, lists and clears the faults of a running emulator, strictly', async () => {
    const emulator = await startEmulator({ port: 0, seed: 1 })
    onTestFinished(() => emulator.stop())
    const host = hostOf({ DAP_VERTEX_ENDPOINT: emulator.url })
    const fault = async (...words: readonly string[]) => {
      const options = await emulatorFaultCommand.options(words, {}, host)
      const result = await emulatorFaultCommand.run(options, host, () => {})
      expectPublished('faults-result', emulatorFaultCommand.json(result))
      return emulatorFaultCommand.text(result, undefined as never)
    }
    expect(await fault('list')).toBe('no faults are waiting')
    expect(await fault('add', '{"on": "DeployModel", "fault": "readiness"}')).toBe('1  readiness on DeployModel, once')
    const many = join(await dataFolder(), 'faults.json')
    await writeFile(many, '[{"on": "*", "fault": "unavailable", "times": 3, "after": 2}]')
    expect((await fault('add', many)).split('\n')[1]).toBe('2  unavailable on any method, 3 times, after 2 that pass')
    await expect(fault('add', '{"on": "DeployModel", "fault": "rediness"}')).rejects.toThrow('"fault" is one of')
    await expect(fault('add', '{"on"')).rejects.toThrow('the fault is not JSON')
    await expect(fault('list', '{}')).rejects.toThrow('`list` takes nothing more')
    expect(await fault('clear')).toBe('no faults are waiting')
    await emulator.stop()
    await expect(fault('list')).rejects.toMatchObject({
      message: `no emulator answers at ${emulator.url}`,
      hint: '`dap emulator` starts it',
    })
  })
})
