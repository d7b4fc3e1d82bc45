import type { RequestListener } from 'node:http'
import { createServer, type Server, type ServerOptions } from 'node:https'
import { createSecureContext, type TLSSocket } from 'node:tls'
import { shakingHands } from './handshakes.ts'

/** A certificate, with those that it rests on behind it, and its key; PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** TLS whose certificate may be replaced while connections last. */
export interface Tls {
  /** For connections to come. */
  take(identity: Identity): void
  /** Of the identity that was taken last. */
  createServer(options: ServerOptions, handler: RequestListener): Server
}

const MIN_VERSION = 'TLSv1.2'

export function createTls(first: Identity): Tls {
  let current = first
  const servers: Server[] = []
  const context = () => ({ ...current, minVersion: MIN_VERSION }) as const
  return {
    take(identity) {
      current = identity
      for (const server of servers) server.setSecureContext(context())
    },
    createServer(options, handler) {
      const server = createServer({ ...options, ...context() }, handler)
      closeHandshakes(server)
      servers.push(server)
      return server
    },
  }
}

/** Which of the two cannot be used, or both where they do not belong together, and why; undefined where they are good. */
export function identityFault({
  cert,
  key,
}: Identity): { readonly of: keyof Identity | 'both'; readonly why: string } | undefined {
  for (const [of, part] of [
    ['cert', { cert }],
    ['key', { key }],
    ['both', { cert, key }],
  ] as const) {
    try {
      createSecureContext(part)
    } catch (error) {
      // `error:0480006C:PEM routines::no start line`
      return {
        of,
        why: error instanceof Error ? error.message.slice(error.message.lastIndexOf(':') + 1) : String(error),
      }
    }
  }
  return undefined
}

/** Ends connections that have not shaken hands, of which Node waits for some for ever: nothing in HTTP can be told them yet. */
function closeHandshakes(server: Server): void {
  server.on('tlsClientError', (_error, socket: TLSSocket) => socket.destroy())
  const shaking = shakingHands(server)
  const { closeIdleConnections } = server
  // What `close` calls, too.
  server.closeIdleConnections = () => {
    closeIdleConnections.call(server)
    for (const socket of shaking.values()) socket.destroy()
  }
}
