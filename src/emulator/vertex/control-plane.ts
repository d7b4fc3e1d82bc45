import { type Fault, type Faults, openFaults } from '../faults.ts'
import { numbered } from '../names.ts'
import {
  type Clock,
  type ControlPlane,
  type JsonObject,
  type ModelServers,
  RpcError,
  type StateStore,
} from '../ports.ts'
import { broken, CODES } from '../rules.ts'
import { loadState, type OperationDoc, saver } from '../state.ts'
import { deploying, deployModel, mutateDeployedModel, mutating, undeploying, undeployModel } from './deployments.ts'
import {
  createEndpoint,
  creating,
  deleteEndpoint,
  deleting,
  getEndpoint,
  listEndpoints,
  updateEndpoint,
  updateEndpointLongRunning,
  updating,
} from './endpoints.ts'
import { type Job, openJobs, type Submission } from './jobs.ts'
import {
  copying,
  copyModel,
  deleteModel,
  deleteModelVersion,
  deletingModel,
  uploading,
  uploadModel,
} from './model-jobs.ts'
import { getModel, listModels, listModelVersions, mergeVersionAliases, updateModel } from './models.ts'
import { operationAnswer, operationMethods } from './operations.ts'
import { openQuotas } from './quotas.ts'
import { openRouter, restartServers } from './serving.ts'
import { QUOTAS, type Quotas, TIMING, type Timing, type World } from './world.ts'

export interface ControlPlaneOptions {
  readonly clock: Clock
  readonly servers: ModelServers
  readonly store: StateStore
  /** Of the draws by traffic and of generated ids. */
  readonly seed: number
  readonly timing?: Partial<Timing>
  readonly quotas?: Partial<Quotas>
}

export interface OpenControlPlane extends ControlPlane {
  readonly faults: Faults
  /** Stops the servers and leaves operations where they are, to go on when the same state is opened again. */
  close(): Promise<void>
}

interface Rpc {
  readonly service: string
  /** Of a method that answers at once. */
  readonly answer?: (world: World, request: JsonObject) => JsonObject
  /** Of a method that begins an operation. */
  readonly submit?: (world: World, request: JsonObject) => Submission
  readonly job?: Job
}

/** Methods after which there is nothing to save. */
const READING = /^(Get|List|Wait)/

const ENDPOINTS = 'google.cloud.aiplatform.v1.EndpointService'
const MODELS = 'google.cloud.aiplatform.v1.ModelService'
const OPERATIONS = 'google.longrunning.Operations'

/** Short name of a method → what it does. */
const RPCS: Readonly<Record<string, Rpc>> = {
  CreateEndpoint: { service: ENDPOINTS, submit: createEndpoint, job: creating },
  GetEndpoint: { service: ENDPOINTS, answer: getEndpoint },
  ListEndpoints: { service: ENDPOINTS, answer: listEndpoints },
  UpdateEndpoint: { service: ENDPOINTS, answer: updateEndpoint },
  UpdateEndpointLongRunning: { service: ENDPOINTS, submit: updateEndpointLongRunning, job: updating },
  DeleteEndpoint: { service: ENDPOINTS, submit: deleteEndpoint, job: deleting },
  DeployModel: { service: ENDPOINTS, submit: deployModel, job: deploying },
  UndeployModel: { service: ENDPOINTS, submit: undeployModel, job: undeploying },
  MutateDeployedModel: { service: ENDPOINTS, submit: mutateDeployedModel, job: mutating },
  UploadModel: { service: MODELS, submit: uploadModel, job: uploading },
  GetModel: { service: MODELS, answer: getModel },
  ListModels: { service: MODELS, answer: listModels },
  ListModelVersions: { service: MODELS, answer: listModelVersions },
  UpdateModel: { service: MODELS, answer: updateModel },
  MergeVersionAliases: { service: MODELS, answer: mergeVersionAliases },
  DeleteModel: { service: MODELS, submit: deleteModel, job: deletingModel },
  DeleteModelVersion: { service: MODELS, submit: deleteModelVersion, job: deletingModel },
  CopyModel: { service: MODELS, submit: copyModel, job: copying },
}

