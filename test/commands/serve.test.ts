import { readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, symlink, utimes } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nodeFiles } from '../../src/adapters/node/files.ts'
import { fails, get, logged, offer, post, repository, serve, waitFor } from '../serve/serving.ts'
import { expectPublished } from '../support/published.ts'
import { dap, dapIn } from '../support/run-dap.ts'

const POLICY = { 'policies/offer.yaml': offer() }
/** At once, so that no poll sees half a file. */
const { write } = nodeFiles()
const CONTEXT = { player: 'p1' }

/** Gives a file of the log the name and the time that it would have had hours ago. */
async function age(path: string, hours: number): Promise<void> {
  const then = new Date(Date.now() - hours * 3_600_000)
  const stamp = then.toISOString().replace(/[-:]|\.\d+/g, '')
  const old = path.replace(/\d{8}T\d{6}Z/, stamp)
  await rename(path, old)
  await utimes(old, then, then)
}

describe('dap serve', () => {
  it('serves the policies of the repository, logs, and sums up when it is stopped', async () => {
    const folder = await repository(POLICY)
    const { url, stop, events } = await serve(folder, ['--json'])
    expect(url).toMatch(/^http:\/\/127.0.0.1:\d+$/)
    const { json } = await post(`${url}/v1/decide`, { context: CONTEXT })
    await post(`${url}/v1/rewards`, { decisionId: json.decisionId, value: 1 })
    const { code, stdout } = await stop()
    const result = JSON.parse(stdout)
    expect({ code, result }).toEqual({
      code: 0,
      result: { schema: 'dap.serve/v1', url, workers: 1, decisions: 1, rewards: 1, lost: [], lostRecords: 0 },
    })
    expectPublished('serve-result', result)
    expect(await logged(join(folder, 'logs'))).toMatchObject([
      { decisionId: json.decisionId, policy: { name: 'offer' } },
    ])
    expect(await logged(join(folder, 'logs'), 'rewards')).toMatchObject([{ decisionId: json.decisionId, value: 1 }])
    expect(events().map(({ msg }) => msg)).toEqual(['listening', 'shutdown'])
  })

  it('says on a terminal where it is', async () => {
    const { stop } = await serve(await repository(POLICY), [], { TERMINAL: 'yes' })
    const { stdout, stderr } = await stop()
    expect(stderr).toMatch(/^dap serve: http:\/\/127.0.0.1:\d+ {2}1 policy {2}log logs\/\n\{/)
    expect(stdout).toBe('0 decisions, 0 rewards\n')
  })

  it('loses no decision that it has answered, however it is stopped in the middle of them', async () => {
    const folder = await repository(POLICY)
    const { url, stop } = await serve(folder, ['--flush-ms', '500'])
    const answered: string[] = []
    let running = true
    const hammers = Array.from({ length: 16 }, async () => {
      while (running) {
        const answer = await post(`${url}/v1/decide`, { context: CONTEXT }).catch(() => undefined)
        if (answer?.status === 200) answered.push(answer.json.decisionId)
        else running = false
      }
    })
    await waitFor(() => (answered.length > 200 ? true : undefined))
    const { code, stdout } = await stop()
    await Promise.all(hammers)
    const records = await logged(join(folder, 'logs'))
    const known = new Set(records.map(({ decisionId }) => decisionId))
    expect(code).toBe(0)
    expect(answered.filter(id => !known.has(id))).toEqual([])
    expect(stdout).toBe(`${records.length} decisions, 0 rewards\n`)
  })

  it('writes nothing but records to stdout with --log stdout', async () => {
    const { url, stop } = await serve(await repository(POLICY), ['--log', 'stdout', '--flush-ms', '1'])
    await post(`${url}/v1/decide`, { decisionId: 'd1', context: CONTEXT })
    await post(`${url}/v1/rewards`, { decisionId: 'd1', value: 1 })
    const { stdout } = await stop()
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line).schema)
        .sort(),
    ).toEqual(['dap.decision/v1', 'dap.reward/v1'])
  })

  it('does what Vertex AI asks of a container', async () => {
    const folder = await repository(POLICY)
    const { url, event } = await serve(folder, [], {
      AIP_HTTP_PORT: '8080',
      AIP_PREDICT_ROUTE: '/v1/endpoints/7:predict',
      AIP_HEALTH_ROUTE: '/v1/endpoints/7',
    })
    expect((await event('listening'))['url']).toMatch('http://0.0.0.0:')
    expect(await get(`${url}/v1/endpoints/7`)).toMatchObject({ status: 200, json: { ready: true } })
    const { json } = await post(`${url}/v1/endpoints/7:predict`, { instances: [{ context: CONTEXT }] })
    expect(json.predictions).toMatchObject([{ policy: { name: 'offer' } }])
    expect(await post(`${url}/predict`, { instances: [] })).toMatchObject({ status: 404 })
  })

  it('takes over what changes, keeps what is served when it breaks, and hears of the kill switch', async () => {
    const folder = await repository(POLICY)
    const { url, event, events } = await serve(folder, ['--control', 'control.json'])
    const decide = async () => (await post(`${url}/v1/decide`, { context: CONTEXT })).json
    await write(join(folder, 'policies', 'offer.yaml'), offer('offer', 'silver'))
    expect(await event('reload')).toMatchObject({ changed: ['offer'] })
    expect((await decide()).action).toBe('silver')
    await write(join(folder, 'policies', 'offer.yaml'), 'kind: [')
    expect(String((await event('reload failed'))['faults'])).toContain('policies/offer.yaml')
    expect(await decide()).toMatchObject({ action: 'silver', servedBy: 'policy' })
    expect(await get(`${url}/readyz`)).toMatchObject({ status: 200 })
    await write(join(folder, 'control.json'), '{"killed":["offer"],"reason":"prices are wrong"}')
    expect(await event('kill switch')).toMatchObject({ level: 40, killed: ['offer'], reason: 'prices are wrong' })
    expect(await decide()).toMatchObject({ servedBy: 'fallback', reason: 'killed' })
    expect((await get(`${url}/v1/policies/offer`)).json).toMatchObject({ killed: true })
    expect(events().filter(({ msg }) => msg === 'reload failed')).toHaveLength(1)
  })

  it('gets no more traffic while its log cannot be written, and keeps what it has until it can', async () => {
    const folder = await repository({ ...POLICY, logs: 'a file where a folder should be' })
    const { url, event, stop } = await serve(folder, ['--flush-ms', '1'])
    await post(`${url}/v1/decide`, { decisionId: 'kept', context: CONTEXT })
    const unready = await waitFor(async () => {
      const answer = await get(`${url}/readyz`)
      return answer.status === 503 ? answer : undefined
    })
    expect(unready.json.reasons).toHaveLength(1)
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200 })
    expect(await event('trouble')).toMatchObject({ level: 50, reason: unready.json.reasons[0] })
    await rm(join(folder, 'logs'))
    await event('recovery')
    expect(await get(`${url}/readyz`)).toMatchObject({ status: 200 })
    expect(await stop()).toMatchObject({ code: 0 })
    expect(await logged(join(folder, 'logs'))).toMatchObject([{ decisionId: 'kept' }])
  })

  it('is unready from the start where its log can never be written, until somebody mends that', async () => {
    const folder = await repository(POLICY)
    const { url, event, stop } = await serve(folder, ['--log', 'policies/offer.yaml/logs'])
    const reason = expect.stringMatching(/^the log cannot be written: ENOTDIR: /)
    expect(await get(`${url}/readyz`)).toMatchObject({ status: 503, json: { ready: false, reasons: [reason] } })
    expect(await event('trouble')).toMatchObject({ level: 50, reason })
    await rm(join(folder, 'policies', 'offer.yaml'))
    await event('recovery')
    expect(await get(`${url}/readyz`)).toMatchObject({ status: 200 })
    expect(await stop()).toMatchObject({ code: 0, stdout: '0 decisions, 0 rewards\n' })
  })

  it('learns from its own rewards, and every record names the snapshot that decided', async () => {
    const folder = await repository(POLICY)
    const { url, stop } = await serve(folder, ['--learn', '--publish', '1s'])
    const { json } = await post(`${url}/v1/decide`, { context: CONTEXT })
    await post(`${url}/v1/rewards`, { decisionId: json.decisionId, value: 1 })
    const snapshot = await waitFor(async () => {
      const { policies } = (await get(`${url}/v1/policies`)).json
      return policies[0].snapshot ?? undefined
    })
    await post(`${url}/v1/decide`, { context: CONTEXT })
    await stop()
    expect((await logged(join(folder, 'logs'))).map(({ policy }) => policy.snapshot)).toEqual([null, snapshot])
    expect(JSON.parse(readFileSync(join(folder, 'snapshots', 'offer.json'), 'utf8'))).toMatchObject({ count: 1 })
    const again = await serve(folder)
    expect((await get(`${again.url}/v1/policies`)).json.policies[0].snapshot).toBe(snapshot)
  })

  it.each(['gzip', 'zstd'])('compresses its files by %s, and every record is found in the log', async compress => {
    const folder = await repository(POLICY)
    const words = ['--flush-ms', '1', '--max-log-bytes', '1', '--compress', compress]
    const { url, stop } = await serve(folder, words)
    for (let i = 0; i < 5; i++) await post(`${url}/v1/decide`, { context: CONTEXT })
    await stop()
    // A later server takes what the first one left, once nobody may write into it any more.
    for (const name of await readdir(join(folder, 'logs'))) await age(join(folder, 'logs', name), 3)
    const { length } = await readdir(join(folder, 'logs'))
    const later = await serve(folder, words)
    const done = `dap_log_upkeep_total{work="compress"} ${length}\n`
    await waitFor(async () => ((await get(`${later.url}/metrics`)).text.includes(done) ? true : undefined))
    expect((await readdir(join(folder, 'logs'))).filter(name => !/\.(gz|zst)$/.test(name))).toEqual([])
    const { stdout } = await dapIn(folder, 'log', 'check', 'logs')
    expect(stdout).toContain('5 decisions, 0 rewards')
  })

  it('is unready while it finishes what it has begun', async () => {
    const { url, stop } = await serve(await repository(POLICY))
    const { port, hostname } = new URL(url)
    const [slow, other] = [connect(Number(port), hostname), connect(Number(port), hostname)]
    onTestFinished(() => void [slow, other].map(socket => socket.destroy()))
    const body = JSON.stringify({ context: CONTEXT })
    const head = `host: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
    const answers = [slow, other].map(async socket => {
      let text = ''
      for await (const data of socket) text += data
      return text
    })
    slow.write(`POST /v1/decide HTTP/1.1\r\n${head}${body.slice(0, 5)}`)
    other.write(`POST /v1/decide HTTP/1.1\r\n${head}${body.slice(0, 5)}`)
    await waitFor(async () => ((await get(`${url}/metrics`)).text.includes('dap_ready 1') ? true : undefined))
    const stopped = stop()
    await expect(waitFor(() => get(`${url}/readyz`).then(() => undefined))).rejects.toThrow()
    for (const socket of [slow, other]) socket.write(body.slice(5))
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1.1 200 OK/)
    expect(await stopped).toMatchObject({ code: 0, stdout: '2 decisions, 0 rewards\n' })
  })

  it('does not wait for connections that ask for nothing', async () => {
    const { url, stop } = await serve(await repository(POLICY))
    const { port, hostname } = new URL(url)
    const idle = connect(Number(port), hostname)
    onTestFinished(() => void idle.destroy())
    await new Promise(done => idle.once('connect', done))
    expect(await stop()).toMatchObject({ code: 0 })
    await expect(get(`${url}/readyz`)).rejects.toThrow()
  })
})

describe('dap serve says why it does not start', () => {
  it('when something listens there already', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await new Promise(done => other.once('listening', done))
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await fails(await repository(POLICY), ['--port', String(port)])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: the server cannot listen on 127.0.0.1:\d+: .*EADDRINUSE.*\nhint: .*--port takes another\n$/,
    )
  })

  it('when Vertex AI would take the route of something else', async () => {
    const { code, stderr } = await fails(await repository(POLICY), ['--port', '0'], {
      AIP_PREDICT_ROUTE: '/v1/rewards',
    })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        "error: the route `/v1/rewards` cannot be Vertex AI's predict route, too\nhint: set $AIP_PREDICT_ROUTE to another path\n",
    })
    expect(await fails(await repository(POLICY), [], { AIP_HEALTH_ROUTE: 'health' })).toMatchObject({ code: 3 })
  })

  it('when there is nothing to serve', async () => {
    expect((await fails(await repository({}), ['--port', '0'])).stderr).toMatch(
      /^error: there is nothing to serve: no policy was found\nhint: /,
    )
    const broken = await fails(await repository({ 'policies/a.yaml': 'kind: [' }), ['--port', '0'])
    expect(broken.code).toBe(1)
    expect(broken.stderr).toMatch(
      /^policies\/a.yaml:1:8: error: .*\n {2}1 │ kind: \[\n[\s\S]*\nerror: `policies\/a.yaml` has errors\nhint: /,
    )
    const folder = await repository(POLICY)
    await mkdir(join(folder, 'empty'))
    await mkdir(join(folder, 'linked', 'offer'), { recursive: true })
    await symlink('nowhere.json', join(folder, 'linked', 'offer', 'bundle.json'))
    const linked = await fails(folder, ['--port', '0', '--bundle', 'linked'])
    expect(linked.stderr).toMatch(
      /^error: there is nothing to serve: .*`linked\/offer\/bundle.json`.*\nhint: mend the link/,
    )
    for (const bundle of ['nowhere', 'empty', 'dap.yaml', 's3://bucket/b', 'file:///nowhere']) {
      const { code, stderr } = await fails(folder, ['--port', '0'], { AIP_STORAGE_URI: bundle })
      expect({ code, stderr }).toEqual({
        code: bundle.startsWith('s3') ? 3 : 1,
        stderr: expect.stringMatching(/^error: [^\n]+\nhint: [^\n]+\n$/),
      })
    }
  })

  it.each([
    ['--learn --workers 2', '--learn needs a single process'],
    ['--log stdout --workers 2', '--log stdout needs a single process'],
    ['--publish 5m', '--publish needs --learn'],
    ['--learn --publish soon', '--publish takes a duration'],
    ['--bundle b --migrate', 'a bundle has its snapshot in it'],
    ['--bundle b --snapshot a=b', 'a bundle has its snapshot in it'],
    ['--snapshot offer', '--snapshot takes POLICY=FILE'],
    ['--log stdout --json', 'would both write to stdout'],
    ['--fsync sometimes', '--fsync takes never, interval or always'],
    ['--compress lzma', '--compress takes gzip, zstd or none'],
    ['--keep 59m', '--keep takes a duration of at least 1h'],
    ['--keep-bytes 0', '--keep-bytes takes a whole number of at least 1'],
    ['--log stdout --keep 30d', 'are about files'],
    ['--log stdout --compress gzip', 'are about files'],
    ['--port 65536', '--port takes a number up to 65535'],
    ['--port -1', '--port takes a whole number'],
    ['--flush-ms 1.5', '--flush-ms takes a whole number'],
    ['--workers 0', '--workers takes a whole number of at least 1'],
    ['--cors-origin shop.example', '--cors-origin takes an origin or `*`'],
    ['--cors-origin https://Shop.example/', 'did you mean `https://shop.example`?'],
    ['--cors-origin null', '--cors-origin takes an origin'],
    ['--prot 80', 'unknown option `--prot`'],
    ['repository', 'too many arguments'],
  ])('when it is asked for `%s`', async (line, message) => {
    const { code, stderr, stdout } = await dap(`serve ${line}`, { 'dap.yaml': '' })
    expect(code).toBe(3)
    if (line.includes('--json')) expect(JSON.parse(stdout)).toMatchObject({ schema: 'dap.error/v1', exitCode: 3 })
    else expect(stdout).toBe('')
    expect(stderr).toContain(message)
  })

  it('when there is no repository and no bundle', async () => {
    expect(await dap('serve')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('-C DIR names a config repository'),
    })
  })
})
