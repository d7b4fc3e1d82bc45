import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { get, logged, offer, PATIENT, post, repository, waitFor } from '../serve/serving.ts'
import { countersOf, fallen } from '../support/counters.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

const bin = join(PACKAGE_ROOT, 'bin', 'dap.js')
const CONTEXT = { player: 'p1' }

interface Line {
  readonly msg: string
  readonly pid: number
  readonly url?: string
  readonly reason?: string
}

/** The built `dap serve`, as a process of its own. */
function start(folder: string, ...words: readonly string[]) {
  return startAs(process.execPath, [], folder, words)
}

function startAs(program: string, before: readonly string[], folder: string, words: readonly string[]) {
  const running = execa(program, [...before, bin, 'serve', ...PATIENT, ...words], {
    forceKillAfterDelay: false,
    cwd: folder,
    reject: false,
  })
  let stderr = ''
  running.stderr.on('data', data => {
    stderr += data
  })
  onTestFinished(() => void running.kill('SIGKILL'))
  const lines = (msg: string) =>
    stderr
      .split('\n')
      .filter(line => line.endsWith('}'))
      .map(line => JSON.parse(line) as Line)
      .filter(line => line.msg === msg)
  const wait = (msg: string, count: number) => waitFor(() => (lines(msg).length >= count ? lines(msg) : undefined))
  return { running, wait }
}

/** The same where the system lets the process open so many files. */
function startWithin(openFiles: number, folder: string, ...words: readonly string[]) {
  return startAs('bash', ['-c', `ulimit -n ${openFiles}; exec "$@"`, 'bash', process.execPath], folder, words)
}

