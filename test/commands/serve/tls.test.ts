import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { type Certificates, createCertificates } from '../../../src/emulator/wire/certificates.ts'
import { fails, offer, repository, serve } from '../../serve/serving.ts'

/** At once, so that no poll sees half a file. */
const { write } = nodeFiles()
const WORDS = ['--tls-cert', 'server.crt', '--tls-key', 'server.key']

async function secured(certificates: Certificates) {
  const { cert, key } = await certificates.identityOf('127.0.0.1')
  const folder = await repository({ 'policies/offer.yaml': offer(), 'server.crt': cert, 'server.key': key })
  return { folder, cert, key }
}

function keepingAgent(ca: string): Agent {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  return agent
}

/** The status, and whether the connection is one that was there before. */
async function ask(url: string, agent: Agent): Promise<{ status: number; reused: boolean }> {
  const sent = request(`${url}/v1/policies`, { agent })
  sent.end()
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'end')
  return { status: response.statusCode, reused: sent.reusedSocket }
}

describe('dap serve --tls-cert --tls-key', () => {
  it('takes over another certificate, without an end of the connections that there are', async () => {
    const [before, after] = await Promise.all([createCertificates(), createCertificates()])
    const { folder } = await secured(before)
    const { url, event, stop } = await serve(folder, WORDS)
    expect(url).toMatch(/^https:\/\/127.0.0.1:\d+$/)
    const old = keepingAgent(before.authority)
    expect(await ask(url, old)).toEqual({ status: 200, reused: false })

    // In between the two do not belong together, which changes nothing and is told at most once.
    const next = await after.identityOf('127.0.0.1')
    await write(join(folder, 'server.crt'), next.cert)
    expect(await event('certificate failed')).toMatchObject({
      reason: expect.stringContaining('`server.crt` and `server.key` do not belong together'),
      hint: 'the key must be the one that the certificate was made for',
    })
    expect(await ask(url, keepingAgent(before.authority))).toEqual({ status: 200, reused: false })
    await write(join(folder, 'server.key'), next.key)
    expect(await event('certificate')).toMatchObject({ validTo: expect.stringMatching(/^\d{4}-/) })

    expect(await ask(url, old)).toEqual({ status: 200, reused: true })
    expect(await ask(url, keepingAgent(after.authority))).toEqual({ status: 200, reused: false })
    await expect(ask(url, keepingAgent(before.authority))).rejects.toThrow()
    const { code, stderr } = await stop()
    expect(code).toBe(0)
    expect(stderr).not.toContain('PRIVATE KEY')
  })

  it('speaks nothing older than TLS 1.2, and ends what is no TLS', async () => {
    const { folder } = await secured(await createCertificates())
    const { url } = await serve(folder, WORDS)
    const port = Number(new URL(url).port)
    const versions = [
      ['TLSv1.1', false],
      ['TLSv1.2', true],
      ['TLSv1.3', true],
    ] as const
    for (const [version, spoken] of versions) {
      const ciphers = version === 'TLSv1.1' ? 'DEFAULT@SECLEVEL=0' : undefined
      const socket = connect({
        port,
        host: '127.0.0.1',
        minVersion: version,
        maxVersion: version,
        ciphers,
        rejectUnauthorized: false,
      })
      const result = await Promise.race([
        once(socket, 'secureConnect').then(() => socket.getProtocol()),
        once(socket, 'error').then(
          () => undefined,
          () => undefined,
        ),
      ]).catch(() => undefined)
      socket.destroy()
      expect(result).toBe(spoken ? version : undefined)
    }
    const plain = connectPlain(port, '127.0.0.1')
    plain.on('error', () => {})
    plain.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n')
    let heard = ''
    plain.on('data', data => {
      heard += data
    })
    await once(plain, 'close')
    expect(heard).not.toContain('200')
  })

  it('does not wait for connections that have not shaken hands', async () => {
    const { folder } = await secured(await createCertificates())
    const { url, stop } = await serve(folder, WORDS)
    const silent = connectPlain(Number(new URL(url).port), '127.0.0.1')
    silent.on('error', () => {})
    await once(silent, 'connect')
    const closed = once(silent, 'close')
    expect((await stop()).code).toBe(0)
    await closed
  })

  it('does not start with what cannot be used', async () => {
    const { folder, cert, key } = await secured(await createCertificates())
    const encrypted = key.replace('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY')
    for (const [name, text, message, hint] of [
      ['server.crt', 'no certificate', 'the certificate `server.crt` cannot be used', 'BEGIN CERTIFICATE'],
      ['server.key', cert, 'the key `server.key` cannot be used', 'without a pass phrase'],
      ['server.key', encrypted, 'the key `server.key` cannot be used', 'without a pass phrase'],
      [
        'server.key',
        (await (await createCertificates()).identityOf('a')).key,
        'do not belong together',
        'the key must be the one',
      ],
    ] as const) {
      await write(join(folder, 'server.crt'), cert)
      await write(join(folder, 'server.key'), key)
      await write(join(folder, name), text)
      const { code, stderr } = await fails(folder, ['--port', '0', ...WORDS])
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) })
      expect(stderr).toContain(hint)
      expect(stderr).not.toContain(key.split('\n')[1])
    }
    expect(await fails(folder, ['--tls-cert', 'server.crt'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--tls-cert needs --tls-key'),
    })
    expect(await fails(folder, ['--port', '0', '--tls-cert', 'server.crt', '--tls-key', 'no.key'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no.key'),
    })
  })
})
