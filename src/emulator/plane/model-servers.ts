import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ModelServer, ModelServers, ServedModel } from '../ports.ts'

export interface DapServersOptions {
  /** dap's launcher, `bin/dap.js`. */
  readonly bin: string
  /** The emulator's own address, where the model's objects are. */
  readonly storage: string
  /** The emulator's data folder. */
  readonly data: string
  /** Is told of servers that end, or do not start. */
  log(line: string): void
}

/** How long a server may take to be healthy. */
const START_MS = 60_000
const POLL_MS = 50
const GRACE_MS = 5_000
/** A server that keeps ending is started again after ever longer pauses. */
const RESTART_MS = { first: 100, most: 10_000 }
/** How much of stderr is told of a server that never became healthy. */
const TOLD_LINES = 5

/** A server whose emulator is gone, killed perhaps, has nobody to answer to. */
const END_WITH_PARENT = `data:text/javascript,${encodeURIComponent(
  `process.on('disconnect', () => process.kill(process.pid, 'SIGTERM')); process.channel?.unref()`,
)}`

/** Nothing runs, and everything is deployed at once: for those who look at the control plane alone. */
export const noServers: ModelServers = {
  start: async ({ predictRoute }) => ({ url: 'http://127.0.0.1:9', predictRoute, stop: async () => {} }),
}

/** Every deployed model is one `dap serve`, whatever image its container names; replicas are not emulated. */
export function dapServers(options: DapServersOptions): ModelServers {
  return { start: model => startServer(model, options) }
}

async function startServer(model: ServedModel, { bin, storage, data, log }: DapServersOptions): Promise<ModelServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const logs = join(data, 'logs', model.endpointId)
  await mkdir(logs, { recursive: true })
  const stderr = join(logs, `${model.deployedModelId}.stderr`)
  const [out, err] = await Promise.all([open(join(logs, `${model.deployedModelId}.jsonl`), 'a'), open(stderr, 'a')])
  const env = { ...process.env, ...environment(model, port, storage) }
  let stopped = false
  let child: ChildProcess

  function launch(): Promise<string> {
    const words = ['--import', END_WITH_PARENT, bin, ...serveArguments(model.args)]
    child = spawn(process.execPath, words, { cwd: data, env, stdio: ['ignore', out.fd, err.fd, 'ipc'] })
    // They keep no emulator from ending, and end with it.
    child.unref()
    child.channel?.unref()
    return new Promise(ended => {
      child.on('error', error => ended(error.message))
      child.on('exit', (code, signal) => ended(signal === null ? `exit code ${code}` : signal))
    })
  }

  /** Like the liveness probe of the real one. */
  async function watch(ended: Promise<string>): Promise<void> {
    let pause = RESTART_MS.first
    for (let why = await ended; !stopped; ) {
      log(`the server of deployed model ${model.deployedModelId} ended (${why}) and is started again`)
      await sleep(pause, undefined, { ref: false })
      if (stopped) return
      const started = Date.now()
      why = await launch()
      pause = Date.now() - started > RESTART_MS.most ? RESTART_MS.first : Math.min(pause * 2, RESTART_MS.most)
    }
  }

  async function close(): Promise<void> {
    stopped = true
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const gone = new Promise(done => child.once('exit', done))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
      await gone
      clearTimeout(timer)
    }
    await Promise.all([out.close(), err.close()])
  }

  const from = (await err.stat()).size
  const ended = launch()
  const asking = new AbortController()
  const fault = await Promise.race([
    healthy(`${url}${model.healthRoute}`, asking.signal),
    ended.then(why => `it ended: ${why}`),
  ])
  asking.abort()
  if (fault !== undefined) {
    await close()
    const said = (await readFile(stderr)).subarray(from).toString('utf8').trimEnd().split('\n')
    const why = [fault, ...said.slice(-TOLD_LINES)].filter(Boolean).join('\n')
    log(`the server of deployed model ${model.deployedModelId} did not start: ${why}`)
    throw new Error(why)
  }
  void watch(ended)
  return { url, predictRoute: model.predictRoute, stop: close }
}

/** Why the server is not healthy in time; undefined when it is. */
async function healthy(url: string, signal: AbortSignal): Promise<string | undefined> {
  const deadline = Date.now() + START_MS
  while (Date.now() < deadline && !signal.aborted) {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(START_MS)]) }).catch(
      () => undefined,
    )
    await response?.arrayBuffer().catch(() => {})
    if (response?.status === 200) return undefined
    await sleep(POLL_MS)
  }
  return `it was not healthy within ${START_MS} ms`
}

/** What Vertex AI sets, the model's own variables below it, and the way to its objects. */
function environment(model: ServedModel, port: number, storage: string): Record<string, string> {
  return {
    ...model.env,
    AIP_MODE: 'PREDICTION',
    AIP_HTTP_PORT: String(port),
    AIP_STORAGE_URI: model.artifactUri,
    AIP_PREDICT_ROUTE: model.predictRoute,
    AIP_HEALTH_ROUTE: model.healthRoute,
    AIP_ENDPOINT_ID: model.endpointId,
    AIP_DEPLOYED_MODEL_ID: model.deployedModelId,
    AIP_VERSION_NAME: model.deployedModelId,
    STORAGE_EMULATOR_HOST: storage,
  }
}

/** The image's entry point is dap; on loopback nobody else may connect. */
function serveArguments(args: readonly string[]): string[] {
  const own = args[0] === 'serve' ? args.slice(1) : args
  return [
    'serve',
    '--drain-ms',
    '0',
    ...(own.includes('--log') ? [] : ['--log', 'stdout']),
    ...own,
    '--host',
    '127.0.0.1',
  ]
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
