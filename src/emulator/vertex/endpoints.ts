import { locationName, resourceName } from '../names.ts'
import type { JsonObject } from '../ports.ts'
import { broken } from '../rules.ts'
import type { EndpointDoc } from '../state.ts'
import {
  checkEtag,
  checkLabels,
  checkName,
  type Fields,
  inputs,
  masked,
  message,
  readMasked,
  required,
  seconds,
  snake,
  updatePaths,
} from './fields.ts'
import { equality } from './filters.ts'
import type { Job, Submission } from './jobs.ts'
import { type ListShape, page } from './lists.ts'
import { checkSplit } from './traffic.ts'
import { endpointOf, newId, now, running, type World, written } from './world.ts'

const ENDPOINT_TYPE = 'type.googleapis.com/google.cloud.aiplatform.v1.Endpoint'
export const EMPTY = { '@type': 'type.googleapis.com/google.protobuf.Empty' }

const FIELDS: Fields = {
  name: 'output',
  displayName: 'mutable',
  description: 'mutable',
  deployedModels: 'output',
  trafficSplit: 'mutable',
  etag: 'output',
  labels: 'mutable',
  createTime: 'output',
  updateTime: 'output',
  encryptionSpec: 'immutable',
  network: 'immutable',
  enablePrivateServiceConnect: 'immutable',
  privateServiceConnectConfig: 'immutable',
  modelDeploymentMonitoringJob: 'output',
  predictRequestResponseLoggingConfig: 'mutable', // rule: logging-update
  dedicatedEndpointEnabled: 'immutable',
  dedicatedEndpointDns: 'output',
  clientConnectionConfig: 'operation',
  satisfiesPzs: 'output',
  satisfiesPzi: 'output',
  genAiAdvancedFeaturesConfig: 'mutable',
  privateModelServerEnabled: 'immutable',
}

const LIST: ListShape = {
  fields: {
    endpoint: equality(document => String(document.name).split('/').at(-1)),
    displayName: equality(document => String(document.displayName)),
    // Only endpoints of tuned foundation models have one.
    baseModelName: { text: () => undefined, comparators: ['='] },
  },
  labels: true,
  orders: ['displayName', 'createTime', 'updateTime'],
}

