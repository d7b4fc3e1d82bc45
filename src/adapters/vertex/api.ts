/**
 * Vertex AI and one bucket as requests: one call is one request, and who calls retries, waits and polls. Ids are bare
 * (`dap-shop-offer-3fa9c1d2`), never resource names: those have the project's id in requests and its number in answers.
 */
import type {
  Artefacts,
  Endpoint,
  EndpointUpdate,
  Measurements,
  ModelVersion,
  NewDeployedModel,
  NewEndpoint,
  NewModelVersion,
  Place,
  Scale,
  Status,
  VersionUpdate,
} from '../../deploy/cloud.ts'

export interface VertexApi extends Artefacts, Measurements {
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
