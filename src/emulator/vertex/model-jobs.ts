import { type Location, locationName, resourceName } from '../names.ts'
import type { JsonObject } from '../ports.ts'
import { broken } from '../rules.ts'
import type { DeployedModelDoc, VersionDoc } from '../state.ts'
import { checkContainer } from './containers.ts'
import { EMPTY } from './endpoints.ts'
import { message, required } from './fields.ts'
import type { Job, Submission } from './jobs.ts'
import { addVersion, explicitVersion, findVersion, modelDeleting, modelOf, versionInput } from './models.ts'
import { newId, running, type World, written } from './world.ts'

const TYPES = 'type.googleapis.com/google.cloud.aiplatform.v1.'

export function uploadModel(world: World, request: JsonObject): Submission {
  const location = locationName(world.state, required(request, 'parent'), 'parent')
  const model = message(request, 'model')
  const input = versionInput(model)
  checkContainer(model)
  return { target: destination(world, location, request), work: { input } }
}

/** The model that a new version goes to: an existing one, or one of a new id. */
function destination(world: World, location: Location, request: JsonObject): string {
  if (request.modelId && request.parentModel)
    throw broken('model-destination', 'Only one of model_id and parent_model can be set.')
  if (request.parentModel) {
    const parent = resourceName(world.state, 'models', request.parentModel, 'parent_model')
    if (parent.path !== location.path)
      throw broken('location-mismatch', `The parent_model "${parent.name}" is not in "${location.path}".`)
    modelOf(world, parent.name)
    if (modelDeleting(world, parent.name))
      throw broken('model-delete-busy', `The Model "${parent.name}" is being deleted.`)
    return parent.name
  }
  const id = request.modelId ? String(request.modelId) : newId(world, 19) // rule: model-id-generated
  if (request.modelId && !/^[a-z_][a-z0-9_-]{0,62}$/.test(id)) throw broken('model-id', `Invalid model_id "${id}".`)
  const name = `${location.path}/models/${id}`
  if (world.state.models.has(name) || running(world, name, 'UploadModel', 'CopyModel').length > 0)
    throw broken('model-exists', `The Model "${name}" already exists.`)
  return name
}

export const uploading: Job = {
  metadata: 'UploadModelOperationMetadata',
  steps: timing => [{ ms: timing.upload }],
  finish(world, { target, work }) {
    const { versionId } = addVersion(world, target, work.input as JsonObject)
    return { '@type': `${TYPES}UploadModelResponse`, model: target, modelVersionId: versionId }
  },
}

export function copyModel(world: World, request: JsonObject): Submission {
  const location = locationName(world.state, required(request, 'parent'), 'parent')
  const from = resourceName(world.state, 'models', required(request, 'sourceModel'), 'source_model', 'versioned')
  if (from.number !== location.number) throw broken('copy-project', 'A model can only be copied within its project.')
  const { document, version } = findVersion(world, from)
  const { versionAliases: _, ...copied } = version
  const input = {
    ...copied,
    displayName: document.displayName,
    description: document.description,
    // rule: copy-original
    originalModelInfo: { model: `${document.name}@${version.versionId}` },
    modelSourceInfo: { sourceType: 'CUSTOM', copy: true },
    ...(request.encryptionSpec !== undefined && { encryptionSpec: request.encryptionSpec }),
  }
  return { target: destination(world, location, request), work: { input } }
}

export const copying: Job = {
  metadata: 'CopyModelOperationMetadata',
  steps: timing => [{ ms: timing.copy }],
  finish(world, { target, work }) {
    const { versionId } = addVersion(world, target, work.input as JsonObject)
    return { '@type': `${TYPES}CopyModelResponse`, model: target, modelVersionId: versionId }
  },
}

export function deleteModel(world: World, request: JsonObject): Submission {
  const { name } = resourceName(world.state, 'models', required(request, 'name'), 'name')
  modelOf(world, name)
  checkNotDeployed(world, name)
  if (running(world, name).length > 0) throw broken('model-delete-busy', `Other operations run on the Model "${name}".`)
  return { target: name, work: {} }
}

export function deleteModelVersion(world: World, request: JsonObject): Submission {
  const target = explicitVersion(world, request)
  const { document, version } = findVersion(world, target)
  const id = version.versionId
  if (modelDeleting(world, document.name, id))
    throw broken('model-delete-busy', `The Model "${document.name}@${id}" is being deleted.`)
  checkNotDeployed(world, document.name, id)
  checkRemovable(document.versions, version)
  return { target: document.name, work: { version: id } }
}

function checkRemovable(versions: Readonly<Record<string, VersionDoc>>, version: VersionDoc): void {
  if (Object.keys(versions).length === 1)
    throw broken('version-delete-only', 'The only version of a model cannot be deleted: delete the model.')
  if (version.versionAliases.includes('default'))
    throw broken('version-delete-default', 'The default version of a model cannot be deleted.')
}

/** Deletes a model, or a version of one. */
export const deletingModel: Job = {
  metadata: 'DeleteOperationMetadata',
  steps: timing => [{ ms: timing.delete }],
  finish(world, { target, work }) {
    const id = work.version as string | undefined
    checkNotDeployed(world, target, id)
    if (id === undefined) {
      world.state.models.delete(target)
      return EMPTY
    }
    const document = modelOf(world, target)
    const { [id]: version, ...versions } = document.versions
    checkRemovable(document.versions, version)
    world.state.models.set(target, written(world, { ...document, versions }))
    return EMPTY
  },
}

function checkNotDeployed(world: World, name: string, version?: string): void {
  const uses = ({ model, modelVersionId }: DeployedModelDoc) =>
    model === name && (version === undefined || modelVersionId === version)
  const endpoints = [...world.state.endpoints.values()].filter(({ deployedModels }) => deployedModels.some(uses))
  const coming = [...world.state.operations.values()].filter(
    ({ done, method, work }) => !done && method === 'DeployModel' && uses(work.deployedModel as DeployedModelDoc),
  )
  const where = [...endpoints.map(endpoint => endpoint.name), ...coming.map(({ target }) => target)]
  if (where.length > 0)
    throw broken('model-delete-deployed', `The Model "${name}" is deployed to ${where.join(', ')}: undeploy it first.`)
}
