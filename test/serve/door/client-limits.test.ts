import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { limitClients, networkOf } from '../../../src/serve/door/client-limits.ts'
import type { TokenTable } from '../../../src/serve/door/tokens.ts'
import { CONTEXT, httpBench } from '../http-support.ts'

const BODY = { context: CONTEXT }

/** Every token is good, and called like itself. */
const table: TokenTable = {
  size: 1,
  find: name => ({
    name,
    sha256: Buffer.alloc(32),
    may: new Set(['decide']),
    policies: undefined,
    expiresAt: undefined,
  }),
}

describe('requests a second of one client', () => {
  it('are no more than allowed, whenever they come, and it is told when to come back', async () => {
    const waits = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), waits, async (rate, pauses) => {
        const { post, bench } = httpBench({ limits: { client: { rate } } })
        const taken: number[] = []
        for (const pause of pauses) {
          bench.time += pause
          const { status, headers, json } = await post('/v1/decide', BODY)
          if (status === 200) taken.push(bench.time)
          else {
            expect({ status, type: json.type }).toEqual({
              status: 429,
              type: 'https://dap.dev/problems/too-many-requests',
            })
            expect(Number(headers['retry-after'])).toBe(1)
          }
        }
        // In no stretch of time more than a second's worth at once and what came in since.
        for (const [i, from] of taken.entries()) {
          for (const [j, to] of taken.entries()) {
            if (j >= i) expect(j - i + 1).toBeLessThanOrEqual(rate + ((to - from) * rate) / 1_000 + 1e-6)
          }
        }
        bench.time += 1_000
        expect((await post('/v1/decide', BODY)).status).toBe(200)
      }),
      { numRuns: 15 },
    )
  })

  it('are counted by token where there is one, and by address for strangers, whatever they show', async () => {
    const strangers = {
      table: { size: 1, find: (name: string) => (name.startsWith('x') ? undefined : table.find(name)) },
    }
    const { post, get } = httpBench({ limits: { client: { rate: 1 } }, parts: { tokens: strangers } })
    const by = (token: string) => post('/v1/decide', BODY, { authorization: `Bearer ${token}` })
    expect([(await by('a')).status, (await by('a')).status, (await by('b')).status]).toEqual([200, 429, 200])
    expect([(await by('x1')).status, (await by('x2')).status]).toEqual([401, 429])
    for (let i = 0; i < 3; i++) expect((await get('/healthz')).status).toBe(200)
    for (let i = 0; i < 3; i++) expect((await get('/readyz')).status).toBe(200)
  })

  it('have words of their own for OpenFeature', async () => {
    const { post } = httpBench({ limits: { client: { rate: 1 } } })
    const ask = () => post('/ofrep/v1/evaluate/flags', BODY)
    await ask()
    expect(await ask()).toMatchObject({ status: 429, headers: { 'retry-after': '1' }, json: { errorCode: 'GENERAL' } })
  })

  it('are forgotten of the client that has been silent for longest, once there are too many', async () => {
    const app = Fastify()
    onTestFinished(() => app.close())
    app.decorateRequest('arrived', 0)
    app.decorateRequest('token', undefined)
    app.addHook('onRequest', (request, _reply, done) => {
      request.token = table.find(String(request.headers['x-client']))
      done()
    })
    limitClients(app, { rate: 1 }, 2)
    app.setErrorHandler((error, _request, reply) =>
      reply.code((error as { problem?: { status: number } }).problem?.status ?? 500).send(),
    )
    app.get('/', { config: { needs: 'read' } }, () => 'ok')
    const ask = async (name: string) => (await app.inject({ url: '/', headers: { 'x-client': name } })).statusCode
    const asked: [string, number][] = [
      ['a', 200],
      ['b', 200],
      ['a', 429],
      ['c', 200],
      ['a', 429],
      ['b', 200],
      ['c', 200],
    ]
    for (const [name, status] of asked) expect([name, await ask(name)]).toEqual([name, status])
  })
})

describe('requests of one client at once', () => {
  it('are no more than allowed, and are forgotten when they end, however they end', async () => {
    const { listen, get } = httpBench({ limits: { client: { inWork: 2 } } })
    const base = await listen()
    const { hostname, port } = new URL(base)
    const open = async () => {
      const socket = connect(Number(port), hostname)
      onTestFinished(() => void socket.destroy())
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.write(
        'POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
      )
      return socket
    }
    const statusOf = async () => {
      const response = await fetch(`${base}/v1/policies`)
      await response.arrayBuffer()
      return response.status
    }
    const slow = await Promise.all([open(), open()])
    await expect.poll(statusOf).toBe(429)
    const refused = await fetch(`${base}/v1/policies`)
    expect(refused.headers.get('retry-after')).toBe('1')
    await refused.arrayBuffer()
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
    expect((await get('/healthz')).status).toBe(200)
    slow[0].destroy()
    await expect.poll(statusOf).toBe(200)
    for (let i = 0; i < 5; i++) expect(await statusOf()).toBe(200)
  })
})

describe('the network of an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
