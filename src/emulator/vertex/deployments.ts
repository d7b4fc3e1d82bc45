import { resourceName } from '../names.ts'
import { type Json, type JsonObject, RpcError } from '../ports.ts'
import { broken, CODES } from '../rules.ts'
import type { DeployedModelDoc, EndpointDoc, OperationDoc, Split } from '../state.ts'
import { checkNotDeleting } from './endpoints.ts'
import { masked, message, required, requiredMask, snake } from './fields.ts'
import type { Job, Submission } from './jobs.ts'
import { findVersion, modelDeleting } from './models.ts'
import { checkCpus } from './quotas.ts'
import { checkResources } from './resources.ts'
import { startServer, stopServer } from './serving.ts'
import { checkSplit } from './traffic.ts'
import { endpointOf, newId, now, running, type World, written } from './world.ts'

const TYPES = 'type.googleapis.com/google.cloud.aiplatform.v1.'

export function deployModel(world: World, request: JsonObject): Submission {
  const { name } = resourceName(world.state, 'endpoints', required(request, 'endpoint'), 'endpoint')
  const endpoint = endpointOf(world, name)
  checkNotDeleting(world, name)
  const given = message(request, 'deployedModel')
  const { modelVersionId: _v, createTime: _c, status: _s, privateEndpoints: _p, ...input } = given // rule: output-only
  const resources = checkResources(given)

  const id = given.id ? String(given.id) : newId(world, 10) // rule: deployed-id-generated
  if (!/^\d{1,10}$/.test(id) || id === '0') throw broken('deployed-id', `Invalid DeployedModel ID "${id}".`)
  const deployed = endpoint.deployedModels.map(({ id }) => id)
  const coming = running(world, name, 'DeployModel').map(({ work }) => (work.deployedModel as DeployedModelDoc).id)
  if ([...deployed, ...coming].includes(id))
    throw broken('deployed-exists', `The Endpoint has, or is being given, a DeployedModel with the ID ${id}.`)

  const model = resourceName(world.state, 'models', required(given, 'model'), 'deployed_model.model', 'versioned')
  const { document, version } = findVersion(world, model)
  if (modelDeleting(world, document.name, version.versionId))
    throw broken('model-delete-busy', `The Model "${document.name}" is being deleted.`)
  if (version.containerSpec.invokeRoutePrefix && !endpoint.dedicatedEndpointEnabled)
    throw broken('invoke-dedicated', 'A model with invoke_route_prefix can only be deployed to a dedicated endpoint.')

  const split = withoutZero((request.trafficSplit ?? {}) as Split, id)
  checkSplit(split, [...deployed, id], endpoint)
  checkCpus(world, name, resources)
  const deployedModel: DeployedModelDoc = {
    ...input,
    id,
    // rule: deployed-version
    model: document.name,
    modelVersionId: version.versionId,
    displayName: given.displayName ? String(given.displayName) : document.displayName, // rule: deployed-display-name
    dedicatedResources: resources,
  }
  return { target: name, work: { deployedModel, split } }
}

/** rule: traffic-zero-key */
function withoutZero(split: Split, id: string): Split {
  return Object.fromEntries(Object.entries(split).map(([key, percent]) => [key === '0' ? id : key, percent]))
}

/** rule: deploy-stages */
export const deploying: Job = {
  metadata: 'DeployModelOperationMetadata',
  steps({ deployStage: ms }) {
    return [
      { stage: 'STARTING_DEPLOYMENT', ms },
      { stage: 'PREPARING_MODEL', ms },
      { stage: 'CREATING_SERVING_CLUSTER', ms },
      { stage: 'ADDING_NODES_TO_CLUSTER', ms, run: noMachines },
      { stage: 'GETTING_CONTAINER_IMAGE', ms },
      {
        stage: 'STARTING_MODEL_SERVER',
        ms,
        async run(world, { target, work, fault }) {
          if (fault === 'readiness') throw notReady('the fault "readiness" was asked for')
          await startServer(world, target, work.deployedModel as DeployedModelDoc).catch(cause => {
            throw notReady((cause as Error).message)
          })
        },
      },
      { stage: 'FINISHING_UP', ms },
    ]
  },
  // rule: deployed-unfinished
  finish(world, { target, work }) {
    const endpoint = endpointOf(world, target)
    const deployedModel = { ...(work.deployedModel as DeployedModelDoc), createTime: now(world) }
    const deployedModels = [...endpoint.deployedModels, { ...deployedModel, status: ready(world, deployedModel) }]
    const split = work.split as Split
    const trafficSplit =
      Object.keys(split).length === 0
        ? endpoint.trafficSplit // rule: empty-split
        : stillValid(split, { ...endpoint, deployedModels })
    world.state.endpoints.set(target, written(world, { ...endpoint, deployedModels, trafficSplit }))
    return { '@type': `${TYPES}DeployModelResponse`, deployedModel }
  },
  undo: (world, { target, work }) => stopServer(world, target, (work.deployedModel as DeployedModelDoc).id),
}

const notReady = (reason: string) => broken('deploy-readiness', `Model server never became ready: ${reason}`)

