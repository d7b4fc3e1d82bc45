import { locationName, type ResourceName, resourceName } from '../names.ts'
import type { JsonObject } from '../ports.ts'
import { broken } from '../rules.ts'
import type { ModelDoc, VersionDoc } from '../state.ts'
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
  updatePaths,
} from './fields.ts'
import { equality } from './filters.ts'
import { type ListShape, page } from './lists.ts'
import { now, running, type World, written } from './world.ts'

const MODEL_FIELDS: Fields = {
  name: 'output',
  versionId: 'output',
  versionAliases: 'immutable', // MergeVersionAliases changes them.
  versionCreateTime: 'output',
  versionUpdateTime: 'output',
  displayName: 'mutable',
  description: 'mutable',
  versionDescription: 'mutable',
  defaultCheckpointId: 'immutable',
  predictSchemata: 'immutable',
  metadataSchemaUri: 'immutable',
  metadata: 'immutable',
  supportedExportFormats: 'output',
  trainingPipeline: 'output',
  pipelineJob: 'immutable',
  containerSpec: 'immutable',
  artifactUri: 'immutable',
  supportedDeploymentResourcesTypes: 'output',
  supportedInputStorageFormats: 'output',
  supportedOutputStorageFormats: 'output',
  createTime: 'output',
  updateTime: 'output',
  deployedModels: 'output',
  explanationSpec: 'immutable',
  etag: 'output',
  labels: 'mutable',
  dataStats: 'immutable',
  encryptionSpec: 'immutable',
  modelSourceInfo: 'output',
  originalModelInfo: 'output',
  metadataArtifact: 'output',
  baseModelSource: 'immutable',
  satisfiesPzs: 'output',
  satisfiesPzi: 'output',
  checkpoints: 'output',
}

/** Inputs of an upload that are not part of a version but of its model, or that the version keeps in another form. */
const OWN = ['displayName', 'description', 'versionAliases']

const LIST: ListShape = {
  fields: {
    model: equality(document => String(document.name).split('/').at(-1)),
    displayName: equality(document => String(document.displayName)),
    baseModelName: { text: () => undefined, comparators: ['='] },
  },
  labels: true,
  orders: ['displayName', 'createTime', 'updateTime'],
}
const VERSIONS: ListShape = { fields: {}, labels: true, orders: ['createTime', 'updateTime'] }

export function modelOf(world: World, name: string): ModelDoc {
  const model = world.state.models.get(name)
  if (!model) throw broken('not-found', `The Model "${name}" does not exist.`)
  return model
}

/** The version that a name means: a number, an alias, or the default. */
export function findVersion(
  world: World,
  { name, version = 'default' }: Pick<ResourceName, 'name'> & Partial<Pick<ResourceName, 'version'>>,
): { readonly document: ModelDoc; readonly version: VersionDoc } {
  const document = modelOf(world, name)
  const found =
    document.versions[version] ??
    Object.values(document.versions).find(({ versionAliases }) => versionAliases.includes(version)) // rule: version-default
  if (!found) throw broken('not-found', `The Model "${name}@${version}" does not exist.`)
  return { document, version: found }
}

export const modelDeleting = (world: World, name: string, version?: string): boolean =>
  running(world, name, 'DeleteModel', 'DeleteModelVersion').some(
    ({ work }) => work.version === undefined || version === undefined || work.version === version,
  )

/** A version as answers show it; `asked` is the name that they answer. */
function versionAnswer(world: World, document: ModelDoc, version: VersionDoc, asked: NameForm): JsonObject {
  const { containerSpec: _, labels, ...shown } = version // rule: container-input-only
  const { name, displayName, description, etag, createTime, updateTime } = document
  const deployedModels = [...world.state.endpoints.values()].flatMap(endpoint =>
    endpoint.deployedModels
      .filter(({ model, modelVersionId }) => model === name && modelVersionId === version.versionId)
      .map(({ id }) => ({ endpoint: endpoint.name, deployedModelId: id })),
  )
  return {
    ...shown,
    ...{ displayName, description, etag, createTime, updateTime },
    name: asked === 'versioned' ? `${name}@${version.versionId}` : name,
    labels: isDefault(version) ? { ...document.labels, ...labels } : labels, // rule: labels-merged
    supportedDeploymentResourcesTypes: ['DEDICATED_RESOURCES', 'SHARED_RESOURCES'], // rule: model-resources
    deployedModels, // rule: model-deployed-models
  }
}

