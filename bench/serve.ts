/** `POST /v1/decide` beside a bare `node:http` JSON echo: throughput, and latency at full and at half load. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { median, verdict } from './measure.ts'

const BIN = fileURLToPath(new URL('../bin/dap.js', import.meta.url))
const ECHO = fileURLToPath(new URL('./serve-echo.ts', import.meta.url))
const CONNECTIONS = 32
const SECONDS = 4
const ROUNDS = 3

const action = (i: number, eligible?: string) =>
  `    - { id: a${i}${eligible === undefined ? '' : `, eligible: "${eligible}"`} }`
const linear = (name: string, exploration: string) => `
apiVersion: dap/v1
kind: Policy
metadata: { name: ${name} }
spec:
  unit: playerId
  context:
    playerId: { type: string }
    level: { type: integer, minimum: 1, default: 1 }
    platform: { type: string, enum: [ios, android] }
    taste: { type: array, items: { type: number }, minItems: 16, maxItems: 16 }
  features:
    - { field: level, transform: log1p }
    - { field: platform, transform: one-hot }
    - { field: taste }
  actions:
${Array.from({ length: 20 }, (_, i) => action(i, i === 3 ? 'ctx.level >= 10' : i === 7 ? "ctx.level >= 20 && ctx.platform == 'ios'" : undefined)).join('\n')}
  algorithm:
    learner: { type: linear }
    exploration: ${exploration}
  guardrails: { minProbability: 0.01 }
`
const contextFree = `
apiVersion: dap/v1
kind: Policy
metadata: { name: context-free }
spec:
  unit: playerId
  context: { playerId: { type: string } }
  actions:
${Array.from({ length: 5 }, (_, i) => action(i)).join('\n')}
  algorithm: { learner: { type: beta }, exploration: { type: thompson } }
  guardrails: { minProbability: 0.01 }
`
/** One model of 20 components for 50 actions. */
const shared = `
apiVersion: dap/v1
kind: Policy
metadata: { name: shared-squarecb }
spec:
  unit: playerId
  context:
    playerId: { type: string }
    taste: { type: array, items: { type: number }, minItems: 4, maxItems: 4 }
  features:
    - { field: taste }
${['price', 'pace', 'size'].map(name => `    - { action: ${name} }\n    - { cross: [taste, action.${name}] }`).join('\n')}
  actions:
${Array.from({ length: 50 }, (_, i) => `    - { id: a${i}, features: { price: ${i}, pace: ${i % 7}, size: ${(i * 13) % 10} } }`).join('\n')}
  algorithm:
    learner: { type: linear, shared: true }
    exploration: { type: squarecb }
  guardrails: { minProbability: 0.001 }
  reward: { name: click, type: binary, wait: 1h }
`
const LINEAR_CONTEXT = {
  playerId: 'p_81c2',
  level: 41,
  platform: 'ios',
  taste: Array.from({ length: 16 }, (_, i) => Math.round(1000 * Math.sin(i + 1)) / 1000),
}
/** `atLeast`: decisions a second, whatever the echo does. */
const CASES: readonly { readonly policy: string; readonly context: object; readonly atLeast?: number }[] = [
  { policy: 'context-free', context: { playerId: 'p_81c2' } },
  { policy: 'linear-epsilon', context: LINEAR_CONTEXT },
  { policy: 'linear-thompson', context: LINEAR_CONTEXT },
  { policy: 'shared-squarecb', context: { playerId: 'p_81c2', taste: [0.3, -0.2, 0.9, 0.4] }, atLeast: 5000 },
]

interface Load {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

async function load(port: number, path: string, body: string, rate?: number): Promise<Load> {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}${path}`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    connections: CONNECTIONS,
    duration: SECONDS,
    ...(rate === undefined ? {} : { overallRate: rate }),
  })
  const refused = result.non2xx + result.errors
  if (refused > 0) throw new Error(`${refused} requests to ${path} failed`)
  return { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 }
}

async function start(args: readonly string[], port: number, path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr?.on('data', chunk => {
    said += chunk
  })
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}:\n${said}`)
    try {
      await fetch(`http://127.0.0.1:${port}${path}`, {
        method: path === '/' ? 'POST' : 'GET',
        ...(path === '/' ? { body: '1' } : {}),
      })
      return child
    } catch {
      await new Promise(done => setTimeout(done, 50))
    }
  }
  throw new Error(`${args.join(' ')} does not answer:\n${said}`)
}

export async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-serve-'))
  const children: ChildProcess[] = []
  try {
    await mkdir(join(folder, 'policies'))
    await writeFile(
      join(folder, 'dap.yaml'),
      'apiVersion: dap/v1\nkind: Project\nmetadata: { name: bench }\nspec: {}\n',
    )
    const policies = [
      contextFree,
      linear('linear-epsilon', '{ type: epsilon-greedy, epsilon: 0.1 }'),
      linear('linear-thompson', '{ type: thompson }'),
      shared,
    ]
    await writeFile(join(folder, 'policies', 'bench.yaml'), policies.join('---'))
    children.push(await start([ECHO, '18181'], 18181, '/'))
    children.push(
      await start([BIN, 'serve', '-C', folder, '--port', '18182', '--log', join(folder, 'logs')], 18182, '/readyz'),
    )
    console.log(`${CONNECTIONS} connections, ${SECONDS} s, median of ${ROUNDS}; the load comes from the other core\n`)
    console.log('policy            echo/s    dap/s  ratio   p50 ms  p99 ms   at half load: p50 ms  p99 ms')
    for (const { policy, context, atLeast } of CASES) {
      const body = JSON.stringify({ policy, context })
      const echo: Load[] = []
      const dap: Load[] = []
      await load(18182, '/v1/decide', body)
      for (let round = 0; round < ROUNDS; round++) {
        echo.push(await load(18181, '/', body))
        dap.push(await load(18182, '/v1/decide', body))
      }
      const echoRate = median(echo.map(each => each.perSecond))
      const rate = median(dap.map(each => each.perSecond))
      const half = await load(18182, '/v1/decide', body, Math.round(rate / 2))
      const columns = [
        policy.padEnd(16),
        echoRate.toFixed(0).padStart(7),
        rate.toFixed(0).padStart(8),
        (rate / echoRate).toFixed(2).padStart(6),
        String(median(dap.map(each => each.p50))).padStart(8),
        String(median(dap.map(each => each.p99))).padStart(7),
        String(half.p50).padStart(21),
        String(half.p99).padStart(7),
      ]
      console.log(`${columns.join(' ')}   ${verdict(rate >= (atLeast ?? 0.5 * echoRate) && half.p99 < 10)}`)
    }
    console.log('\nbudget: at least 0.5 × the echo, shared-squarecb 5000 a second, p99 below 10 ms at half load')
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}
