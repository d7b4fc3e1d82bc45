import { createRequire } from 'node:module'
import type { EndpointServiceClient } from '@google-cloud/aiplatform/build/src/v1/endpoint_service_client.js'
import type { ModelServiceClient } from '@google-cloud/aiplatform/build/src/v1/model_service_client.js'
import type { GoogleAuth } from 'google-gax'
import type { Place } from '../../deploy/routes.ts'
import { InstallationError } from '../../errors.ts'
import { type Definitions, withOnly } from './definitions.ts'
import type { Decoders } from './messages.ts'

export interface Clients {
  readonly endpoints: EndpointServiceClient
  readonly models: ModelServiceClient
  readonly auth: GoogleAuth
  readonly decoders: Decoders
}

/** Loads and connects the clients once, with the first call. Where that fails, so does every call, for the same reason. */
export function lazyClients(place: Place, emulator: string | null): () => Promise<Clients> {
  let clients: Promise<Clients> | undefined
  return () => {
    clients ??= open(place, emulator)
    return clients
  }
}

async function open(place: Place, emulator: string | null): Promise<Clients> {
  const { gax, definitions, EndpointServiceClient, ModelServiceClient } = await load()
  const auth = new gax.GoogleAuth(
    // A client that has no credentials keeps the library from looking for some, on this machine and at its cloud's metadata server.
    emulator === null
      ? { scopes: 'https://www.googleapis.com/auth/cloud-platform' }
      : { authClient: new gax.googleAuthLibrary.PassThroughClient() },
  )
  const site =
    emulator === null
      ? { apiEndpoint: `${place.region}-aiplatform.googleapis.com` }
      : {
          apiEndpoint: new URL(emulator).hostname,
          port: Number(new URL(emulator).port),
          sslCreds: gax.grpc.credentials.createInsecure(),
          // A proxy that the process's environment names cannot reach this machine's loopback.
          'grpc.enable_http_proxy': 0,
        }
  const options = { ...site, auth }
  const { endpoints, models } = withOnly(definitions, ['EndpointService', 'ModelService'], () => ({
    endpoints: new EndpointServiceClient(options),
    models: new ModelServiceClient(options),
  }))
  // Awaited here: a failure inside a client's first call would also be an unhandled rejection.
  await Promise.all([endpoints.initialize(), models.initialize()])
  return {
    endpoints,
    models,
    auth,
    decoders: {
      uploadModelResponse: models.descriptors.longrunning['uploadModel'].responseDecoder,
      deployModelMetadata: endpoints.descriptors.longrunning['deployModel'].metadataDecoder,
    },
  }
}

/** The packages, imported by service: the root of the client's package is a second of loading. */
async function load() {
  try {
    const [{ default: gax }, { default: endpoints }, { default: models }] = await Promise.all([
      import('google-gax'),
      import('@google-cloud/aiplatform/build/src/v1/endpoint_service_client.js'),
      import('@google-cloud/aiplatform/build/src/v1/model_service_client.js'),
    ])
    const definitions = createRequire(import.meta.url)(
      '@google-cloud/aiplatform/build/protos/protos.json',
    ) as Definitions
    return { gax, definitions, ...endpoints, ...models }
  } catch (cause) {
    throw new InstallationError(['@google-cloud/aiplatform', 'google-gax'], cause)
  }
}
