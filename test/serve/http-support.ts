import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import { type AppParts, buildApp, DEFAULT_LIMITS } from '../../src/serve/http/app.ts'
import { createMetrics, type Metrics } from '../../src/serve/metrics.ts'
import { type Bench, bench, logStats, served } from './support.ts'

export interface HttpBench {
  readonly bench: Bench
  readonly app: FastifyInstance
  readonly metrics: Metrics
  /** What `onBug` was told. */
  readonly bugs: { readonly id: string; readonly error: unknown; readonly trace?: string }[]
  readonly unready: string[]
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Listens on loopback; the base of its URLs. */
  listen(): Promise<string>
  metricsText(): Promise<string>
}

export interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly json: any
}

export interface HttpOptions {
  readonly on?: Bench
  readonly limits?: Partial<AppParts['limits']>
  readonly parts?: Partial<AppParts>
}

/** The HTTP interface over an engine that the test holds in its hands. */
export function httpBench({ on = bench(), limits = {}, parts = {} }: HttpOptions = {}): HttpBench {
  const source = {
    get policies() {
      return on.policies
    },
    killed: (name: string) => on.killed.has(name),
    followed: { policies: { reloads: 1, failures: 0, at: 0, faults: 0 } },
  }
  const bugs: { id: string; error: unknown; trace?: string }[] = []
  const unready: string[] = []
  const log = {
    stats: logStats({
      queuedBytes: 7,
      queuedRecords: 1,
      written: { decisions: 5, rewards: 2 },
      commits: 1,
      failures: 3,
    }),
  }
  const metrics = createMetrics({
    source,
    log,
    unready: () => unready,
    inWork: () => app.traffic.inWork,
    connections: () => app.traffic.connections,
  })
  const app = buildApp({
    engine: on.engine,
    source,
    metrics,
    metricsText: () => metrics.registry.metrics(),
    clock: { now: () => on.time, monotonic: () => on.time },
    unready: () => unready,
    onBug: (id, error, trace) => void bugs.push({ id, error, ...(trace === undefined ? {} : { trace }) }),
    newId: () => `bug-${bugs.length}`,
    routes: { predict: '/predict' },
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...parts,
  })
  onTestFinished(() => {
    app.server.closeAllConnections()
    return app.close()
  })

  async function inject(
    method: 'GET' | 'POST',
    url: string,
    payload: string | undefined,
    headers: object,
  ): Promise<Answer> {
    const response = await app.inject({ method, url, payload, headers: { ...headers } })
    const type = response.headers['content-type'] as string | undefined
    const json = type?.includes('json') ? JSON.parse(response.body) : undefined
    return { status: response.statusCode, type, headers: response.headers, text: response.body, json }
  }

  return {
    bench: on,
    app,
    metrics,
    bugs,
    unready,
    metricsText: () => metrics.registry.metrics(),
    post: (path, body, headers = {}) =>
      inject('POST', path, typeof body === 'string' ? body : JSON.stringify(body), {
        'content-type': 'application/json',
        ...headers,
      }),
    get: (path, headers = {}) => inject('GET', path, undefined, headers),
    async listen() {
      await app.listen({ host: '127.0.0.1', port: 0 })
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    },
  }
}

export const CONTEXT = { playerId: 'p1', platform: 'ios', level: 41 }

/** Two policies, so that a request must name one. */
export const twoPolicies = () =>
  bench([served(), served({ unit: undefined, guardrails: { minProbability: 0 } }, 'other')])
