import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator/emulator.ts'
import { createCertificates } from '../../../src/emulator/wire/certificates.ts'
import { writeClientFiles } from '../../../src/emulator/wire/client-files.ts'
import { eventually } from '../../support/eventually.ts'
import { vertexClients } from '../../support/vertex-clients.ts'
import { deploy, echo, FAST, PARENT, servers } from '../deployed.ts'

const VERTEX = 'europe-west1-aiplatform.googleapis.com'
const NAMES = [
  ...[
    VERTEX,
    'us-central1-aiplatform.googleapis.com',
    'aiplatform.googleapis.com',
    'EUROPE-WEST1-AIPLATFORM.GOOGLEAPIS.COM',
  ],
  ...['shop.europe-west1-123456789012.prediction.vertexai.goog', '42.us-east4-1.prediction.vertexai.goog'],
  ...['oauth2.googleapis.com', 'storage.googleapis.com', 'www.googleapis.com'],
]
const OTHERS = [
  ...[
    'example.com',
    'googleapis.com',
    'bigquery.googleapis.com',
    'iamcredentials.googleapis.com',
    'metadata.google.internal',
  ],
  ...[
    'storage.googleapis.com.example.com',
    'evil-storage.googleapis.com',
    'prediction.vertexai.goog',
    'a.prediction.vertexai.goog',
  ],
  ...['a.b.c.prediction.vertexai.goog', 'x.aiplatform.googleapis.com'],
]

async function emulated(options: Partial<EmulatorOptions> = {}): Promise<{ emulator: Emulator; said: string[] }> {
  const said: string[] = []
  const log = (line: string) => void said.push(line)
  const emulator = await startEmulator({
    port: 0,
    seed: 1,
    timing: FAST,
    servers: () => servers(echo),
    log,
    ...options,
  })
  onTestFinished(() => emulator.stop())
  return { emulator, said }
}

interface Answered {
  readonly status: number
  readonly body: string
}

/** One request over HTTPS, to a name of Google's that the emulator is taken for. */
function https(
  { port, certificate }: Emulator,
  name: string,
  path: string,
  { method = 'GET', body = '', ...more }: { method?: string; body?: string; createConnection?: () => Socket } = {},
): Promise<Answered> {
  return new Promise((done, fail) => {
    const headers = { host: name, 'content-type': 'application/json' }
    const place = {
      host: '127.0.0.1',
      port,
      servername: name,
      ca: certificate,
      path,
      method,
      headers,
      agent: false as const,
    }
    const asked = httpsRequest({ ...place, ...more }, async answer => {
      done({ status: answer.statusCode ?? 0, body: await text(answer) })
    })
    asked.on('error', fail)
    asked.end(body)
  })
}

/** What a proxy answers to CONNECT, and the tunnel where there is one. */
function tunnel({ port }: Emulator, target: string): Promise<{ status: number; reason: string; socket: Socket }> {
  return new Promise((done, fail) => {
    const asked = httpRequest({ host: '127.0.0.1', port, method: 'CONNECT', path: target, agent: false })
    asked.on('connect', ({ statusCode = 0, statusMessage = '' }, socket) =>
      done({ status: statusCode, reason: statusMessage, socket: socket as Socket }),
    )
    asked.on('error', fail)
    asked.end()
  })
}

const handshake = (socket: TLSSocket) =>
  new Promise<TLSSocket>((done, fail) => {
    socket.once('secureConnect', () => done(socket))
    socket.once('error', fail)
    socket.once('close', () => fail(new Error('closed')))
  })

/** Resolves when the other side has ended it. */
const ended = (socket: Socket) =>
  new Promise<void>(done => {
    socket.on('error', () => {})
    socket.on('close', () => done())
    socket.resume()
  })

