import { isUtf8 } from 'node:buffer'
import {
  type FastifyContextConfig,
  type FastifyInstance,
  type FastifyRequest,
  type FastifyServerFactory,
  fastify,
} from 'fastify'
import { didYouMean } from '../../diagnostics.ts'
import { DapError } from '../../errors.ts'
import { openapi } from '../../generated/openapi.js'
import type { ActivationRequest, DecideRequest, Problem, RewardRequest } from '../api.ts'
import { isProblem, problem } from '../api.ts'
import { contentFaults, find } from '../deciding/decisions.ts'
import type { PolicySource } from '../deciding/policies.ts'
import { guard, identify } from '../door/access.ts'
import { type ClientLimits, limitClients } from '../door/client-limits.ts'
import type { Tls } from '../door/tls.ts'
import { covers, type TokenSource } from '../door/tokens.ts'
import { followTraffic, type Traffic, type TrafficLimits } from '../door/traffic.ts'
import type { Engine } from '../engine.ts'
import type { Clock } from '../engine-parts.ts'
import type { Ids } from '../ids/ids.ts'
import { parseJson } from '../json.ts'
import type { Metrics } from '../metrics.ts'
import { invalid, type Fault as PointedFault, problemOf, refusal } from '../problems.ts'
import { type Soon, whenDone } from '../soon.ts'
import { type BodyLimits, createBodies } from './bodies.ts'
import { createBursts } from './bursts.ts'
import { allowOrigins, answerPreflight, isPreflight } from './cors.ts'
import { descriptionOf, summaryOf } from './describe.ts'
import { headerFault } from './headers.ts'
import { ref, send, withKey } from './http.ts'
import { registerOfrep } from './ofrep-routes.ts'
import { traceOf } from './trace.ts'

/** What the HTTP interface stands on. */
export interface AppParts {
  readonly engine: Engine
  readonly source: PolicySource
  readonly metrics: Pick<Metrics, 'requested'>
  /** The metrics as text, of all workers where there are several. */
  metricsText(): Promise<string>
  readonly clock: Clock
  /** Why the server should get no traffic; empty while all is well. */
  unready(): readonly string[]
  /** Is told of a bug, under an id that the client has been given, and of what the request was part of. */
  onBug(id: string, error: unknown, trace: string | undefined): void
  readonly newId: Ids
  /** Vertex AI's routes. */
  readonly routes: { readonly predict: string; readonly health?: string }
  readonly limits: AppLimits
  /** Whose pages may ask; `*` for all. Default: nobody's. */
  readonly corsOrigins?: readonly string[]
  /** Absent: nobody needs a token. */
  readonly tokens?: TokenSource
  /** Absent: plain HTTP. */
  readonly tls?: Tls
}

export interface AppLimits extends BodyLimits, TrafficLimits {
  /** Requests in one batch. */
  readonly batch: number
  /** Of each client. */
  readonly client: ClientLimits
  /** How long a client may take to send a request's head, and all of it, in milliseconds. */
  readonly headTimeoutMs: number
  readonly requestTimeoutMs: number
}

export const DEFAULT_LIMITS: AppLimits = {
  body: 1 << 20,
  arriving: 64 << 20,
  batch: 1_000,
  inWork: 1_000,
  connections: 20_000,
  connectionAgeMs: 3_600_000,
  client: {},
  headTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
}

/** Vertex AI's predict route where it names no other. */
export const PREDICT = '/predict'

const DECIDE_FIELDS = (openapi.components.schemas['DecideRequest'] as { readonly properties: object }).properties

/** How long an idle connection is kept: longer than load balancers keep theirs, so that they close first. */
const KEEP_ALIVE_MS = 620_000

declare module 'fastify' {
  interface FastifyInstance {
    readonly traffic: Traffic
  }
  interface FastifyContextConfig {
    /** The requests for decisions in a body, which may be anything, and their pointers in it. */
    readonly asked?: (body: unknown) => readonly { readonly at: string; readonly request: unknown }[]
  }
}

