import { performance } from 'node:perf_hooks'
import type { Faults } from '../faults.ts'
import { type ControlPlane, type Json, type JsonObject, type Routed, RpcError } from '../ports.ts'
import { broken, CODES } from '../rules.ts'
import { isDedicatedHost, isSharedHost } from '../wire/hosts.ts'
import type { Answer } from '../wire/rest.ts'
import { codeOf, httpStatus } from '../wire/status.ts'
import type { Metrics } from './metrics.ts'
import type { RequestLog } from './request-log.ts'

export interface DataPlaneParts {
  readonly control: Pick<ControlPlane, 'route'>
  readonly faults: Pick<Faults, 'take'>
  readonly metrics: Metrics
  readonly requestLog: RequestLog
  now(): number
}

/** PredictionService: what an endpoint answers is what the server of one of its deployed models does. `host` is where the request was sent. */
export interface DataPlane {
  predict(request: JsonObject, host: string): Promise<Answer>
  rawPredict(request: JsonObject, host: string): Promise<Answer>
}

/** Bytes of a request's JSON and ms of its answer, of shared and of dedicated endpoints. Rules: payload-limit, inference-timeout. */
const SHARED = { bytes: 1_500_000, ms: 60_000 }
const DEDICATED = { bytes: 10_000_000, ms: 600_000 }

interface Reply {
  readonly contentType: string
  readonly body: Buffer
}

export function createDataPlane({ control, faults, metrics, requestLog, now }: DataPlaneParts): DataPlane {
  /** One request, with everything around it: the fault that waits for it, the limits, the count. */
  async function answered<T>(
    method: string,
    request: JsonObject,
    host: string,
    ask: (routed: Routed) => Promise<T>,
  ): Promise<T> {
    const fault = faults.take(method)?.fault
    if (fault === 'unavailable') throw unavailable()
    if (fault === 'quota')
      throw new RpcError(CODES.RESOURCE_EXHAUSTED, 'Quota exceeded for online prediction requests.')
    const routed = control.route(String(request['endpoint'] ?? ''))
    requireHost(routed.endpoint, host)
    const started = performance.now()
    const count = (status: number) => {
      const [, project, , location, , endpointId] = String(routed.endpoint['name']).split('/')
      const { deployedModelId } = routed
      const latencyMs = performance.now() - started
      metrics.record({ project, location, endpointId, deployedModelId, status, latencyMs, at: now() })
    }
    const answer = await ask(routed).catch((error: unknown) => {
      count(error instanceof RpcError ? httpStatus(error.code) : 500)
      throw error
    })
    count(200)
    if (fault === 'lost-response') throw unavailable()
    return answer
  }

  return {
    predict: (request, host) =>
      answered('Predict', request, host, async routed => {
        const { instances = [], parameters } = request
        const asked = { instances, ...(parameters === undefined || parameters === null ? {} : { parameters }) }
        const reply = await post(routed, Buffer.from(JSON.stringify(asked)), 'application/json')
        const predictions = predictionsOf(reply)
        requestLog.add(routed.endpoint, {
          deployed_model_id: routed.deployedModelId,
          logging_time: new Date(now()).toISOString(),
          request_payload: (instances as Json[]).map(each => JSON.stringify(each)),
          response_payload: predictions.map(each => JSON.stringify(each)),
        })
        const { deployedModelId, model, modelVersionId, modelDisplayName } = routed
        return { message: { predictions, deployedModelId, model, modelVersionId, modelDisplayName } }
      }),

    rawPredict: (request, host) =>
      answered('RawPredict', request, host, async routed => {
        const { contentType = 'application/json', data = '' } = (request['httpBody'] ?? {}) as Readonly<
          Record<string, string>
        >
        const reply = await post(routed, Buffer.from(data, 'base64'), contentType)
        return {
          message: { contentType: reply.contentType, data: reply.body.toString('base64') },
          headers: {
            'x-vertex-ai-endpoint-id': String(routed.endpoint['name']).split('/')[5],
            'x-vertex-ai-deployed-model-id': routed.deployedModelId,
            'x-vertex-ai-model': routed.model,
            'x-vertex-ai-model-version-id': routed.modelVersionId,
          },
        }
      }),
  }
}

/** Names of Google's alone say something; at the emulator's own address everything is. */
function requireHost({ name, dedicatedEndpointEnabled, dedicatedEndpointDns }: JsonObject, host: string): void {
  const own = dedicatedEndpointEnabled === true ? dedicatedEndpointDns : undefined
  if (isDedicatedHost(host) && host !== own) throw notThere(host)
  if (isSharedHost(host) && own !== undefined)
    throw broken('dedicated-shared-host', `The dedicated Endpoint "${name}" is not at ${host}, but at ${own}.`)
}

/** What is asked of the host of a dedicated endpoint, and is no prediction of it. */
export const notThere = (host: string) =>
  broken('dedicated-host', `${host} answers the predictions of its own Endpoint, and nothing else.`)

async function post({ server, endpoint }: Routed, body: Buffer, contentType: string): Promise<Reply> {
  const dedicated = endpoint['dedicatedEndpointEnabled'] === true
  const limits = dedicated ? DEDICATED : SHARED
  if (body.length > limits.bytes)
    throw new RpcError(CODES.INVALID_ARGUMENT, `Request payload size exceeds the limit: ${limits.bytes} bytes.`)
  const ms = timeoutOf(endpoint) ?? limits.ms
  let response: Response
  let bytes: ArrayBuffer
  try {
    response = await fetch(`${server.url}${server.predictRoute}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(ms),
    })
    bytes = await response.arrayBuffer()
  } catch (error) {
    if ((error as Error).name === 'TimeoutError')
      throw new RpcError(codeOf(504), `The model server did not answer within ${ms} ms.`)
    throw new RpcError(CODES.UNAVAILABLE, 'The model server cannot be reached.')
  }
  const answer = Buffer.from(bytes)
  if (!response.ok) throw new RpcError(codeOf(response.status), answer.toString('utf8'))
  return { contentType: response.headers.get('content-type') ?? '', body: answer }
}

function timeoutOf({ clientConnectionConfig }: JsonObject): number | undefined {
  const { inferenceTimeout } = (clientConnectionConfig ?? {}) as { readonly inferenceTimeout?: string }
  return inferenceTimeout === undefined ? undefined : Math.round(Number(inferenceTimeout.replace(/s$/, '')) * 1000)
}

function predictionsOf({ body }: Reply): readonly Json[] {
  let said: unknown
  try {
    said = JSON.parse(body.toString('utf8'))
  } catch {}
  const { predictions } = (said ?? {}) as { readonly predictions?: unknown }
  if (!Array.isArray(predictions))
    throw new RpcError(CODES.INTERNAL, "The model server's answer has no list of `predictions`.")
  return predictions as Json[]
}

const unavailable = () => new RpcError(CODES.UNAVAILABLE, 'The service is currently unavailable.')
