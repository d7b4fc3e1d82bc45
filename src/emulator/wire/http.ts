import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Json } from '../ports.ts'
import { RpcError } from '../ports.ts'
import { CODES } from '../rules.ts'
import { codeOf, errorBody, httpStatus, rpcError } from './status.ts'

export interface HttpRequest {
  readonly verb: string
  /** Still percent-encoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Where the client sent it, as a URL: `https://storage.googleapis.com`. */
  readonly origin: string
  readonly body: Buffer
}

export interface HttpReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Undefined: the request is not for this part. */
export type HttpRoute = (request: HttpRequest) => Promise<HttpReply | undefined>

/** Bytes of a request: more than any bundle has. */
const MAX_BODY = 256 * 1024 * 1024

export const jsonReply = (status: number, json: Json, headers: Readonly<Record<string, string>> = {}): HttpReply => ({
  status,
  headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
  body: Buffer.from(JSON.stringify(json)),
})

function errorReply(error: RpcError): HttpReply {
  return jsonReply(httpStatus(error.code), errorBody(error))
}

export function parseBody(body: Buffer): Json {
  if (body.length === 0) return null
  try {
    return JSON.parse(body.toString('utf8')) as Json
  } catch (error) {
    throw new RpcError(CODES.INVALID_ARGUMENT, `Invalid JSON payload received. ${(error as Error).message}`)
  }
}

/** A server that asks each part in turn; it does not listen itself. The head of a request has to come in `patienceMs`. */
export function httpServer(routes: readonly HttpRoute[], patienceMs: number, onBug: (error: unknown) => void): Server {
  const patience = { headersTimeout: patienceMs, connectionsCheckingInterval: Math.min(patienceMs, 10_000) }
  return createServer({ keepAliveTimeout: 60_000, ...patience }, (request, response) => {
    answer(routes, request, onBug)
      .then(reply => send(response, reply))
      .catch(() => response.destroy())
  })
}

async function answer(
  routes: readonly HttpRoute[],
  message: IncomingMessage,
  onBug: (error: unknown) => void,
): Promise<HttpReply> {
  try {
    // A page in a browser can send requests to this machine; no client that is meant here says where it comes from.
    if (message.headers.origin !== undefined) throw new RpcError(codeOf(403), 'the emulator answers no web pages')
    const url = new URL(message.url ?? '/', 'http://emulator')
    const body = await bodyOf(message)
    const { method: verb = 'GET', headers } = message
    const origin = `${'encrypted' in message.socket ? 'https' : 'http'}://${headers.host}`
    const request = { verb, path: url.pathname, query: url.searchParams, headers, origin, body }
    for (const route of routes) {
      const reply = await route(request)
      if (reply !== undefined) return reply
    }
    return errorReply(new RpcError(CODES.UNIMPLEMENTED, `nothing is emulated at ${verb} ${url.pathname}`))
  } catch (error) {
    return errorReply(rpcError(error, onBug))
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of message) {
    size += (part as Buffer).length
    if (size > MAX_BODY) throw new RpcError(CODES.INVALID_ARGUMENT, `the request has more than ${MAX_BODY} bytes`)
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}

function send(response: ServerResponse, { status, headers = {}, body = Buffer.alloc(0) }: HttpReply): void {
  const bodyless = status === 204 || status === 304
  response.writeHead(status, bodyless ? headers : { ...headers, 'content-length': String(body.length) })
  response.end(bodyless ? undefined : body)
}