/** The server's HTTP interface, as `schemas/openapi.yaml` describes it. The caller listens and closes. */
export function buildApp(parts: AppParts): FastifyInstance {
  const { engine, source, limits, routes, clock } = parts
  if (routes.predict !== PREDICT && Object.hasOwn(openapi.paths, routes.predict)) {
    throw new DapError(`the route \`${routes.predict}\` cannot be Vertex AI's predict route, too`, {
      hint: 'set $AIP_PREDICT_ROUTE to another path',
    })
  }
  const http = {
    headersTimeout: limits.headTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headTimeoutMs),
  }
  const timeouts = { requestTimeout: limits.requestTimeoutMs, keepAliveTimeout: KEEP_ALIVE_MS }
  const secure = { ...http, ...timeouts, handshakeTimeout: limits.headTimeoutMs }
  const { tls } = parts
  const secured: { serverFactory?: FastifyServerFactory } =
    tls === undefined ? {} : { serverFactory: handler => tls.createServer(secure, handler) }
  const app = fastify({
    bodyLimit: limits.body,
    ...timeouts,
    http,
    ...secured,
    return503OnClosing: false,
    ajv: {
      customOptions: {
        allErrors: true,
        verbose: true,
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allowUnionTypes: true,
        keywords: ['components'],
      },
    },
    frameworkErrors: (error, _request, reply) =>
      send(reply, problemOf(error) ?? problem('not-found', 'the path is not valid')),
    clientErrorHandler(error, socket) {
      const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
      parts.metrics.requested('none', Number(status.slice(0, 3)))
      // What came before it on the same connection is answered at the end of this turn, and first.
      setImmediate(() => {
        if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
        socket.destroySoon()
      })
    },
  })
  app.addSchema({ $id: 'openapi', components: openapi.components })
  allowOrigins(app, parts.corsOrigins ?? [])
  app.decorate('traffic', followTraffic(app, parts.clock, limits, parts.metrics.requested))
  readJson(app, limits)
  identify(app, parts)
  limitClients(app, limits.client)
  guard(app, parts)
  app.setErrorHandler((error, request, reply) => send(reply, problemOrBug(error, request)))
  answerUnknownRoutes(app)

  /** What an error that was thrown tells the client. A bug tells it nothing but the id under which it is logged. */
  function problemOrBug(error: unknown, request: FastifyRequest): Problem {
    const known = problemOf(error as Error, () => others(request))
    if (known !== undefined) return known
    const id = parts.newId(clock.now())
    parts.onBug(id, error, traceOf(request))
    return problem('internal', `the server has logged it under ${id}`)
  }

  /** What is wrong with the contexts and actions of a body whose shape is wrong, of policies that the client may ask for. */
  function others({ body, token, routeOptions }: FastifyRequest): readonly PointedFault[] {
    const asked = routeOptions.config.asked?.(body) ?? []
    return asked.slice(0, limits.batch).flatMap(({ at, request }) => {
      if (typeof request !== 'object' || request === null) return []
      const { policy: name } = request as { readonly policy?: unknown }
      if (name !== undefined && typeof name !== 'string') return []
      const served = find(source, name)
      if ('detail' in served || !covers(token, served.policy.name)) return []
      // Where a name is wrong, what is missing may stand under it.
      const misnamed = Object.keys(request).some(field => !Object.hasOwn(DECIDE_FIELDS, field))
      return contentFaults(served.policy, request)
        .filter(({ pointer }) => !misnamed || Object.hasOwn(request, pointer.split('/')[1]))
        .map(({ pointer, detail }) => ({ pointer: at + pointer, detail }))
    })
  }

  const inBurst = createBursts()

  function post<Body>(
    path: string,
    { needs, schema, about, asked, ok = 200 }: PostRoute<Body>,
    answer: (body: Body, request: FastifyRequest) => Soon<object>,
  ) {
    const config = { needs, asked, about: ({ body }: FastifyRequest) => about(body as Body) }
    app.post(literal(path), { schema: { body: schema }, config }, (request, reply) => {
      const end = (answered: object) => void send(reply, answered, ok)
      const fail = (error: unknown) => void reply.send(error)
      inBurst(() => {
        try {
          const answered = answer(request.body as Body, request)
          if (!(answered instanceof Promise)) return () => end(answered)
          void answered.then(end, fail)
          return () => {}
        } catch (error) {
          return () => fail(error)
        }
      })
    })
  }

  function get(path: string, config: GetConfig, answer: (request: FastifyRequest) => object) {
    app.get(path, { config }, (request, reply) => send(reply, answer(request)))
  }

  function probe(path: string, answer: () => object, status = () => 200) {
    app.get(path, { config: { probe: true, needs: 'nothing' } }, (_request, reply) => send(reply, answer(), status()))
  }

  function decideAll(
    list: string,
    requests: readonly DecideRequest[],
    request: FastifyRequest,
    result: string,
  ): Soon<object> {
    if (requests.length > limits.batch) return tooMany(list, limits.batch)
    return whenDone(engine.decideAll(requests, request.arrived, traceOf(request)), answers =>
      isProblem(answers) ? below(`/${list}`, answers) : { [result]: answers },
    )
  }

  post<DecideRequest>(
    '/v1/decide',
    {
      needs: 'decide',
      schema: ref('DecideRequest'),
      about: body => [body],
      asked: request => [{ at: '', request }],
    },
    (body, request) => {
      const named = withKey(body, request.headers['idempotency-key'])
      return isProblem(named) ? named : engine.decide(named, request.arrived, traceOf(request))
    },
  )
  post<{ requests: DecideRequest[] }>(
    '/v1/decide:batch',
    {
      needs: 'decide',
      schema: ref('DecideBatchRequest'),
      about: body => body.requests,
      asked: each('requests'),
    },
    ({ requests }, request) => decideAll('requests', requests, request, 'decisions'),
  )
  post<{ instances: DecideRequest[] }>(
    routes.predict,
    {
      needs: 'decide',
      schema: ref('PredictRequest'),
      about: body => body.instances,
      asked: each('instances'),
    },
    ({ instances }, request) => decideAll('instances', instances, request, 'predictions'),
  )
  post<OneOrMany<'rewards', RewardRequest>>(
    '/v1/rewards',
    {
      needs: 'reward',
      schema: oneOrMany('rewards', 'RewardRequest', 'RewardBatch'),
      about: body => listOf('rewards', body),
      ok: 202,
    },
    (body, request) => forEach('rewards', body, all => engine.reward(all, traceOf(request)), limits.batch),
  )
  post<OneOrMany<'activations', ActivationRequest>>(
    '/v1/activations',
    {
      needs: 'reward',
      schema: oneOrMany('activations', 'ActivationRequest', 'ActivationBatch'),
      about: body => listOf('activations', body),
      ok: 202,
    },
    (body, request) => forEach('activations', body, all => engine.activate(all, traceOf(request)), limits.batch),
  )

  get('/v1/policies', { needs: 'read' }, ({ token }) => ({
    policies: [...source.policies.values()]
      .filter(({ policy }) => covers(token, policy.name))
      .map(served => summaryOf(source, served)),
  }))
  const named = ({ params }: FastifyRequest) => [{ policy: (params as { name: string }).name }]
  get('/v1/policies/:name', { needs: 'read', about: named }, request => {
    const { name } = request.params as { name: string }
    const served = source.policies.get(name)
    if (served !== undefined) return descriptionOf(source, served)
    return problem('unknown-policy', didYouMean(name, source.policies.keys()) ?? 'GET /v1/policies lists them')
  })
  probe('/healthz', () => ({ status: 'ok' }))
  const readiness = () => ({ ready: parts.unready().length === 0, reasons: parts.unready() })
  const readyStatus = () => (parts.unready().length === 0 ? 200 : 503)
  probe('/readyz', readiness, readyStatus)
  const { health } = routes
  if (health !== undefined && !app.hasRoute({ method: 'GET', url: literal(health) })) {
    probe(literal(health), readiness, readyStatus)
  }
  app.get('/metrics', { config: { probe: true, needs: 'metrics' } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await parts.metricsText()),
  )
  registerOfrep(app, { engine, source, problemOrBug })
  return app
}

