import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { protobuf } from 'google-gax'
import { InstallationError } from '../../errors.ts'

export type MessageType = protobuf.Type

/** One method of an API, as its proto describes it. */
export interface Method {
  /** `google.cloud.aiplatform.v1.EndpointService/CreateEndpoint` */
  readonly name: string
  readonly request: MessageType
  readonly response: MessageType
  readonly streaming: boolean
  /** google.api.http with its additional bindings. */
  readonly http: readonly HttpRule[]
}

export interface HttpRule {
  readonly verb: string
  /** A template such as `/v1/{name=operations/**}`, whose `*` is a segment and whose `**` any number. */
  readonly path: string
  /** The field that is the request's body, `*` for all that is not in the path, or absent. */
  readonly body?: string
}

const VERTEX = 'google.cloud.aiplatform.v1'
const SERVICES = [
  ...['EndpointService', 'ModelService', 'DeploymentResourcePoolService', 'PredictionService'].map(
    service => `${VERTEX}.${service}`,
  ),
  'google.longrunning.Operations',
]

/** The proto of Operations has paths that Vertex AI does not use; its service configuration has these, under `/v1` and under `/ui`. */
const OPERATIONS: Readonly<Record<string, readonly HttpRule[]>> = {
  ListOperations: under('GET', '{name=projects/**}/operations'),
  GetOperation: under('GET', '{name=projects/**/operations/*}'),
  DeleteOperation: under('DELETE', '{name=projects/**/operations/*}'),
  CancelOperation: under('POST', '{name=projects/**/operations/*}:cancel', '*'),
  WaitOperation: under('POST', '{name=projects/**/operations/*}:wait', '*'),
}

function under(verb: string, path: string, body?: string): HttpRule[] {
  return ['v1', 'ui'].map(version => ({ verb, path: `/${version}/${path}`, ...(body === undefined ? {} : { body }) }))
}

/** The methods of the emulated services, from the files that Google's own client is made of. */
export async function loadMethods(): Promise<Method[]> {
  const { protobuf } = await import('google-gax').catch(missing)
  const require = createRequire(import.meta.url)
  const read = async (path: string) => (JSON.parse(await readFile(path, 'utf8')) as Namespace).nested['google']
  const [google, { nested }] = await Promise.all([
    read(require.resolve('@google-cloud/aiplatform/build/protos/protos.json')),
    read(join(dirname(require.resolve('google-gax')), '..', 'protos', 'status.json')),
  ]).catch(missing)
  // The details of an error, and no beta: its types are as many again, and nothing here speaks of them.
  const { v1 } = google.nested['cloud'].nested['aiplatform'].nested
  const cloud = { nested: { aiplatform: { nested: { v1 } } } }
  const json = { nested: { google: { nested: { ...google.nested, cloud, rpc: nested['rpc'] } } } }
  const root = protobuf.Root.fromJSON(json as protobuf.INamespace)
  return SERVICES.flatMap(name => {
    const service = root.lookupService(name)
    return service.methodsArray.map(method => methodOf(name, method))
  })
}

interface Namespace {
  readonly nested: Readonly<Record<string, Namespace>>
}

function methodOf(service: string, method: protobuf.Method): Method {
  method.resolve()
  const { name, resolvedRequestType: request, resolvedResponseType: response } = method
  if (request === null || response === null) throw new Error(`${service}/${name} has no types`)
  return {
    name: `${service}/${name}`,
    request,
    response,
    streaming: method.requestStream === true || method.responseStream === true,
    http: service === 'google.longrunning.Operations' ? OPERATIONS[name] : rulesOf(method),
  }
}

type Annotation = Readonly<Record<string, string>> & { readonly additional_bindings?: Annotation | Annotation[] }

function rulesOf({ parsedOptions }: protobuf.Method): HttpRule[] {
  const options = (parsedOptions ?? []) as unknown as Readonly<Record<string, Annotation>>[]
  const annotation = options.map(option => option['(google.api.http)']).find(each => each !== undefined)
  if (annotation === undefined) return []
  return [annotation, ...[annotation.additional_bindings ?? []].flat()].flatMap(({ body, ...rest }) => {
    const verb = ['get', 'put', 'post', 'delete', 'patch'].find(each => each in rest)
    if (verb === undefined) return []
    return [{ verb: verb.toUpperCase(), path: rest[verb] as string, ...(body === undefined ? {} : { body }) }]
  })
}

function missing(cause: unknown): never {
  throw new InstallationError(['@google-cloud/aiplatform', 'google-gax'], cause)
}
