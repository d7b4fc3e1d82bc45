import type { ActualDeployment } from '../../src/deploy/actual.ts'
import type { Change } from '../../src/deploy/change.ts'
import type { Endpoint } from '../../src/deploy/cloud.ts'
import type { Desired } from '../../src/deploy/desired.ts'
import {
  decodeLabels,
  encodeLabels,
  heldLabels,
  judgedDigest,
  readVersionLabels,
  versionLabels,
} from '../../src/deploy/labels.ts'
import { defaultVersion, toRemember } from '../../src/deploy/memory.ts'
import { type EndpointWrite, endpointWrite, type WriteContext } from '../../src/deploy/writes.ts'

/** What a cloud is after one change, as a value: no operations, no faults, no time. It refuses what Vertex AI refuses. */
export function perform(
  change: Change,
  desired: Desired,
  actual: ActualDeployment,
  context: WriteContext,
): ActualDeployment {
  const wrote = endpointWrite(change, desired, actual.endpoint, context) !== undefined
  // Whatever is written to the endpoint has its labels with it.
  const after = { ...done(change, desired, actual, context), ...(wrote && { lost: false }) }
  const { endpoint, versions } = after
  const version = defaultVersion(versions, desired.model.id)
  const ours = endpoint && decodeLabels(endpoint.labels).ours
  if ((!wrote && change.kind !== 'label-model') || !ours || !version) return after
  const labels = toRemember(version, endpoint, ours, desired) ?? version.labels
  return { ...after, versions: versions.map(each => (each === version ? { ...version, labels } : each)) }
}

function done(change: Change, desired: Desired, actual: ActualDeployment, context: WriteContext): ActualDeployment {
  const { versions } = actual
  const write = endpointWrite(change, desired, actual.endpoint, context)
  if (change.kind === 'create-endpoint') {
    if (actual.endpoint) throw new Error('ALREADY_EXISTS')
    const { id, ...settings } = desired.endpoint
    const labels = encodeLabels(write!.labels, {})
    return { ...actual, endpoint: { id, ...settings, labels, etag: '1', traffic: {}, deployedModels: [], host: null } }
  }
  if (change.kind === 'delete-model') {
    if (actual.endpoint) throw new Error('FAILED_PRECONDITION: it is deployed')
    return { ...actual, versions: [] }
  }
  const endpoint = write ? written(actual.endpoint!, write) : actual.endpoint!
  const { deployedModels, traffic } = endpoint
  switch (change.kind) {
    case 'upload-bundle':
      return { ...actual, bundle: true }
    case 'upload-model': {
      if (!actual.bundle) throw new Error('NOT_FOUND: the bundle')
      const version = {
        model: desired.model.id,
        version: String(1 + Math.max(0, ...versions.map(({ version }) => Number(version)))),
        aliases: versions.length === 0 ? ['default'] : [],
        displayName: desired.model.displayName,
        etag: '',
        labels: versionLabels(desired, context.target, context.commit),
        created: context.now,
      }
      return { ...actual, versions: [...versions, version] }
    }
    case 'deploy-model': {
      if (deployedModels.some(({ id }) => id === change.deployedModel)) throw new Error('ALREADY_EXISTS')
      const { model, version } = versions.find(({ labels }) => labels['dap-digest'] === desired.model.digest)!
      const deployed = { ...desired.deployed, scale: desired.scale, model, version, created: context.now, available: 1 }
      return { ...actual, endpoint: { ...endpoint, deployedModels: [...deployedModels, deployed] } }
    }
    case 'mutate-model': {
      const models = deployedModels.map(model =>
        model.id === change.deployedModel ? { ...model, scale: desired.scale } : model,
      )
      return { ...actual, endpoint: { ...endpoint, deployedModels: models } }
    }
    case 'undeploy-model': {
      if (traffic[change.deployedModel] > 0) throw new Error('FAILED_PRECONDITION: it has traffic')
      if (!deployedModels.some(({ id }) => id === change.deployedModel)) throw new Error('NOT_FOUND')
      return { ...actual, endpoint: undeployed(endpoint, change.deployedModel) }
    }
    case 'promote': {
      const { version } = deployedModels.find(({ id }) => id === change.deployedModel)!
      const moved = versions.map(each => ({ ...each, aliases: each.version === version ? ['default'] : [] }))
      return { ...actual, endpoint, versions: moved }
    }
    case 'release-hold':
      return {
        ...actual,
        endpoint,
        versions: versions.map(each => ({ ...each, labels: heldLabels(each.labels, false) })),
      }
    case 'delete-version': {
      const { aliases } = versions.find(({ version }) => version === change.version)!
      const deployed = deployedModels.some(({ version }) => version === change.version)
      if (deployed || aliases.includes('default')) throw new Error('FAILED_PRECONDITION: it is in use')
      return { ...actual, versions: versions.filter(({ version }) => version !== change.version) }
    }
    case 'delete-endpoint':
      if (deployedModels.length > 0) throw new Error('FAILED_PRECONDITION: models are deployed')
      return { ...actual, endpoint: undefined }
    default:
      return { ...actual, endpoint }
  }
}

/** After a rollback in one write: the version that serves is the default again, what was left is held, and what is remembered is as written. */
export function flippedBack(actual: ActualDeployment, write: EndpointWrite): ActualDeployment {
  const endpoint = written(actual.endpoint!, write)
  const ours = decodeLabels(endpoint.labels).ours!
  const { model, version } = endpoint.deployedModels.find(({ id }) => id === ours.stable)!
  const versions = actual.versions.map(each => {
    if (each.model !== model) return each
    const parts = readVersionLabels(each.labels)
    const held = parts !== undefined && judgedDigest(parts) === ours.hold
    const labels = held ? heldLabels(each.labels, true) : each.labels
    const moved = { ...each, labels, aliases: each.version === version ? ['default'] : [] }
    return each.version === version
      ? { ...moved, labels: toRemember(moved, endpoint, ours, undefined) ?? labels }
      : moved
  })
  return { ...actual, endpoint, versions }
}

/** After one UpdateEndpoint. */
export function written(endpoint: Endpoint, { labels, ...update }: EndpointWrite): Endpoint {
  const traffic = update.traffic ?? endpoint.traffic
  const ids = endpoint.deployedModels.map(({ id }) => id)
  const total = Object.values(traffic).reduce((sum, percent) => sum + percent, 0)
  if (Object.keys(traffic).some(id => !ids.includes(id)) || (total !== 100 && total !== 0)) {
    throw new Error('INVALID_ARGUMENT: traffic')
  }
  const { foreign } = decodeLabels(endpoint.labels)
  const etag = String(Number(endpoint.etag) + 1)
  return { ...endpoint, ...update, etag, labels: encodeLabels(labels, foreign) }
}

export function undeployed(endpoint: Endpoint, model: string): Endpoint {
  const { [model]: _, ...traffic } = endpoint.traffic
  return { ...endpoint, traffic, deployedModels: endpoint.deployedModels.filter(({ id }) => id !== model) }
}