/** The same with a stdout that is open and that nobody ever reads. */
function startUnread(folder: string, ...words: readonly string[]) {
  const script = 'mkfifo "$0" && exec 9<>"$0" && exec "$@" >&9'
  return startAs('bash', ['-c', script, join(folder, 'stdout'), process.execPath], folder, words)
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('the built dap serve', () => {
  it('answers, and ends with 0 and a whole log at SIGTERM', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { running, wait } = start(folder)
    const [{ url }] = await wait('listening', 1)
    const { json } = await post(`${url}/v1/decide`, { context: CONTEXT })
    running.kill('SIGTERM')
    expect(await running).toMatchObject({ exitCode: 0, stdout: '1 decision, 0 rewards' })
    expect(await logged(join(folder, 'logs'))).toMatchObject([{ decisionId: json.decisionId }])
  })

  it('shares its port between workers, starts one that dies again, and sums up all of them', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { running, wait } = start(folder, '--workers', '2', '--json')
    const [{ url, pid }] = await wait('listening', 2)
    const decide = async (times: number) => {
      for (let i = 0; i < times; i++) await post(`${url}/v1/decide`, { context: CONTEXT })
    }
    await decide(20)
    expect((await get(`${url}/metrics`)).text).toMatch(/dap_decision_duration_seconds_count 20/)
    // Its primary has heard of what is written by then.
    await waitFor(async () =>
      (await get(`${url}/metrics`)).text.includes('dap_log_records_total{stream="decisions"} 20') ? true : undefined,
    )
    process.kill(pid, 'SIGKILL')
    await wait('worker died', 1)
    await wait('listening', 3)
    await decide(10)
    running.kill('SIGTERM')
    const { exitCode, stdout } = await running
    expect({ exitCode, result: JSON.parse(stdout) }).toMatchObject({
      exitCode: 0,
      result: { workers: 2, decisions: 30, lost: [], lostRecords: 0 },
    })
    expect(await logged(join(folder, 'logs'))).toHaveLength(30)
  })

  it('knows an id at every worker, and after a restart', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const ids = Array.from({ length: 20 }, (_, i) => `d${i}`)
    /** On connections of their own, so that all workers are asked. */
    const ask = async (url: string, path: string, body: object) => {
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify(body),
      })
      return { status: answer.status, json: await answer.json() }
    }
    const decide = (url: string, decisionId: string, player: string) =>
      ask(url, '/v1/decide', { decisionId, context: { player } })
    const reward = (url: string, decisionId: string, value: number) =>
      ask(url, '/v1/rewards', { rewardId: `r-${decisionId}`, decisionId, value })

    const first = start(folder, '--workers', '2')
    const [{ url: before = '' }] = await first.wait('listening', 2)
    const answers = await Promise.all(ids.map(id => decide(before, id, 'p1')))
    await Promise.all(ids.map(id => reward(before, id, 1)))
    const checked = async (url: string) => {
      expect(await Promise.all(ids.map(id => decide(url, id, 'p1')))).toEqual(answers)
      expect((await Promise.all(ids.map(id => decide(url, id, 'p2')))).map(({ status }) => status)).toEqual(
        Array(20).fill(409),
      )
      expect((await Promise.all(ids.map(id => reward(url, id, 1)))).map(({ status }) => status)).toEqual(
        Array(20).fill(202),
      )
      expect((await Promise.all(ids.map(id => reward(url, id, 0)))).map(({ status }) => status)).toEqual(
        Array(20).fill(409),
      )
      expect((await Promise.all(ids.map(id => reward(url, id, 7)))).map(({ status }) => status)).toEqual(
        Array(20).fill(400),
      )
    }
    await checked(before)
    // What is written outlives the workers that wrote it.
    await waitFor(async () => {
      const logs = join(folder, 'logs')
      const all = [...(await logged(logs)), ...(await logged(logs, 'rewards'))]
      return all.length === 40 ? true : undefined
    })
    for (const { pid } of await first.wait('listening', 2)) process.kill(pid, 'SIGKILL')
    // With port 0 it is another one once nobody is left who has it.
    const { url: later = '' } = (await first.wait('listening', 4))[3]
    await checked(later)
    first.running.kill('SIGTERM')
    await first.running

    const second = start(folder, '--workers', '2')
    expect(await second.wait('remembered', 1)).toMatchObject([{ decisions: 20, rewards: 20 }])
    const [{ url: after = '' }] = await second.wait('listening', 2)
    await checked(after)
    second.running.kill('SIGTERM')
    await second.running
    expect(await logged(join(folder, 'logs'))).toHaveLength(20)
    expect(await logged(join(folder, 'logs'), 'rewards')).toHaveLength(20)
  })

  it('leaves no worker, and no record unwritten, when the primary is killed', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { running, wait } = start(folder, '--workers', '2', '--flush-ms', '300')
    const workers = await wait('listening', 2)
    for (let i = 0; i < 4; i++) await post(`${workers[0].url}/v1/decide`, { context: CONTEXT })
    running.kill('SIGKILL')
    await waitFor(() => (workers.some(({ pid }) => alive(pid)) ? undefined : true))
    expect(await logged(join(folder, 'logs'))).toHaveLength(4)
  })

  it('says once why its workers do not start', async () => {
    const folder = await repository({})
    const { exitCode, stderr } = await start(folder, '--workers', '2').running
    expect(exitCode).toBe(1)
    expect(stderr).toContain('there is nothing to serve')
    expect(stderr).toMatch(/error: a worker could not start \(exit code 1\)\nhint: its error is above$/)
  })
})

