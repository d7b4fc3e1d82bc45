/** What each change writes to an endpoint in its one UpdateEndpoint call: labels and traffic move together, or not at all. */
import type { Change } from './change.ts'
import type { Endpoint, EndpointUpdate } from './cloud.ts'
import type { Desired, Target } from './desired.ts'
import { commitLabel, decodeLabels, type EndpointLabels } from './labels.ts'
import type { Commit } from './plan.ts'
import { rolesOf } from './roles.ts'

export interface WriteContext {
  /** ms since 1970 */
  readonly now: number
  readonly commit: Commit | null
  readonly target: Pick<Target, 'project' | 'environment'>
  /** Of a rollback that deploys anew: the `Desired.digest` that must not come back. */
  readonly hold?: string
}

/** For `encodeLabels(write.labels, foreign)`; the lock in `labels` is the one that the endpoint has. What is absent stays as it is. */
export interface EndpointWrite extends Omit<EndpointUpdate, 'etag' | 'labels'> {
  readonly labels: EndpointLabels
}

/**
 * When to write it: `create-endpoint` with the creation itself (`endpoint` is undefined), `deploy-model` and `mutate-model` before the
 * operation starts, `hold` when it has passed, `promote` after the default version has been set; `update-endpoint` and `shift-traffic` are
 * the write.
 * undefined for a change that writes nothing to the endpoint.
 */
export function endpointWrite(
  change: Change,
  desired: Desired,
  endpoint: Endpoint | undefined,
  context: WriteContext,
): EndpointWrite | undefined {
  const labels = ownLabels(desired, endpoint, context)
  const { id } = desired.deployed
  switch (change.kind) {
    case 'create-endpoint':
      return { labels: { ...labels, ...candidate(desired), traffic: {} } }
    case 'update-endpoint': {
      const { displayName, description, requestLog } = desired.endpoint
      return { labels, displayName, description, requestLog }
    }
    case 'deploy-model': {
      const stable = endpoint && rolesOf(endpoint, desired).stable?.id
      const traffic = endpoint?.traffic
      return {
        labels: { ...release(labels, desired, context), ...candidate(desired), stable, traffic, step: undefined },
      }
    }
    case 'mutate-model':
      // Until it is promoted, neither the old scale nor the new one is somebody else's doing.
      return { labels: { ...release(labels, desired, context), scale: undefined } }
    case 'shift-traffic': {
      const { to: traffic, step: index } = change
      if (index === undefined)
        return { labels: { ...release(labels, desired, context), traffic, step: undefined }, traffic }
      const step = { index, since: seconds(context.now), state: 'holding' } as const
      const stable = endpoint && rolesOf(endpoint, desired).stable?.id
      return { labels: { ...release(labels, desired, context), ...candidate(desired), stable, traffic, step }, traffic }
    }
    case 'hold':
      return { labels: stepLabels(labels, 'passed') }
    case 'promote': {
      const { stable } = labels
      const old = endpoint?.deployedModels.find(model => model.id === stable && model.id !== id)
      const previous =
        stable === id
          ? {}
          : { previous: undefined, previousDigest: undefined, previousVersion: undefined, warmUntil: undefined }
      return {
        labels: {
          ...labels,
          ...previous,
          ...(old && {
            previous: old.id,
            previousDigest: labels.digest,
            previousVersion: old.version,
            warmUntil: seconds(context.now + desired.rollout.rollbackWindowMs),
          }),
          stable: id,
          digest: desired.digest,
          commit: context.commit ? commitLabel(context.commit) : undefined,
          traffic: endpoint?.traffic,
          scale: desired.scale,
          candidate: undefined,
          candidateDigest: undefined,
          step: undefined,
          hold: context.hold,
        },
      }
    }
    default:
      return undefined
  }
}

/** A gate could not tell, or failed under `onFailure: pause`: the rollout stays where it is. */
export function pauseWrite(labels: EndpointLabels): EndpointWrite {
  return { labels: stepLabels(labels, 'paused') }
}

/** A candidate that was never fit to serve is forgotten. */
export function forgetCandidate(labels: EndpointLabels): EndpointWrite {
  return { labels: { ...labels, candidate: undefined, candidateDigest: undefined, step: undefined } }
}

/**
 * Back to what served before, in one write: from a rollout to the stable version, else to the previous one while it is warm. What is left
 * is on hold, so that the next deploy of the same state does not bring it back. undefined: there is nothing to go back to.
 */
export function rollbackWrite(endpoint: Endpoint): EndpointWrite | undefined {
  const labels = decodeLabels(endpoint.labels).ours
  if (labels === undefined) return undefined
  const rolling = labels.candidate !== undefined && labels.candidate !== labels.stable
  const [back, digest, hold] = rolling
    ? [labels.stable, labels.digest, labels.candidateDigest]
    : [labels.previous, labels.previousDigest, labels.digest]
  const model = endpoint.deployedModels.find(({ id }) => id === back)
  if (model === undefined) return undefined
  const traffic = { [model.id]: 100 }
  const settled = {
    stable: model.id,
    digest,
    traffic,
    scale: model.scale,
    hold,
    candidate: undefined,
    candidateDigest: undefined,
    step: undefined,
  }
  const forgotten = {
    commit: undefined,
    previous: undefined,
    previousDigest: undefined,
    previousVersion: undefined,
    warmUntil: undefined,
  }
  return { labels: { ...labels, ...(rolling ? {} : forgotten), ...settled }, traffic }
}

function ownLabels({ deployment }: Desired, endpoint: Endpoint | undefined, { target }: WriteContext): EndpointLabels {
  const { project, environment } = target
  return (endpoint && decodeLabels(endpoint.labels).ours) ?? { project, environment, deployment }
}

const candidate = (desired: Desired) => ({ candidate: desired.deployed.id, candidateDigest: desired.digest })

/** What is brought back is no longer on hold; what is left is. */
const release = (labels: EndpointLabels, { digest }: Desired, { hold }: WriteContext): EndpointLabels => ({
  ...labels,
  hold: hold ?? (labels.hold === digest ? undefined : labels.hold),
})

function stepLabels(labels: EndpointLabels, state: 'passed' | 'paused'): EndpointLabels {
  return { ...labels, step: labels.step && { ...labels.step, state } }
}

const seconds = (ms: number) => Math.round(ms / 1000)
