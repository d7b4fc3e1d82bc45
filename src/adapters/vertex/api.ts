/**
 * Vertex AI and one bucket as requests: one call is one request, and who calls retries, waits and polls. Ids are bare
 * (`dap-shop-offer-3fa9c1d2`), never resource names: those have the project's id in requests and its number in answers.
 */
import type { Status } from '../../deploy/cloud-error.ts'
import type { Artefacts, Measurements, Place, RequestLog, Scale, Traffic } from '../../deploy/routes.ts'

export interface VertexApi {
  readonly place: Place

  /** All of the place: labels may have been taken away, so they do not choose. A list call, whatever their number. */
  listEndpoints(): Promise<readonly Endpoint[]>
  getEndpoint(id: string): Promise<Endpoint | undefined>
  /** ALREADY_EXISTS where the id is taken, also by an operation that still runs. */
  createEndpoint(id: string, endpoint: NewEndpoint): Promise<Operation>
  /** One unary write. ABORTED where the endpoint's etag is another by now. What is absent stays as it is; `labels` and `traffic` are whole. */
  updateEndpoint(id: string, update: EndpointUpdate): Promise<Endpoint>
  /** FAILED_PRECONDITION while a model is deployed to it. */
  deleteEndpoint(id: string): Promise<Operation>

  /** At zero traffic: the endpoint's split stays as it is. ALREADY_EXISTS where the endpoint has a deployed model of that id. */
  deployModel(endpoint: string, model: NewDeployedModel): Promise<Operation>
  /** FAILED_PRECONDITION while it has traffic, unless it is the last one. */
  undeployModel(endpoint: string, deployedModel: string): Promise<Operation>
  mutateDeployedModel(endpoint: string, deployedModel: string, scale: Scale): Promise<Operation>

  /** Default versions of all models of the place. */
  listModels(): Promise<readonly ModelVersion[]>
  /** Every version of one model, oldest first; none where the model does not exist. */
  listVersions(model: string): Promise<readonly ModelVersion[]>
  /** A new version of the model, or the first one. */
  uploadModel(model: string, version: NewModelVersion): Promise<Operation>
  /** Labels of one version, whole. ABORTED where the model's etag is another by now. */
  updateVersion(model: string, version: string, update: VersionUpdate): Promise<void>
  /** Moves the alias `default`. */
  setDefaultVersion(model: string, version: string): Promise<void>
  /** FAILED_PRECONDITION while it is deployed, and for a model's only version. */
  deleteVersion(model: string, version: string): Promise<Operation>
  deleteModel(model: string): Promise<Operation>

  getOperation(name: string): Promise<Operation>
  /** Operations on an endpoint or a model that are not done yet: what another process, or a lost answer, has left running. */
  runningOperations(resource: { readonly endpoint: string } | { readonly model: string }): Promise<readonly Operation[]>

  /** Writes an object of the bucket unless it is there: names are content addresses. */
  putObject: Artefacts['putArtefact']
  listObjects: Artefacts['listArtefacts']
  getObject: Artefacts['getArtefact']
  deleteObject: Artefacts['deleteArtefact']

  requests: Measurements['measure']
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

export interface Operation {
  readonly name: string
  readonly done: boolean
  /** `ADDING_NODES_TO_CLUSTER`, while a model is deployed. */
  readonly stage?: string
  /** Why it failed; absent while it runs and when it succeeded. */
  readonly error?: { readonly status: Status; readonly message: string }
  /** Of a done upload: the version that it made. */
  readonly version?: string
}

/** Those that change nothing: each can be tried again by itself. */
export const READS = [
  'listEndpoints',
  'getEndpoint',
  'listModels',
  'listVersions',
  'getOperation',
  'runningOperations',
  'listObjects',
  'getObject',
  'requests',
] as const satisfies readonly (keyof VertexApi)[]
