import type { FastifyInstance } from 'fastify'
import { type Problem, problem } from '../api.ts'
import type { PolicySource } from '../deciding/policies.ts'
import type { Engine } from '../engine.ts'
import type { Clock } from '../engine-parts.ts'
import { refusal } from '../problems.ts'
import { covers, type Need, type Token, type TokenSource } from './tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the client has shown; undefined where nobody needs a token. */
    token: Token | undefined
    /** Why there is none where one is needed. */
    stranger: string
  }
  interface FastifyContextConfig {
    /** What a token must be for; `nothing`: for probes, which have none. */
    readonly needs?: Need | 'nothing'
    /** What of a request names policies, or with the need `reward` decisions of policies. */
    readonly about?: (request: FastifyRequest) => readonly About[]
  }
}

type About = { readonly policy?: string; readonly decisionId?: string }

export interface AccessParts {
  readonly engine: Pick<Engine, 'policiesOf'>
  readonly source: PolicySource
  readonly clock: Pick<Clock, 'now'>
  /** Absent: everybody may do everything. */
  readonly tokens?: TokenSource
}

/** Finds out whose token a client shows. */
export function identify(app: FastifyInstance, { clock, tokens }: AccessParts): void {
  app.decorateRequest('token', undefined)
  app.decorateRequest('stranger', '')
  if (tokens === undefined) return
  app.addHook('onRequest', (request, _reply, done) => {
    const found = tokenOf(request.headers.authorization, tokens, clock.now())
    if (typeof found === 'string') request.stranger = found
    else request.token = found
    done()
  })
}

/** Lets nobody in who shows no token, and nobody further than the token is for. Every route that is added after it must say what it needs. */
export function guard(app: FastifyInstance, { engine, source, tokens }: AccessParts): void {
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.needs === undefined) throw new Error(`the route ${url} does not say what it needs`)
  })
  if (tokens === undefined) return

  app.addHook('onRequest', (request, _reply, done) => {
    const { needs = 'nothing' } = request.routeOptions.config
    if (needs === 'nothing') return done()
    const { token, stranger } = request
    if (token === undefined) return done(refusal(problem('unauthorized', stranger)))
    done(token.may.has(needs) ? undefined : refusal(forbidden(`the token \`${token.name}\` is not for \`${needs}\``)))
  })

  app.addHook('preHandler', async request => {
    const { token } = request
    const { about, needs } = request.routeOptions.config
    if (about === undefined || token?.policies === undefined) return
    const all = about(request)
    const names =
      needs === 'reward'
        ? engine.policiesOf(all.map(({ decisionId }) => String(decisionId)))
        : all.map(({ policy }) => policy ?? onlyPolicy(source))
    const [refused] = (await names).flatMap(name => refusalOf(token, name) ?? [])
    if (refused !== undefined) throw refusal(refused)
  })

  function refusalOf(token: Token, name: string | undefined): Problem | undefined {
    if (name === undefined) return undefined
    if (!covers(token, name)) return forbidden(`the token \`${token.name}\` is not for policy \`${name}\``)
    // What the engine says of it would list the others.
    return source.policies.has(name) ? undefined : problem('unknown-policy', `no policy \`${name}\` is served`)
  }
}

const onlyPolicy = ({ policies }: PolicySource): string | undefined =>
  policies.size === 1 ? policies.keys().next().value : undefined

const forbidden = (detail: string) => problem('forbidden', detail)

/** The token, or why there is none. */
function tokenOf(authorization: string | undefined, { table }: TokenSource, now: number): Token | string {
  const [, presented] = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? '') ?? []
  if (presented === undefined) return 'send `authorization: Bearer TOKEN`'
  const token = table.find(presented)
  if (token === undefined) return 'the token is not known here'
  return token.expiresAt !== undefined && token.expiresAt <= now ? 'the token has expired' : token
}
