/** What each change does to the cloud, once; who calls it looks at what came of it. */
import type { Change } from './change.ts'
import type { EndpointUpdate } from './cloud.ts'
import type { Desired } from './desired.ts'
import { type EndpointLabels, encodeLabels, versionLabels } from './labels.ts'
import { displayNames } from './roles.ts'
import { type Engine, FailedChange, OperationFailed, type Step } from './run.ts'
import { endpointWrite, forgetCandidate } from './writes.ts'

/** What changes are made from. */
export interface Material {
  readonly desired: Desired
  /** The bundle's text; asked for where the bucket lacks it. */
  bundleText(): Promise<string>
  /** Of a rollback that deploys anew: the `Desired.digest` that must not come back. */
  readonly hold?: string
}

/** Of a hold, what is written when it has passed. */
export async function perform(change: Change, material: Material, step: Step, engine: Engine): Promise<void> {
  const { desired, hold } = material
  const { cloud, clock, target, commit } = engine
  const { lock, actual, after } = step
  const write = () => endpointWrite(change, desired, lock.endpoint, { now: clock.now(), commit, target, hold })!
  switch (change.kind) {
    case 'create-endpoint': {
      const labels = encodeLabels({ ...write().labels, lock: lock.fresh() }, {})
      const { id, ...endpoint } = desired.endpoint
      const running = await cloud.createEndpoint(id, { ...endpoint, labels })
      lock.creating()
      return step.finish(running)
    }
    case 'upload-bundle': {
      const text = await material.bundleText()
      return cloud.putObject(change.object, text)
    }
    case 'upload-model': {
      const { id, digest: _, ...version } = desired.model
      return step.finish(await cloud.uploadModel(id, { ...version, labels: versionLabels(desired, target, commit) }))
    }
    case 'deploy-model': {
      const { id: model, digest } = desired.model
      const { version } = actual.versions.find(({ labels }) => labels['dap-digest'] === digest)!
      await lock.write(write().labels)
      lock.touch(change.deployedModel)
      const deployed = { ...desired.deployed, model, version, scale: desired.scale }
      return step.finish(await cloud.deployModel(desired.endpoint.id, deployed)).catch(failure => {
        throw failure instanceof OperationFailed ? unready(failure, desired, engine) : failure
      })
    }
    case 'mutate-model':
      await lock.write(write().labels)
      return step.finish(await cloud.mutateDeployedModel(desired.endpoint.id, change.deployedModel, desired.scale))
    case 'update-endpoint':
    case 'hold':
    case 'shift-traffic': {
      const { labels, ...update } = write()
      return writeEndpoint(labels, update, step)
    }
    case 'promote': {
      const { model, version } = lock.endpoint!.deployedModels.find(({ id }) => id === change.deployedModel)!
      const byDefault = actual.versions.find(({ aliases }) => aliases.includes('default'))
      if (byDefault?.version !== version) await cloud.setDefaultVersion(model, version)
      return lock.write(write().labels, {}, after.length === 0 ? 'release' : 'keep')
    }
    default:
      return remove(change, step, engine)
  }
}

/** What takes something away needs to know nothing but its id. */
export async function remove(change: Change, { lock, actual, finish }: Step, { cloud }: Engine): Promise<void> {
  switch (change.kind) {
    case 'undeploy-model':
      lock.touch(change.deployedModel)
      return finish(await cloud.undeployModel(actual.endpoint!.id, change.deployedModel))
    case 'delete-endpoint':
      lock.deleting()
      return finish(await cloud.deleteEndpoint(change.endpoint))
    case 'delete-model':
      return finish(await cloud.deleteModel(change.model))
    case 'delete-version':
      return finish(await cloud.deleteVersion(change.model, change.version))
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

/** The cloud says what it saw from outside; only the server's own log says why. */
function unready(failure: OperationFailed, { endpoint }: Desired, { target: { place } }: Engine): FailedChange {
  const hint =
    place.target === 'emulator'
      ? 'the emulator prints what the server said'
      : `the server's log says why: gcloud logging read 'resource.labels.endpoint_id="${endpoint.id}"' --project ${place.project}`
  return new FailedChange(failure, labels => forgetCandidate(labels).labels, hint)
}
