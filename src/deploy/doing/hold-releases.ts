import { createBackoff, type Patience } from '../patience.ts'
import type { Cloud, Route } from '../routes.ts'
import { heldBy, isHeldRelease, machineOf, withHold } from '../wanted/holds.ts'

/** Puts what a hold is about on hold, or releases it. */
export async function holdReleases(
  { cloud, shelf, endpoint }: { readonly cloud: Cloud; readonly shelf: string; readonly endpoint: Route | undefined },
  hold: string,
  held: boolean,
  patience: Patience,
): Promise<void> {
  const backoff = createBackoff(patience, { races: true })
  const id = machineOf(hold)
  for (;;) {
    try {
      const releases = heldBy(hold, await cloud.releasesOf(shelf), endpoint)
      const release = releases.find(each => isHeldRelease(each, id) !== held)
      if (release === undefined) return
      await cloud.noteRelease(release, { held: withHold(release.held, held, id) })
    } catch (failure) {
      await backoff(failure)
    }
  }
}
