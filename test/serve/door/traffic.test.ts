import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { fastify } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { followTraffic, type TrafficLimits } from '../../../src/serve/door/traffic.ts'

/** A server whose answers the test holds back: to `POST /wait` until it calls the answer; to `GET /probe` never. */
async function server(limits: Partial<TrafficLimits> = {}) {
  const app = fastify()
  let time = 0
  const answered: string[] = []
  const waiting: (() => void)[] = []
  const traffic = followTraffic(
    app,
    { monotonic: () => time },
    { inWork: 100, connections: 100, connectionAgeMs: 1_000, ...limits },
    (route, status) => void answered.push(`${route} ${status}`),
  )
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.post('/wait', () => new Promise<string>(done => waiting.push(() => done('ok'))))
  app.get('/probe', { config: { probe: true } }, () => 'ok')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const sockets: Socket[] = []
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    for (const answer of waiting) answer()
    traffic.closeAll()
    await app.close()
  })
  async function open(): Promise<Client> {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {})
    const client: Client = { socket, text: '', closed: false }
    socket.on('data', data => {
      client.text += data
    })
    socket.on('close', () => {
      client.closed = true
    })
    await once(socket, 'connect')
    return client
  }
  return {
    traffic,
    waiting,
    answered,
    open,
    pass: (ms: number) => {
      time += ms
    },
  }
}

interface Client {
  readonly socket: Socket
  text: string
  closed: boolean
}

const head = (length: number) =>
  `POST /wait HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: ${length}\r\n\r\n`
const PROBE = 'GET /probe HTTP/1.1\r\nhost: a\r\n\r\n'

describe('traffic', () => {
  it('has a request in work from when it has arrived until it is answered, and refuses more than it may, but no probe', async () => {
    const { traffic, waiting, answered, open } = await server({ inWork: 2 })
    const clients = await Promise.all(Array.from({ length: 3 }, open))
    for (const { socket } of clients) socket.write(`${head(2)}a`)
    await expect.poll(() => traffic.unanswered).toBe(3)
    expect(traffic.inWork).toBe(0)
    clients[0].socket.write('b')
    clients[1].socket.write('b')
    await expect.poll(() => traffic.inWork).toBe(2)
    clients[2].socket.write('b')
    await expect.poll(() => clients[2].text).toMatch(/^HTTP\/1.1 500 .*works on 2 requests already/s)
    clients[2].socket.write(PROBE)
    await expect.poll(() => clients[2].text).toMatch(/HTTP\/1.1 200 .*ok$/s)
    for (const answer of waiting) answer()
    await expect.poll(() => traffic).toMatchObject({ inWork: 0, unanswered: 0, connections: 3 })
    expect(answered).toEqual(['/wait 500', '/probe 200', '/wait 200', '/wait 200'])
  })

  it('gives the place of one that has been sending for longer than others have been idle', async () => {
    const { traffic, open, pass } = await server({ connections: 3 })
    const slow = await open()
    slow.socket.write(`${head(2)}a`)
    await expect.poll(() => traffic.unanswered).toBe(1)
    pass(100)
    const [a, b] = [await open(), await open()]
    await expect.poll(() => traffic.connections).toBe(3)
    const c = await open()
    await expect.poll(() => slow.closed).toBe(true)
    for (const { socket } of [a, b, c]) socket.write(PROBE)
    for (const client of [a, b, c]) await expect.poll(() => client.text).toMatch(/ok$/)
  })

  it('gives the place of the oldest idle connection to a new one, then of the oldest that sends, never of one that waits', async () => {
    const { traffic, open } = await server({ connections: 4 })
    const waits = await open()
    waits.socket.write(`${head(1)}a`)
    await expect.poll(() => traffic.inWork).toBe(1)
    const [a, b, c] = [await open(), await open(), await open()]
    await expect.poll(() => traffic.connections).toBe(4)
    a.socket.write(head(1)) // sends from now on
    await expect.poll(() => traffic.unanswered).toBe(2)
    b.socket.write(PROBE) // idle for less long than c afterwards
    await expect.poll(() => b.text).toMatch(/ok$/)
    const d = await open()
    await expect.poll(() => c.closed).toBe(true)
    d.socket.write(head(1))
    await expect.poll(() => traffic.unanswered).toBe(3)
    const e = await open()
    await expect.poll(() => b.closed).toBe(true)
    e.socket.write(`${head(1)}a`)
    await expect.poll(() => traffic.inWork).toBe(2)
    const f = await open()
    await expect.poll(() => a.closed).toBe(true)
    f.socket.write(`${head(1)}a`)
    await expect.poll(() => traffic.inWork).toBe(3)
    const g = await open()
    await expect.poll(() => d.closed).toBe(true)
    g.socket.write(`${head(1)}a`)
    await expect.poll(() => traffic.inWork).toBe(4)
    const refused = await open()
    await expect.poll(() => refused.closed).toBe(true)
    expect([waits, e, f, g].map(({ closed }) => closed)).toEqual([false, false, false, false])
  })

  it('closes a connection with an answer once it is old, and with each answer when the server drains', async () => {
    const { traffic, waiting, open, pass } = await server()
    const [old, works, idle] = [await open(), await open(), await open()]
    works.socket.write(`${head(1)}a`)
    await expect.poll(() => traffic.inWork).toBe(1)
    await expect.poll(() => traffic.connections).toBe(3)
    old.socket.write(PROBE)
    await expect.poll(() => old.text).toMatch(/connection: keep-alive.*ok$/is)
    pass(1_001)
    old.socket.write(PROBE)
    await expect.poll(() => old.closed).toBe(true)
    expect(old.text).toMatch(/connection: close.*ok$/is)
    traffic.drain()
    waiting[0]()
    await expect.poll(() => works.closed).toBe(true)
    expect(works.text).toMatch(/200 OK.*connection: close.*ok$/is)
    idle.socket.write(PROBE)
    await expect.poll(() => idle.closed).toBe(true)
    expect(idle.text).toMatch(/200 OK.*connection: close.*ok$/is)
  })

  it('closes connections that have been idle for long enough, and no others', async () => {
    const { traffic, open, pass } = await server()
    const [idle, works] = [await open(), await open()]
    works.socket.write(`${head(1)}a`)
    await expect.poll(() => traffic.inWork).toBe(1)
    await expect.poll(() => traffic.connections).toBe(2)
    pass(100)
    const fresh = await open()
    await expect.poll(() => traffic.connections).toBe(3)
    traffic.closeIdle(100)
    await expect.poll(() => idle.closed).toBe(true)
    expect([works.closed, fresh.closed]).toEqual([false, false])
    expect(traffic.connections).toBe(2)
  })
})