describe('TLS', () => {
  it.each(NAMES)('is spoken by %s, at the port of everything else, by a certificate of its name', async name => {
    const { emulator } = await emulated()
    const socket = connectTls({ port: emulator.port, host: '127.0.0.1', servername: name, ca: emulator.certificate })
    const { authorized } = await handshake(socket)
    const shown = new X509Certificate(socket.getPeerCertificate(true).raw)
    socket.destroy()
    expect(authorized).toBe(true)
    expect(shown.subjectAltName).toBe(`DNS:${name.toLowerCase()}`)
    const authority = new X509Certificate(emulator.certificate)
    expect([authority.ca, shown.ca, shown.checkIssued(authority), shown.verify(authority.publicKey)]).toEqual([
      ...[true, false, true, true],
    ])
    expect(await https(emulator, name, '/storage/v1/b')).toMatchObject({ status: 200 })
    expect((await fetch(`${emulator.url}/storage/v1/b`)).status).toBe(200)
  })

  it.each(OTHERS)('is not spoken by %s', async name => {
    const { emulator } = await emulated()
    await expect(https(emulator, name, '/')).rejects.toThrow()
    expect((await fetch(`${emulator.url}/storage/v1/b`)).status).toBe(200)
  })

  it('is spoken by the address and by localhost, too, and trusted by nobody who was not told to', async () => {
    const { emulator } = await emulated()
    for (const name of ['127.0.0.1', 'localhost']) {
      const place = { host: '127.0.0.1', port: emulator.port, ...(name === 'localhost' ? { servername: name } : {}) }
      expect((await handshake(connectTls({ ...place, ca: emulator.certificate }))).destroy().authorized).toBe(true)
      await expect(handshake(connectTls(place))).rejects.toThrow(/certificate/)
    }
  })

  it('carries HTTP/1 for who can speak it, and gRPC for who speaks HTTP/2 alone', async () => {
    const { emulator } = await emulated()
    const place = { host: '127.0.0.1', port: emulator.port, servername: VERTEX, ca: emulator.certificate }
    for (const [offered, chosen] of [
      [['h2', 'http/1.1'], 'http/1.1'],
      [['h2'], 'h2'],
      [['grpc-exp', 'h2'], 'h2'],
    ] as const) {
      const socket = await handshake(connectTls({ ...place, ALPNProtocols: [...offered] }))
      expect(socket.destroy().alpnProtocol).toBe(chosen)
    }
    await expect(handshake(connectTls({ ...place, ALPNProtocols: ['spdy/3'] }))).rejects.toThrow()
    const session = connectHttp2(`https://${VERTEX}`, {
      createConnection: () => connectTls({ ...place, ALPNProtocols: ['h2'] }),
    })
    onTestFinished(() => session.destroy())
    const stream = session.request({
      ':method': 'POST',
      ':path': '/google.cloud.aiplatform.v1.EndpointService/NoSuchMethod',
      'content-type': 'application/grpc',
    })
    stream.end()
    const status = await new Promise(done => {
      stream.on('response', headers => done(headers['grpc-status']))
    })
    expect(status).toBe('12')
    const { status: found, body } = await https(emulator, VERTEX, `/v1/${PARENT}/endpoints`)
    expect([found, body]).toEqual([200, expect.stringContaining('"endpoints"')])
  })
})

describe('the certificates', () => {
  it('are made once for a name, and kept for the names that were asked for last', async () => {
    const { identityOf } = await createCertificates()
    const used = await identityOf('used')
    const unused = await identityOf('unused')
    for (let i = 0; i < 120; i++) {
      expect(await identityOf('used')).toBe(used)
      await identityOf(`other-${i}`)
    }
    expect((await identityOf('unused')).cert).not.toBe(unused.cert)
  })
})

