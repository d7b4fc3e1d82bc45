/**
 * `npm run soak`: `dap serve --workers 2` at half load for minutes, one worker killed in each of them, under clients that keep their
 * connections, decide with ids of their own and without, and send rewards. Exits 1 when something does not hold that should: counters that
 * never fall, losses within their bound, memory that stays flat, a log that `log check` accepts.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { countersOf, fallen } from '../test/support/counters.ts'
import { median } from './measure.ts'

const BIN = fileURLToPath(new URL('../bin/dap.js', import.meta.url))
const CLIENTS = 32
const WORKERS = 2
/** How long the full load is measured, of which the half is then kept up. */
const FULL_MS = 5_000
const SCRAPE_MS = 500
/** Memory is looked at from the sixth minute on, or from the half where there are fewer; it may rise by so much from there to the end. */
const WARM_MINUTES = 5
const RISE = 0.1

const POLICIES = `
apiVersion: dap/v1
kind: Policy
metadata: { name: free }
spec:
  unit: player
  context: { player: { type: string } }
  actions: [{ id: none }, { id: small }, { id: large }]
  algorithm: { learner: { type: beta }, exploration: { type: thompson } }
  reward: { name: purchase, type: binary, wait: 1h, default: 0 }
---
apiVersion: dap/v1
kind: Policy
metadata: { name: contextual }
spec:
  unit: player
  context:
    player: { type: string }
    level: { type: integer, minimum: 1 }
    platform: { type: string, enum: [ios, android] }
  features: [{ field: level, transform: log1p }, { field: platform, transform: one-hot }]
  actions: [{ id: none }, { id: small }, { id: large, eligible: 'ctx.level >= 10' }]
  algorithm: { learner: { type: linear }, exploration: { type: epsilon-greedy, epsilon: 0.1 } }
  reward: { name: purchase, type: binary, wait: 1h, default: 0 }
`

interface Event {
  readonly msg: string
  readonly pid: number
  readonly url?: string
  readonly mayBeLost?: number
}

interface Served {
  readonly child: ChildProcess
  readonly url: string
  events(msg: string): Event[]
  /** All that it has written to stdout, when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string }>
}

async function start(folder: string): Promise<Served> {
  const words = [BIN, 'serve', '-C', folder, '--port', '0', '--workers', String(WORKERS), '--json']
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', data => {
    stdout += data
  })
  child.stderr.on('data', data => {
    stderr += data
  })
  const ended = new Promise<{ code: number | null; stdout: string }>(done =>
    child.once('close', code => done({ code, stdout })),
  )
  const events = (msg: string) =>
    stderr
      .split('\n')
      .filter(line => line.endsWith('}'))
      .map(line => JSON.parse(line) as Event)
      .filter(event => event.msg === msg)
  while (events('listening').length < WORKERS) {
    if (child.exitCode !== null) throw new Error(`the server did not start:\n${stderr}`)
    await sleep(20)
  }
  return { child, url: events('listening')[0].url as string, events, ended }
}

/** Latencies in tenths of a millisecond, as counts. */
class Latencies {
  readonly counts = new Uint32Array(100_000)
  total = 0

  add(ms: number): void {
    this.counts[Math.min(this.counts.length - 1, Math.floor(10 * ms))]++
    this.total++
  }

  /** In milliseconds. */
  quantile(q: number): number {
    let seen = 0
    for (const [tenths, count] of this.counts.entries()) {
      seen += count
      if (seen >= q * this.total && seen > 0) return (tenths + 1) / 10
    }
    return Number.NaN
  }
}

interface Tally {
  decisions: number
  rewards: number
  /** Requests whose connection went away before the answer, as when a worker is killed. */
  cut: number
  /** Answers that are no success, by status. */
  readonly refused: Map<number, number>
  readonly latencies: Latencies
}

const newTally = (): Tally => ({ decisions: 0, rewards: 0, cut: 0, refused: new Map(), latencies: new Latencies() })

interface Answer {
  readonly status: number
  readonly text: string
}

function post(url: string, agent: Agent, body: string): Promise<Answer> {
  return new Promise((done, fail) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asked = request(url, { agent, method: 'POST', headers }, answer => {
      let text = ''
      answer.on('data', data => {
        text += data
      })
      answer.on('error', fail)
      answer.on('end', () => done({ status: answer.statusCode as number, text }))
    })
    asked.on('error', fail)
    asked.end(body)
  })
}

