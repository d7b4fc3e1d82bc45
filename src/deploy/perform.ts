/** What each change does to the cloud, once; who calls it looks at what came of it. */
import type { Change } from './change.ts'
import { CloudError, type EndpointUpdate, type ModelVersion, type Waiting } from './cloud.ts'
import type { Desired } from './desired.ts'
import { holdVersions } from './holds.ts'
import { type EndpointLabels, encodeLabels, judgedDigest, versionLabels, versionParts } from './labels.ts'
import { defaultVersion, remember } from './memory.ts'
import { attempt } from './patience.ts'
import { displayNames } from './roles.ts'
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
  const { id: model } = desired.model
  /** On the model as well, what the endpoint's labels say or are about to say. */
  const note = (labels = lock.labels, versions = actual.versions) =>
    remember({ cloud, model, versions }, lock.endpoint!, labels, desired, step.patience)
  switch (change.kind) {
    case 'create-endpoint': {
      const labels = encodeLabels({ ...write().labels, lock: lock.fresh() }, {})
      const { id, ...endpoint } = desired.endpoint
      return step.through(
        waiting => cloud.createEndpoint(id, { ...endpoint, labels }, waiting),
        () => lock.creating(),
      )
    }
    case 'upload-bundle': {
      const text = await material.bundleText()
      return cloud.putObject(change.object, text)
    }
    case 'upload-model': {
      const { id, digest: _, ...version } = desired.model
      const labels = versionLabels(desired, target, commit)
      return step.through(waiting => cloud.uploadModel(id, { ...version, labels }, waiting))
    }
    case 'deploy-model': {
      const { digest } = desired.model
      const { version } = actual.versions.find(({ labels }) => labels['dap-digest'] === digest)!
      await lock.write(write().labels)
      await note()
      lock.touch(change.deployedModel)
      const deployed = { ...desired.deployed, model, version, scale: desired.scale }
      const begin = (waiting: Waiting) => cloud.deployModel(desired.endpoint.id, deployed, waiting)
      return step.through(begin).catch(failure => {
        throw failure instanceof ChangeFailed ? unready(failure, desired, engine) : failure
      })
    }
    case 'mutate-model':
      await lock.write(write().labels)
      await note()
      return step.through(waiting =>
        cloud.mutateDeployedModel(desired.endpoint.id, change.deployedModel, desired.scale, waiting),
      )
    case 'release-hold': {
      for (const hold of [judgedDigest(versionParts(desired)), desired.deployed.id]) {
        await holdVersions({ cloud, model, endpoint: undefined }, hold, false, step.patience)
      }
      return lock.write(write().labels)
    }
    case 'label-model':
      return note()
    case 'label-endpoint':
    case 'update-endpoint':
    case 'hold':
    case 'shift-traffic': {
      const { labels, ...update } = write()
      await writeEndpoint(labels, update, step)
      return note()
    }
    case 'promote': {
      const { version } = lock.endpoint!.deployedModels.find(({ id }) => id === change.deployedModel)!
      if (defaultVersion(actual.versions, model)?.version !== version) await cloud.setDefaultVersion(model, version)
      const { labels } = write()
      await note(labels, await cloud.listVersions(model))
      return lock.write(labels, {}, after.length === 0 ? 'release' : 'keep')
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
      return through(waiting => cloud.undeployModel(actual.endpoint!.id, change.deployedModel, waiting))
    case 'delete-endpoint':
      lock.deleting()
      return through(waiting => cloud.deleteEndpoint(change.endpoint, waiting))
    case 'delete-model':
      return through(waiting => cloud.deleteModel(change.model, waiting))
    case 'delete-version':
      return through(waiting => cloud.deleteVersion(change.model, change.version, waiting))
    default:
      throw new Error(`\`${change.kind}\` takes nothing away`)
  }
}

export async function writeEndpoint(
  labels: EndpointLabels,
  update: Omit<EndpointUpdate, 'etag' | 'labels'>,
  { lock, report }: Step,
  then: 'keep' | 'release' = 'keep',
): Promise<void> {
  await lock.write(labels, update, then)
  const { traffic } = update
  if (traffic !== undefined) report({ event: 'traffic', traffic, names: displayNames(lock.endpoint) })
}

/**
 * All traffic back in one write; what is left is on hold. That is remembered on the model first, so that whoever takes the endpoint's labels
 * away lifts nothing; but nothing may delay the way back, so one try must do, and the rest is made up for.
 */
export async function flipBack(
  { labels, ...update }: EndpointWrite,
  model: string,
  step: Step,
  then: 'keep' | 'release' = 'keep',
): Promise<void> {
  const { cloud, patience, actual, lock } = step
  const note = (versions: readonly ModelVersion[], budgetMs?: number) =>
    remember({ cloud, model, versions }, lock.endpoint!, labels, undefined, patience, budgetMs)
  await note(actual.versions, 0).catch((failure: unknown) => {
    if (!(failure instanceof CloudError)) throw failure
  })
  await writeEndpoint(labels, update, step, then)
  const { endpoint } = lock
  if (labels.hold !== undefined) await holdVersions({ cloud, model, endpoint }, labels.hold, true, patience)
  const to = lock.endpoint!.deployedModels.find(({ id }) => id === labels.stable)
  const { versions } = actual
  if (to?.model === model && defaultVersion(versions, model)?.version !== to.version) {
    await attempt('setDefaultVersion', () => cloud.setDefaultVersion(model, to.version), patience)
  }
  await note(await cloud.listVersions(model))
}

/** The cloud says what it saw from outside; only the server's own log says why. */
function unready(failure: ChangeFailed, { endpoint }: Desired, { target: { place } }: Engine): FailedChange {
  const hint =
    place.target === 'emulator'
      ? 'the emulator prints what the server said'
      : `the server's log says why: gcloud logging read 'resource.labels.endpoint_id="${endpoint.id}"' --project ${place.project}`
  return new FailedChange(failure, labels => forgetCandidate(labels).labels, hint)
}
