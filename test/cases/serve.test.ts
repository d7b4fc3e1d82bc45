/**
 * Requests that broke the server or its log, with their right answers, against a whole server and the log that it leaves. What takes a process of
 * its own is in `test/e2e/serve*.test.ts`: stalled readers, descriptors, killed workers, draining.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createClient } from '../../src/client.ts'
import { get, logged, offer, post, repository, type Serving, serve } from '../serve/serving.ts'
import { dapIn } from '../support/run-dap.ts'

const context = { player: 'p1' }
const CONTEXT = JSON.stringify({ context })
const at = (ms: number) => new Date(Date.now() + ms).toISOString()

async function server(...words: readonly string[]): Promise<Serving & { readonly folder: string }> {
  const folder = await repository({ 'policies/offer.yaml': offer() })
  return { ...(await serve(folder, words)), folder }
}

/** What `log check` says of all that the server has taken, after it has stopped. */
async function checked(server: Serving & { readonly folder: string }) {
  await server.stop()
  const { code, stdout } = await dapIn(server.folder, 'log', 'check', 'logs', '--json')
  const { faults } = JSON.parse(stdout) as { readonly faults: readonly { readonly code: string }[] }
  return { code, faults: faults.map(fault => fault.code) }
}

const GOOD = { code: 0, faults: [] }

/** Sends bytes as they are, and reads until the server closes. */
async function raw(url: string, text: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  let said = ''
  socket.on('data', data => {
    said += data
  })
  socket.write(text)
  await once(socket, 'close')
  return said
}

function request(body: string | Buffer, headers: readonly string[] = ['content-type: application/json']): Buffer {
  const bytes = Buffer.from(body)
  const head = [
    'POST /v1/decide HTTP/1.1',
    'host: a',
    'connection: close',
    `content-length: ${bytes.length}`,
    ...headers,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes])
}

const statusOf = (said: string) => Number(said.slice('HTTP/1.1 '.length, 12))

describe('what the log could not use', () => {
  it.each([1000, 5e300, -3])('a binary reward of %d is refused, whoever made the id', async value => {
    const self = await server()
    const { json } = await post(`${self.url}/v1/decide`, { context })
    await post(`${self.url}/v1/decide`, { context, decisionId: 'mine' })
    for (const decisionId of [json.decisionId, 'mine']) {
      expect(await post(`${self.url}/v1/rewards`, { decisionId, value })).toMatchObject({
        status: 400,
        json: { errors: [{ pointer: '/value' }] },
      })
    }
    expect(await checked(self)).toEqual(GOOD)
  })

  it('such a reward of an older log is counted by log check, evaluate and train, and teaches nothing', async () => {
    const self = await server()
    const { json } = await post(`${self.url}/v1/decide`, { context })
    await post(`${self.url}/v1/decide`, { context })
    await self.stop()
    const reward = { schema: 'dap.reward/v1', rewardId: 'r', decisionId: json.decisionId, value: 1000, ts: at(100) }
    const { writeFile } = await import('node:fs/promises')
    await writeFile(join(self.folder, 'logs', 'rewards-old.jsonl'), `${JSON.stringify(reward)}\n`)
    await writeFile(
      join(self.folder, 'policies', 'log.yaml'),
      `apiVersion: dap/v1
kind: Dataset
metadata: { name: log }
spec: { files: [logs], format: dap, actions: { policy: offer }, reward: { wait: 1ms } }
`,
    )
    expect(await checked(self)).toEqual({ code: 0, faults: ['range'] })
    const { stdout } = await dapIn(self.folder, 'train', 'offer', '--dataset', 'log', '--json', '--out', 's.json')
    expect(stdout).toMatch(/1 reward[^"]* outside/)
  })

  it('a reward or an activation that is sent twice without a time is one record; another value is a conflict', async () => {
    const self = await server()
    await post(`${self.url}/v1/decide`, { context, decisionId: 'd', deferActivation: true })
    const reward = { rewardId: 'r', decisionId: 'd', value: 1 }
    for (let i = 0; i < 2; i++) {
      expect((await post(`${self.url}/v1/rewards`, reward)).status).toBe(202)
      expect((await post(`${self.url}/v1/activations`, { decisionId: 'd' })).status).toBe(202)
    }
    expect((await post(`${self.url}/v1/rewards`, { ...reward, value: 0 })).status).toBe(409)
    expect(await checked(self)).toEqual(GOOD)
    expect(await logged(join(self.folder, 'logs'), 'rewards')).toHaveLength(2)
  })

  it('slot 1 of a single decision is refused', async () => {
    const { url } = await server()
    const answer = await post(`${url}/v1/rewards`, { decisionId: 'd', value: 1, slot: 1 })
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ pointer: '/slot' }] } })
  })

  it('a client clock that is a second behind is set right, one that is further behind refused', async () => {
    const self = await server()
    await post(`${self.url}/v1/decide`, { context, decisionId: 'd' })
    expect((await post(`${self.url}/v1/rewards`, { decisionId: 'd', value: 1, ts: at(-1_000) })).status).toBe(202)
    expect((await post(`${self.url}/v1/rewards`, { decisionId: 'd', value: 1, ts: at(-60_000) })).status).toBe(400)
    expect(await checked(self)).toEqual(GOOD)
  })

  it.each(['9999-12-31T23:59:59-12:00', '0000-01-01T00:00:00+12:00', '9999-12-31T00:00:00Z'])(
    'the time %s is refused',
    async ts => {
      const { url } = await server()
      expect((await post(`${url}/v1/rewards`, { decisionId: 'd', value: 1, ts })).status).toBe(400)
      expect((await post(`${url}/v1/activations`, { decisionId: 'd', ts })).status).toBe(400)
    },
  )

  it('an id with another context is a conflict after a restart, too', async () => {
    const first = await server()
    const { json } = await post(`${first.url}/v1/decide`, { context, decisionId: 'd' })
    await first.stop()
    const second = { ...(await serve(first.folder)), folder: first.folder }
    expect(await post(`${second.url}/v1/decide`, { context, decisionId: 'd' })).toMatchObject({ status: 200, json })
    expect((await post(`${second.url}/v1/decide`, { context: { player: 'p2' }, decisionId: 'd' })).status).toBe(409)
    expect(await checked(second)).toEqual(GOOD)
  })

  it('with --log stdout the start says that no ids are known', async () => {
    const { events } = await server('--log', 'stdout')
    expect(events()).toContainEqual(expect.objectContaining({ level: 40, msg: 'nothing remembered' }))
  })
})