describe('the proxy', () => {
  it.each(NAMES)('leads to the emulator who wants %s', async name => {
    const { emulator } = await emulated()
    const { status, socket } = await tunnel(emulator, `${name}:443`)
    expect(status).toBe(200)
    const secure = await handshake(connectTls({ socket, servername: name, ca: emulator.certificate }))
    expect(await https(emulator, name, '/storage/v1/b', { createConnection: () => secure })).toMatchObject({
      status: 200,
    })
  })

  it.each([...OTHERS.map(name => `${name}:443`), `${VERTEX}:80`, `${VERTEX}:22`, '127.0.0.1:443', '[::1]:443'])(
    'refuses who wants %s, and says so',
    async target => {
      const { emulator, said } = await emulated()
      const { status, reason, socket } = await tunnel(emulator, target)
      expect([status, reason]).toEqual([403, `the dap emulator does not have ${target}`])
      await ended(socket)
      expect(said).toEqual([expect.stringContaining(`refused a tunnel to ${target}: only *-aiplatform.googleapis.com`)])
    },
  )

  it('takes what follows at once, without waiting for its answer', async () => {
    const { emulator } = await emulated()
    const socket = connect(emulator.port, '127.0.0.1')
    socket.write(
      `CONNECT ${VERTEX}:443 HTTP/1.1\r\nhost: ${VERTEX}:443\r\n\r\nGET /storage/v1/b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    )
    expect((await text(socket)).match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
  })

  it('gives a token to a service account and to a person, and to nobody else', async () => {
    const { emulator } = await emulated()
    const ask = (grant: string, method = 'POST') =>
      https(emulator, 'oauth2.googleapis.com', '/token', { method, body: `grant_type=${encodeURIComponent(grant)}` })
    for (const grant of ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'refresh_token']) {
      const { status, body } = await ask(grant)
      expect([status, JSON.parse(body)]).toEqual([
        ...[200, { access_token: 'dap-emulator', expires_in: 3600, token_type: 'Bearer' }],
      ])
    }
    expect(await ask('password')).toMatchObject({
      status: 400,
      body: expect.stringContaining('unsupported_grant_type'),
    })
    expect(await ask('refresh_token', 'PUT')).toMatchObject({ status: 405 })
  })
})

describe.each([
  ['gRPC', false],
  ['REST', true],
])('the host of a dedicated endpoint, over %s', (_, rest) => {
  /** An endpoint that answers each instance with itself, and what it says to a prediction that is sent to a host. */
  async function dedicated() {
    const { emulator } = await emulated()
    const clients = await vertexClients(emulator.port)
    onTestFinished(() => clients.close())
    const { endpoint } = await deploy(clients, { traffic: { '11': 100 }, endpoint: { dedicatedEndpointEnabled: true } })
    const [{ dedicatedEndpointDns }] = await clients.endpoints.getEndpoint({ name: endpoint })
    const own = String(dedicatedEndpointDns)
    async function at(name: string): Promise<unknown> {
      if (rest) {
        const body = '{"instances": [{}]}'
        const answer = await https(emulator, name, `/v1/${endpoint}:predict`, { method: 'POST', body })
        const { predictions, error } = JSON.parse(answer.body) as { predictions?: unknown; error?: { status: string } }
        return error?.status ?? predictions
      }
      const there = await vertexClients(emulator.port, { as: { name, certificate: emulator.certificate } })
      onTestFinished(() => there.close())
      return there.predict(endpoint, [{}]).then(
        ({ predictions }) => predictions,
        ({ code }: { code: number }) => ({ 5: 'NOT_FOUND', 9: 'FAILED_PRECONDITION' })[code] ?? code,
      )
    }
    return { emulator, endpoint, own, at }
  }

  it('[dedicated-host] answers its predictions, and nothing else', async () => {
    const { emulator, endpoint, own, at } = await dedicated()
    expect(await at(own)).toEqual([{}])
    expect(await at(own.replace('shop', 'other'))).toBe('NOT_FOUND')
    expect(await https(emulator, own, `/v1/${endpoint}`)).toMatchObject({ status: 404 })
    expect(await https(emulator, VERTEX, `/v1/${endpoint}`)).toMatchObject({ status: 200 })
  })

  it('[dedicated-shared-host] is the only one that does', async () => {
    const { at } = await dedicated()
    expect(await at(VERTEX)).toBe('FAILED_PRECONDITION')
  })
})

describe('a connection', () => {
  /** Who is slow may be cut off by so little patience, and tries again. */
  let emulator: Emulator
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, seed: 1, patienceMs: 300 })
    return () => emulator.stop()
  })
  const opened = (begin: string | Uint8Array): Socket => {
    const socket = connect(emulator.port, '127.0.0.1')
    socket.write(begin)
    return socket
  }
  const isWell = () =>
    eventually(async () => {
      expect((await fetch(`${emulator.url}/storage/v1/b`)).status).toBe(200)
      expect(await https(emulator, VERTEX, '/storage/v1/b')).toMatchObject({ status: 200 })
    })

  it.each([
    ['nothing', ''],
    ['half a preface of HTTP/2', 'PRI * HT'],
    ['half a request', 'GET /storage/v1/b HTTP/1.1\r\nhost: x\r\n'],
    ['half a handshake', '\x16\x03\x01\x02\x00\x01'],
  ])('that says %s is ended', async (_, begin) => {
    await ended(opened(Buffer.from(begin, 'latin1')))
    const { socket } = await eventually(() => tunnel(emulator, `${VERTEX}:443`))
    socket.write(begin, 'latin1')
    await ended(socket)
    const place = { host: '127.0.0.1', port: emulator.port, servername: VERTEX, ca: emulator.certificate }
    const secure = await eventually(() => handshake(connectTls(place)))
    secure.write(begin, 'latin1')
    await ended(secure)
    await isWell()
  })

  it('that says anything at all is ended, and harms nobody', async () => {
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    const begun = fc.constantFrom('', '\x16', '\x16\x03\x01', preface, 'CONNECT ', 'GET / HTTP/1.1\r\n')
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 80 })
    const all = fc.sample(fc.tuple(begun, bytes, fc.boolean()), { numRuns: 300, seed: 12 })
    await Promise.all(
      all.map(([start, rest, more]) => {
        const socket = opened(Buffer.concat([Buffer.from(start, 'latin1'), rest]))
        // A session of HTTP/2 may say nothing for as long as it likes.
        if (!more || start === preface) socket.end()
        return ended(socket)
      }),
    )
    await isWell()
  })

  it('is one of many', async () => {
    const { emulator } = await emulated()
    const asked = Array.from({ length: 200 }, (_, i) => https(emulator, NAMES[i % NAMES.length], '/storage/v1/b'))
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200]))
  })
})

describe("the files of Google's clients", () => {
  it('name the certificate and the proxy, and hold no key but one that is good for nothing else', async () => {
    const data = await mkdtemp(join(tmpdir(), "dap-emulator-it's-"))
    onTestFinished(() => rm(data, { recursive: true, force: true }))
    const { emulator } = await emulated({ data })
    const { certificate, script, variables } = await writeClientFiles(emulator, { OWN: 'x' })
    expect(await readFile(certificate, 'utf8')).toBe(emulator.certificate)
    const of = (value: string) => Object.keys(variables).filter(name => variables[name] === value)
    expect(of(certificate)).toEqual([
      ...[
        'SSL_CERT_FILE',
        'REQUESTS_CA_BUNDLE',
        'CURL_CA_BUNDLE',
        'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
        'NODE_EXTRA_CA_CERTS',
      ],
    ])
    expect(of(emulator.url)).toEqual(['HTTPS_PROXY', 'https_proxy', 'grpc_proxy'])
    expect(of('localhost,127.0.0.1,::1')).toEqual(['NO_PROXY', 'no_proxy', 'no_grpc_proxy'])
    const lines = (await readFile(script, 'utf8')).trimEnd().split('\n')
    expect(lines).toContain("export OWN='x'")
    expect(lines).toContain(`export SSL_CERT_FILE='${certificate.replaceAll("'", `'\\''`)}'`)

    const names = (await readdir(data, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
    const secret: string[] = []
    for (const { parentPath, name } of names)
      if ((await readFile(join(parentPath, name), 'latin1')).includes('PRIVATE KEY')) secret.push(name)
    expect(secret).toEqual(['credentials.json'])

    await emulator.stop()
    const again = await emulated({ data })
    expect(again.emulator.certificate).not.toBe(emulator.certificate)
  })
})
