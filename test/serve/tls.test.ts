import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createCertificates } from '../../src/emulator/certificates.ts'
import { createTls } from '../../src/serve/tls.ts'
import { httpBench } from './http-support.ts'

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
