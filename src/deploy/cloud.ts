/**
 * The port to a cloud: one project and region of Vertex AI with one bucket, as deploying needs them. A call that reads or writes is
 * one request, and who calls tries it again. Ids are bare (`dap-shop-offer-3fa9c1d2`), never resource names: those have the project's id in requests and its
 * number in answers.
 */
import { DapError, ExitCode } from '../errors.ts'
import type { Place, RequestLog, Scale, Traffic } from '../generated/types.ts'

import type { Patience } from './patience.ts'

export type { Place, RequestLog, Scale, Traffic } from '../generated/types.ts'

export interface Cloud extends Artefacts, Measurements {
  readonly place: Place
  /** The same, where every read is tried until it is answered or that is hopeless; without a patience, once. */
  patiently(patience: Patience | undefined): Cloud

  /** All of the place: labels may have been taken away, so they do not choose. A list call, whatever their number. */
  listEndpoints(): Promise<readonly Endpoint[]>
  getEndpoint(id: string): Promise<Endpoint | undefined>
  /** ALREADY_EXISTS where the id is taken, also by one that is still being created. */
  createEndpoint(id: string, endpoint: NewEndpoint, waiting: Waiting): Promise<void>
  /** One unary write. ABORTED where the endpoint's etag is another by now. What is absent stays as it is; `labels` and `traffic` are whole. */
  updateEndpoint(id: string, update: EndpointUpdate): Promise<Endpoint>
  /** FAILED_PRECONDITION while a model is deployed to it. */
  deleteEndpoint(id: string, waiting: Waiting): Promise<void>

  /** At zero traffic: the endpoint's split stays as it is. ALREADY_EXISTS where the endpoint has a deployed model of that id. */
  deployModel(endpoint: string, model: NewDeployedModel, waiting: Waiting): Promise<void>
  /** FAILED_PRECONDITION while it has traffic, unless it is the last one. */
  undeployModel(endpoint: string, deployedModel: string, waiting: Waiting): Promise<void>
  mutateDeployedModel(endpoint: string, deployedModel: string, scale: Scale, waiting: Waiting): Promise<void>

  /** Default versions of all models of the place. */
  listModels(): Promise<readonly ModelVersion[]>
  /** Every version of one model, oldest first; none where the model does not exist. */
  listVersions(model: string): Promise<readonly ModelVersion[]>
  /** A new version of the model, or the first one. */
  uploadModel(model: string, version: NewModelVersion, waiting: Waiting): Promise<void>
  /** Labels of one version, whole. ABORTED where the model's etag is another by now. */
  updateVersion(model: string, version: string, update: VersionUpdate): Promise<void>
  /** Moves the alias `default`. */
  setDefaultVersion(model: string, version: string): Promise<void>
  /** FAILED_PRECONDITION while it is deployed, and for a model's only version. */
  deleteVersion(model: string, version: string, waiting: Waiting): Promise<void>
  deleteModel(model: string, waiting: Waiting): Promise<void>

  /** Waits for what goes on at them, whoever has begun it: another process, or a call whose answer was lost. How it ends, a look tells. */
  settle(at: { readonly endpoint: string; readonly model: string }, waiting: Waiting): Promise<void>
}

/** How somebody waits for what takes its time; each call that does returns when that is done, or throws what it failed with. */
export interface Waiting {
  /** It has begun: under this name people find it. */
  begun(name: string): void
  stage(stage: string): void
  /** Between two looks at it. */
  pause(): Promise<void>
}

/** Files of the place, by their content: a name never gets another text. */
export interface Artefacts {
  /** Writes it unless it is there. */
  putObject(name: string, text: string): Promise<void>
  listObjects(prefix: string): Promise<readonly string[]>
  /** The text, where it has at most that many bytes; undefined where there is none, or a larger one. */
  getObject(name: string, maxBytes: number): Promise<string | undefined>
  deleteObject(name: string): Promise<void>
}

export interface Measurements {
  /** What one deployed model answered between two times, in ms since 1970; lags behind by minutes on the real cloud. */
  requests(endpoint: string, deployedModel: string, from: number, to: number): Promise<RequestMetrics>
}

export interface Endpoint {
  readonly id: string
  readonly displayName: string
  readonly description: string
  readonly etag: string
  readonly labels: Labels
  /** Deployed model's id → percent; sums to 100, or is empty. */
  readonly traffic: Traffic
  /** Only those that are ready: one that is being deployed is not among them yet. */
  readonly deployedModels: readonly DeployedModel[]
  readonly dedicated: boolean
  readonly requestLog: RequestLog | null
  /** The host of a dedicated endpoint. */
  readonly host: string | null
}

export type Labels = Readonly<Record<string, string>>
export interface NewEndpoint {
  readonly displayName: string
  readonly description: string
  readonly labels: Labels
  readonly dedicated: boolean
  readonly requestLog: RequestLog | null
}

export interface EndpointUpdate {
  readonly etag: string
  readonly displayName?: string
  readonly description?: string
  readonly labels?: Labels
  readonly traffic?: Traffic
  readonly requestLog?: RequestLog | null
}

/** What a deployed model cannot change while it is deployed, and its scale, which it can. */
export interface NewDeployedModel {
  /** 1 to 10 digits, chosen by the caller: the key that makes a second try harmless. */
  readonly id: string
  readonly displayName: string
  readonly model: string
  readonly version: string
  readonly machineType: string
  /** null: the project's default. */
  readonly serviceAccount: string | null
  readonly scale: Scale
}

export interface DeployedModel extends NewDeployedModel {
  /** ms since 1970 */
  readonly created: number
  /** Replicas that serve now, where the cloud says so. */
  readonly available: number | null
}

export interface ModelVersion {
  readonly model: string
  readonly version: string
  readonly aliases: readonly string[]
  readonly displayName: string
  /** Of the model: a write to any of its versions changes it. */
  readonly etag: string
  readonly labels: Labels
  readonly created: number
}

export interface VersionUpdate {
  readonly etag: string
  readonly labels: Labels
}

export interface NewModelVersion {
  readonly displayName: string
  readonly description: string
  readonly labels: Labels
  readonly image: string
  /** `gs://bucket/folder` of the bundle. */
  readonly artifact: string
  readonly predictRoute: string
  readonly healthRoute: string
  readonly port: number
  /** Arguments of the image's entry point. */
  readonly args: readonly string[]
}

/** Over a window of time. */
export interface RequestMetrics {
  readonly requests: number
  readonly errors: number
  /** Requests whose latency was in a bucket: its upper bound in ms (the last is +∞), and how many. */
  readonly latency: readonly { readonly upToMs: number; readonly count: number }[]
}

/** The codes of google.rpc.Code that dap tells apart. */
export type Status =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED'

/** A call that the cloud refused or did not answer. */
export class CloudError extends DapError {
  override readonly name = 'CloudError'
  readonly status: Status

  constructor(status: Status, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, { ...options, exitCode: ExitCode.remote })
    this.status = status
  }
}

/** What had begun and ended badly. Trying again takes as long, and ends the same. */
export class WorkFailed extends DapError {
  override readonly name = 'WorkFailed'
  readonly status: Status

  constructor(status: Status, message: string) {
    super(message, { exitCode: ExitCode.remote })
    this.status = status
  }
}
