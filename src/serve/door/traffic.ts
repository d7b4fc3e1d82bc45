import { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { problem } from '../api.ts'
import type { Clock } from '../engine-parts.ts'
import { refusal } from '../problems.ts'
import { shakingHands } from './handshakes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** When its head came, by the monotonic clock. */
    arrived: number
    /** Has all of it arrived, and is it not refused? */
    inWork: boolean
  }
  interface FastifyContextConfig {
    /** Answered however much is in work. */
    readonly probe?: boolean
  }
}

/** Who is connected, and what is being asked. */
export interface Traffic {
  readonly connections: number
  /** Requests that have arrived, body and all, and are not answered. Probes do not count. */
  readonly inWork: number
  /** Requests of which at least the head has come, and that are not answered. */
  readonly unanswered: number
  /** From now on every answer says that its connection closes. */
  drain(): void
  /** Closes the connections that have been without a request for so many milliseconds. */
  closeIdle(ms: number): void
  closeAll(): void
}

export interface TrafficLimits {
  /** Requests in work: more are refused at once. With the limit of a body it bounds the memory. */
  readonly inWork: number
  readonly connections: number
  /** An answer on a connection that is older, in milliseconds, closes it. */
  readonly connectionAgeMs: number
}

/** Requests of one connection that are not answered are several where its client does not wait. */
interface Connection {
  readonly born: number
  /** When it became idle, or its request began to arrive. */
  since: number
  /** Here rather than in a set of all: the tables that a set leaves behind when it grows and shrinks hold on to what was in them. */
  readonly unanswered: FastifyReply[]
  inWork: number
}

/**
 * Follows connections and requests. A request counts as work once it has arrived: who sends slowly keeps nobody else out. Where there are
 * too many connections, a new one takes the place of the one that has been idle for longest, or else of the one whose request has been
 * arriving for longest; never of one that waits for its answer.
 */
export function followTraffic(
  app: FastifyInstance,
  clock: Pick<Clock, 'monotonic'>,
  limits: TrafficLimits,
  answered: (route: string, status: number) => void,
): Traffic {
  const connections = new Map<Socket, Connection>()
  /** Without a request; with one that is still arriving. Each in the order in which they became so. */
  const idle = new Set<Socket>()
  const arriving = new Set<Socket>()
  let unanswered = 0
  /** With the connections that are not secure yet, where they should be. */
  let open = 0
  let inWork = 0
  let draining = false

  function admit(socket: Socket): void {
    open++
    socket.once('close', () => open--)
    if (open > limits.connections) gives(socket).destroy()
  }

  const secured = 'setSecureContext' in app.server
  /** Nobody's yet, and the first to go: who only connects costs nothing to make again. */
  const shaking = secured ? shakingHands(app.server) : new Map<string, Socket>()

  /** Who gives its place to the last one that came. */
  function gives(last: Socket): Socket {
    const [mute = last] = shaking.values()
    if (mute !== last) return mute
    const [[waits], [sends]] = [idle, arriving]
    const since = (socket: Socket | undefined) => socket && connections.get(socket)?.since
    return (since(waits) ?? Number.POSITIVE_INFINITY) <= (since(sends) ?? Number.POSITIVE_INFINITY)
      ? (waits ?? last)
      : sends
  }

  function follow(socket: Socket): Connection {
    const now = clock.monotonic()
    const connection = { born: now, since: now, unanswered: [], inWork: 0 }
    if (socket.destroyed || !(socket instanceof Socket)) return connection
    connections.set(socket, connection)
    idle.add(socket)
    socket.once('close', () => {
      connections.delete(socket)
      idle.delete(socket)
      arriving.delete(socket)
    })
    return connection
  }

  /** A second address of `localhost` has a server of its own, whose connections are first seen with their first request. */
  function adopt(socket: Socket): Connection {
    admit(socket)
    return follow(socket)
  }

  app.server.on('connection', admit)
  app.server.on(secured ? 'secureConnection' : 'connection', follow)
  app.decorateRequest('arrived', 0)
  app.decorateRequest('inWork', false)

  app.addHook('onRequest', (request, reply, done) => {
    const now = clock.monotonic()
    request.arrived = now
    const { socket } = request.raw
    const connection = connections.get(socket) ?? adopt(socket)
    if (connection.unanswered.push(reply) === 1) {
      connection.since = now
      idle.delete(socket)
      arriving.add(socket)
    }
    unanswered++
    if (draining || now - connection.born > limits.connectionAgeMs) reply.header('connection', 'close')
    reply.raw.on('close', () => {
      unanswered--
      connection.unanswered.splice(connection.unanswered.indexOf(reply), 1)
      end(request, connection)
      answered(request.routeOptions.url ?? 'none', reply.raw.headersSent ? reply.statusCode : 499)
    })
    done()
  })

  function end({ raw: { socket }, inWork: wasInWork }: FastifyRequest, connection: Connection): void {
    if (wasInWork) {
      connection.inWork--
      inWork--
    }
    if (!connections.has(socket) || connection.inWork > 0) return
    connection.since = clock.monotonic()
    if (connection.unanswered.length > 0) arriving.add(socket)
    else {
      arriving.delete(socket)
      idle.add(socket)
    }
  }

  // Its body has been read by then.
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.routeOptions.config.probe === true) return done()
    if (inWork >= limits.inWork) {
      return done(refusal(problem('overloaded', `the server works on ${limits.inWork} requests already`)))
    }
    const { socket } = request.raw
    const connection = connections.get(socket)
    if (connection !== undefined) connection.inWork++
    arriving.delete(socket)
    request.inWork = true
    inWork++
    done()
  })

  return {
    get connections() {
      return open
    },
    get inWork() {
      return inWork
    },
    get unanswered() {
      return unanswered
    },
    drain() {
      draining = true
      for (const { unanswered } of connections.values()) {
        for (const reply of unanswered) if (!reply.raw.headersSent) reply.header('connection', 'close')
      }
    },
    closeIdle(ms) {
      const before = clock.monotonic() - ms
      for (const socket of idle) {
        const connection = connections.get(socket)
        if (connection === undefined || connection.since > before) break
        socket.destroy()
      }
    },
    closeAll() {
      for (const socket of connections.keys()) socket.destroy()
    },
  }
}
