import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type DecideRequest, isProblem, type Problem, problem } from '../api.ts'
import type { PolicySource, ServedPolicy } from '../deciding/policies.ts'
import { covers } from '../door/tokens.ts'
import type { Engine } from '../engine.ts'
import { refusal } from '../problems.ts'
import { prepareStatus, ref, withKey } from './http.ts'
import type { OfrepRequest } from './ofrep.ts'
import { type Evaluation, entityTag, evaluationOf, type Failure, failureOf, flagRequest, lacksUnit } from './ofrep.ts'
import { traceOf } from './trace.ts'

export interface OfrepParts {
  readonly engine: Engine
  readonly source: PolicySource
  /** What an error that was thrown tells the client. */
  problemOrBug(error: unknown, request: FastifyRequest): Problem
}

type FlagRequest = FastifyRequest<{ Body: OfrepRequest; Params: { readonly key: string } }>

/** The OpenFeature Remote Evaluation Protocol: https://github.com/open-feature/protocol, version 0.3. */
export function registerOfrep(app: FastifyInstance, { engine, source, problemOrBug }: OfrepParts): void {
  const schema = { body: ref('OfrepRequest') }

  async function evaluate(
    served: ServedPolicy,
    asked: DecideRequest,
    request: FastifyRequest,
  ): Promise<Evaluation | Problem> {
    const answer = await engine.decide(asked, request.arrived, traceOf(request))
    return isProblem(answer) ? answer : evaluationOf(answer, source.killed(served.policy.name))
  }

  function failure(served: ServedPolicy, request: DecideRequest, found: Problem): Failure {
    const { name: key } = served.policy
    const failed = { key, ...failureOf(found) }
    return found.status === 400 && lacksUnit(served, request)
      ? { ...failed, errorCode: 'TARGETING_KEY_MISSING' }
      : failed
  }

  app.register(async scope => {
    scope.setErrorHandler((error, request, reply) => {
      const found = problemOrBug(error, request)
      prepareStatus(reply, found)
      const { key } = request.params as { readonly key?: string }
      return reply.send({ ...(key === undefined ? {} : { key }), ...failureOf(found) })
    })

    const config = {
      needs: 'decide',
      about: ({ params }: FastifyRequest) => [{ policy: (params as { key: string }).key }],
    } as const
    scope.post('/ofrep/v1/evaluate/flags/:key', { schema, config }, async (request: FlagRequest, reply) => {
      const { key } = request.params
      const served = source.policies.get(key)
      if (served === undefined) {
        return reply.code(404).send({ key, ...failureOf(problem('unknown-policy', `no policy \`${key}\` is served`)) })
      }
      const asked = flagRequest(served, request.body)
      const named = withKey(asked, request.headers['idempotency-key'])
      const answer = isProblem(named) ? named : await evaluate(served, named, request)
      if (!isProblem(answer)) return reply.send(answer)
      prepareStatus(reply, answer)
      return reply.send(failure(served, asked, answer))
    })

    scope.post(
      '/ofrep/v1/evaluate/flags',
      { schema, config: { needs: 'decide' } },
      async (request: FlagRequest, reply) => {
        const all = [...source.policies.values()].filter(({ policy }) => covers(request.token, policy.name))
        const tag = entityTag(all, source, request.body)
        if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(tag))
          return reply.code(304).header('etag', tag).send()
        const flags: (Evaluation | Failure)[] = []
        for (const served of all) {
          const asked = flagRequest(served, request.body)
          const answer = await evaluate(served, asked, request)
          if (isProblem(answer) && answer.status === 503) throw refusal(answer)
          flags.push(isProblem(answer) ? failure(served, asked, answer) : answer)
        }
        return reply.header('etag', tag).send({ flags })
      },
    )
  })
}
