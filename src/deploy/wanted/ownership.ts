import type { Foreign } from '../../generated/types.ts'
import { type Identity, identityOf, type Owner } from '../memory.ts'
import { endpointId, formerId, isModelId } from '../names.ts'
/**
 * Whose things of a place are. An owner is a repository: its `projectId` is remembered with what it made, and in the ids of that. Names prove
 * nothing, since another repository may have the same; and what an endpoint remembers may have been taken away, which ids and releases then
 * make up for. What nothing proves to be ours is somebody else's.
 */
import type { Release, Route } from '../routes.ts'

export type { Foreign } from '../../generated/types.ts'

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

/** What of a place is the owner's, with what is remembered of it, or was before somebody took that away. */
export interface Owned {
  readonly endpoints: readonly Route[]
  /** Current ones. */
  readonly releases: readonly Release[]
  /** Ids of endpoints that do not say whose they are any more. */
  readonly lost: ReadonlySet<string>
  readonly foreign: readonly Foreign[]
}

/** All names that Git declares for the environment, now and before. */
export function namingsOf(declared: readonly Declared[], environment: string): Naming[] {
  return declared.flatMap(({ deployment, before }) => [{ environment, deployment }, ...before])
}

/** Whether something names this repository; those that are older than the ids of projects name it by name. */
export function isOurs({ owner: id, project }: Identity, owner: Owner): boolean {
  return id === undefined ? project === owner.project : id === owner.projectId
}

/** From all endpoints and all current releases of the place. */
export function ownedOf(
  endpoints: readonly Route[],
  releases: readonly Release[],
  owner: Owner,
  declared: readonly Declared[],
): Owned {
  const namings = namingsOf(declared, owner.environment)
  const names = new Set(namings.map(keyOf))
  const byId = new Map(namings.flatMap(naming => idsOf(owner, naming).map((id): [string, Naming] => [id, naming])))
  /** What is older than the ids of projects is taken for ours only under a name that Git declares: others may have the project's. */
  const isClaimed = (whose: Identity) => isOurs(whose, owner) && (whose.owner !== undefined || names.has(keyOf(whose)))
  const claims = new Map<string, Release[]>()
  for (const release of releases) {
    const id = release.copy?.route
    if (id === undefined || release.whose?.owner === undefined) continue
    claims.set(id, [...(claims.get(id) ?? []), release])
  }
  /** A current release that says it serves on the endpoint, one that does before one that did. */
  const proofOf = ({ id, workloads }: Route) => {
    const all = claims.get(id) ?? []
    return all.find(({ shelf }) => workloads.some(each => each.shelf === shelf)) ?? all[0]
  }

  /** Nothing says any more whose it is, and a release that dap has made serves on it. */
  const unknown = ({ displayName, workloads }: Route): Identity | undefined =>
    workloads.some(({ shelf }) => isModelId(shelf))
      ? { project: '', environment: owner.environment, deployment: displayName }
      : undefined
  const owned: Route[] = []
  const lost = new Set<string>()
  const foreign: Foreign[] = []
  for (const endpoint of endpoints) {
    const { id, intact, memory: read } = endpoint
    // Only an owner's id proves something: of what has none, the release that serves on it may know that it is another's.
    const proven = intact && read?.owner !== undefined ? undefined : proofOf(endpoint)
    const proof = proven?.whose
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
      owned.push(recalled(endpoint, proven ? [proven] : [], identityOf({ deployment }, { ...owner, environment })))
    }
  }
  return {
    endpoints: owned,
    releases: releases.filter(({ shelf, whose }) => (whose === undefined ? byId.has(shelf) : isClaimed(whose))),
    lost,
    foreign,
  }
}

/**
 * An endpoint as dap knows it: where what is remembered of it is not as dap wrote it, with what its current release remembers, or at least
 * with the identity that it must have.
 */
export function recalled(endpoint: Route, releases: readonly Release[], identity: Identity): Route {
  const { id, memory, intact } = endpoint
  if (intact) return endpoint
  const release = releases.find(each => each.current && each.whose !== undefined && each.copy?.route === id)
  const remembered = release && { ...release.whose!, ...release.copy!.facts }
  return { ...endpoint, memory: { ...(remembered ?? { ...memory, ...identity }), lock: memory?.lock }, intact: true }
}

function foreignOf(id: string, { environment, deployment, project, owner }: Identity): Foreign {
  return { id, environment, deployment, project, owner: owner ?? null }
}

/** Ids that prove an endpoint or a model to be this owner's deployment. */
function idsOf({ projectId, project }: Owner, { environment, deployment }: Naming): string[] {
  const identity = { owner: projectId, environment, deployment }
  return [endpointId(identity), endpointId(identity, 'numeric'), formerId(project, environment, deployment)]
}

export const keyOf = ({ environment, deployment }: Naming): string => `${environment}/${deployment}`
