import type { Foreign } from '../generated/types.ts'
/**
 * Whose things of a place are. An owner is a repository: its `projectId` is in the labels and in the ids of what it made. Names prove nothing,
 * since another repository may have the same; and labels may have been taken away, which ids and models then make up for. What nothing
 * proves to be ours is somebody else's.
 */
import type { Endpoint, ModelVersion } from './cloud.ts'
import type { Owner } from './desired.ts'
import {
  areIntact,
  decodeLabels,
  type EndpointLabels,
  encodeLabels,
  endpointOfVersion,
  identityOf,
  rememberedLabels,
} from './labels.ts'
import { endpointId, formerId, isModelId } from './names.ts'

export type { Foreign } from '../generated/types.ts'

/** Under which names something is, or was, deployed. */
export interface Naming {
  readonly environment: string
  readonly deployment: string
}

/** A Deployment that Git declares, and what it was before, the likeliest first. */
export interface Declared {
  readonly deployment: string
  readonly before: readonly Naming[]
}

/** What of a place is the owner's, with the labels that it has, or had before somebody took them away. */
export interface Owned {
  readonly endpoints: readonly Endpoint[]
  /** Default versions. */
  readonly models: readonly ModelVersion[]
  /** Ids of endpoints whose labels do not say whose they are any more. */
  readonly lost: ReadonlySet<string>
  readonly foreign: readonly Foreign[]
}

/** All names that Git declares for the environment, now and before. */
export function namingsOf(declared: readonly Declared[], environment: string): Naming[] {
  return declared.flatMap(({ deployment, before }) => [{ environment, deployment }, ...before])
}

/** Whether labels name this repository; those that are older than the ids of projects name it by name. */
export function isOurs({ owner: id, project }: EndpointLabels, owner: Owner): boolean {
  return id === undefined ? project === owner.project : id === owner.projectId
}

/** From all endpoints and all default versions of the place. */
export function ownedOf(
  endpoints: readonly Endpoint[],
  models: readonly ModelVersion[],
  owner: Owner,
  declared: readonly Declared[],
): Owned {
  const namings = namingsOf(declared, owner.environment)
  const names = new Set(namings.map(keyOf))
  const byId = new Map(namings.flatMap(naming => idsOf(owner, naming).map((id): [string, Naming] => [id, naming])))
  /** What is older than the ids of projects is taken for ours only under a name that Git declares: others may have the project's. */
  const isClaimed = (labels: EndpointLabels) =>
    isOurs(labels, owner) && (labels.owner !== undefined || names.has(keyOf(labels)))
  const claims = new Map<string, ModelVersion[]>()
  for (const version of models) {
    const id = endpointOfVersion(version.labels)
    if (id === undefined || decodeLabels(version.labels).ours?.owner === undefined) continue
    claims.set(id, [...(claims.get(id) ?? []), version])
  }
  /** A default version that says it serves on the endpoint, one that does before one that did. */
  const proofOf = ({ id, deployedModels }: Endpoint) => {
    const all = claims.get(id) ?? []
    return all.find(({ model }) => deployedModels.some(each => each.model === model)) ?? all[0]
  }

  /** Nothing says any more whose it is, and a model that dap has made serves on it. */
  const unknown = ({ displayName, deployedModels }: Endpoint): EndpointLabels | undefined =>
    deployedModels.some(({ model }) => isModelId(model))
      ? { project: '', environment: owner.environment, deployment: displayName }
      : undefined
  const owned: Endpoint[] = []
  const lost = new Set<string>()
  const foreign: Foreign[] = []
  for (const endpoint of endpoints) {
    const { id, labels } = endpoint
    const intact = areIntact(labels)
    const { ours: read } = decodeLabels(labels)
    // Only an owner's id proves something: of what has none, the model that serves on it may know that it is another's.
    const version = intact && read?.owner !== undefined ? undefined : proofOf(endpoint)
    const proof = version && decodeLabels(version.labels).ours
    const says = intact && (proof === undefined || proof.owner === owner.projectId) ? read : proof
    const naming = says ?? byId.get(id)
    if (says !== undefined && !isClaimed(says)) {
      if (names.has(keyOf(says))) foreign.push(foreignOf(id, says))
    } else if (naming === undefined) {
      const called = read ?? unknown(endpoint)
      if (called !== undefined && names.has(keyOf(called))) foreign.push(foreignOf(id, called))
    } else if (intact) owned.push(endpoint)
    else {
      const { environment, deployment } = naming
      lost.add(id)
      owned.push(recalled(endpoint, version ? [version] : [], identityOf({ deployment }, { ...owner, environment })))
    }
  }
  return {
    endpoints: owned,
    models: models.filter(({ model, labels }) => {
      const { ours } = decodeLabels(labels)
      return ours === undefined ? byId.has(model) : isClaimed(ours)
    }),
    lost,
    foreign,
  }
}

/**
 * An endpoint as dap knows it: where its labels are not as dap wrote them, with what the versions of its model remember of it, or at least
 * with the identity that it must have.
 */
export function recalled(endpoint: Endpoint, versions: readonly ModelVersion[], identity: EndpointLabels): Endpoint {
  if (areIntact(endpoint.labels)) return endpoint
  const { ours, foreign } = decodeLabels(endpoint.labels)
  const remembered = versions
    .filter(({ aliases }) => aliases.includes('default'))
    .map(({ labels }) => rememberedLabels(labels, endpoint.id))
    .find(labels => labels !== undefined)
  return {
    ...endpoint,
    labels: encodeLabels({ ...(remembered ?? { ...ours, ...identity }), lock: ours?.lock }, foreign),
  }
}

function foreignOf(id: string, { environment, deployment, project, owner }: EndpointLabels): Foreign {
  return { id, environment, deployment, project, owner: owner ?? null }
}

/** Ids that prove an endpoint or a model to be this owner's deployment. */
function idsOf({ projectId, project }: Owner, { environment, deployment }: Naming): string[] {
  const identity = { owner: projectId, environment, deployment }
  return [endpointId(identity), endpointId(identity, 'numeric'), formerId(project, environment, deployment)]
}

export const keyOf = ({ environment, deployment }: Naming): string => `${environment}/${deployment}`