/** One client: `perSecond` requests at most, each after the answer to the one before, until `until`. */
async function client(url: string, tally: () => Tally, perSecond: number, until: () => boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let due = performance.now()
  let turn = Math.floor(1000 * Math.random())

  /** The answer's text where it was a success. */
  async function ask(path: string, body: object): Promise<string | undefined> {
    due = Math.max(due + 1000 / perSecond, performance.now() - 1_000)
    const wait = due - performance.now()
    if (wait >= 1) await sleep(wait)
    const begun = performance.now()
    try {
      const { status, text } = await post(url + path, agent, JSON.stringify(body))
      tally().latencies.add(performance.now() - begun)
      if (status < 300) return text
      tally().refused.set(status, (tally().refused.get(status) ?? 0) + 1)
    } catch {
      tally().cut++
    }
    return undefined
  }

  while (!until()) {
    turn++
    const player = `p${turn % 5_000}`
    const platform = turn % 3 === 0 ? 'ios' : 'android'
    const decided = await ask('/v1/decide', {
      ...(turn % 2 === 0 ? { decisionId: randomUUID() } : {}),
      ...(turn % 4 < 2
        ? { policy: 'free', context: { player } }
        : { policy: 'contextual', context: { player, level: 1 + (turn % 60), platform } }),
    })
    if (decided === undefined) continue
    tally().decisions++
    if (turn % 3 !== 0) continue
    const { decisionId } = JSON.parse(decided) as { decisionId: string }
    if ((await ask('/v1/rewards', { decisionId, value: turn % 2 })) !== undefined) tally().rewards++
  }
  agent.destroy()
}

/** Megabytes; 0 where the process is gone. */
function residentMemory(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Whole lines of a stream's files. */
function logged(folder: string, stream: string): number {
  let lines = 0
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(stream)) continue
    const bytes = readFileSync(join(folder, name))
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++
  }
  return lines
}

/** How much the line through the values rises from the first to the last, as a share of their mean. */
function rise(values: readonly number[]): number {
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  let covariance = 0
  let variance = 0
  for (const [i, value] of values.entries()) {
    covariance += (i - (n - 1) / 2) * (value - mean)
    variance += (i - (n - 1) / 2) * (i - (n - 1) / 2)
  }
  return n < 2 ? 0 : ((covariance / variance) * (n - 1)) / mean
}

interface Minute {
  readonly tally: Tally
  readonly primary: number[]
  readonly workers: number[]
}

