import type { Memory } from '../memory.ts'
import { createBackoff, type Patience } from '../patience.ts'
import type { Cloud, Release, Route } from '../routes.ts'
import { currentRelease, toRemember } from '../wanted/copies.ts'
import type { Desired } from '../wanted/desired.ts'

/** Writes on the current release of a shelf what its route remembers. */
export async function remember(
  { cloud, shelf, releases }: { readonly cloud: Cloud; readonly shelf: string; readonly releases: readonly Release[] },
  route: Route,
  memory: Memory,
  desired: Desired | undefined,
  patience: Patience,
  budgetMs?: number,
): Promise<void> {
  const backoff = createBackoff(patience, { races: true, budgetMs })
  for (let known = releases; ; ) {
    const release = currentRelease(known, shelf)
    const note = release && toRemember(release, route, memory, desired)
    if (note === undefined) return
    try {
      await cloud.noteRelease(release!, note)
      return
    } catch (failure) {
      await backoff(failure)
      known = await cloud.releasesOf(shelf)
    }
  }
}
