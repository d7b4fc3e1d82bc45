import type { Server as HttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { DapError } from '../errors.ts'

/** What every HTTP/2 connection begins with, and no verb of HTTP/1. */
const PREFACE = 'PRI'

/** One port for gRPC and for all that is HTTP/1: the first bytes of a connection say which it is. Resolves with the port. */
export async function listenForBoth(options: {
  readonly port: number
  readonly host: string
  readonly http: HttpServer
  grpc(socket: Socket): void
}): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const { port, host, http, grpc } = options
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    sort(socket)
  })

  function sort(socket: Socket, before = Buffer.alloc(0)): void {
    socket.once('readable', () => {
      const read = socket.read() as Buffer | null
      if (read === null) return void (socket.readableEnded ? socket.destroy() : sort(socket, before))
      const begun = Buffer.concat([before, read])
      const start = begun.toString('latin1', 0, PREFACE.length)
      if (start.length < PREFACE.length && PREFACE.startsWith(start)) return sort(socket, begun)
      socket.unshift(begun)
      if (start === PREFACE) grpc(socket)
      else http.emit('connection', socket)
    })
  }

  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'EADDRINUSE' ? inUse(port, error) : error),
    )
    server.listen(port, host, done)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise<void>(done => server.close(() => done()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const inUse = (port: number, cause: Error) =>
  new DapError(`port ${port} is in use`, { hint: 'another emulator may run already; --port takes another', cause })