/** A name with `@` is answered with the number, whatever stood there. rule: version-name, rule: version-name-absent */
type NameForm = 'versioned' | 'bare'
const formOf = ({ version }: Pick<ResourceName, 'version'>): NameForm => (version === undefined ? 'bare' : 'versioned')

const isDefault = ({ versionAliases }: VersionDoc) => versionAliases.includes('default')

/** A version as it is kept: checked inputs of an upload. */
export function versionInput(model: JsonObject): JsonObject {
  checkName(model)
  checkLabels(model.labels)
  const aliases = (model.versionAliases ?? []) as readonly string[]
  for (const alias of aliases) checkAlias(alias)
  return inputs(model, MODEL_FIELDS)
}

function checkAlias(alias: string): void {
  if (!/^[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]$/.test(alias)) throw broken('alias-form', `Invalid version alias "${alias}".`)
}

/** Adds a version to the model of that name, or makes the model with its first. rule: version-increment */
export function addVersion(world: World, name: string, input: JsonObject): VersionDoc {
  const time = now(world)
  const current = world.state.models.get(name)
  const versionId = String((current?.lastVersion ?? 0) + 1)
  const aliases = (input.versionAliases ?? []) as readonly string[]
  const kept = Object.fromEntries(Object.entries(input).filter(([field]) => !OWN.includes(field)))
  const version: VersionDoc = {
    versionDescription: '',
    artifactUri: '',
    containerSpec: {},
    labels: {},
    ...kept,
    versionId,
    versionAliases: [],
    versionCreateTime: time,
    versionUpdateTime: time,
  }
  const model: ModelDoc = {
    ...(current ?? {
      name,
      displayName: String(input.displayName), // rule: version-display-name
      description: String(input.description ?? ''),
      labels: {},
      etag: '',
      createTime: time,
      updateTime: time,
    }),
    lastVersion: Number(versionId),
    versions: { ...current?.versions, [versionId]: version },
  }
  const versions = withAliases(model, versionId, current ? aliases : [...aliases, 'default'], []) // rule: alias-order
  world.state.models.set(name, written(world, { ...model, versions }))
  return versions[versionId]
}

/** rule: alias-moves */
function withAliases(
  { versions }: ModelDoc,
  to: string,
  given: readonly string[],
  taken: readonly string[],
): Readonly<Record<string, VersionDoc>> {
  return Object.fromEntries(
    Object.entries(versions).map(([id, version]) => {
      const gone = id === to ? taken : given
      const kept = version.versionAliases.filter(alias => !gone.includes(alias))
      return [id, { ...version, versionAliases: id === to ? [...new Set([...kept, ...given])] : kept }]
    }),
  )
}

export function getModel(world: World, request: JsonObject): JsonObject {
  const name = resourceName(world.state, 'models', required(request, 'name'), 'name', 'versioned')
  const { document, version } = findVersion(world, name)
  return versionAnswer(world, document, version, formOf(name))
}

export function listModels(world: World, request: JsonObject): JsonObject {
  const { path } = locationName(world.state, required(request, 'parent'), 'parent')
  const all = [...world.state.models.values()]
    .filter(({ name }) => name.startsWith(`${path}/`))
    .map(model => versionAnswer(world, model, findVersion(world, { name: model.name }).version, 'bare'))
  const { items, nextPageToken } = page(all, request, LIST)
  return { models: items.map(item => readMasked(item, request.readMask, MODEL_FIELDS)), nextPageToken }
}

