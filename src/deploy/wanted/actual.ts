import type { Owner } from '../memory.ts'
import { BUNDLES, isModelId, placesFolder, samePlace } from '../names.ts'
import type { Cloud, Place, Release, Route } from '../routes.ts'
import { type Desired, identified, type Target } from './desired.ts'
import { type Declared, type Foreign, keyOf, type Naming, ownedOf } from './ownership.ts'

/** What one place of the cloud has of one repository, from list calls alone. */
export interface Actual {
  /** Endpoints of the repository, of whichever environment, with what dap remembers of them. */
  readonly endpoints: readonly Route[]
  /** Current ones of its shelves, and all of those that `withReleases` has asked for. */
  readonly releases: readonly Release[]
  /** Names of the bundles in the bucket. */
  readonly bundles: ReadonlySet<string>
  /** Ids of those endpoints that do not say whose they are any more. */
  readonly lost: ReadonlySet<string>
  readonly foreign: readonly Foreign[]
  /** Where the environment was deployed before, as the bucket remembers it. */
  readonly places: readonly Place[]
  /** By the deployment's name: where it is, under ids that are kept for ever, whatever it is called by now. */
  readonly found: ReadonlyMap<string, Found>
}

interface Found {
  readonly endpoint: string | undefined
  readonly shelf: string | undefined
}

/** The part of it that one deployment is about. */
export interface ActualDeployment {
  readonly endpoint: Route | undefined
  /** It does not say whose it is any more: what `endpoint` has of that was remembered elsewhere. */
  readonly lost?: boolean
  /** All of its shelf that are known: where the deployment is as Git says, the current one may be all. */
  readonly releases: readonly Release[]
  readonly bundle: boolean
}

/** Four list calls, whatever the number of deployments. */
export async function readActual(
  cloud: Cloud,
  target: Owner & Pick<Target, 'place'>,
  declared: readonly Declared[],
): Promise<Actual> {
  const folder = placesFolder(target)
  const [endpoints, releases, bundles, places] = await Promise.all([
    cloud.listRoutes(),
    cloud.listReleases(),
    cloud.listArtefacts(BUNDLES),
    cloud.listArtefacts(folder),
  ])
  const known = places.map(name => placeIn(name.slice(folder.length), target.place))
  return actualFrom(
    { endpoints, releases, bundles, places: known.filter(place => place !== undefined) },
    target,
    declared,
  )
}

/** `games-ml/us-central1`, where that is another place. Anybody may write to a bucket. */
function placeIn(name: string, here: Place): Place | undefined {
  const [, project, region] = /^([a-z][a-z0-9-]{4,28}[a-z0-9])\/([a-z]+-[a-z]+\d{1,2})$/.exec(name) ?? []
  const place = project === undefined ? undefined : { ...here, project, region }
  return place === undefined || samePlace(place, here) ? undefined : place
}

/** From what the lists say. */
export function actualFrom(
  listed: {
    readonly endpoints: readonly Route[]
    readonly releases: readonly Release[]
    readonly bundles: readonly string[]
    readonly places: readonly Place[]
  },
  target: Owner,
  declared: readonly Declared[],
): Actual {
  const owned = ownedOf(listed.endpoints, listed.releases, target, declared)
  const found = findAll(owned, target.environment, declared)
  return { ...owned, bundles: new Set(listed.bundles), places: listed.places, found }
}

/** As it is called now, or else as it was called before. */
function findAll(
  { endpoints, releases }: Pick<Actual, 'endpoints' | 'releases'>,
  environment: string,
  declared: readonly Declared[],
): Map<string, Found> {
  const endpointBy = byNaming(endpoints, ({ memory }) => memory)
  const releaseBy = byNaming(releases, ({ whose }) => whose)
  const found = declared.map(({ deployment, before }): [string, Found] => {
    const names = [{ environment, deployment }, ...before].map(keyOf)
    const first = <T>(by: ReadonlyMap<string, T>) => names.map(name => by.get(name)).find(each => each !== undefined)
    const endpoint = first(endpointBy)
    return [
      deployment,
      { endpoint: endpoint?.id, shelf: first(releaseBy)?.shelf ?? (endpoint && servingShelf(endpoint)) },
    ]
  })
  return new Map(found)
}

function byNaming<T>(things: readonly T[], namingOf: (thing: T) => Naming | undefined): Map<string, T> {
  const named = things.flatMap((thing): [string, T][] => {
    const naming = namingOf(thing)
    return naming === undefined ? [] : [[keyOf(naming), thing]]
  })
  return new Map(named)
}

/** The shelf of what serves, if dap has made it: nothing on it may say so any more. */
function servingShelf({ memory, workloads }: Route): string | undefined {
  const shelf = workloads.find(({ id }) => id === memory?.stable)?.shelf
  return shelf !== undefined && isModelId(shelf) ? shelf : undefined
}

/**
 * With all of the shelves where the current release is not enough to know: it is not the one that Git asks for, or not the one that serves.
 * So a plan knows what is there already, and what is to be replaced.
 */
export async function withReleases(cloud: Cloud, actual: Actual, wanted: readonly Desired[]): Promise<Actual> {
  const others = wanted
    .map(desired => located(desired, actual))
    .filter(desired => {
      const current = actual.releases.find(({ shelf }) => shelf === desired.model.id)
      if (current === undefined) return false
      const { endpoint } = actualOf(actual, desired)
      const serving = endpoint?.workloads.find(({ id }) => id === endpoint.memory?.stable)
      const serves = serving?.shelf !== current.shelf || serving.release === current.id
      return current.digest !== desired.model.digest || !serves
    })
  const ids = others.map(({ model }) => model.id)
  const releases = await Promise.all(ids.map(id => cloud.releasesOf(id)))
  const known = actual.releases.filter(({ shelf }) => !ids.includes(shelf))
  return { ...actual, releases: [...known, ...releases.flat()] }
}

/** Of one that is `located`. */
export function actualOf(actual: Actual, desired: Desired): ActualDeployment {
  return {
    endpoint: actual.endpoints.find(({ id }) => id === desired.endpoint.id),
    lost: actual.lost.has(desired.endpoint.id),
    releases: actual.releases.filter(({ shelf }) => shelf === desired.model.id),
    bundle: actual.bundles.has(desired.bundle.object),
  }
}

/** Desired, under the ids that it has: those of an endpoint that was adopted, that was moved, or that is older than the ids of today. */
export function located(desired: Desired, { found }: Actual): Desired {
  const { endpoint = desired.endpoint.id, shelf: model = desired.model.id } = found.get(desired.deployment) ?? {}
  return identified(desired, { endpoint, model })
}