export function createEndpoint(world: World, request: JsonObject): Submission {
  const location = locationName(world.state, required(request, 'parent'), 'parent')
  const endpoint = inputs(message(request, 'endpoint'), FIELDS)
  // rule: endpoint-id-generated
  const id = request.endpointId ? String(request.endpointId) : newId(world, 19)
  if (request.endpointId && !/^(?:[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?|[1-9]\d{0,9})$/.test(id))
    throw broken('endpoint-id', `Invalid endpoint_id "${id}".`)
  check(endpoint)
  checkSplit(endpoint.trafficSplit, [])
  const name = `${location.path}/endpoints/${id}`
  if (world.state.endpoints.has(name) || running(world, name, 'CreateEndpoint').length > 0)
    throw broken('endpoint-exists', `The Endpoint "${name}" already exists.`)
  return { target: name, work: { endpoint } }
}

export const creating: Job = {
  metadata: 'CreateEndpointOperationMetadata',
  steps: timing => [{ ms: timing.create }],
  finish(world, { target, work }) {
    const [, number, , region, , id] = target.split('/')
    const endpoint = work.endpoint as JsonObject
    const document = written(world, {
      labels: {},
      ...endpoint,
      name: target,
      trafficSplit: {},
      deployedModels: [],
      createTime: now(world),
      // rule: dedicated-dns
      ...(endpoint.dedicatedEndpointEnabled && {
        dedicatedEndpointDns: `${id}.${region}-${number}.prediction.vertexai.goog`,
      }),
    }) as JsonObject as EndpointDoc
    world.state.endpoints.set(target, document)
    return { '@type': ENDPOINT_TYPE, ...document }
  },
}

export function getEndpoint(world: World, request: JsonObject): JsonObject {
  return endpointOf(world, resourceName(world.state, 'endpoints', required(request, 'name'), 'name').name)
}

export function listEndpoints(world: World, request: JsonObject): JsonObject {
  const { path } = locationName(world.state, required(request, 'parent'), 'parent')
  const all = [...world.state.endpoints.values()].filter(({ name }) => name.startsWith(`${path}/`))
  const { items, nextPageToken } = page(all, request, LIST)
  return { endpoints: items.map(item => readMasked(item, request.readMask, FIELDS)), nextPageToken }
}

/** The unary update, which moves traffic among other things. */
export function updateEndpoint(world: World, request: JsonObject): JsonObject {
  const update = message(request, 'endpoint')
  const { name } = resourceName(world.state, 'endpoints', required(update, 'name'), 'endpoint.name')
  const paths = updatePaths(request.updateMask, FIELDS, refusal)
  const current = endpointOf(world, name)
  checkEtag(update.etag, current.etag)
  const endpoint = masked(current, update, paths)
  check(endpoint)
  const ids = current.deployedModels.map(({ id }) => id)
  const document = written(world, {
    ...endpoint,
    labels: endpoint.labels ?? {},
    trafficSplit: paths.includes('trafficSplit')
      ? checkSplit(endpoint.trafficSplit, ids, current)
      : current.trafficSplit,
  })
  world.state.endpoints.set(name, document)
  return document
}

const refusal = (field: string) =>
  field === 'clientConnectionConfig'
    ? broken('update-long-running', 'client_connection_config is updated by UpdateEndpointLongRunning.')
    : broken('immutable', `The field ${snake(field)} cannot be updated.`)

export function updateEndpointLongRunning(world: World, request: JsonObject): Submission {
  const update = message(request, 'endpoint')
  const { name } = resourceName(world.state, 'endpoints', required(update, 'name'), 'endpoint.name')
  const current = endpointOf(world, name)
  checkEtag(update.etag, current.etag)
  for (const [field, value] of Object.entries(inputs(update, FIELDS)))
    if (field !== 'clientConnectionConfig' && JSON.stringify(value) !== JSON.stringify(current[field]))
      throw broken('update-long-running', 'Only client_connection_config can be updated by this method.')
  check({ ...current, clientConnectionConfig: update.clientConnectionConfig })
  checkNotDeleting(world, name)
  return { target: name, work: { clientConnectionConfig: update.clientConnectionConfig } }
}

export const updating: Job = {
  metadata: 'UpdateEndpointOperationMetadata',
  steps: timing => [{ ms: timing.update }],
  finish(world, { target, work }) {
    const document = written(world, { ...endpointOf(world, target), ...work })
    world.state.endpoints.set(target, document)
    return { '@type': ENDPOINT_TYPE, ...document }
  },
}

export function deleteEndpoint(world: World, request: JsonObject): Submission {
  const { name } = resourceName(world.state, 'endpoints', required(request, 'name'), 'name')
  const { deployedModels } = endpointOf(world, name)
  if (deployedModels.length > 0)
    throw broken(
      'endpoint-delete-deployed',
      `The Endpoint "${name}" has deployed models (${deployedModels.map(({ id }) => id).join(', ')}): undeploy them first.`,
    )
  const busy = running(world, name)
  if (busy.length > 0)
    throw broken('endpoint-delete-busy', `Other operations run on the Endpoint: ${busy.map(o => o.name).join(', ')}.`)
  return { target: name, work: {} }
}

export const deleting: Job = {
  metadata: 'DeleteOperationMetadata',
  steps: timing => [{ ms: timing.delete }],
  finish(world, { target }) {
    world.state.endpoints.delete(target)
    return EMPTY
  },
}

export function checkNotDeleting(world: World, name: string): void {
  if (running(world, name, 'DeleteEndpoint').length > 0)
    throw broken('endpoint-delete-busy', `The Endpoint "${name}" is being deleted.`)
}

/** What holds for an endpoint by itself, new or updated. */
function check(endpoint: JsonObject): void {
  checkName(endpoint)
  checkLabels(endpoint.labels)
  const connected = endpoint.enablePrivateServiceConnect === true || endpoint.privateServiceConnectConfig !== undefined
  if (connected && endpoint.network)
    throw broken('network-psc', 'Only one of network and private service connect can be set.')
  if (connected && endpoint.dedicatedEndpointEnabled)
    throw broken('dedicated-psc', 'A dedicated endpoint cannot have private service connect.')
  const logging = endpoint.predictRequestResponseLoggingConfig as JsonObject | undefined
  const rate = Number(logging?.samplingRate ?? 0)
  if (logging?.enabled && !(rate > 0 && rate <= 1))
    throw broken('logging-rate', `The sampling_rate of the request log is ${rate}, not in (0, 1].`)
  const client = endpoint.clientConnectionConfig as JsonObject | undefined
  if (client?.inferenceTimeout === undefined) return
  const longest = endpoint.dedicatedEndpointEnabled ? 3600 : 60
  if (!((seconds(client.inferenceTimeout) ?? Number.NaN) <= longest))
    throw broken('inference-timeout', `The inference_timeout ${client.inferenceTimeout} is above ${longest}s.`)
}
