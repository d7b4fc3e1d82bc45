/**
 * What was rolled back is on hold: it is not brought back unless asked for. A hold is about what was judged bad (policy, snapshot, image), not
 * about machines and descriptions, which may change meanwhile: they are changed on what serves. It stands on the endpoint and, for ever, on
 * the release that was rolled back.
 */

import type { Memory } from '../memory.ts'
import { judgedDigest, type Parts, partsOf } from '../parts.ts'
import type { Held, Release, Route, Workload } from '../routes.ts'
import { type Desired, settled } from './desired.ts'
import { type Roles, releaseOf } from './roles.ts'

/** Whether what Git asks for was rolled back. */
export function isHeld(desired: Desired, memory: Partial<Memory>, releases: readonly Release[]): boolean {
  const judged = judgedDigest(partsOf(desired))
  // Older holds were about the digest of all settings.
  if (memory.hold === judged || memory.hold === desired.digest) return true
  if (isHeldMachine(desired.deployed.id, memory, releases)) return true
  return judgedAs(judged, releases).some(({ held }) => held.whole)
}

/** What a rollback puts on hold: what decides; or where that stays the same, the deployed model, whose machines were bad then. */
export function holdOf(
  left: string | undefined,
  judged: string | undefined,
  back: string | undefined,
): string | undefined {
  return judged !== undefined && judged !== back ? judged : left
}

/** Versions that are judged as one: they decide the same. */
function judgedAs(judged: string, releases: readonly Release[]): readonly Release[] {
  return releases.filter(release => judgedRelease(release) === judged)
}

/** A hold is about what decides, or about one deployed model. */
export const machineOf = (hold: string) => (/^\d{1,10}$/.test(hold) ? hold : undefined)

/** The versions that a hold is about, of a deployed model the one that it is deployed from. */
export function heldBy(hold: string, releases: readonly Release[], endpoint: Route | undefined) {
  const id = machineOf(hold)
  if (id === undefined) return judgedAs(hold, releases)
  const deployed = endpoint?.workloads.find(each => each.id === id)
  return releases.filter(release => release.id === deployed?.release || isHeldRelease(release, id))
}

/** Whether the versions that a hold is about say so themselves. */
export function isOnHold(hold: string | undefined, releases: readonly Release[], endpoint?: Route): boolean {
  if (hold === undefined) return true
  return heldBy(hold, releases, endpoint).every(release => isHeldRelease(release, machineOf(hold)))
}

/** What a deployed model is judged as; undefined where it is gone, or dap has not made it. */
export function judgedOf(
  { workloads }: Route,
  deployedModel: string | undefined,
  releases: readonly Release[],
): string | undefined {
  const version = releaseOf(
    releases,
    workloads.find(({ id }) => id === deployedModel),
  )
  return version && judgedRelease(version)
}

/**
 * While what Git asks for is held: its settings and scale for what serves, and its machines unless those are what is held. Where the held one
 * itself serves, a rollback is not done yet, and it goes on: to what is deployed for it already, or is going to be. undefined where there is
 * nothing, or nothing that dap has made.
 */
export function insteadOf(
  desired: Desired,
  { memory, stable, abandoned }: Roles,
  releases: readonly Release[],
): Desired | undefined {
  const previous = { shelf: desired.model.id, release: memory.previousVersion ?? '' }
  const serving = releaseOf(releases, stable)
  const back = [abandoned, previous]
    .map(each => releaseOf(releases, each))
    .find(version => version && !isHeldContent(version, memory))
  const unfinished = serving !== undefined && isHeldContent(serving, memory) && back !== undefined
  const version = unfinished ? back : serving
  const parts = version?.parts
  if (parts === undefined) return undefined
  const known = { ...desired, ...madeOf(desired.policy.name, version!, parts) }
  const instead = settled(known)
  if (unfinished)
    return { ...instead, rollout: { ...instead.rollout, steps: [{ percent: 100, holdMs: 0 }], gates: [] } }
  return isHeldMachine(instead.deployed.id, memory, releases) ? settled({ ...known, deployed: stable! }) : instead
}

/** Whether what was deployed, or is going to be again, was rolled back: for what it decides, or for its machines. */
export function isHeldDeployed(
  deployed: Pick<Workload, 'id' | 'shelf' | 'release'>,
  memory: Partial<Memory>,
  releases: readonly Release[],
): boolean {
  const version = releaseOf(releases, deployed)
  return (version && isHeldContent(version, memory)) || isHeldMachine(deployed.id, memory, releases)
}

function isHeldContent(release: Release, { hold }: Partial<Memory>): boolean {
  return release.held.whole || (hold !== undefined && judgedRelease(release) === hold)
}

/** A deployed model that was rolled back for its machines. */
function isHeldMachine(id: string, { hold }: Partial<Memory>, releases: readonly Release[]): boolean {
  return hold === id || releases.some(release => isHeldRelease(release, id))
}

/** A version that is there already: it is not uploaded again, so nobody asks what else it was made with. */
export function madeOf(
  policy: string,
  { shelf, displayName }: Pick<Release, 'shelf' | 'displayName'>,
  parts: Parts,
): Pick<Desired, 'policy' | 'bundle' | 'model'> {
  const { digest, image, snapshot } = parts
  const unread = { description: '', artifact: '', predictRoute: '', healthRoute: '', port: 0, args: [] }
  return {
    policy: { name: policy, digest: parts.policy, snapshot },
    bundle: { digest: parts.bundle, object: '' },
    model: { id: shelf, displayName, image: `@${image}`, digest, ...unread },
  }
}

/** As what a release is judged; undefined for one that dap has not made. */
export function judgedRelease({ parts }: Release): string | undefined {
  return parts && judgedDigest(parts)
}

/** Something is to be remembered of it. */
export const isEverHeld = ({ held }: Release): boolean => held.whole || held.workloads.length > 0

/** For what it decides, or for the machines of one workload. */
export function isHeldRelease({ held }: Release, workload: string | undefined): boolean {
  return workload === undefined ? held.whole : held.workloads.includes(workload)
}

export function withHold({ whole, workloads }: Held, held: boolean, workload?: string): Held {
  if (workload === undefined) return { whole: held, workloads }
  const others = workloads.filter(id => id !== workload)
  return { whole, workloads: held ? [...others, workload] : others }
}