describe('what two readers could understand differently', () => {
  it('invalid UTF-8 and halves of surrogate pairs are refused', async () => {
    const { url } = await server()
    const body = (id: Buffer) =>
      Buffer.concat([Buffer.from('{"decisionId":"'), id, Buffer.from(`","context":{"player":"p"}}`)])
    for (const id of [
      Buffer.from([0xc0, 0xaf]),
      Buffer.from([0xc1, 0xbf]),
      Buffer.from('s\\ud800'),
      Buffer.from('s\\ud801'),
    ]) {
      expect(statusOf(await raw(url, request(body(id))))).toBe(400)
    }
    expect(statusOf(await raw(url, request(body(Buffer.from('s\\ud83d\\ude00')))))).toBe(200)
  })

  it('other charsets and encodings are 415', async () => {
    const { url } = await server()
    const utf16 = request(Buffer.from(CONTEXT, 'utf16le'), ['content-type: application/json; charset=utf-16'])
    expect(statusOf(await raw(url, utf16))).toBe(415)
    const zipped = request(gzipSync(CONTEXT), ['content-type: application/json', 'content-encoding: gzip'])
    expect(statusOf(await raw(url, zipped))).toBe(415)
  })

  it('a key, a host or an idempotency key that is there twice is 400', async () => {
    const { url } = await server()
    const json = 'content-type: application/json'
    const twice = [
      request('{"policy":"offer","policy":"other","context":{"player":"p"}}'),
      request(CONTEXT, [json, 'host: b']),
      request(CONTEXT, [json, 'idempotency-key: a', 'idempotency-key: b']),
    ]
    for (const each of twice) expect(statusOf(await raw(url, each))).toBe(400)
  })
})

describe('other readers', () => {
  it('a preflight is answered where --cors-origin allows it, and HEAD wherever GET is', async () => {
    const preflight = (url: string) =>
      fetch(`${url}/v1/decide`, {
        method: 'OPTIONS',
        headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' },
      })
    const open = await preflight((await server('--cors-origin', 'https://shop.example')).url)
    expect({ status: open.status, origin: open.headers.get('access-control-allow-origin') }).toEqual({
      status: 204,
      origin: 'https://shop.example',
    })
    const { url } = await server()
    expect((await preflight(url)).status).toBe(405)
    expect((await fetch(`${url}/healthz`, { method: 'HEAD' })).status).toBe(200)
  })

  it('rewards of unknown decisions and of other names are taken, and counted', async () => {
    const { url } = await server()
    const { json } = await post(`${url}/v1/decide`, { context })
    expect((await post(`${url}/v1/rewards`, { decisionId: 'nobody', value: 1 })).status).toBe(202)
    expect((await post(`${url}/v1/rewards`, { decisionId: json.decisionId, value: 7, name: 'spend' })).status).toBe(202)
    const { text } = await get(`${url}/metrics`)
    expect(text).toContain('dap_rewards_unmatched_total{reason="unknown-decision"} 1')
    expect(text).toContain('dap_rewards_unmatched_total{reason="other-name"} 1')
  })

  it('a client that is closed while the server is down says what was not sent', async () => {
    const dap = createClient({ baseUrl: 'http://127.0.0.1:1' })
    dap.reward({ decisionId: 'd', value: 1 })
    expect(await dap.close()).toMatchObject({ unsent: 1 })
  })
})
