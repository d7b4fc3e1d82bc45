/**
 * What dap remembers of a route stands on the current release of its shelf once more: somebody else may take it away from the route by an
 * ordinary edit.
 */
import { canonicalJson } from '../../policy/digest.ts'
import { factsOf, type Memory } from '../memory.ts'
import { partsOf } from '../parts.ts'
import type { Release, ReleaseNote, Route } from '../routes.ts'
import type { Desired } from './desired.ts'

export function currentRelease(releases: readonly Release[], shelf: string): Release | undefined {
  return releases.find(each => each.shelf === shelf && each.current)
}

/**
 * What a current release is to say, from what its route remembers; undefined where it says so. What it is made of is put back as well, where
 * that is known: it is deployed as what is `desired`.
 */
export function toRemember(
  release: Release,
  route: Route,
  memory: Memory,
  desired: Desired | undefined,
): ReleaseNote | undefined {
  const workload = route.workloads.find(({ id }) => id === desired?.deployed.id)
  const known = desired !== undefined && workload?.shelf === release.shelf && workload.release === release.id
  const { owner, project, environment, deployment } = memory
  const whose = { ...(owner !== undefined && { owner }), project, environment, deployment }
  const copy = { route: route.id, facts: factsOf(memory) }
  const parts = known && release.parts === undefined ? partsOf(desired) : undefined
  const isSaid =
    release.intact &&
    parts === undefined &&
    canonicalJson({ ...release.whose, ...whose }) === canonicalJson(release.whose ?? null) &&
    canonicalJson(copy) === canonicalJson(release.copy ?? null)
  return isSaid ? undefined : { whose, copy, parts }
}
