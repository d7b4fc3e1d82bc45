import type { RunEvent } from '../../command.ts'
import { CloudError } from '../../deploy/cloud-error.ts'
import { placeObject, placesFolder, samePlace } from '../../deploy/names.ts'
import type { Cloud, Place } from '../../deploy/routes.ts'
import { type Actual, readActual } from '../../deploy/wanted/actual.ts'
import type { Behind } from '../../deploy/wanted/orphans.ts'
import type { Host } from '../../host.ts'
import { openCloud } from './engine.ts'
import type { OpenEnvironment } from './environment.ts'

/** What is left where an environment was before. */
export interface LookBehind {
  readonly behind: readonly Behind[]
  readonly notes: readonly string[]
  /** Of a place that was looked into. */
  cloudAt(place: Place): Cloud
}

/** Looks into the places that `moved` names, and those that the bucket remembers. One that cannot be looked into is said, and no more. */
export async function lookBehind(
  host: Host,
  { target, placesBefore, declared }: OpenEnvironment,
  { places }: Actual,
  report: (event: RunEvent) => void,
): Promise<LookBehind> {
  const others = [...placesBefore, ...places].filter(
    (place, i, all) => !samePlace(place, target.place) && all.findIndex(each => samePlace(each, place)) === i,
  )
  const behind: (Behind & { readonly cloud: Cloud })[] = []
  const notes: string[] = []
  for (const place of others) {
    try {
      const cloud = await openCloud(host, place, report)
      behind.push({ place, cloud, actual: await readActual(cloud, target, declared.here) })
    } catch (failure) {
      if (!(failure instanceof CloudError)) throw failure
      notes.push(`${place.project}, ${place.region} could not be looked into (${failure.message}): what is there stays`)
    }
  }
  return {
    behind,
    notes,
    cloudAt: place => behind.find(each => samePlace(each.place, place))!.cloud,
  }
}

/** Writes down where the environment is, and forgets where nothing of it is left: nothing else can find that once its file says another place. */
export async function rememberPlaces(
  { target }: OpenEnvironment,
  cloud: Cloud,
  { places }: Actual,
  { cloudAt, behind }: LookBehind,
): Promise<void> {
  const folder = placesFolder(target)
  await cloud.putArtefact(placeObject(folder, target.place), '{}')
  for (const place of places) {
    if (!behind.some(each => samePlace(each.place, place))) continue
    const { endpoints } = await readActual(cloudAt(place), target, [])
    if (endpoints.length === 0) await cloud.deleteArtefact(placeObject(folder, place))
  }
}
