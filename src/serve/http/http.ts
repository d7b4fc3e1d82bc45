import type { FastifyReply } from 'fastify'
import { type DecideRequest, isProblem, type Problem } from '../api.ts'
import { invalid } from '../problems.ts'
import { keyFault } from './headers.ts'

/** A component of `schemas/openapi.yaml` as fastify's validators know it. */
export const ref = (name: string) => ({ $ref: `openapi#/components/schemas/${name}` })

/** Answers with an object, or with a problem under its own status. */
export function send(reply: FastifyReply, answer: object, status = 200): FastifyReply {
  if (!isProblem(answer)) return reply.code(status).send(answer)
  prepareStatus(reply, answer)
  return reply.type('application/problem+json').send(JSON.stringify(answer))
}

/** The status of a problem, and what else it takes: a token, or time. */
export function prepareStatus(reply: FastifyReply, { status }: Problem): void {
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="dap"')
  if (status === 503) reply.header('retry-after', '1')
  reply.code(status)
}

/** The request under the id of its `Idempotency-Key`. */
export function withKey(request: DecideRequest, key: string | string[] | undefined): DecideRequest | Problem {
  if (key === undefined) return request
  const wrong = keyFault(key)
  if (wrong !== undefined) return wrong
  if (request.decisionId !== undefined && request.decisionId !== key) {
    return invalid([{ pointer: '/decisionId', detail: 'is not the `Idempotency-Key`' }])
  }
  return { ...request, decisionId: String(key) }
}
