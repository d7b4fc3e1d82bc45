import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { nodeFiles } from '../../src/adapters/node/files.ts'
import { runCli } from '../../src/cli.ts'
import type { Host } from '../../src/host.ts'
import { onDisk } from '../support/disk.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

export interface Event {
  readonly msg: string
  readonly [fact: string]: unknown
}

export interface Serving {
  readonly url: string
  /** The server's own log so far. */
  events(): Event[]
  /** Resolves when such an event has come. */
  event(msg: string): Promise<Event>
  /** As SIGTERM does. */
  stop(): Promise<Finished>
}

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** On any port; a machine that is slow is no reason for the fallback. */
export const PATIENT = ['--port', '0', '--drain-ms', '0', '--timeout-ms', '600000']

/** `dap serve` in process over a real folder, on a port of its own; stopped when the test ends, at the latest. */
export async function serve(
  folder: string,
  words: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
  own: Partial<Host> = {},
): Promise<Serving> {
  const run = start(folder, [...PATIENT, '--poll-ms', '20', ...words], environment, own)
  const serving: Serving = {
    url: '',
    events: run.events,
    event: msg => waitFor(() => run.events().find(event => event.msg === msg)),
    stop() {
      run.abort.abort()
      return run.finished
    },
  }
  onTestFinished(async () => void (await serving.stop()))
  const listening = await Promise.race([serving.event('listening'), run.finished])
  if ('code' in listening) throw new Error(`the server did not start: ${listening.stderr}`)
  return { ...serving, url: String(listening['url']).replace('0.0.0.0', '127.0.0.1') }
}

/** A run that is expected to end by itself. */
export function fails(folder: string, words: readonly string[], environment = {}): Promise<Finished> {
  return start(folder, words, environment).finished
}

function start(
  folder: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  own: Partial<Host> = {},
) {
  const abort = new AbortController()
  let stdout = ''
  let stderr = ''
  const out = (text: string) => {
    stdout += text
  }
  const err = (text: string) => {
    stderr += text
  }
  const host: Host = {
    cwd: folder,
    version: '0.0.0-test',
    packageRoot: PACKAGE_ROOT,
    files: nodeFiles(),
    terminal: { interactive: environment['TERMINAL'] !== undefined, color: false, columns: 100 },
    signal: abort.signal,
    models: async () => (await import('../../src/adapters/models.ts')).modelRunner(),
    objects: async () => (await import('../../src/adapters/objects.ts')).cloudObjects(),
    tables: () => Promise.reject(new Error('a server reads no tables')),
    writeTable: () => Promise.reject(new Error('a server writes no tables')),
    cores: 1,
    choose: () => Promise.reject(new Error('a server asks nothing')),
    ask: () => Promise.reject(new Error('a server asks nothing')),
    agree: () => Promise.reject(new Error('a server asks nothing')),
    now: Date.now,
    environment: name => environment[name],
    input: async () => '',
    environmentNames: () => Object.keys(environment),
    output: { out: async text => out(text), err: async text => err(text) },
    breathe: async () => {},
    cloud: () => Promise.reject(new Error('no cloud should be asked')),
    images: () => Promise.reject(new Error('no image should be built')),
    ownPackage: () => Promise.reject(new Error('nothing should be packed')),
    run: { id: '0123abcd', owner: 'ann-at-desk' },
    processes: () => Promise.reject(new Error('no lock should be taken')),
    commit: async () => null,
    origin: async () => null,
    branch: async () => null,
    filesAt: () => Promise.reject(new Error('no other time should be asked for')),
    hooks: async () => null,
    programVersion: async () => null,
    machine: () => Promise.reject(new Error('the machine should not be looked at')),
    sleep: ms => new Promise(done => setTimeout(done, ms)),
    ...own,
  }
  const finished = runCli(['serve', ...words], {
    version: '0.0.0-test',
    streams: { out, err, columns: () => Number.POSITIVE_INFINITY },
    host: async () => host,
    progress: () => ({ report() {}, stop() {} }),
  }).then(code => ({ code, stdout, stderr }))
  const events = () =>
    stderr
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as Event)
  return { abort, finished, events }
}

export async function waitFor<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise(done => setTimeout(done, 5))
  }
}

/** A repository in a temporary folder. */
export const repository = (files: Readonly<Record<string, string>>): Promise<string> =>
  onDisk({ 'dap.yaml': PROJECT, ...files })

const PROJECT = 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: {}\n'

/** A context-free policy that learns after a second. */
export const offer = (name = 'offer', actions = 'none, gold') => `apiVersion: dap/v1
kind: Policy
metadata: { name: ${name} }
spec:
  unit: player
  context: { player: { type: string } }
  actions: [${actions
    .split(', ')
    .map(id => `{ id: ${id} }`)
    .join(', ')}]
  algorithm: { learner: { type: beta }, exploration: { type: thompson } }
  reward: { name: purchase, type: binary, wait: 1s, default: 0 }
`

/** A policy that asks the Model `ctr`. */
export const ranker = (name = 'ranker', changes = '') => `apiVersion: dap/v1
kind: Policy
metadata: { name: ${name} }
spec:
  unit: player
  context: { player: { type: string }, level: { type: number, default: 3 } }
  actions:
    - { id: none, features: { price: 0 } }
    - { id: gold, features: { price: 5 } }
    - { id: gem, features: { price: 9 }, eligible: 'ctx.level > 2.0' }
  algorithm: { learner: { type: model, model: ctr }, exploration: { type: squarecb } }
  guardrails: { minProbability: 0.01 }
  reward: { name: purchase, type: binary, wait: 1s, default: 0 }
${changes}`

/** A Model of a server at a port where nobody listens, unless the test has another runner. */
export const ctr = (changes = '', output = '{ type: probability }') => `apiVersion: dap/v1
kind: Model
metadata: { name: ctr }
spec:
  runtime: { type: open-inference, url: 'http://127.0.0.1:1', model: ctr }
  inputs: [{ name: x, features: [{ field: level }, { action: price }] }]
  output: ${output}
  timeout: 50ms
${changes}`

/** Every record of one stream, from all files of a log so far. */
export async function logged(folder: string, stream: 'decisions' | 'rewards' = 'decisions') {
  const names = (await readdir(folder).catch(() => [])).filter(name => name.startsWith(stream))
  const texts = await Promise.all(names.map(name => readFile(join(folder, name), 'utf8')))
  return texts.flatMap(text =>
    text
      .split('\n')
      .slice(0, -1)
      .map(
        line =>
          JSON.parse(line) as { readonly decisionId: string; readonly policy: { readonly snapshot: string | null } },
      ),
  )
}

export async function post(url: string, body: object) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  return { status: response.status, json: (await response.json()) as any }
}

export async function get(url: string) {
  const response = await fetch(url)
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  return { status: response.status, json: (text.startsWith('{') ? JSON.parse(text) : undefined) as any, text }
}