const JOBS = Object.fromEntries(Object.entries(RPCS).flatMap(([name, { job }]) => (job ? [[name, job]] : [])))

/** Vertex AI's endpoints, models and operations, by its rules; what it knows outlives it in the store. */
export async function openControlPlane(options: ControlPlaneOptions): Promise<OpenControlPlane> {
  const { clock, servers, store, seed } = options
  const state = await loadState(store)
  const save = saver(state, store)
  const timing = { ...TIMING, ...options.timing }
  const quotas = { ...QUOTAS, ...options.quotas }
  const world: World = { state, clock, seed, servers, timing, quotas, serving: new Map() }
  const jobs = openJobs(world, JOBS, save)
  const faults = openFaults()
  const count = openQuotas(world)
  const operation = (document: OperationDoc) => operationAnswer(document, JOBS[document.method])
  const polling = operationMethods(state, jobs, operation)
  const methods = Object.entries(RPCS)
    .map(([name, { service }]) => `${service}/${name}`)
    .concat(Object.keys(polling).map(name => `${OPERATIONS}/${name}`))

  /** What was asked for, with the faults of an operation. */
  function handle(name: string, request: JsonObject, fault: Fault | undefined): JsonObject | Promise<JsonObject> {
    if (name in polling) return polling[name](request)
    const { answer, submit } = RPCS[name]
    count(locationOf(request), submit ? 'operation' : 'request')
    if (answer) return answer(world, request)
    const submission = (submit as NonNullable<Rpc['submit']>)(world, request)
    const failing = fault?.fault === 'readiness' || fault?.fault === 'stockout' ? fault.fault : undefined
    return operation(jobs.begin(name, submission, { factor: fault?.factor ?? 1, fault: failing }))
  }

  const locationOf = (request: JsonObject): string =>
    /^projects\/[^/]+\/locations\/[^/]+/.exec(numbered(state, nameOf(request)))?.[0] ?? ''

  /** As somebody at the console would, by the same rules. */
  function edit(request: JsonObject, change: JsonObject): void {
    const [name] = /^projects\/[^/]+\/locations\/[^/]+\/endpoints\/[^/]+/.exec(nameOf(request)) ?? []
    if (name && state.endpoints.has(numbered(state, name)))
      updateEndpoint(world, { endpoint: { ...change, name }, updateMask: Object.keys(change).join(',') })
  }

  let closed = false
  restartServers(world, () => closed)
  jobs.resume()

  return {
    faults,
    route: openRouter(world),
    async call(method, request) {
      const name = known(method, methods)
      const fault = faults.take(name)
      if (fault?.fault === 'unavailable') throw new RpcError(CODES.UNAVAILABLE, 'The service is currently unavailable.')
      if (fault?.fault === 'quota') throw new RpcError(CODES.RESOURCE_EXHAUSTED, 'Quota exceeded.')
      if (fault?.fault === 'foreign-edit') edit(request, fault.edit as JsonObject)
      const answer = await handle(name, request, fault)
      if (!READING.test(name) || fault?.fault === 'foreign-edit') await save()
      if (fault?.fault === 'lost-response') throw new RpcError(CODES.UNAVAILABLE, 'The connection was lost.')
      return answer
    },
    async close() {
      closed = true
      jobs.stop()
      const stopping = [...world.serving.values()].map(server => server.stop())
      world.serving.clear()
      await Promise.all(stopping)
      await save()
    },
  }
}

/** The short name of a method that there is. */
function known(method: string, methods: readonly string[]): string {
  if (!methods.includes(method))
    throw broken('unimplemented', `The emulator does not have ${method}. It has ${methods.join(', ')}.`)
  return method.slice(method.indexOf('/') + 1)
}

/** The name that a request is about. */
function nameOf(request: JsonObject): string {
  const inner = (field: string) => (request[field] as JsonObject | undefined)?.name
  const { parent, name, endpoint } = request
  for (const value of [parent, name, typeof endpoint === 'string' ? endpoint : inner('endpoint'), inner('model')])
    if (typeof value === 'string' && value !== '') return value
  return ''
}
