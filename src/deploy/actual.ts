import type { Cloud, Endpoint, ModelVersion, Place } from './cloud.ts'
import { type Desired, identified, type Owner, type Target } from './desired.ts'
import { decodeLabels } from './labels.ts'
import { BUNDLES, isModelId, placesFolder, samePlace } from './names.ts'
import { type Declared, type Foreign, keyOf, type Naming, ownedOf } from './ownership.ts'

/** What one place of the cloud has of one repository, from list calls alone. */
export interface Actual {
  /** Endpoints of the repository, of whichever environment, with what dap remembers in their labels. */
  readonly endpoints: readonly Endpoint[]
  /** Default versions of its models, and all versions of those that `withVersions` has asked for. */
  readonly models: readonly ModelVersion[]
  /** Names of the bundles in the bucket. */
  readonly bundles: ReadonlySet<string>
  /** Ids of those endpoints whose labels do not say whose they are any more. */
  readonly lost: ReadonlySet<string>
  readonly foreign: readonly Foreign[]
  /** Where the environment was deployed before, as the bucket remembers it. */
  readonly places: readonly Place[]
  /** By the deployment's name: where it is, under ids that are kept for ever, whatever it is called by now. */
  readonly found: ReadonlyMap<string, Found>
}

interface Found {
  readonly endpoint: string | undefined
  readonly model: string | undefined
}

/** The part of it that one deployment is about. */
export interface ActualDeployment {
  readonly endpoint: Endpoint | undefined
  /** Its labels do not say whose it is any more: what `endpoint` has of them was remembered elsewhere. */
  readonly lost?: boolean
  /** All versions of its model that are known: where the deployment is as Git says, the default one may be all. */
  readonly versions: readonly ModelVersion[]
  readonly bundle: boolean
}

/** Four list calls, whatever the number of deployments. */
export async function readActual(
  cloud: Cloud,
  target: Owner & Pick<Target, 'place'>,
  declared: readonly Declared[],
): Promise<Actual> {
  const folder = placesFolder(target)
  const [endpoints, models, bundles, places] = await Promise.all([
    cloud.listEndpoints(),
    cloud.listModels(),
    cloud.listObjects(BUNDLES),
    cloud.listObjects(folder),
  ])
  const known = places.map(name => placeIn(name.slice(folder.length), target.place))
  return actualFrom(
    { endpoints, models, bundles, places: known.filter(place => place !== undefined) },
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
    readonly endpoints: readonly Endpoint[]
    readonly models: readonly ModelVersion[]
    readonly bundles: readonly string[]
    readonly places: readonly Place[]
  },
  target: Owner,
  declared: readonly Declared[],
): Actual {
  const owned = ownedOf(listed.endpoints, listed.models, target, declared)
  const found = findAll(owned, target.environment, declared)
  return { ...owned, bundles: new Set(listed.bundles), places: listed.places, found }
}

/** As it is called now, or else as it was called before. */
function findAll(
  { endpoints, models }: Pick<Actual, 'endpoints' | 'models'>,
  environment: string,
  declared: readonly Declared[],
): Map<string, Found> {
  const [endpointBy, modelBy] = [byNaming(endpoints), byNaming(models)]
  const found = declared.map(({ deployment, before }): [string, Found] => {
    const names = [{ environment, deployment }, ...before].map(keyOf)
    const first = <T>(by: ReadonlyMap<string, T>) => names.map(name => by.get(name)).find(each => each !== undefined)
    const endpoint = first(endpointBy)
    return [
      deployment,
      { endpoint: endpoint?.id, model: first(modelBy)?.model ?? (endpoint && servingModel(endpoint)) },
    ]
  })
  return new Map(found)
}

function byNaming<T extends Pick<Endpoint, 'labels'>>(things: readonly T[]): Map<string, T> {
  const named = things.flatMap((thing): [string, T][] => {
    const naming = namingOf(thing)
    return naming === undefined ? [] : [[keyOf(naming), thing]]
  })
  return new Map(named)
}

/** Under which names the labels of something say that it is deployed. */
export function namingOf({ labels }: Pick<Endpoint, 'labels'>): Naming | undefined {
  return decodeLabels(labels).ours
}

/** The model of what serves, if dap has made it: its own labels may have been taken away. */
function servingModel({ labels, deployedModels }: Endpoint): string | undefined {
  const stable = decodeLabels(labels).ours?.stable
  const model = deployedModels.find(({ id }) => id === stable)?.model
  return model !== undefined && isModelId(model) ? model : undefined
}

/**
 * With all versions of the models where the default one is not enough to know: it is not the one that Git asks for, or not the one that
 * serves. So a plan knows what is uploaded already, and what is to be replaced.
 */
export async function withVersions(cloud: Cloud, actual: Actual, wanted: readonly Desired[]): Promise<Actual> {
  const others = wanted
    .map(desired => located(desired, actual))
    .filter(desired => {
      const byDefault = actual.models.find(({ model }) => model === desired.model.id)
      if (byDefault === undefined) return false
      const { endpoint } = actualOf(actual, desired)
      const serving = endpoint?.deployedModels.find(({ id }) => id === endpoint.labels['dap-stable'])
      const serves = serving?.model !== byDefault.model || serving.version === byDefault.version
      return byDefault.labels['dap-digest'] !== desired.model.digest || !serves
    })
  const ids = others.map(({ model }) => model.id)
  const versions = await Promise.all(ids.map(id => cloud.listVersions(id)))
  return { ...actual, models: [...actual.models.filter(({ model }) => !ids.includes(model)), ...versions.flat()] }
}

/** Of one that is `located`. */
export function actualOf(actual: Actual, desired: Desired): ActualDeployment {
  return {
    endpoint: actual.endpoints.find(({ id }) => id === desired.endpoint.id),
    lost: actual.lost.has(desired.endpoint.id),
    versions: actual.models.filter(({ model }) => model === desired.model.id),
    bundle: actual.bundles.has(desired.bundle.object),
  }
}

/** Desired, under the ids that it has: those of an endpoint that was adopted, that was moved, or that is older than the ids of today. */
export function located(desired: Desired, { found }: Actual): Desired {
  const { endpoint = desired.endpoint.id, model = desired.model.id } = found.get(desired.deployment) ?? {}
  return identified(desired, { endpoint, model })
}
