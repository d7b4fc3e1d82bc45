/** Messages of Vertex AI as they are read here, and back. An endpoint that something else made too has more fields: they are neither read nor written. */
import type { google } from '@google-cloud/aiplatform/build/protos/protos.js'
import type { Place, RequestLog, Scale } from '../../deploy/routes.ts'
import type {
  DeployedModel,
  Endpoint,
  EndpointUpdate,
  ModelVersion,
  NewDeployedModel,
  NewEndpoint,
  NewModelVersion,
  Operation,
  VersionUpdate,
} from './api.ts'
import { statusOf } from './errors.ts'

type IEndpoint = google.cloud.aiplatform.v1.IEndpoint
type IDeployedModel = google.cloud.aiplatform.v1.IDeployedModel
type IDedicatedResources = google.cloud.aiplatform.v1.IDedicatedResources
type IModel = google.cloud.aiplatform.v1.IModel
type ILogging = google.cloud.aiplatform.v1.IPredictRequestResponseLoggingConfig
type ITimestamp = google.protobuf.ITimestamp
type OperationMessage = Omit<google.longrunning.IOperation, 'toJSON'>

/** What a client answers when it has started an operation. */
export interface Started {
  readonly latestResponse: OperationMessage
}

const CPU = 'aiplatform.googleapis.com/prediction/online/cpu/utilization'
/** Vertex AI's own, where nothing was said. */
const DEFAULT_TARGET_CPU = 60

/** Names as requests have them, with the project's id. */
export function resourceNames({ project, region }: Place) {
  const parent = `projects/${project}/locations/${region}`
  return {
    parent,
    endpoint: (id: string) => `${parent}/endpoints/${id}`,
    model: (id: string) => `${parent}/models/${id}`,
    version: (model: string, version: string) => `${parent}/models/${model}@${version}`,
  }
}