describe('the built dap serve under pressure', () => {
  it('keeps files to open for its log, its kill switch and reloads, however many connections are idle', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const control = join(folder, 'control.json')
    const { wait } = startWithin(150, folder, '--control', control, '--poll-ms', '20')
    const [{ url }] = await wait('listening', 1)
    const { hostname, port } = new URL(url as string)
    const sockets: Socket[] = []
    onTestFinished(() => void sockets.map(socket => socket.destroy()))
    for (let i = 0; i < 300; i++) {
      const socket = connect(Number(port), hostname)
      sockets.push(socket)
      socket.on('error', () => {})
      await once(socket, 'connect')
    }
    // The oldest have made room.
    await waitFor(() => (sockets.filter(socket => socket.closed).length >= 200 ? true : undefined))
    const { status, json } = await post(`${url}/v1/decide`, { context: CONTEXT })
    expect(status).toBe(200)
    await waitFor(async () => ((await logged(join(folder, 'logs'))).length === 1 ? true : undefined))
    expect(await logged(join(folder, 'logs'))).toMatchObject([{ decisionId: json.decisionId }])
    await writeFile(control, JSON.stringify({ killed: ['*'], reason: 'a test' }))
    await wait('kill switch', 1)
    await writeFile(join(folder, 'policies', 'offer.yaml'), offer('offer', 'none, silver'))
    await wait('reload', 1)
    expect(await wait('reload failed', 0)).toEqual([])
  })
})

describe('a worker of the built dap serve that is killed under load', () => {
  it('leaves no client waiting and no counter lower, and its losses are bounded', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { running, wait } = start(folder, '--workers', '2', '--json')
    const [{ url }] = (await wait('listening', 2)) as { url: string }[]
    const seen = { acknowledged: 0, cut: 0 }
    let ended = false
    /** Each decision on a connection of its own, or all on one. */
    async function client(keepAlive: boolean): Promise<void> {
      while (!ended) {
        const agent = new Agent({ keepAlive, maxSockets: 1 })
        try {
          do {
            await decideBy(agent, url)
            seen.acknowledged++
          } while (keepAlive && !ended)
        } catch {
          seen.cut++
        }
        agent.destroy()
      }
    }
    const clients = Array.from({ length: 32 }, (_, i) => client(i % 2 === 0))
    const scraped: Map<string, number>[] = []
    const scraping = (async () => {
      while (!ended) {
        const text = await get(`${url}/metrics`).then(
          answer => answer.text,
          () => '',
        )
        if (text !== '') scraped.push(countersOf(text))
      }
    })()
    for (let kills = 0; kills < 3; kills++) {
      const { acknowledged } = seen
      await waitFor(() => (seen.acknowledged > acknowledged + 500 ? true : undefined))
      const workers = await wait('listening', 2 + kills)
      process.kill(workers.filter(({ pid }) => alive(pid))[0].pid, 'SIGKILL')
      await wait('listening', 3 + kills)
    }
    ended = true
    await Promise.all([...clients, scraping])
    running.kill('SIGTERM')
    const { exitCode, stdout } = await running
    const result = JSON.parse(stdout) as { decisions: number; lost: readonly string[]; lostRecords: number }
    const inLog = (await logged(join(folder, 'logs'))).length
    expect(seen.cut).toBeGreaterThan(0)
    expect(scraped.length).toBeGreaterThan(3)
    for (let i = 1; i < scraped.length; i++) expect(fallen(scraped[i - 1], scraped[i])).toEqual([])
    expect(inLog + result.lostRecords).toBeGreaterThanOrEqual(seen.acknowledged)
    expect(result.decisions + result.lostRecords).toBeGreaterThanOrEqual(seen.acknowledged)
    expect(result.decisions).toBeLessThanOrEqual(inLog)
    expect(exitCode).toBe(result.lost.length === 0 ? 0 : 1)
    expect(result.lostRecords > 0).toBe(result.lost.length > 0)
  })
})

