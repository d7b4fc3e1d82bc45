/** The seams of the emulator: rules on one side, wires, processes and time on the other. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/**
 * The control plane: every request in the proto3 JSON form of its message (camelCase, enums by name, int64 as text, RFC 3339 times, field masks
 * as comma-separated camelCase paths), every answer, too. Both wires, gRPC and REST, translate into it, so a rule is written once.
 */
export interface ControlPlane {
  /** `google.cloud.aiplatform.v1.EndpointService/CreateEndpoint`. Rejects with an RpcError. */
  call(method: string, request: JsonObject): Promise<JsonObject>
  /** The deployed model that answers one request to an endpoint, drawn by the traffic split. An RpcError where none can. */
  route(endpoint: string): Routed
}

export interface Routed {
  /** As GetEndpoint answers it: names have the project's number. Says how large a request may be, and what is logged. */
  readonly endpoint: JsonObject
  readonly server: ModelServer
  readonly deployedModelId: string
  /** Resource name, with the project's number. */
  readonly model: string
  readonly modelVersionId: string
  readonly modelDisplayName: string
}

/** Starts what a deployed model runs; a real `dap serve` in `dap emulator`, something quick in tests of the rules. */
export interface ModelServers {
  /** Resolves when its health route answers; rejects with the reason when it never does. */
  start(model: ServedModel): Promise<ModelServer>
}

export interface ServedModel {
  readonly endpointId: string
  readonly deployedModelId: string
  /** As uploaded: `gs://bucket/folder`. */
  readonly artifactUri: string
  readonly imageUri: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly predictRoute: string
  readonly healthRoute: string
  readonly port: number
}

export interface ModelServer {
  /** `http://127.0.0.1:40123` */
  readonly url: string
  readonly predictRoute: string
  stop(): Promise<void>
}

/** Real or virtual. A virtual clock stands still until it is advanced, so that twelve minutes take no time. */
export interface Clock {
  /** ms since 1970 */
  now(): number
  /** Calls once after that many ms; the result cancels. */
  after(ms: number, call: () => void): () => void
}

/** Everything that outlives a restart: JSON documents by key, written whole. */
export interface StateStore {
  load(): Promise<JsonObject | undefined>
  save(state: JsonObject): Promise<void>
}

/** An answer other than OK, of either wire. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  /** google.rpc.Code */
  readonly code: number
  /** google.rpc.Status.details, in proto3 JSON. */
  readonly details: readonly JsonObject[]

  constructor(code: number, message: string, details: readonly JsonObject[] = []) {
    super(message)
    this.code = code
    this.details = details
  }
}
