import { isIPv6 } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { problem } from '../api.ts'
import { refusal } from '../problems.ts'

/** What one client may ask for: whoever shows the same token, else whoever has the same address. */
export interface ClientLimits {
  /** Requests a second, of which a second's worth may come at once; absent: as many as there are. */
  readonly rate?: number
  /** Requests in work; absent: as many as the server takes. */
  readonly inWork?: number
}

/** Known at once. What is more is forgotten, the longest silent first, and starts anew. */
const MAX_CLIENTS = 10_000

interface Client {
  /** How many requests may come now, as of `at`, by the monotonic clock. */
  left: number
  at: number
  inWork: number
}

/** Refuses a client that asks for more, but for probes. To be called where it is known who asks, and before it matters whether they may. */
export function limitClients(
  app: FastifyInstance,
  { rate = Number.POSITIVE_INFINITY, inWork = Number.POSITIVE_INFINITY }: ClientLimits,
  most = MAX_CLIENTS,
): void {
  if (rate === Number.POSITIVE_INFINITY && inWork === Number.POSITIVE_INFINITY) return
  const clients = new Map<string, Client>()

  function clientOf(key: string, now: number): Client {
    const client = clients.get(key) ?? { left: rate, at: now, inWork: 0 }
    clients.delete(key)
    clients.set(key, client)
    if (clients.size > most) forgetOne()
    return client
  }

  function forgetOne(): void {
    for (const [key, { inWork }] of clients) {
      if (inWork > 0) continue
      clients.delete(key)
      return
    }
  }

  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.probe === true) return done()
    const { token, raw, arrived } = request
    const key = token === undefined ? networkOf(raw.socket.remoteAddress ?? '') : `token ${token.name}`
    const client = clientOf(key, arrived)
    if (rate !== Number.POSITIVE_INFINITY) {
      client.left = Math.min(rate, client.left + ((arrived - client.at) * rate) / 1_000)
      client.at = arrived
      if (client.left < 1) {
        reply.header('retry-after', Math.max(1, Math.ceil((1 - client.left) / rate)))
        return done(refusal(problem('too-many-requests', `a client may ask ${rate} times a second`)))
      }
    }
    if (client.inWork >= inWork) {
      reply.header('retry-after', 1)
      return done(refusal(problem('too-many-requests', `a client may have ${inWork} requests in work`)))
    }
    client.left--
    client.inWork++
    reply.raw.on('close', () => client.inWork--)
    done()
  })
}

/** An address; of IPv6 the half that whoever has one has all of. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address.replace(/^::ffff:/i, '')
  const [head, tail] = address.split('::', 2)
  const groups = head === '' ? [] : head.split(':')
  const rest = tail ? tail.split(':').length : 0
  while (groups.length + rest < 8 && groups.length < 4) groups.push('0')
  const all = [...groups, ...(tail ? tail.split(':') : [])]
  return `${all
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