/** A path in which a colon means itself. */
const literal = (path: string) => path.replaceAll(':', '::')

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function readJson(app: FastifyInstance, limits: BodyLimits): void {
  const bodies = createBodies(limits)
  app.removeAllContentTypeParsers()
  // None is left out of the count; how long all of them may be together bounds it.
  app.server.maxHeadersCount = 0
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const fault = headerFault(raw)
    done(fault && refusal(fault))
  })
  app.addContentTypeParser('application/json', ({ headers }, payload, done) =>
    bodies.read(payload, Number(headers['content-length']), (error, body) => {
      if (body === undefined) return done(error)
      const parsed = isUtf8(body) ? parseJson(body.toString()) : { fault: 'the body is not UTF-8' }
      if ('value' in parsed) done(null, parsed.value)
      else done(refusal('faults' in parsed ? invalid(parsed.faults) : problem('invalid-request', parsed.fault)))
    }),
  )
}

/** Says which methods a path takes, or which path was perhaps meant. Hears of every route that is added after it. */
function answerUnknownRoutes(app: FastifyInstance): void {
  const known: { readonly method: string; readonly path: RegExp }[] = []
  app.addHook('onRoute', ({ method, url }) => {
    const path = url.replace(/::|:\w+|[.*+?^${}()|[\]\\]/g, part => {
      if (part === '::') return ':'
      return part.startsWith(':') ? '[^/]+' : `\\${part}`
    })
    known.push({ method: String(method), path: new RegExp(`^${path}$`) })
  })
  app.setNotFoundHandler((request, reply) => {
    const [path] = request.url.split('?', 1)
    const methods = known.filter(route => route.path.test(path)).map(({ method }) => method)
    if (methods.length === 0) {
      return send(
        reply,
        problem('not-found', didYouMean(path, Object.keys(openapi.paths)) ?? 'docs/server.md lists the routes'),
      )
    }
    if (isPreflight(request, reply)) return answerPreflight(reply, methods)
    reply.header('allow', methods.join(', '))
    return send(reply, problem('method-not-allowed', `the path takes ${methods.join(' and ')}`))
  })
}