describe('the end of the built dap serve', () => {
  it('comes though nobody reads its stdout: it says how many records are lost', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { running, wait } = startUnread(folder, '--log', 'stdout', '--json-file', 'events')
    const [{ url }] = await wait('listening', 1)
    const requests = Array.from({ length: 1_000 }, () => ({ context: CONTEXT }))
    for (let i = 0; i < 2; i++) {
      expect(await post(`${url}/v1/decide:batch`, { requests })).toMatchObject({ status: 200 })
    }
    running.kill('SIGTERM')
    expect(await running).toMatchObject({ exitCode: 1 })
    const lost = (await wait('records lost', 1)).map(({ reason }) => reason)
    expect(lost[0]).toMatch(/^\d+ decisions and 0 rewards of the log could not be written$/)
    const events = (await readFile(join(folder, 'events'), 'utf8')).trimEnd().split('\n')
    expect(JSON.parse(events.at(-1) as string)).toMatchObject({ exitCode: 1, result: { decisions: 2_000, lost } })
  })

  it.each([1, 2])(
    'is heard of by 64 of 64 clients that keep their connections to %i processes: none is cut',
    async workers => {
      const folder = await repository({ 'policies/offer.yaml': offer() })
      const { running, wait } = start(folder, '--drain-ms', '600000', '--workers', String(workers))
      const listening = await wait('listening', workers)
      const [{ url }] = listening
      const sent = Array.from({ length: 64 }, () => 0)
      const clients = sent.map(async (_, i) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        onTestFinished(() => agent.destroy())
        for (;;) {
          const { status, headers } = await decideBy(agent, url as string)
          expect(status).toBe(200)
          sent[i]++
          if (headers.connection === 'close') return 'told'
        }
      })
      await waitFor(() => (sent.every(count => count > 2) ? true : undefined))
      running.kill('SIGTERM')
      expect(await Promise.all(clients)).toEqual(sent.map(() => 'told'))
      // Whoever asks sees it unready, and others are still answered meanwhile.
      expect(await get(`${url}/readyz`)).toMatchObject({
        status: 503,
        json: { reasons: ['the server is shutting down'] },
      })
      expect(await post(`${url}/v1/decide`, { context: CONTEXT })).toMatchObject({ status: 200 })
      running.kill('SIGTERM')
      expect(await running).toMatchObject({ exitCode: 130 })
      await waitFor(() => (listening.some(({ pid }) => alive(pid)) ? undefined : true))
    },
  )

  it('closes the port after the drain, and has logged every answer by then', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { running, wait } = start(folder, '--drain-ms', '300')
    const [{ url }] = await wait('listening', 1)
    const decided: string[] = []
    const clients = Array.from({ length: 8 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      for (;;) {
        const answer = await decideBy(agent, url as string).catch((error: NodeJS.ErrnoException) => error.code)
        if (typeof answer !== 'object') return answer
        decided.push(answer.decisionId)
      }
    })
    await waitFor(() => (decided.length > 100 ? true : undefined))
    running.kill('SIGTERM')
    await Promise.all(clients)
    expect(await running).toMatchObject({ exitCode: 0 })
    const ids = new Set((await logged(join(folder, 'logs'))).map(({ decisionId }) => decisionId))
    expect(decided.filter(id => !ids.has(id))).toEqual([])
  })
})

/** A decision over the connection that the agent keeps. */
function decideBy(agent: Agent, url: string) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; decisionId: string }>((done, fail) => {
    const asked = request(
      `${url}/v1/decide`,
      { agent, method: 'POST', headers: { 'content-type': 'application/json' } },
      answer => {
        let text = ''
        answer.on('data', data => {
          text += data
        })
        answer.on('error', fail)
        answer.on('end', () =>
          done({
            status: answer.statusCode as number,
            headers: answer.headers,
            decisionId: JSON.parse(text).decisionId,
          }),
        )
      },
    )
    asked.on('error', fail)
    asked.end(JSON.stringify({ context: CONTEXT }))
  })
}

describe('the built client', () => {
  it('is one file for Node and browsers, under its own name', async () => {
    const { createClient } = await import('@dap-platform/dap/client')
    const text = await readFile(join(PACKAGE_ROOT, 'dist', 'client.js'), 'utf8')
    expect(text).not.toMatch(/node:|require\(|^import /m)
    const client = createClient({ baseUrl: 'http://127.0.0.1:1' })
    expect(await client.decide({ context: CONTEXT }, { fallback: 'none' })).toMatchObject({
      action: 'none',
      servedBy: 'override',
    })
  })
})