async function soak(minutes: number, folder: string): Promise<boolean> {
  await mkdir(join(folder, 'policies'))
  await writeFile(join(folder, 'dap.yaml'), 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: soak }\nspec: {}\n')
  await writeFile(join(folder, 'policies', 'soak.yaml'), POLICIES)
  const server = await start(folder)
  const { child, url, events, ended } = server
  const living = () =>
    events('listening')
      .map(({ pid }) => pid)
      .filter(alive)
  try {
    const full = newTally()
    const stopFull = performance.now() + FULL_MS
    await Promise.all(
      Array.from({ length: CLIENTS }, () =>
        client(
          url,
          () => full,
          1e6,
          () => performance.now() > stopFull,
        ),
      ),
    )
    const rate = (0.5 * (full.decisions + full.rewards)) / (FULL_MS / 1000)
    console.log(`full load ${(2 * rate).toFixed(0)}/s; ${minutes} minutes at half of it, a worker killed in each\n`)

    const all: Minute[] = []
    let minute: Minute | undefined
    let over = false
    const next = (): Minute => {
      minute = { tally: newTally(), primary: [], workers: [] }
      all.push(minute)
      return minute
    }
    next()
    const clients = Array.from({ length: CLIENTS }, () =>
      client(
        url,
        () => (minute as Minute).tally,
        rate / CLIENTS,
        () => over,
      ),
    )
    let before = new Map<string, number>()
    let scrapes = 0
    const fell = new Set<string>()
    const scraping = (async () => {
      while (!over) {
        await sleep(SCRAPE_MS)
        minute?.primary.push(residentMemory(child.pid as number))
        minute?.workers.push(living().reduce((sum, pid) => sum + residentMemory(pid), 0))
        const text = await fetch(`${url}/metrics`)
          .then(response => response.text())
          .catch(() => undefined) // The worker that was asked was killed.
        if (text === undefined) continue
        scrapes++
        const now = countersOf(text)
        for (const sample of fallen(before, now)) fell.add(sample)
        before = now
      }
    })()

    console.log('minute  decisions   rewards  cut   p50 ms   p99 ms  primary MB  workers MB  may be lost')
    const begun = performance.now()
    for (let i = 0; i < minutes; i++) {
      const current = i === 0 ? (minute as unknown as Minute) : next()
      const died = events('worker died').length
      await sleep(begun + 60_000 * i + 30_000 - performance.now())
      const [oldest] = living()
      if (oldest !== undefined) process.kill(oldest, 'SIGKILL')
      await sleep(begun + 60_000 * (i + 1) - performance.now())
      const { tally, primary, workers } = current
      const columns = [
        String(i + 1).padStart(6),
        String(tally.decisions).padStart(10),
        String(tally.rewards).padStart(9),
        String(tally.cut).padStart(4),
        tally.latencies.quantile(0.5).toFixed(1).padStart(8),
        tally.latencies.quantile(0.99).toFixed(1).padStart(8),
        median(primary).toFixed(0).padStart(11),
        median(workers).toFixed(0).padStart(11),
        events('worker died')
          .slice(died)
          .map(({ mayBeLost }) => mayBeLost)
          .join()
          .padStart(12),
      ]
      console.log(columns.join(' '))
    }
    over = true
    await Promise.all([...clients, scraping])
    child.kill('SIGTERM')
    const { code, stdout } = await ended
    const result = JSON.parse(stdout) as { decisions: number; rewards: number; lostRecords: number }

    const sum = (of: (tally: Tally) => number) => all.reduce((total, { tally }) => total + of(tally), of(full))
    const acknowledged = sum(({ decisions, rewards }) => decisions + rewards)
    const logs = join(folder, 'logs')
    const inLog = logged(logs, 'decisions') + logged(logs, 'rewards')
    const refused = sum(tally => [...tally.refused.values()].reduce((total, count) => total + count, 0))
    const checked = spawnSync(process.execPath, [BIN, 'log', 'check', logs], { cwd: folder, encoding: 'utf8' })
    const flat = all.slice(minutes > WARM_MINUTES + 1 ? WARM_MINUTES : Math.floor(minutes / 2))
    const rises = {
      primary: rise(flat.map(({ primary }) => median(primary))),
      workers: rise(flat.map(({ workers }) => median(workers))),
    }
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`
    const checks: readonly (readonly [holds: boolean, what: string])[] = [
      [
        events('worker died').length === minutes,
        `${events('worker died').length} workers died, ${minutes} were killed`,
      ],
      [fell.size === 0, `${fell.size} counters fell in ${scrapes} scrapes ${[...fell].slice(0, 3).join(' ')}`],
      [
        inLog + result.lostRecords >= acknowledged,
        `${acknowledged} acknowledged, ${inLog} in the log, at most ${result.lostRecords} lost`,
      ],
      [
        result.decisions + result.rewards + result.lostRecords >= acknowledged,
        `${result.decisions} decisions and ${result.rewards} rewards in the summary`,
      ],
      [code === (result.lostRecords > 0 ? 1 : 0), `exit code ${code}`],
      [refused === 0, `${refused} requests refused`],
      [rises.primary < RISE, `memory of the primary rises by ${percent(rises.primary)}`],
      [rises.workers < RISE, `memory of the workers rises by ${percent(rises.workers)}`],
      [checked.status === 0, `log check exits ${checked.status}`],
    ]
    console.log()
    for (const [holds, what] of checks) console.log(`${holds ? 'holds' : 'FAILS'}  ${what.trim()}`)
    if (checked.status !== 0) console.log(`\n${checked.stdout}${checked.stderr}`.slice(0, 4_000))
    return checks.every(([holds]) => holds)
  } finally {
    child.kill('SIGKILL')
  }
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
const minutes = Number(values.minutes)
if (!Number.isInteger(minutes) || minutes < 1) {
  process.stderr.write('error: --minutes takes a whole number from 1 on\n')
  process.exit(3)
}
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0].model}\n`)
const folder = await mkdtemp(join(tmpdir(), 'dap-soak-'))
try {
  process.exitCode = (await soak(minutes, folder)) ? 0 : 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