export function listModelVersions(world: World, request: JsonObject): JsonObject {
  const { name } = resourceName(world.state, 'models', required(request, 'name'), 'name', 'versioned')
  const document = modelOf(world, name)
  const all = Object.values(document.versions).map(version => ({
    ...versionAnswer(world, document, version, 'versioned'),
    createTime: version.versionCreateTime,
    updateTime: version.versionUpdateTime,
  }))
  const { items, nextPageToken } = page(all, request, VERSIONS)
  return { models: items.map(item => readMasked(item, request.readMask, MODEL_FIELDS)), nextPageToken }
}

const OF_MODEL = ['displayName', 'description', 'labels']
const OF_VERSION = ['versionDescription', 'labels']

export function updateModel(world: World, request: JsonObject): JsonObject {
  const update = message(request, 'model')
  const text = String(required(update, 'name')).replace(/@-$/, '')
  const target = resourceName(world.state, 'models', text, 'model.name', 'versioned')
  const ofVersion = target.version !== undefined
  const paths = updatePaths(request.updateMask, MODEL_FIELDS)
  const wrong =
    request.updateMask === '*' ? [] : paths.filter(path => !(ofVersion ? OF_VERSION : OF_MODEL).includes(path))
  if (wrong.length > 0)
    throw broken(
      'update-model-fields',
      `${wrong.join(', ')}: fields of a ${ofVersion ? 'model cannot be updated in a version' : 'version cannot be updated in a model'}.`,
    )
  const { document, version } = findVersion(world, target)
  checkEtag(update.etag, document.etag)
  if (ofVersion) {
    const changed = masked(
      version,
      update,
      paths.filter(path => OF_VERSION.includes(path)),
    )
    const next: VersionDoc = {
      ...changed,
      versionDescription: changed.versionDescription ?? '',
      labels: checkLabels(changed.labels),
      versionUpdateTime: now(world),
    }
    return storeVersions(world, document, { ...document.versions, [next.versionId]: next }, next.versionId)
  }
  const changed = masked(
    document,
    update,
    paths.filter(path => OF_MODEL.includes(path)),
  )
  checkName(changed)
  const labels = checkLabels(changed.labels)
  // rule: labels-of-model
  const labelled = paths.includes('labels') ? { ...version, labels, versionUpdateTime: now(world) } : version
  const next = written(world, {
    ...changed,
    description: changed.description ?? '',
    labels,
    versions: { ...document.versions, [version.versionId]: labelled },
  })
  world.state.models.set(next.name, next)
  return versionAnswer(world, next, labelled, 'bare')
}

export function mergeVersionAliases(world: World, request: JsonObject): JsonObject {
  // rule: alias-by-alias
  const target = resourceName(world.state, 'models', required(request, 'name'), 'name', 'versioned')
  if (target.version === undefined) throw withoutVersion(request)
  const { document, version } = findVersion(world, target)
  const aliases = required(request, 'versionAliases') as readonly string[]
  if (aliases.length === 0) throw broken('required', 'Required field version_aliases is not set.')
  const taken = aliases.filter(alias => alias.startsWith('-')).map(alias => alias.slice(1))
  const given = aliases.filter(alias => !alias.startsWith('-'))
  for (const alias of [...taken, ...given]) checkAlias(alias)
  // rule: alias-cancel
  const [in_, out] = [given.filter(alias => !taken.includes(alias)), taken.filter(alias => !given.includes(alias))]
  if (out.includes('default') && version.versionAliases.includes('default'))
    throw broken('version-default-removed', 'The alias "default" cannot be removed: give it to another version.')
  return storeVersions(world, document, withAliases(document, version.versionId, in_, out), version.versionId)
}

function storeVersions(world: World, document: ModelDoc, versions: ModelDoc['versions'], shown: string): JsonObject {
  const next = written(world, { ...document, versions })
  world.state.models.set(next.name, next)
  return versionAnswer(world, next, versions[shown], 'versioned')
}

export function explicitVersion(world: World, request: JsonObject): ResourceName {
  const target = resourceName(world.state, 'models', required(request, 'name'), 'name', 'versioned')
  if (!/^\d+$/.test(target.version ?? '')) throw withoutVersion(request)
  return target
}

const withoutVersion = ({ name }: JsonObject) =>
  broken('version-explicit', `The name "${name}" does not include a version ID.`)
