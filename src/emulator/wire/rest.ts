import type { JsonObject } from '../ports.ts'
import { RpcError } from '../ports.ts'
import { CODES } from '../rules.ts'
import { hostName } from './hosts.ts'
import { type HttpReply, type HttpRequest, type HttpRoute, jsonReply, parseBody } from './http.ts'
import { normalise } from './proto-json.ts'
import type { Method } from './protos.ts'
import { merged, transcoder } from './transcode.ts'

/** What both wires ask of the rest of the emulator: one unary call, and the name of the host that it was sent to. */
export type Call = (method: Method, request: JsonObject, host: string) => Promise<Answer>

export interface Answer {
  readonly message: JsonObject
  /** Lower-case names; metadata in gRPC. */
  readonly headers?: Readonly<Record<string, string>>
}

const BODY = 'google.api.HttpBody'

/** Vertex AI's REST interface: every method that has a google.api.http annotation. */
export function restRoute(methods: readonly Method[], call: Call): HttpRoute {
  const find = transcoder(methods)
  return async request => {
    const found = find(request.verb, request.path)
    if (found === undefined) return undefined
    const { method, body } = found
    if (method.streaming) throw new RpcError(CODES.UNIMPLEMENTED, `${method.name} is not emulated`)
    const fields = found.fields(request.query)
    const message = hasRawBody(method)
      ? { ...fields, httpBody: httpBody(request) }
      : merged(fields, body, body === undefined ? null : parseBody(request.body))
    const answer = await call(method, normalise(method.request, message), hostName(request.headers.host))
    return replyOf(method, answer)
  }
}

/** A method whose HTTP body is passed on as it is, whatever it may be. */
function hasRawBody({ request }: Method): boolean {
  return request.fieldsArray.some(field => field.resolve().resolvedType?.fullName === `.${BODY}`)
}

function httpBody({ headers, body }: HttpRequest): JsonObject {
  return { contentType: headers['content-type'] ?? 'application/octet-stream', data: body.toString('base64') }
}

function replyOf({ response }: Method, { message, headers = {} }: Answer): HttpReply {
  if (response.fullName !== `.${BODY}`) return jsonReply(200, message, headers)
  const { contentType, data } = message as { contentType?: string; data?: string }
  return {
    status: 200,
    headers: { 'content-type': contentType ?? 'application/octet-stream', ...headers },
    body: Buffer.from(data ?? '', 'base64'),
  }
}
