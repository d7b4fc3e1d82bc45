/** Endpoints of Vertex AI: https://cloud.google.com/vertex-ai/docs/predictions/get-online-predictions */
import type { GoogleAuth } from 'google-gax'
import { InstallationError } from '../../errors.ts'
import { ModelFailure, type Runtime, type Tensor } from '../../models/runtime.ts'
import { ask, askFor, hostOf, type Site } from './http.ts'
import { outputsIn, requestOf } from './open-inference.ts'
import { rowsIn, rowsInJson } from './tf-serving.ts'

export interface VertexSpec {
  /** `projects/shop/locations/europe-west1/endpoints/123` */
  readonly endpoint: string
  readonly method: 'predict' | 'rawPredict'
  readonly url?: string
}

/** Headers that show a server of Google's who asks. */
export type Credentials = (url: string) => Promise<Headers>

/**
 * `outputs` are the names that are asked for. Credentials are shown to Google alone, over TLS: an emulator needs none, and whoever writes an address into a
 * file is not to be sent them.
 */
export function vertexRuntime(spec: VertexSpec, outputs: readonly string[], credentials: Credentials): Runtime {
  const region = spec.endpoint.split('/')[3]
  const base = (spec.url ?? `https://${region}-aiplatform.googleapis.com`).replace(/\/+$/, '')
  const site: Site = { base, ...(isGoogle(base) ? { headers: credentials } : {}) }
  const path = `/v1/${spec.endpoint}:${spec.method}`
  const host = hostOf(base)
  const isRaw = spec.method === 'rawPredict'
  return {
    about: `Vertex AI, ${spec.method}`,
    signature: async () => undefined,
    async run(inputs, signal) {
      const answer = await askFor(site, path, signal, isRaw ? requestOf(inputs, outputs) : instancesOf(inputs))
      if (isRaw) return outputsIn(host, answer)
      const { predictions } = answer
      if (!Array.isArray(predictions)) throw new ModelFailure('answer', `${host} answers no predictions`)
      return rowsIn(host, predictions, outputs)
    },
    /** The very request of a decision, by whoever sends it, of no rows: a model that refuses those has been reached. */
    async ready(signal) {
      try {
        const { status } = await ask(site, path, signal, isRaw ? '{"inputs":[]}' : '{"instances":[]}')
        return !NOT_READY.includes(status)
      } catch {
        return false
      }
    },
    close: async () => {},
  }
}

/** Who asks may not, or there is no such endpoint, or no model behind it answers. */
const NOT_READY = [401, 403, 404, 429, 502, 503, 504]

function isGoogle(base: string): boolean {
  const { protocol, hostname } = new URL(base)
  return protocol === 'https:' && /\.(googleapis\.com|vertexai\.goog)$/.test(hostname)
}

/** The row form: a row is the list of its numbers, or has one by each input's name. */
function instancesOf(inputs: ReadonlyMap<string, Tensor>): string {
  const columns = [...inputs].map(([name, tensor]) => [JSON.stringify(name), rowsInJson(name, tensor)] as const)
  if (columns.length === 1) return `{"instances":[${columns[0][1]}]}`
  const rows = columns[0][1].map((_, row) => `{${columns.map(([name, values]) => `${name}:${values[row]}`)}}`)
  return `{"instances":[${rows}]}`
}

/** Those that this machine has: a workload's identity, a service account's key, a user's. They are looked for once, and renewed when they end. */
export function googleCredentials(): Credentials {
  let auth: Promise<GoogleAuth> | undefined
  return async url => {
    auth ??= open()
    try {
      return await (await auth).getRequestHeaders(url)
    } catch (cause) {
      if (cause instanceof InstallationError) throw cause
      throw new ModelFailure('answer', `${hostOf(url)} wants credentials of Google Cloud, and there are none`)
    }
  }
}

async function open(): Promise<GoogleAuth> {
  try {
    const { default: gax } = await import('google-gax')
    return new gax.GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' })
  } catch (cause) {
    throw new InstallationError(['google-gax'], cause)
  }
}
