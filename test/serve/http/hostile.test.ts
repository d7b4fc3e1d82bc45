import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { CONTEXT, httpBench } from '../http-support.ts'

const GOOD = JSON.stringify({ context: CONTEXT })
const head = (length: number, extra = '') =>
  `POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${extra}\r\n`

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

async function open(base: string): Promise<Socket> {
  const { hostname, port } = new URL(base)
  const socket = connect(Number(port), hostname)
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Everything that the server says until it closes. */
async function said(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', data => {
    text += data
  })
  if (!socket.closed) await once(socket, 'close')
  return text
}

async function expectAlive(base: string): Promise<void> {
  const response = await fetch(`${base}/v1/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: GOOD,
  })
  expect(response.status).toBe(200)
  await response.arrayBuffer()
}

describe('bodies that mean harm', () => {
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `"f${i}":1`).join()
  const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

  it.each([
    ['deep lists', `{"context":${deep('[', ']', 500_000)}}`, 'nested more than 64 levels deep'],
    ['deep lists that never end', '['.repeat(1_000_000), 'nested more than 64 levels deep'],
    ['deep objects', `{"context":${deep('{"a":', '}', 100)}}`, 'nested more than 64 levels deep'],
    ['a long string that never ends', `{"a":"${'a'.repeat(1_000_000)}`, 'not JSON'],
    ['a long string of brackets', `{"contxt":"${'['.repeat(1000)}"}`, 'is not a field'],
    ['a prototype', '{"__proto__":{"policy":"shop-offer"},"context":{}}', '/__proto__ is not a field'],
    ['a constructor', '{"constructor":{"prototype":{"a":1}},"context":{}}', '/constructor is not a field'],
    [
      'a prototype in the context',
      '{"context":{"__proto__":{"level":1}}}',
      '/context/__proto__ is not a field of this policy',
    ],
    ['thousands of unknown fields', `{${fields(50_000)}}`, 'and 49999 more'],
    ['thousands of unknown context fields', `{"context":{${fields(50_000)}}}`, 'and 50001 more'],
    ['a context of a million numbers', `{"context":{"level":[${'1,'.repeat(400_000)}1]}}`, 'must be a finite number'],
    ['numbers that overflow', '{"context":{"playerId":"a","platform":"ios","level":1e999}}', 'must be a finite number'],
  ])('%s are refused', async (_, body, detail) => {
    const { post } = httpBench()
    const { status, json, text } = await post('/v1/decide', body)
    expect({ status, title: json.title }).toEqual({ status: 400, title: 'The request is not valid' })
    expect(json.detail + JSON.stringify(json.errors)).toContain(detail)
    expect(json.errors?.length ?? 0).toBeLessThanOrEqual(100)
    expect(text.length).toBeLessThan(50_000)
    expect(({} as { policy?: string }).policy).toBeUndefined()
    expect(await post('/v1/decide', GOOD)).toMatchObject({ status: 200 })
  })

  it('are not read when they are larger than 1 MiB, announced or not', async () => {
    const { listen } = httpBench()
    const base = await listen()
    const announced = await open(base)
    announced.write(head(10_000_000))
    expect(await said(announced)).toMatch(/^HTTP\/1.1 413 .*too-large"/s)
    const chunked = await open(base)
    const answer = said(chunked)
    chunked.write(
      'POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`
    for (let i = 0; i < 20 && !chunked.closed; i++) chunked.write(chunk)
    expect(await answer).toMatch(/^HTTP\/1.1 413 /)
    await expectAlive(base)
  })
})

describe('connections that mean harm', () => {
  const slow = { headTimeoutMs: 500, requestTimeoutMs: 1_500 }

  it('are closed when a head does not come', async () => {
    const { listen, metricsText } = httpBench({ limits: slow })
    const base = await listen()
    const silent = await open(base)
    silent.write('POST /v1/dec')
    expect(await said(silent)).toMatch(/^HTTP\/1.1 408 Request Timeout/)
    expect(await metricsText()).toContain('dap_http_requests_total{route="none",status="408"} 1')
    // A machine that stands still for so long makes everybody late.
    await eventually(() => expectAlive(base))
  })

  it('are closed when a body does not come', async () => {
    const { listen, metricsText } = httpBench({ limits: slow })
    const base = await listen()
    const socket = await open(base)
    socket.write(`${head(100)}{"con`)
    expect(await said(socket)).toMatch(/^HTTP\/1.1 408 /)
    expect(await metricsText()).toContain('status="499"} 1')
  })

  it('keep nobody else out by sending slowly, however many they are', async () => {
    const { listen, app } = httpBench({ limits: { inWork: 1 } })
    const base = await listen()
    for (let i = 0; i < 1_000; i += 100) {
      for (const socket of await Promise.all(Array.from({ length: 100 }, () => open(base)))) {
        socket.write(`${head(1_000)}{`)
      }
    }
    await expect.poll(() => app.traffic.unanswered).toBe(1_000)
    expect(app.traffic.inWork).toBe(0)
    for (const path of ['/healthz', '/readyz', '/metrics', '/v1/policies']) {
      expect(await fetch(base + path)).toMatchObject({ status: 200 })
    }
    await expectAlive(base)
  })

  it('are refused the largest body where bodies that are still arriving would hold too much', async () => {
    const { listen, app } = httpBench({ limits: { body: 10_000, arriving: 20_000 } })
    const base = await listen()
    const small = await open(base)
    small.write(`${head(GOOD.length)}${GOOD.slice(0, 5)}`)
    await expect.poll(() => app.traffic.unanswered).toBe(1)
    const large = await Promise.all(
      [9_000, 8_000, 7_000, 6_000].map(async sent => ({ sent, socket: await open(base) })),
    )
    const answers = large.map(({ socket }) => said(socket))
    for (const { sent, socket } of large) socket.write(`${head(10_000)}${'a'.repeat(sent)}`)
    const first = await Promise.race(answers)
    expect(first).toMatch(/^HTTP\/1.1 503 .*retry-after: 1.*too many bytes of bodies/s)
    await expect.poll(() => app.traffic.unanswered).toBe(4)
    const answer = once(small, 'data')
    small.write(GOOD.slice(5))
    expect(String(await answer)).toMatch(/^HTTP\/1.1 200 /)
  })

  it.each([
    ['is no HTTP', 'hello\r\n\r\n', 400],
    ['has two lengths', head(5, 'content-length: 6\r\n'), 400],
    ['has a length and chunks', head(5, 'transfer-encoding: chunked\r\n'), 400],
    ['has a huge head', head(5, `x: ${'a'.repeat(100_000)}\r\n`), 431],
    ['has a binary path', 'GET /\u0000 HTTP/1.1\r\nhost: a\r\n\r\n', 400],
  ])('get a status when what they send %s', async (_, text, status) => {
    const { listen } = httpBench()
    const base = await listen()
    const socket = await open(base)
    const answer = said(socket)
    socket.write(text)
    expect(await answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    await expectAlive(base)
  })

  it('that go away in the middle are forgotten', async () => {
    const { listen, app, metricsText, bugs } = httpBench({ limits: { inWork: 1 } })
    const base = await listen()
    for (let i = 0; i < 20; i++) {
      const socket = await open(base)
      socket.write(`${head(100)}{`)
      await expect.poll(() => app.traffic.unanswered).toBe(1)
      socket.destroy()
      await expect.poll(() => app.traffic).toMatchObject({ connections: 0, inWork: 0, unanswered: 0 })
    }
    expect(await metricsText()).toContain('status="499"} 20')
    expect(bugs).toEqual([])
  })

  it('are answered before they are told that what came after is no HTTP', async () => {
    const { listen, bench } = httpBench()
    const socket = await open(await listen())
    const answers = said(socket)
    socket.write(`${(head(GOOD.length) + GOOD).repeat(5)}GARBAGE\r\n\r\n`)
    const statuses = [...(await answers).matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)
    expect(statuses).toEqual(['200', '200', '200', '200', '200', '400'])
    expect(bench.decisions).toHaveLength(5)
  })

  it('are no more than allowed: the one that has been idle for longest makes room', async () => {
    const { listen, app } = httpBench({ limits: { connections: 2 } })
    const base = await listen()
    const [first, second] = [await open(base), await open(base)]
    first.write(`GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n`)
    await once(first, 'data')
    await open(base)
    expect(await said(second)).toBe('')
    expect(first.closed).toBe(false)
    expect(app.traffic.connections).toBe(2)
    await expectAlive(base)
  })

  it('are served by the thousand', async () => {
    const { listen, bench } = httpBench()
    const base = await listen()
    const many: Socket[] = []
    for (let i = 0; i < 2_000; i += 200)
      many.push(...(await Promise.all(Array.from({ length: 200 }, () => open(base)))))
    const answers = many.map(async socket => {
      const [data] = (await once(socket, 'data')) as [Buffer]
      return String(data).slice(0, 12)
    })
    for (const socket of many) socket.write(head(GOOD.length) + GOOD)
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200']))
    expect(bench.decisions).toHaveLength(2_000)
    await expectAlive(base)
  })
})
