import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** What a page may send beside what every page may, and read beside what every page may: https://fetch.spec.whatwg.org/#http-cors-protocol */
const REQUEST_HEADERS = 'authorization, content-type, idempotency-key, if-none-match, traceparent, tracestate'
const RESPONSE_HEADERS = 'date, etag, retry-after, www-authenticate'

/** How long a browser need not ask again, in seconds; more than two hours no browser believes. */
const MAX_AGE = '7200'

const ALLOWED = 'access-control-allow-origin'

/** Lets pages of these origins (`*`: of all) read the answers. To be called before whatever refuses requests, so that a page can read why. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  const any = origins.includes('*')
  const known = new Set(origins)
  app.addHook('onRequest', ({ headers: { origin } }, reply, done) => {
    if (!any) reply.header('vary', 'origin')
    if (origin !== undefined && (any || known.has(origin))) {
      reply.header(ALLOWED, any ? '*' : origin)
      reply.header('access-control-expose-headers', RESPONSE_HEADERS)
    }
    done()
  })
}

/** Does a browser ask whether a page whose origin is allowed may send something? */
export function isPreflight({ method, headers }: FastifyRequest, reply: FastifyReply): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined && reply.hasHeader(ALLOWED)
}

export function answerPreflight(reply: FastifyReply, methods: readonly string[]): FastifyReply {
  return reply
    .headers({
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': MAX_AGE,
    })
    .code(204)
    .send()
}