async function noMachines(_: World, { fault }: OperationDoc): Promise<void> {
  if (fault === 'stockout')
    throw new RpcError(
      CODES.RESOURCE_EXHAUSTED,
      'Machine type temporarily unavailable, please deploy with a different machine type or retry.',
    )
}

const ready = (world: World, { dedicatedResources }: DeployedModelDoc): JsonObject => ({
  availableReplicaCount: dedicatedResources.minReplicaCount,
  lastUpdateTime: now(world),
})

function stillValid(split: Split, endpoint: EndpointDoc): Split {
  const gone = Object.keys(split).filter(id => !endpoint.deployedModels.some(model => model.id === id))
  if (gone.length > 0)
    throw broken('deploy-split-stale', `DeployedModel ID(s) [${gone.join(', ')}] of the traffic split are gone.`)
  return split
}

export function undeployModel(world: World, request: JsonObject): Submission {
  const { name } = resourceName(world.state, 'endpoints', required(request, 'endpoint'), 'endpoint')
  const id = String(required(request, 'deployedModelId'))
  const endpoint = endpointOf(world, name)
  deployedOf(endpoint, id)
  checkIdle(world, name, id)
  const split = (request.trafficSplit ?? {}) as Split
  withoutModel(endpoint, id, split)
  return { target: name, work: { id, split } }
}

export const undeploying: Job = {
  metadata: 'UndeployModelOperationMetadata',
  steps: timing => [{ ms: timing.undeploy }],
  finish(world, { target, work }) {
    const id = String(work.id)
    world.state.endpoints.set(target, written(world, withoutModel(endpointOf(world, target), id, work.split as Split)))
    void stopServer(world, target, id)
    return { '@type': `${TYPES}UndeployModelResponse` }
  },
}

/** The endpoint without a deployed model, which must have no traffic then. */
function withoutModel(endpoint: EndpointDoc, id: string, split: Split): EndpointDoc {
  const deployedModels = endpoint.deployedModels.filter(model => model.id !== id)
  // rule: undeploy-last
  if (deployedModels.length === 0) return { ...endpoint, deployedModels, trafficSplit: {} }
  const { [id]: percent = 0, ...rest } = Object.keys(split).length > 0 ? split : endpoint.trafficSplit
  if (percent > 0)
    throw broken('undeploy-traffic', `The DeployedModel ${id} has ${percent} % of the traffic: move it away first.`)
  const ids = deployedModels.map(model => model.id)
  return { ...endpoint, deployedModels, trafficSplit: checkSplit(rest, ids, endpoint) }
}

const SCALE = ['minReplicaCount', 'maxReplicaCount', 'requiredReplicaCount', 'autoscalingMetricSpecs']
const MUTABLE = [...SCALE.map(field => `dedicatedResources.${field}`), 'disableContainerLogging']

export function mutateDeployedModel(world: World, request: JsonObject): Submission {
  const { name } = resourceName(world.state, 'endpoints', required(request, 'endpoint'), 'endpoint')
  const given = message(request, 'deployedModel')
  const id = String(required(given, 'id'))
  const current = deployedOf(endpointOf(world, name), id)
  const mask = requiredMask(request.updateMask)
  const paths = mask === '*' ? MUTABLE : mask.split(',')
  const fixed = paths.find(path => !MUTABLE.includes(path))
  if (fixed) throw broken('mutate-fields', `The field ${snake(fixed)} of a DeployedModel cannot be mutated.`)
  checkIdle(world, name, id)
  const change = masked(current, given, paths)
  const resources = checkResources(change)
  checkCpus(world, name, resources, id)
  return { target: name, work: { id, paths, values: { ...change, dedicatedResources: resources } } }
}

export const mutating: Job = {
  metadata: 'MutateDeployedModelOperationMetadata',
  steps: timing => [{ ms: timing.mutate, run: noMachines }],
  finish(world, { target, work }) {
    const endpoint = endpointOf(world, target)
    const changed = masked(deployedOf(endpoint, String(work.id)), work.values as JsonObject, work.paths as string[])
    const deployedModel = { ...changed, dedicatedResources: checkResources(changed) }
    const deployedModels = endpoint.deployedModels.map(model =>
      model.id === work.id ? { ...deployedModel, status: ready(world, deployedModel) } : model,
    )
    world.state.endpoints.set(target, written(world, { ...endpoint, deployedModels }))
    return { '@type': `${TYPES}MutateDeployedModelResponse`, deployedModel }
  },
}

function deployedOf(endpoint: EndpointDoc, id: string): DeployedModelDoc {
  const found = endpoint.deployedModels.find(model => model.id === id)
  if (!found) throw broken('not-found', `DeployedModel ID(s) [${id}] do not exist.`)
  return found
}

function checkIdle(world: World, name: string, id: Json): void {
  const busy = running(world, name, 'UndeployModel', 'MutateDeployedModel').find(({ work }) => work.id === id)
  if (busy) throw broken('undeploy-twice', `The DeployedModel ${id} is being changed by ${busy.name}.`)
}
