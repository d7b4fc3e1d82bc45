import type { ModelRuntime } from '../../kinds.ts'
import type { Runtime } from '../../models/runtime.ts'
import { openInferenceGrpc, openInferenceRest } from './open-inference.ts'
import { tfServingGrpc, tfServingRest } from './tf-serving.ts'
import { type Credentials, googleCredentials, vertexRuntime } from './vertex.ts'

/** Where a Model is that some server has. */
export type RemoteRuntime = Exclude<ModelRuntime, { readonly type: 'onnx' }>

/**
 * What runs a model that a server has. `outputs` are the names of those of its outputs that the Model uses, where it says any: some servers answer a model's first output alone
 * unless they are asked for others. Nothing is loaded, and nobody asked, before the first call.
 */
export function createRemoteRuntime(
  spec: RemoteRuntime,
  outputs: readonly string[],
  credentials: Credentials = googleCredentials(),
): Runtime {
  switch (spec.type) {
    case 'open-inference':
      return (spec.protocol === 'grpc' ? openInferenceGrpc : openInferenceRest)(spec, outputs)
    case 'tf-serving':
      return (spec.protocol === 'grpc' ? tfServingGrpc : tfServingRest)(spec, outputs)
    case 'vertex':
      return vertexRuntime(spec, outputs, credentials)
  }
}