/** The last part of a resource name, without a version: answers have the project's number where requests have its id. */
function idOf(name: string | null | undefined): string {
  return (name ?? '').replace(/^.*\//, '').replace(/@.*$/, '')
}

function timeOf(time: ITimestamp | null | undefined): number {
  return time == null ? 0 : Number(time.seconds ?? 0) * 1000 + Math.floor((time.nanos ?? 0) / 1e6)
}

export function endpointOf(message: IEndpoint): Endpoint {
  return {
    id: idOf(message.name),
    displayName: message.displayName ?? '',
    description: message.description ?? '',
    etag: message.etag ?? '',
    labels: message.labels ?? {},
    traffic: message.trafficSplit ?? {},
    deployedModels: (message.deployedModels ?? []).map(deployedModelOf),
    dedicated: message.dedicatedEndpointEnabled ?? false,
    requestLog: requestLogOf(message.predictRequestResponseLoggingConfig),
    host: message.dedicatedEndpointDns || null,
  }
}

export function newEndpoint({ displayName, description, labels, dedicated, requestLog }: NewEndpoint): IEndpoint {
  return {
    displayName,
    description,
    labels: { ...labels },
    dedicatedEndpointEnabled: dedicated,
    predictRequestResponseLoggingConfig: logging(requestLog),
  }
}

/** The request whose mask names what is given, and nothing else. */
export function endpointUpdate(
  name: string,
  { etag, displayName, description, labels, traffic, requestLog }: EndpointUpdate,
) {
  const given: readonly (readonly [path: string, field: Partial<IEndpoint> | undefined])[] = [
    ['display_name', displayName === undefined ? undefined : { displayName }],
    ['description', description === undefined ? undefined : { description }],
    ['labels', labels && { labels: { ...labels } }],
    ['traffic_split', traffic && { trafficSplit: { ...traffic } }],
    [
      'predict_request_response_logging_config',
      requestLog === undefined ? undefined : { predictRequestResponseLoggingConfig: logging(requestLog) },
    ],
  ]
  const written = given.filter(([, field]) => field !== undefined)
  const endpoint: IEndpoint = Object.assign({ name, etag }, ...written.map(([, field]) => field))
  return { endpoint, updateMask: { paths: written.map(([path]) => path) } }
}

function requestLogOf(message: ILogging | null | undefined): RequestLog | null {
  if (!message?.enabled) return null
  return { sample: message.samplingRate ?? 0, table: message.bigqueryDestination?.outputUri ?? '' }
}

function logging(log: RequestLog | null): ILogging | null {
  return log && { enabled: true, samplingRate: log.sample, bigqueryDestination: { outputUri: log.table } }
}

/** One that shares its machines with others, which dap never makes, has no machine type and no replicas. */
function deployedModelOf(message: IDeployedModel): DeployedModel {
  const resources = message.dedicatedResources
  const cpu = resources?.autoscalingMetricSpecs?.find(({ metricName }) => metricName === CPU)
  return {
    id: message.id ?? '',
    displayName: message.displayName ?? '',
    model: idOf(message.model),
    version: message.modelVersionId ?? '',
    machineType: resources?.machineSpec?.machineType ?? '',
    serviceAccount: message.serviceAccount || null,
    scale: {
      minReplicas: resources?.minReplicaCount ?? 0,
      maxReplicas: resources?.maxReplicaCount ?? 0,
      targetCpu: cpu?.target || DEFAULT_TARGET_CPU,
    },
    created: timeOf(message.createTime),
    available: message.status?.availableReplicaCount ?? null,
  }
}

export function newDeployedModel(model: NewDeployedModel, versionName: string): IDeployedModel {
  const { id, displayName, machineType, serviceAccount, scale } = model
  return {
    id,
    displayName,
    model: versionName,
    serviceAccount,
    dedicatedResources: { machineSpec: { machineType }, ...replicas(scale) },
  }
}

export function scaleUpdate(id: string, scale: Scale) {
  const fields = ['min_replica_count', 'max_replica_count', 'autoscaling_metric_specs']
  return {
    deployedModel: { id, dedicatedResources: replicas(scale) },
    updateMask: { paths: fields.map(field => `dedicated_resources.${field}`) },
  }
}

function replicas({ minReplicas, maxReplicas, targetCpu }: Scale): IDedicatedResources {
  return {
    minReplicaCount: minReplicas,
    maxReplicaCount: maxReplicas,
    autoscalingMetricSpecs: [{ metricName: CPU, target: targetCpu }],
  }
}

export function versionOf(message: IModel): ModelVersion {
  return {
    model: idOf(message.name),
    version: message.versionId ?? '',
    aliases: message.versionAliases ?? [],
    displayName: message.displayName ?? '',
    etag: message.etag ?? '',
    labels: message.labels ?? {},
    created: timeOf(message.versionCreateTime),
  }
}

export function versionUpdate(name: string, { etag, labels }: VersionUpdate) {
  const model: IModel = { name, etag, labels: { ...labels } }
  return { model, updateMask: { paths: ['labels'] } }
}

export function newModelVersion(version: NewModelVersion): IModel {
  const { displayName, description, labels, image, artifact, predictRoute, healthRoute, port, args } = version
  return {
    displayName,
    versionDescription: description,
    labels: { ...labels },
    artifactUri: artifact,
    containerSpec: {
      imageUri: image,
      args: [...args],
      ports: [{ containerPort: port }],
      predictRoute,
      healthRoute,
    },
  }
}

/** Readers of what an operation carries packed in an Any, to objects that say themselves in proto3 JSON. */
export interface Decoders {
  uploadModelResponse(bytes: Uint8Array): { toJSON(): Readonly<Record<string, unknown>> }
  deployModelMetadata(bytes: Uint8Array): { toJSON(): Readonly<Record<string, unknown>> }
}

export function operationOf(
  { name, done, error, metadata, response }: OperationMessage,
  decoders: Decoders,
): Operation {
  const stage = unpack(metadata, 'DeployModelOperationMetadata', decoders.deployModelMetadata)?.['deploymentStage']
  const version = unpack(response, 'UploadModelResponse', decoders.uploadModelResponse)?.['modelVersionId']
  return {
    name: name ?? '',
    done: done ?? false,
    ...(typeof stage === 'string' && !done ? { stage } : {}),
    ...(error?.code ? { error: { status: statusOf(error.code), message: error.message ?? '' } } : {}),
    ...(typeof version === 'string' ? { version } : {}),
  }
}

function unpack(any: google.protobuf.IAny | null | undefined, type: string, decode: Decoders['uploadModelResponse']) {
  if (!any?.type_url?.endsWith(`.${type}`) || !(any.value instanceof Uint8Array)) return undefined
  return decode(any.value).toJSON()
}
