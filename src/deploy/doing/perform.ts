/** What each change does to the cloud, once; who calls it looks at what came of it. */
import type { Change } from '../change.ts'
import { CloudError } from '../cloud-error.ts'
import { commitText, identityOf, type Memory } from '../memory.ts'
import { judgedDigest, partsOf } from '../parts.ts'
import type { Waiting } from '../patience.ts'
import { attempt } from '../patience.ts'
import type { Release } from '../routes.ts'
import { currentRelease } from '../wanted/copies.ts'
import type { Desired } from '../wanted/desired.ts'
import { displayNames } from '../wanted/roles.ts'
import { holdReleases } from './hold-releases.ts'
import type { Update } from './locked-endpoint.ts'
import { remember } from './remember.ts'
import { ChangeFailed, type Engine, FailedChange, type Step } from './run.ts'
import { type EndpointWrite, endpointWrite, forgetCandidate } from './writes.ts'

/** What changes are made from. */
export interface Material {
  readonly desired: Desired
  /** The bundle's text; asked for where the bucket lacks it. */
  bundleText(): Promise<string>
  /** Of a rollback that deploys anew: what must not come back, as it is judged. */
  readonly hold?: string
}

/** Of a hold, what is written when it has passed. */
export async function perform(change: Change, material: Material, step: Step, engine: Engine): Promise<void> {
  const { desired, hold } = material
  const { clock, target, commit, origin } = engine
  const { cloud, lock, actual, after } = step
  const write = () => endpointWrite(change, desired, lock.endpoint, { now: clock.now(), commit, origin, target, hold })!
  const { id: shelf } = desired.model
  /** On the current release as well, what the endpoint says or is about to say. */
  const note = (memory = lock.memory, releases = actual.releases) =>
    remember({ cloud, shelf, releases }, lock.endpoint!, memory, desired, step.patience)
  switch (change.kind) {
    case 'create-endpoint': {
      const memory = { ...write().memory, lock: lock.fresh() }
      const { id, ...endpoint } = desired.endpoint
      return step.through(
        waiting => cloud.createRoute(id, { ...endpoint, memory }, waiting),
        () => lock.creating(),
      )
    }
    case 'upload-bundle': {
      const text = await material.bundleText()
      return cloud.putArtefact(change.object, text)
    }
    case 'upload-model': {
      const { id, digest: _, ...version } = desired.model
      const release = {
        ...version,
        whose: identityOf(desired, target),
        parts: partsOf(desired),
        commit: commit && commitText(commit),
      }
      return step.through(waiting => cloud.addRelease(id, release, waiting))
    }
    case 'deploy-model': {
      const { digest } = desired.model
      const { id: release } = actual.releases.find(each => each.digest === digest)!
      await lock.write(write().memory)
      await note()
      lock.touch(change.deployedModel)
      const deployed = { ...desired.deployed, shelf, release, scale: desired.scale }
      const begin = (waiting: Waiting) => cloud.startWorkload(desired.endpoint.id, deployed, waiting)
      return step.through(begin).catch(failure => {
        const forgotten = (memory: Memory) => forgetCandidate(memory).memory
        throw failure instanceof ChangeFailed ? new FailedChange(failure, forgotten) : failure
      })
    }
    case 'mutate-model':
      await lock.write(write().memory)
      await note()
      return step.through(waiting =>
        cloud.scaleWorkload(desired.endpoint.id, change.deployedModel, desired.scale, waiting),
      )
    case 'release-hold': {
      for (const hold of [judgedDigest(partsOf(desired)), desired.deployed.id]) {
        await holdReleases({ cloud, shelf, endpoint: undefined }, hold, false, step.patience)
      }
      return lock.write(write().memory)
    }
    case 'label-model':
      return note()
    case 'label-endpoint':
    case 'update-endpoint':
    case 'hold':
    case 'shift-traffic': {
      const { memory, ...update } = write()
      await writeEndpoint(memory, update, step)
      return note()
    }
    case 'promote': {
      const { release } = lock.endpoint!.workloads.find(({ id }) => id === change.deployedModel)!
      if (currentRelease(actual.releases, shelf)?.id !== release) await cloud.setCurrent(shelf, release)
      const { memory } = write()
      await note(memory, await cloud.releasesOf(shelf))
      return lock.write(memory, {}, after.length === 0 ? 'release' : 'keep')
    }
    default:
      return remove(change, step)
  }
}

/** What takes something away needs to know nothing but its id. */
export async function remove(change: Change, { cloud, lock, actual, through }: Step): Promise<void> {
  switch (change.kind) {
    case 'undeploy-model':
      lock.touch(change.deployedModel)
      return through(waiting => cloud.stopWorkload(actual.endpoint!.id, change.deployedModel, waiting))
    case 'delete-endpoint':
      lock.deleting()
      return through(waiting => cloud.deleteRoute(change.endpoint, waiting))
    case 'delete-model':
      return through(waiting => cloud.deleteShelf(change.model, waiting))
    case 'delete-version':
      return through(waiting => cloud.deleteRelease(change.model, change.version, waiting))
    default:
      throw new Error(`\`${change.kind}\` takes nothing away`)
  }
}

export async function writeEndpoint(
  memory: Memory,
  update: Update,
  { lock, report }: Step,
  then: 'keep' | 'release' = 'keep',
): Promise<void> {
  await lock.write(memory, update, then)
  const { traffic } = update
  if (traffic !== undefined) report({ event: 'traffic', traffic, names: displayNames(lock.endpoint) })
}

/**
 * All traffic back in one write; what is left is on hold. That is remembered on the release first, so that whoever takes it away from the
 * endpoint lifts nothing; but nothing may delay the way back, so one try must do, and the rest is made up for.
 */
export async function flipBack(
  { memory, ...update }: EndpointWrite,
  shelf: string,
  step: Step,
  then: 'keep' | 'release' = 'keep',
): Promise<void> {
  const { cloud, patience, actual, lock } = step
  const note = (releases: readonly Release[], budgetMs?: number) =>
    remember({ cloud, shelf, releases }, lock.endpoint!, memory, undefined, patience, budgetMs)
  await note(actual.releases, 0).catch((failure: unknown) => {
    if (!(failure instanceof CloudError)) throw failure
  })
  await writeEndpoint(memory, update, step, then)
  const { endpoint } = lock
  if (memory.hold !== undefined) await holdReleases({ cloud, shelf, endpoint }, memory.hold, true, patience)
  const to = lock.endpoint!.workloads.find(({ id }) => id === memory.stable)
  const { releases } = actual
  if (to?.shelf === shelf && currentRelease(releases, shelf)?.id !== to.release) {
    await attempt(() => cloud.setCurrent(shelf, to.release), patience)
  }
  await note(await cloud.releasesOf(shelf))
}