type GetConfig = Pick<FastifyContextConfig, 'needs' | 'about'>

interface PostRoute<Body> extends Pick<FastifyContextConfig, 'needs' | 'asked'> {
  readonly schema: object
  /** What of the body names policies, or decisions. */
  readonly about: (body: Body) => ReturnType<NonNullable<FastifyContextConfig['about']>>
  /** The status of an answer that is no problem. */
  readonly ok?: number
}

type OneOrMany<Name extends string, One> = One | { readonly [name in Name]: readonly One[] }

/** The requests of a list, where the body has one. */
const each =
  (list: string): NonNullable<FastifyContextConfig['asked']> =>
  body => {
    const all = (body as Readonly<Record<string, unknown>> | null)?.[list]
    return Array.isArray(all) ? all.map((request, i) => ({ at: `/${list}/${i}`, request })) : []
  }

/** A choice that ajv can explain: a body with the list is taken for the batch, any other for one. */
const oneOrMany = (list: string, one: string, many: string) => ({
  if: { type: 'object', required: [list] },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema's keyword
  then: ref(many),
  else: ref(one),
})

const listOf = <Name extends string, One extends object>(list: Name, body: OneOrMany<Name, One>): readonly One[] =>
  list in body ? (body as { readonly [name in Name]: readonly One[] })[list] : [body as One]

function forEach<Name extends string, One extends object>(
  list: Name,
  body: OneOrMany<Name, One>,
  take: (requests: readonly One[]) => Soon<object>,
  most: number,
): Soon<object> {
  const many = list in body
  const requests = listOf(list, body)
  if (requests.length > most) return tooMany(list, most)
  return whenDone(take(requests), answer => {
    if (!isProblem(answer)) return answer
    return many ? below(`/${list}`, answer) : moved(answer, pointer => pointer.replace(/^\/0/, ''))
  })
}

const tooMany = (list: string, most: number) =>
  problem('too-large', `the server takes at most ${most} ${list} at once`, [
    { pointer: `/${list}`, detail: `must have at most ${most} items` },
  ])

/** The same problem of a larger body. */
const below = (prefix: string, found: Problem) => moved(found, pointer => prefix + pointer)

function moved({ detail, errors = [], ...rest }: Problem, move: (pointer: string) => string): Problem {
  const [first] = errors
  if (first === undefined) return { ...rest, detail }
  return {
    ...rest,
    // The detail begins with the place of the first fault.
    detail: detail.startsWith(first.pointer) ? move(first.pointer) + detail.slice(first.pointer.length) : detail,
    errors: errors.map(fault => ({ ...fault, pointer: move(fault.pointer) })),
  }
}
