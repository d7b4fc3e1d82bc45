import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as secure } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createCertificates } from '../../../src/emulator/wire/certificates.ts'
import { createTls } from '../../../src/serve/door/tls.ts'
import { httpBench } from '../http-support.ts'

async function silent(headTimeoutMs: number) {
  const tls = createTls(await (await createCertificates()).identityOf('127.0.0.1'))
  const { listen, app } = httpBench({ parts: { tls }, limits: { headTimeoutMs, requestTimeoutMs: 2 * headTimeoutMs } })
  const { hostname, port } = new URL(await listen())
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { socket, app }
}

describe('connections that do not shake hands', () => {
  it('take the place of each other, and of nobody who did', async () => {
    const tls = createTls(await (await createCertificates()).identityOf('127.0.0.1'))
    const { listen, app } = httpBench({ parts: { tls }, limits: { connections: 3 } })
    const { hostname, port } = new URL(await listen())
    const client = secure({ host: hostname, port: Number(port), rejectUnauthorized: false })
    onTestFinished(() => void client.destroy())
    await once(client, 'secureConnect')
    const mute = Array.from({ length: 5 }, () => connect(Number(port), hostname).on('error', () => {}))
    onTestFinished(() => {
      for (const socket of mute) socket.destroy()
    })
    await Promise.all(mute.slice(0, 3).map(socket => once(socket.resume(), 'close')))
    expect(app.traffic.connections).toBe(3)
    client.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n')
    const [answer] = await once(client, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1.1 200/)
  })

  it('are ended after a while, however little of it they do', async () => {
    const { socket } = await silent(100)
    socket.write(Buffer.from([22, 3, 1]))
    await once(socket, 'close')
  })

  it('are ended at once when the server closes', async () => {
    const { socket, app } = await silent(1_000_000)
    const ended = once(socket, 'close')
    await Promise.all([app.close(), ended])
    expect(app.server.listening).toBe(false)
  })
})
