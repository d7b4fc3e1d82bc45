import type { Server as HttpServer, IncomingMessage } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, createServer as createTlsServer } from 'node:tls'
import { DapError } from '../../errors.ts'
import type { Certificates } from './certificates.ts'
import { HOST_NAMES, isEmulatedHost } from './hosts.ts'

/** What every HTTP/2 connection begins with, and no request of HTTP/1. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
/** What every TLS connection begins with, and nothing else here. */
const HANDSHAKE = '\x16'

interface Options {
  readonly port: number
  readonly host: string
  readonly http: HttpServer
  grpc(socket: Socket): void
  readonly certificates: Certificates
  /** ms that a connection may take to say what it is. */
  readonly patienceMs: number
  /** Is told of tunnels that are refused. */
  log(line: string): void
}

/**
 * One port for gRPC and for all that is HTTP/1, bare or in TLS, and for tunnels to Google's names, which lead to the same port: the first
 * bytes of a connection, and of what it carries, say which it is. Resolves with the port.
 */
export async function listenForAll(options: Options): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const { port, host, http, grpc, certificates, patienceMs, log } = options
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    take(socket)
  })
  const tls = createTlsServer({
    ...(await certificates.identityOf(host)), // for who gives no name
    // A client of REST that could speak HTTP/2, too, is spoken HTTP/1 with; gRPC offers nothing else.
    ALPNProtocols: ['http/1.1', 'h2'],
    handshakeTimeout: patienceMs,
    SNICallback(name, done) {
      if (name !== 'localhost' && !isEmulatedHost(name)) return done(new Error(`${name} is not emulated`))
      certificates.identityOf(name.toLowerCase()).then(identity => done(null, createSecureContext(identity)), done)
    },
  })
  tls.on('secureConnection', take)
  tls.on('tlsClientError', (_, socket) => socket.destroy())
  http.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const [, name, targetPort] = /^([^:]*):(\d+)$/.exec(request.url ?? '') ?? []
    if (name === undefined || targetPort !== '443' || !isEmulatedHost(name)) {
      const target = (request.url ?? '').replace(/[^\w.:[\]-]/g, '?')
      log(`refused a tunnel to ${target}: only ${HOST_NAMES} are here, at port 443`)
      // Most clients show the reason and no body.
      return void socket.end(`HTTP/1.1 403 the dap emulator does not have ${target}\r\nconnection: close\r\n\r\n`)
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) socket.unshift(head)
    take(socket as Socket)
  })

  /** A connection, or what one of them carries. */
  function take(socket: Socket): void {
    const deadline = setTimeout(() => socket.destroy(), patienceMs)
    const sorted = () => clearTimeout(deadline)
    socket.on('error', () => socket.destroy())
    socket.once('close', sorted)
    sort(socket, '', sorted)
  }

  function sort(socket: Socket, before: string, sorted: () => void): void {
    socket.once('readable', () => {
      const read = socket.read() as Buffer | null
      if (read === null) return void (socket.readableEnded ? socket.destroy() : sort(socket, before, sorted))
      const begun = before + read.toString('latin1')
      if (begun.length < PREFACE.length && PREFACE.startsWith(begun)) return sort(socket, begun, sorted)
      sorted()
      socket.unshift(Buffer.from(begun, 'latin1'))
      if (begun.startsWith(PREFACE)) grpc(socket)
      else if (begun.startsWith(HANDSHAKE)) tls.emit('connection', socket)
      else http.emit('connection', socket)
    })
  }

  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'EADDRINUSE' ? inUse(port, error) : error),
    )
    server.listen(port, host, done)
  })
  http.emit('listening') // It looks after slow requests from then on.
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise<void>(done => server.close(() => done()))
      http.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const inUse = (port: number, cause: Error) =>
  new DapError(`port ${port} is in use`, { hint: 'another emulator may run already; --port takes another', cause })
