import type { EndpointServiceClient } from '@google-cloud/aiplatform/build/src/v1/endpoint_service_client.js'
import type { ModelServiceClient } from '@google-cloud/aiplatform/build/src/v1/model_service_client.js'
import type { PredictionServiceClient } from '@google-cloud/aiplatform/build/src/v1/prediction_service_client.js'
import type { Storage, StorageOptions } from '@google-cloud/storage'
import type { ClientOptions } from 'google-gax'

/** Google's own clients, unmodified, of an emulator on loopback. */
export interface VertexClients {
  readonly endpoints: EndpointServiceClient
  readonly models: ModelServiceClient
  readonly predictions: PredictionServiceClient
  readonly storage: Storage
  predict(endpoint: string, instances: readonly unknown[]): Promise<Predicted>
  close(): Promise<void>
}

export interface Predicted {
  readonly predictions: readonly unknown[]
  readonly deployedModelId: string
  readonly model: string
  readonly modelVersionId: string
  readonly modelDisplayName: string
}

interface Way {
  /** Over REST, not gRPC. */
  readonly fallback?: boolean
  /** Over TLS, to a name of Google's that the emulator is taken for. */
  readonly as?: { readonly name: string; readonly certificate: string }
}

/** Over gRPC without TLS, unless told otherwise. */
export async function vertexClients(port: number, { fallback = false, as }: Way = {}): Promise<VertexClients> {
  const gax = await import('google-gax')
  const [{ EndpointServiceClient }, { ModelServiceClient }, { PredictionServiceClient }, { toValue }, { Storage }] =
    await Promise.all([
      import('@google-cloud/aiplatform/build/src/v1/endpoint_service_client.js'),
      import('@google-cloud/aiplatform/build/src/v1/model_service_client.js'),
      import('@google-cloud/aiplatform/build/src/v1/prediction_service_client.js'),
      import('@google-cloud/aiplatform/build/src/helpers.js'),
      import('@google-cloud/storage'),
    ])
  const authClient = new gax.googleAuthLibrary.PassThroughClient()
  const { createInsecure, createSsl } = gax.grpc.credentials
  const place = {
    apiEndpoint: '127.0.0.1',
    port,
    fallback,
    ...(fallback
      ? { protocol: 'http', authClient }
      : {
          sslCreds: as ? createSsl(Buffer.from(as.certificate)) : createInsecure(),
          auth: new gax.GoogleAuth({ authClient }),
          ...(as ? { 'grpc.ssl_target_name_override': as.name, 'grpc.default_authority': as.name } : {}),
        }),
  } as ClientOptions
  const endpoints = new EndpointServiceClient(place)
  const models = new ModelServiceClient(place)
  const predictions = new PredictionServiceClient(place)
  return {
    endpoints,
    models,
    predictions,
    storage: new Storage({ apiEndpoint: `http://127.0.0.1:${port}`, projectId: 'demo', authClient } as StorageOptions),
    async predict(endpoint, instances) {
      const values = instances.map(instance => toValue(instance as object))
      const [answer] = await predictions.predict({ endpoint, instances: values as never[] })
      return {
        predictions: (answer.predictions ?? []).map(value => plain(value as Value)),
        deployedModelId: answer.deployedModelId ?? '',
        model: answer.model ?? '',
        modelVersionId: answer.modelVersionId ?? '',
        modelDisplayName: answer.modelDisplayName ?? '',
      }
    },
    async close() {
      await Promise.all([endpoints.close(), models.close(), predictions.close()])
    },
  }
}

interface Value {
  readonly nullValue?: unknown
  readonly numberValue?: number
  readonly stringValue?: string
  readonly boolValue?: boolean
  readonly structValue?: { readonly fields?: Readonly<Record<string, Value>> }
  readonly listValue?: { readonly values?: readonly Value[] }
}

/** The JSON of a google.protobuf.Value; the library's own function knows structs alone. */
function plain({ structValue, listValue, numberValue, stringValue, boolValue }: Value): unknown {
  if (structValue) return Object.fromEntries(Object.entries(structValue.fields ?? {}).map(([k, v]) => [k, plain(v)]))
  if (listValue) return (listValue.values ?? []).map(plain)
  return numberValue ?? stringValue ?? boolValue ?? null
}
